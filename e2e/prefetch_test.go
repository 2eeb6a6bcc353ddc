package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// preloading serves a first page that asks the browser to fetch /next ahead, in the way that hint says.
func preloading(hint func(w http.ResponseWriter) (head string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Cache-Control", "no-store")
			show(w, hint(w)+`<a href="/next">next</a>`)
		case "/rules":
			w.Header().Set("Content-Type", "application/speculationrules+json")
			w.Write([]byte(`{"prefetch": [{"urls": ["/next"], "eagerness": "immediate"}]}`))
		case "/next":
			w.Header().Set("Cache-Control", "no-store")
			show(w, "next")
		default:
			http.NotFound(w, r)
		}
	})
}

func TestAPrefetchIsNoPageviewAndGetsNoCookie(t *testing.T) {
	for _, tt := range []struct {
		why  string
		hint func(w http.ResponseWriter) string
		then int // the pageviews when the visitor opens the page after all
	}{
		{"link rel=prefetch", func(http.ResponseWriter) string { return `<link rel=prefetch href="/next">` }, 1},
		// A browser that fetched ahead by these rules shows what it has, no-store or not, and asks nobody: no server can
		// count such a page. One that must, has to refuse requests with Sec-Purpose: prefetch.
		{"speculation rules", func(w http.ResponseWriter) string {
			w.Header().Set("Speculation-Rules", `"/rules"`) // the header needs no script on the page
			return ""
		}, 0},
	} {
		t.Run(tt.why, func(t *testing.T) {
			w := newWindow(t)
			cookie := make(chan string, 16)
			s := newSite(t, "https", trackedAndWatched("/next", func(h http.Header) { cookie <- strings.Join(h["Set-Cookie"], ", ") }, preloading(tt.hint)), nil)
			w.tab.open(s.url("app.acme.test", "/"))
			eventually(t, "the browser fetches ahead", func() bool { return s.tracker.Stats().Excluded["prefetch"] > 0 })
			if e := s.events(); len(e) != 1 || e[0].Path != "/" {
				t.Errorf("events = %+v, want the first page alone", e)
			}
			if got := <-cookie; got != "" {
				t.Errorf("the prefetched answer sets %q, want no cookie", got)
			}
			w.tab.click("a")
			if e := s.events()[1:]; len(e) != tt.then {
				t.Errorf("opened after all, the page counts %d times, want %d", len(e), tt.then)
			}
		})
	}
}
