package e2e

import (
	"io"
	"net/http"
	"testing"

	"github.com/loguro/loguro"
)

func TestSubdomainsShareAVisitorOnlyIfDomainIsSet(t *testing.T) {
	for _, tt := range []struct {
		why, scheme, domain string
		shared              bool
		kept                []string // the domains of the visitor cookies in the browser
	}{
		{"with Domain, over HTTPS", "https", ".acme.test", true, []string{".acme.test"}},
		{"with Domain, over plain HTTP", "http", ".acme.test", true, []string{".acme.test"}},
		{"without Domain", "https", "", false, []string{"a.acme.test", "b.acme.test"}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			w := newWindow(t)
			s := newSite(t, tt.scheme, tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { show(w, r.Host) })),
				func(c *loguro.Config) { c.Domain = tt.domain })
			w.tab.open(s.url("a.acme.test", "/"))
			w.tab.open(s.url("b.acme.test", "/"))
			w.tab.open(s.url("a.acme.test", "/again"))
			e := s.events()
			if len(e) != 3 {
				t.Fatalf("%d events were recorded, want 3", len(e))
			}
			if shared := e[0].Visitor == e[1].Visitor && e[0].Session == e[1].Session; shared != tt.shared {
				t.Errorf("the two hosts share visitor and session: %v, want %v", shared, tt.shared)
			}
			if e[0].Visitor != e[2].Visitor || e[0].Session != e[2].Session {
				t.Error("back on the first host, visitor or session is another")
			}
			for _, domain := range tt.kept {
				if got := names(w.cookies(domain)); got != "loguro_v loguro_s" {
					t.Errorf("the browser keeps %q for %s, want loguro_v loguro_s", got, domain)
				}
			}
		})
	}
}

func TestOneSiteCannotReadTheVisitorsOfAnother(t *testing.T) {
	w := newWindow(t)
	var sent string
	handler := tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Cookie")
		show(w, "")
	}))
	s := newSite(t, "https", handler, func(c *loguro.Config) { c.Domain = ".acme.test" })
	other := newSite(t, "https", handler, nil)
	w.tab.open(s.url("a.acme.test", "/"))
	w.tab.open(other.url("other.test", "/"))
	if other.events(); sent != "" {
		t.Errorf("the browser sent %q to another site", sent)
	}
}

func TestTheHostPrefixWorksOverHTTPS(t *testing.T) {
	w := newWindow(t)
	s := newSite(t, "https", tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			loguro.Identify(r.Context(), "u1", nil)
		}
		show(w, "")
	})), func(c *loguro.Config) { c.CookiePrefix, c.PersistUser = "__Host-", true })
	w.tab.open(s.url("app.acme.test", "/login"))
	w.tab.open(s.url("app.acme.test", "/"))
	e := s.events()
	if len(e) != 2 || e[0].Visitor != e[1].Visitor || e[1].User != "u1" || !e[1].Returning {
		t.Errorf("events = %+v, want two of one visitor, the second still of u1", e)
	}
	cookies := w.cookies("app.acme.test")
	if got := names(cookies); got != "__Host-loguro_v __Host-loguro_s __Host-loguro_u" {
		t.Errorf("the browser keeps %q, want visitor, session and user under __Host-", got)
	}
	for name, c := range cookies {
		if !c.Secure || !c.HTTPOnly || c.Path != "/" || c.SameSite != "Lax" {
			t.Errorf("%s: Secure %v, HttpOnly %v, Path %q, SameSite %q", name, c.Secure, c.HTTPOnly, c.Path, c.SameSite)
		}
	}
}

func TestACacheablePageGetsNoCookie(t *testing.T) {
	w := newWindow(t)
	s := newSite(t, "https", tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<title>the same for all</title>")
	})), nil)
	w.tab.open(s.url("app.acme.test", "/"))
	if e := s.events(); len(e) != 1 {
		t.Errorf("%d events were recorded, want 1: the page counts all the same", len(e))
	}
	if got := names(w.cookies("")); got != "" {
		t.Errorf("the browser keeps %q, want nothing", got)
	}
	if n := s.tracker.Stats().CookiesSuppressed; n != 1 {
		t.Errorf("CookiesSuppressed = %d, want 1", n)
	}
}
