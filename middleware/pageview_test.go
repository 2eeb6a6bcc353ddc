package middleware_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/loguro/loguro"
)

func TestWhatIsAPageview(t *testing.T) {
	noFetchMetadata := []string{"Sec-Fetch-Dest", "", "Sec-Fetch-Mode", "", "Sec-Fetch-Site", ""}
	with := func(pairs ...string) []string { return append(slices.Clone(noFetchMetadata), pairs...) }
	fetch := func(pairs ...string) []string {
		return append([]string{"Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Accept", "*/*"}, pairs...)
	}
	answer := func(code int, pairs ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			change(w.Header(), pairs)
			w.WriteHeader(code)
		}
	}
	for _, tt := range []struct {
		why     string
		method  string // "" is GET
		headers []string
		answer  http.HandlerFunc // nil is a page
		want    string           // the reason, or "" for a pageview
	}{
		{why: "a click"},
		{why: "a form", method: "POST", want: "method"},
		{why: "HEAD", method: "HEAD", want: "method"},
		{why: "OPTIONS", method: "OPTIONS", want: "method"},
		{why: "DELETE", method: "DELETE", want: "method"},
		{why: "a method in lower case is another method", method: "get", want: "method"},

		{why: "an image", headers: []string{"Sec-Fetch-Dest", "image"}, want: "asset"},
		{why: "a script", headers: []string{"Sec-Fetch-Dest", "script"}, want: "asset"},
		{why: "a style", headers: []string{"Sec-Fetch-Dest", "style"}, want: "asset"},
		{why: "a font", headers: []string{"Sec-Fetch-Dest", "font"}, want: "asset"},
		{why: "a manifest", headers: []string{"Sec-Fetch-Dest", "manifest"}, want: "asset"},
		{why: "a service worker", headers: []string{"Sec-Fetch-Dest", "serviceworker"}, want: "asset"},
		{why: "a destination of the future", headers: []string{"Sec-Fetch-Dest", "hologram"}, want: "asset"},
		{why: "a script's fetch", headers: fetch(), want: "fragment"},
		{why: "a script's fetch that asks for HTML", headers: fetch("Accept", "text/html"), want: "fragment"},
		{why: "a frame within a page", headers: []string{"Sec-Fetch-Dest", "iframe"}, want: "fragment"},
		{why: "an old frame", headers: []string{"Sec-Fetch-Dest", "frame"}, want: "fragment"},
		{why: "an embedded page", headers: []string{"Sec-Fetch-Dest", "embed"}, want: "fragment"},
		{why: "an object", headers: []string{"Sec-Fetch-Dest", "object"}, want: "fragment"},
		{why: "a fenced frame", headers: []string{"Sec-Fetch-Dest", "fencedframe"}, want: "fragment"},

		{why: "an old browser", headers: noFetchMetadata},
		{why: "a client that takes HTML among others", headers: with("Accept", "application/json, TEXT/HTML;q=0.1")},
		{why: "a client that takes anything", headers: with("Accept", "*/*"), want: "asset"},
		{why: "a client that says nothing", headers: with("Accept", ""), want: "asset"},
		{why: "an old browser's image", headers: with("Accept", "image/avif,image/webp,*/*;q=0.8"), want: "asset"},
		{why: "jQuery", headers: with("X-Requested-With", "XMLHttpRequest", "Accept", "text/html, */*; q=0.01"), want: "fragment"},
		{why: "a mode without a destination", headers: with("Sec-Fetch-Mode", "cors"), want: "fragment"},
		{why: "a navigation without a destination", headers: with("Sec-Fetch-Mode", "navigate")},

		{why: "Chrome's prefetch", headers: []string{"Sec-Purpose", "prefetch"}, want: "prefetch"},
		{why: "Chrome's prerender", headers: []string{"Sec-Purpose", "prefetch;prerender"}, want: "prefetch"},
		{why: "a prefetch through Google's proxy", headers: []string{"Sec-Purpose", "prefetch;anonymous-client-ip"}, want: "prefetch"},
		{why: "an old Chrome", headers: []string{"Purpose", "prefetch"}, want: "prefetch"},
		{why: "an old Safari", headers: []string{"X-Purpose", "preview"}, want: "prefetch"},
		{why: "Firefox", headers: []string{"X-Moz", "prefetch"}, want: "prefetch"},
		{why: "Turbo", headers: []string{"X-Sec-Purpose", "prefetch"}, want: "prefetch"},
		{why: "capitals", headers: []string{"Sec-Purpose", "PREFETCH"}, want: "prefetch"},
		{why: "a prefetched form", method: "POST", headers: []string{"Purpose", "prefetch"}, want: "prefetch"},
		{why: "another purpose", headers: []string{"Purpose", "pageview"}},

		{why: "htmx swaps a part", headers: fetch("Hx-Request", "true"), want: "fragment"},
		{why: "htmx follows a boosted link", headers: fetch("Hx-Request", "true", "Hx-Boosted", "true")},
		{why: "htmx, and the response pushes an address", headers: fetch("Hx-Request", "true"), answer: answer(200, "Content-Type", html, "Hx-Push-Url", "/next")},
		{why: "htmx, and the response forbids to push", headers: fetch("Hx-Request", "true"), answer: answer(200, "Content-Type", html, "Hx-Push-Url", "false"), want: "fragment"},
		{why: "a boosted form", method: "POST", headers: fetch("Hx-Request", "true", "Hx-Boosted", "true"), want: "method"},
		{why: "a boosted link that fails", headers: fetch("Hx-Request", "true", "Hx-Boosted", "true"), answer: answer(500, "Content-Type", html), want: "status"},
		{why: "a Turbo Frame", headers: fetch("Turbo-Frame", "cart", "Accept", "text/html, application/xhtml+xml"), want: "fragment"},
		{why: "a Turbo Frame that navigates", headers: []string{"Turbo-Frame", "cart"}, want: "fragment"},
		{why: "a Turbo Drive visit", headers: fetch("Accept", "text/html, application/xhtml+xml")},
		{why: "a Turbo Drive visit that says so", headers: fetch("Accept", "text/html, application/xhtml+xml", "X-Turbo-Request-Id", "7")},
		{why: "a Turbo stream", headers: fetch("Accept", "text/vnd.turbo-stream.html, text/html, application/xhtml+xml", "X-Turbo-Request-Id", "7"), want: "fragment"},
		{why: "Turbo's prefetch", headers: fetch("Accept", "text/html, application/xhtml+xml", "X-Sec-Purpose", "prefetch"), want: "prefetch"},

		{why: "created", answer: answer(201, "Content-Type", html)},
		{why: "a part of a page", answer: answer(206, "Content-Type", html)},
		{why: "moved", answer: answer(301, "Content-Type", html), want: "status"},
		{why: "see other", answer: answer(303, "Content-Type", html), want: "status"},
		{why: "not allowed in", answer: answer(401, "Content-Type", html), want: "status"},
		{why: "not found", answer: answer(404, "Content-Type", html), want: "status"},
		{why: "a failure", answer: answer(503, "Content-Type", html), want: "status"},
		{why: "not modified", answer: answer(304, "Content-Type", html)},
		{why: "not modified, and it need not say what", answer: answer(304)},
		{why: "a picture that was not modified", answer: answer(304, "Content-Type", "image/png"), want: "content_type"},
		{why: "an image that was not modified", headers: []string{"Sec-Fetch-Dest", "image"}, answer: answer(304), want: "asset"},

		{why: "XHTML", answer: answer(200, "Content-Type", "application/xhtml+xml; charset=utf-8")},
		{why: "capitals and blanks", answer: answer(200, "Content-Type", " Text/HTML ;charset=x")},
		{why: "JSON", answer: answer(200, "Content-Type", "application/json"), want: "content_type"},
		{why: "plain text", answer: answer(200, "Content-Type", "text/plain"), want: "content_type"},
		{why: "a type that begins like HTML", answer: answer(200, "Content-Type", "text/html5"), want: "content_type"},
		{why: "no type at all", answer: answer(200), want: "content_type"},
		{why: "a download", answer: answer(200, "Content-Type", html, "Content-Disposition", `attachment; filename="a.html"`), want: "download"},
		{why: "a download in capitals", answer: answer(200, "Content-Type", html, "Content-Disposition", "ATTACHMENT"), want: "download"},
		{why: "a download of something else", answer: answer(200, "Content-Type", "application/pdf", "Content-Disposition", "attachment"), want: "download"},
		{why: "shown inline", answer: answer(200, "Content-Type", html, "Content-Disposition", "inline; filename=attachment.html")},
	} {
		t.Run(tt.why, func(t *testing.T) {
			h := http.Handler(tt.answer)
			if tt.answer == nil {
				h = http.HandlerFunc(page)
			}
			if tt.method == "" {
				tt.method = "GET"
			}
			s := newSite(t, func(c *loguro.Config) { c.Debug = true })
			srv := serve(t, "HTTP/1.1", s.tracker.Handler(h))
			got := srv.send(srv.browser(), navigation(t, tt.method, srv.URL, tt.headers...))
			excluded := s.tracker.Stats().Excluded
			if tt.want == "" {
				if s.pageviews() != 1 || len(excluded) != 0 || !got.sets() {
					t.Errorf("%d pageviews, excluded %v, cookies %v; want a pageview with cookies", s.pageviews(), excluded, got.sets())
				}
				return
			}
			if s.pageviews() != 0 || len(excluded) != 1 || excluded[tt.want] != 1 || got.header.Get("Loguro-Excluded") != tt.want {
				t.Errorf("%d pageviews, excluded %v, Loguro-Excluded %q; want %s", s.pageviews(), excluded, got.header.Get("Loguro-Excluded"), tt.want)
			}
			if got.sets() || got.header.Get("Cache-Control") != "" {
				t.Errorf("Set-Cookie %v, Cache-Control %q; want neither", got.header["Set-Cookie"], got.header.Get("Cache-Control"))
			}
		})
	}
}

func TestAnEventIsRecordedWhateverTheRequestWas(t *testing.T) {
	for _, tt := range []struct {
		why     string
		method  string
		headers []string
		want    string
		records bool
	}{
		{"a form", "POST", nil, "method", true},
		{"an asset", "GET", []string{"Sec-Fetch-Dest", "image"}, "asset", true},
		{"a fragment", "GET", []string{"Hx-Request", "true"}, "fragment", true},
		{"a script's fetch", "GET", []string{"Sec-Fetch-Dest", "empty", "Accept", "application/json"}, "fragment", true},
		{"HEAD", "HEAD", nil, "method", true},
		{"a prefetch", "GET", []string{"Sec-Purpose", "prefetch"}, "prefetch", false},
		{"a prefetched fragment", "GET", []string{"Hx-Request", "true", "Purpose", "prefetch"}, "prefetch", false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, persist)
			srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := loguro.Track(r.Context(), "x", nil); err != nil {
					t.Errorf("Track() = %v", err)
				}
				if err := loguro.Identify(r.Context(), "u1", loguro.Props{}); err != nil {
					t.Errorf("Identify() = %v", err)
				}
				if _, ok := loguro.Current(r.Context()); ok != tt.records {
					t.Errorf("Current() knows somebody: %v, want %v", ok, tt.records)
				}
				page(w, r)
			})))
			got := srv.send(srv.browser(), navigation(t, tt.method, srv.URL, tt.headers...))
			names, cookies := []string{"x", "identify"}, []string{"loguro_s", "loguro_u", "loguro_v"}
			if !tt.records {
				names, cookies = nil, nil
			}
			if set, deleted := got.cookies(); !slices.Equal(set, cookies) || deleted != nil || !slices.Equal(s.names(), names) {
				t.Errorf("events %v, cookies set %v, deleted %v; want %v, %v", s.names(), set, deleted, names, cookies)
			}
			if s.tracker.Stats().Excluded[tt.want] != 1 || s.pageviews() != 0 {
				t.Errorf("excluded %v; want %s", s.tracker.Stats().Excluded, tt.want)
			}
		})
	}
}

func TestResetInAPrefetchStillLogsOut(t *testing.T) {
	s := newSite(t, persist)
	srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/logout" {
			loguro.Reset(r.Context())
		} else {
			loguro.Identify(r.Context(), "u1", nil)
		}
		page(w, r)
	})))
	b := srv.browser()
	srv.send(b, navigation(t, "GET", srv.URL))
	got := srv.send(b, navigation(t, "GET", srv.URL+"/logout", "Sec-Purpose", "prefetch"))
	if _, deleted := got.cookies(); !slices.Equal(deleted, []string{"loguro_s", "loguro_u", "loguro_v"}) || srv.cookie(b, "loguro_u") != "" {
		t.Errorf("cookies deleted %v; want all three: the application logged out", deleted)
	}
}
