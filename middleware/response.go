package middleware

import (
	"net/http"
	"net/textproto"
	"strings"
)

// judge says from the response why it is not a page that a visitor looks at; Counted if it is. contentType is the
// declared one or the one that net/http will find.
func judge(status int, h http.Header, contentType string) Reason {
	if status != http.StatusNotModified && (status < 200 || status > 299) {
		return Status
	}
	if disposition := first(h, "Content-Disposition"); disposition != "" {
		kind, _, _ := strings.Cut(disposition, ";")
		if strings.EqualFold(strings.TrimSpace(kind), "attachment") {
			return Download
		}
	}
	if status == http.StatusNotModified && contentType == "" {
		return Counted // RFC 9110, section 15.4.5: it need not repeat the type of the page that the browser shows again
	}
	if !isHTML(contentType) {
		return ContentType
	}
	return Counted
}

func isHTML(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	return strings.EqualFold(kind, "text/html") || strings.EqualFold(kind, "application/xhtml+xml")
}

// needsSniff says whether net/http will look at the first 512 bytes of the body to find the type of the response.
func needsSniff(status int, h http.Header) bool {
	if status < 200 || status > 299 || status == http.StatusNoContent {
		return false
	}
	_, declared := h["Content-Type"]
	_, coded := h["Transfer-Encoding"]
	return !declared && !coded && first(h, "Content-Encoding") == ""
}

// sharedCacheable says whether a cache between us and many visitors may keep the response, and would then hand one
// visitor's cookies to all. (RFC 9111, section 5.2.2; RFC 9213 and its namesakes for CDNs.)
func sharedCacheable(h http.Header) bool {
	for name, values := range h {
		switch name = textproto.CanonicalMIMEHeaderKey(name); { // who sets the map itself may spell it as RFC 9213 does
		case name == "Cache-Control":
			if hasDirective(values, "public", "s-maxage", "immutable") {
				return true
			}
		case strings.HasSuffix(name, "-Cache-Control"), name == "Surrogate-Control", name == "Edge-Control":
			if strings.Trim(strings.Join(values, ""), " ,") != "" && !hasDirective(values, "no-store", "private", "no-cache", "bypass-cache") {
				return true
			}
		case name == "X-Accel-Expires":
			if len(values) > 0 && values[0] != "" && values[0] != "0" && values[0] != "off" {
				return true
			}
		}
	}
	return false
}

// protect keeps the response out of shared caches now that it carries cookies. What the handler said stays; `private`
// joins it unless nothing may be stored anyway.
func protect(h http.Header) {
	said := h["Cache-Control"]
	if strings.Trim(strings.Join(said, ""), " ,") == "" {
		h["Cache-Control"] = []string{`private, no-cache="Set-Cookie"`}
	} else if !hasDirective(said, "private", "no-store") {
		h["Cache-Control"] = append(append([]string(nil), said...), "private")
	}
}

// hasDirective looks for directives of that name, outside quoted strings. A qualified private="…" or no-cache="…" is
// about single fields and does not keep the response out, so it is passed over.
func hasDirective(values []string, names ...string) bool {
	for _, value := range values {
		for value != "" {
			var directive string
			directive, value = cutDirective(value)
			name, argument, qualified := strings.Cut(directive, "=")
			name = strings.TrimSpace(name)
			for _, want := range names {
				if strings.EqualFold(name, want) && !(qualified && strings.Contains(argument, `"`) && (want == "private" || want == "no-cache")) {
					return true
				}
			}
		}
	}
	return false
}

func cutDirective(s string) (directive, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
