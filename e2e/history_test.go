package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/loguro/loguro"
)

// What counts is what the browser asks the server for. A page that it shows again from its memory is no request, so it
// is no pageview either; with Cache-Control: no-store it asks again.
func TestReloadBackAndForward(t *testing.T) {
	for _, tt := range []struct {
		why, cacheControl string
		want              string // the paths of the pageviews
	}{
		{"a page that may be kept", "private, max-age=60", "/a /b /b"},
		{"a page that may not", "no-store", "/a /b /b /a /b"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			w := newWindow(t)
			s := newSite(t, "https", tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", tt.cacheControl)
				show(w, `<h1>`+r.URL.Path+`</h1><a href="/b">b</a>`)
			})), nil)
			w.tab.open(s.url("app.acme.test", "/a"))
			w.tab.click("a")
			w.tab.reload()
			w.tab.back("<h1>/a</h1>")
			w.tab.forward("<h1>/b</h1>")
			var paths []string
			events := s.events()
			for _, e := range events {
				paths = append(paths, e.Path)
				if e.Visitor != events[0].Visitor || e.Session != events[0].Session {
					t.Errorf("%s is of another visitor or session", e.Path)
				}
			}
			if got := strings.Join(paths, " "); got != tt.want {
				t.Errorf("pageviews = %s, want %s", got, tt.want)
			}
		})
	}
}

// The answer to a form that redirects (303) can be reloaded without sending the form again.
func TestReloadAfterAFormTracksItOnce(t *testing.T) {
	w := newWindow(t)
	s := newSite(t, "https", tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			loguro.Track(r.Context(), "ordered", nil)
			http.Redirect(w, r, "/thanks", http.StatusSeeOther)
			return
		}
		show(w, `<form method=post action="/order"><button>Order</button></form>`)
	})), nil)
	w.tab.open(s.url("app.acme.test", "/"))
	w.tab.click("button")
	w.tab.reload()
	var got []string
	for _, e := range s.events() {
		got = append(got, fmt.Sprint(e.Type, e.Name, " ", e.Path))
	}
	if want := "pageview /, customordered /order, pageview /thanks, pageview /thanks"; strings.Join(got, ", ") != want {
		t.Errorf("events = %s, want %s", strings.Join(got, ", "), want)
	}
}
