package middleware_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/loguro/loguro"
)

func TestCookiesAndSharedCaches(t *testing.T) {
	const protected = `private, no-cache="Set-Cookie"`
	for _, tt := range []struct {
		why    string
		header http.Header
		want   []string // Cache-Control beside the cookie; nil if the cookie is suppressed
	}{
		{"nothing said", http.Header{}, []string{protected}},
		{"an empty word", http.Header{"Cache-Control": {""}}, []string{protected}},
		{"commas and blanks", http.Header{"Cache-Control": {" , "}}, []string{protected}},
		{"private", http.Header{"Cache-Control": {"private"}}, []string{"private"}},
		{"private for a while", http.Header{"Cache-Control": {"private, max-age=60"}}, []string{"private, max-age=60"}},
		{"no-store", http.Header{"Cache-Control": {"no-store"}}, []string{"no-store"}},
		{"all at once", http.Header{"Cache-Control": {"no-cache, no-store, must-revalidate"}}, []string{"no-cache, no-store, must-revalidate"}},
		{"no-cache may be stored", http.Header{"Cache-Control": {"no-cache"}}, []string{"no-cache", "private"}},
		{"max-age may be stored", http.Header{"Cache-Control": {"max-age=60"}}, []string{"max-age=60", "private"}},
		{"must-revalidate may be stored", http.Header{"Cache-Control": {"max-age=0, must-revalidate"}}, []string{"max-age=0, must-revalidate", "private"}},
		{"private for one field only", http.Header{"Cache-Control": {`private="X-User", max-age=60`}}, []string{`private="X-User", max-age=60`, "private"}},
		{"a date of expiry", http.Header{"Expires": {"Fri, 01 Jan 2100 00:00:00 GMT"}}, []string{protected}},
		{"several lines", http.Header{"Cache-Control": {"max-age=60", "must-revalidate"}}, []string{"max-age=60", "must-revalidate", "private"}},
		{"private in the second line", http.Header{"Cache-Control": {"max-age=60", "PRIVATE"}}, []string{"max-age=60", "PRIVATE"}},
		{"a word in quotes", http.Header{"Cache-Control": {`no-cache="public, s-maxage", private`}}, []string{`no-cache="public, s-maxage", private`}},
		{"a quote in quotes", http.Header{"Cache-Control": {`x="a\", public", private`}}, []string{`x="a\", public", private`}},
		{"a longer word", http.Header{"Cache-Control": {"publicity, private"}}, []string{"publicity, private"}},

		{"public", http.Header{"Cache-Control": {"public"}}, nil},
		{"public for a while", http.Header{"Cache-Control": {"max-age=60, public"}}, nil},
		{"capitals", http.Header{"Cache-Control": {"Max-Age=60,PUBLIC"}}, nil},
		{"blanks", http.Header{"Cache-Control": {"max-age=60 ,  public  , x"}}, nil},
		{"in the second line", http.Header{"Cache-Control": {"max-age=60", "public"}}, nil},
		{"s-maxage", http.Header{"Cache-Control": {"s-maxage=60"}}, nil},
		{"s-maxage of nothing is still stored", http.Header{"Cache-Control": {"s-maxage=0"}}, nil},
		{"s-maxage with blanks", http.Header{"Cache-Control": {"S-MaxAge = 60"}}, nil},
		{"immutable", http.Header{"Cache-Control": {"max-age=31536000, immutable"}}, nil},
		{"public and private: some cache believes the first", http.Header{"Cache-Control": {"public, private"}}, nil},
		{"after a word in quotes", http.Header{"Cache-Control": {`no-cache="x, y", public`}}, nil},

		{"the CDN's own", http.Header{"Cdn-Cache-Control": {"max-age=60"}}, nil},
		{"the CDN's own, as its RFC spells it", http.Header{"CDN-Cache-Control": {"max-age=60"}}, nil},
		{"Cache-Control in lower case", http.Header{"cache-control": {"public"}}, nil},
		{"nginx's in lower case", http.Header{"x-accel-expires": {"60"}}, nil},
		{"the CDN's own beats a private one", http.Header{"Cdn-Cache-Control": {"max-age=60"}, "Cache-Control": {"private"}}, nil},
		{"Cloudflare's", http.Header{"Cloudflare-Cdn-Cache-Control": {"max-age=60"}}, nil},
		{"Vercel's", http.Header{"Vercel-Cdn-Cache-Control": {"max-age=60"}}, nil},
		{"Fastly's", http.Header{"Surrogate-Control": {"max-age=60"}}, nil},
		{"Akamai's", http.Header{"Edge-Control": {"max-age=60"}}, nil},
		{"Akamai is told to store what must not be", http.Header{"Edge-Control": {"!no-store, max-age=1800"}, "Cache-Control": {"no-store"}}, nil},
		{"nginx's", http.Header{"X-Accel-Expires": {"60"}}, nil},
		{"nginx's, as a date", http.Header{"X-Accel-Expires": {"@4102444800"}}, nil},
		{"the CDN must not store", http.Header{"Cdn-Cache-Control": {"no-store"}}, []string{protected}},
		{"the CDN must not share", http.Header{"Cloudflare-Cdn-Cache-Control": {"private"}}, []string{protected}},
		{"Fastly must not store", http.Header{"Surrogate-Control": {"no-store"}, "Cache-Control": {"private"}}, []string{"private"}},
		{"Akamai must not store", http.Header{"Edge-Control": {"bypass-cache"}}, []string{protected}},
		{"nginx must not store", http.Header{"X-Accel-Expires": {"0"}}, []string{protected}},
		{"an empty word for the CDN", http.Header{"Cdn-Cache-Control": {""}}, []string{protected}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, nil)
			srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				maps.Copy(w.Header(), tt.header)
				page(w, r)
			})))
			got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
			if s.pageviews() != 1 {
				t.Errorf("the page was not counted: %v", s.tracker.Stats().Excluded)
			}
			if _, varies := got.header["Vary"]; varies {
				t.Errorf("Vary = %q", got.header["Vary"])
			}
			suppressed := s.tracker.Stats().CookiesSuppressed
			if tt.want == nil {
				if got.sets() || suppressed != 1 {
					t.Errorf("Set-Cookie %v, suppressed %d; want none, and counted", got.header["Set-Cookie"], suppressed)
				}
				for name, values := range tt.header {
					if got := got.header.Values(name); !slices.Equal(got, values) {
						t.Errorf("%s = %q, want %q", name, got, values)
					}
				}
				return
			}
			if !got.sets() || suppressed != 0 || !slices.Equal(got.header["Cache-Control"], tt.want) {
				t.Errorf("cookies %v, suppressed %d, Cache-Control %q; want cookies beside %q", got.sets(), suppressed, got.header["Cache-Control"], tt.want)
			}
			for name, values := range tt.header {
				if name != "Cache-Control" && !slices.Equal(got.header[name], values) {
					t.Errorf("%s = %q, want %q", name, got.header[name], values)
				}
			}
		})
	}
}

func TestAResponseWithoutACookieKeepsItsCacheControl(t *testing.T) {
	for _, said := range []string{"", "no-cache", "public, max-age=60"} {
		s := newSite(t, nil)
		srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(w.Header(), []string{"Cache-Control", said, "Content-Type", "text/css"})
		})))
		got := srv.send(srv.browser(), navigation(t, "GET", srv.URL, "Sec-Fetch-Dest", "style"))
		if got.header.Get("Cache-Control") != said || got.sets() || s.tracker.Stats().CookiesSuppressed != 0 {
			t.Errorf("Cache-Control = %q, cookies %v, suppressed %d; want %q alone", got.header.Get("Cache-Control"), got.sets(), s.tracker.Stats().CookiesSuppressed, said)
		}
	}
}

// The header map is the handler's, and may be one that it gives to every response.
func TestHeadersThatResponsesShareAreNotChanged(t *testing.T) {
	shared := make([]string, 1, 8)
	shared[0] = "max-age=60"
	cookies := append(make([]string, 0, 8), "app=1")
	s := newSite(t, func(c *loguro.Config) { c.Debug = true })
	srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Cache-Control"], w.Header()["Set-Cookie"] = shared, cookies
		page(w, r)
	})))
	got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
	if len(got.header["Set-Cookie"]) != 3 || len(got.header["Cache-Control"]) != 2 {
		t.Errorf("headers = %v, want the cookies and their protection", got.header)
	}
	if shared[:2][1] != "" || cookies[:2][1] != "" {
		t.Errorf("the handler's own slices grew: %q, %q", shared[:2], cookies[:2])
	}
}
