package middleware

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/loguro/loguro/identity"
)

// isPrefetch knows the headers by which browsers and libraries say that nobody looks at the page yet: Sec-Purpose (Fetch
// standard), its predecessors, and X-Sec-Purpose, which Turbo sends because scripts may not set Sec- headers.
func isPrefetch(h http.Header) bool {
	for _, name := range [...]string{"Sec-Purpose", "X-Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range h[name] {
			value = strings.ToLower(value)
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
				return true
			}
		}
	}
	return false
}

// navigation says from the request alone why it cannot be a pageview; Counted if it can.
func navigation(r *http.Request) Reason {
	h := r.Header
	if r.Method != http.MethodGet {
		return Method
	}
	if first(h, "Turbo-Frame") != "" {
		return Fragment
	}
	if first(h, "Hx-Request") != "" {
		return Counted // whether it is boosted or pushes a URL is for the response to say
	}
	accept := first(h, "Accept")
	switch dest := first(h, "Sec-Fetch-Dest"); dest {
	case "document":
		return Counted
	case "":
		if mode := first(h, "Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
			return Fragment
		}
		if strings.EqualFold(first(h, "X-Requested-With"), "XMLHttpRequest") {
			return Fragment
		}
		if !strings.Contains(strings.ToLower(accept), "text/html") {
			return Asset
		}
		return Counted
	case "empty":
		// Turbo Drive shows the page that its fetch brings; no other script asks with this very Accept.
		if first(h, "X-Turbo-Request-Id") != "" && strings.HasPrefix(accept, "text/html") || accept == "text/html, application/xhtml+xml" {
			return Counted
		}
		return Fragment
	case "iframe", "frame", "fencedframe", "embed", "object":
		return Fragment
	}
	return Asset
}

// htmx says whether a request of htmx moved the visitor to another page: it does if the link is boosted, or if either
// side pushes an address. Any other swaps a part of the page.
func htmx(request, response http.Header) Reason {
	if first(request, "Hx-Request") == "" || first(request, "Hx-Boosted") == "true" {
		return Counted
	}
	if push := first(response, "Hx-Push-Url"); push != "" && push != "false" {
		return Counted
	}
	return Fragment
}

// withheld says whether the browser kept its cookies back: SameSite=Lax cookies do not come with a cross-site POST, so
// the request of a well-known visitor looks like one of a fresh browser. When in doubt it says yes: the cost is that a
// really fresh browser gets its cookies one request later.
func withheld(r *http.Request, scheme, host, domain string) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	if site := first(r.Header, "Sec-Fetch-Site"); site != "" {
		return site == "cross-site"
	}
	origin := first(r.Header, "Origin")
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	if err != nil || from.Host == "" { // "null": a sandbox, or a redirect across origins
		return true
	}
	return from.Scheme != scheme && scheme == "https" || !sameSite(identity.Hostname(from.Host), identity.Hostname(host), domain)
}

// sameSite errs on the side of no: it knows no list of public suffixes, only hosts of which one stands below the other,
// and those below the configured cookie domain.
func sameSite(a, b, domain string) bool {
	if a == b || below(a, b) || below(b, a) {
		return true
	}
	return domain != "" && (a == domain || below(a, domain)) && (b == domain || below(b, domain))
}

func below(host, domain string) bool {
	return len(host) > len(domain) && strings.HasSuffix(host, domain) && host[len(host)-len(domain)-1] == '.'
}

func first(h http.Header, canonical string) string {
	if v := h[canonical]; len(v) > 0 {
		return v[0]
	}
	return ""
}
