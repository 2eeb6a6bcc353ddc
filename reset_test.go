package loguro_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

func TestAfterResetTheNextEventOfTheSameRequestIsANewVisitors(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/logout" {
			loguro.Track(r.Context(), "goodbye", nil)
			loguro.Reset(r.Context())
			loguro.Reset(r.Context()) // idempotent
			loguro.Track(r.Context(), "logged_out", nil)
		}
		page(w, r)
	}, func(c *loguro.Config) { c.User = func(*http.Request) string { return "u1" } })
	b := s.browser()
	b.get("/")
	b.get("/logout")
	b.get("/")
	e := s.events()
	if e[1].Visitor != e[0].Visitor || e[1].User != "u1" {
		t.Errorf("before Reset: %v of %q, want the old visitor, u1", e[1].Visitor, e[1].User)
	}
	if e[2].Visitor == e[0].Visitor || e[2].Session == e[0].Session || e[2].User != "" || e[2].Returning {
		t.Errorf("after Reset: %v %v %q returning=%v, want a new visitor and nobody", e[2].Visitor, e[2].Session, e[2].User, e[2].Returning)
	}
	if e[3].Visitor != e[2].Visitor || e[4].Visitor != e[2].Visitor || e[4].Session != e[2].Session {
		t.Error("the visitor of after Reset does not last")
	}
}

func TestTheReferrerDoesNotLinkTheNewVisitorToTheOld(t *testing.T) {
	s := newSite(t, account, nil)
	b := s.browser()
	b.get("/")
	b.get("/logout")
	for _, tt := range []struct{ referrer, first, later string }{
		{home + "users/42?tab=billing", home, home + "users/42?tab=billing"},
		{"https://search.example/?q=x", "https://search.example/?q=x", "https://search.example/?q=x"},
	} {
		b.get("/logout")
		for _, want := range []string{tt.first, tt.later} {
			r := b.request("GET", "/")
			r.Header.Set("Referer", tt.referrer)
			b.send(r)
			if got := s.last().Referrer; got != want {
				t.Errorf("referrer = %q, want %q", got, want)
			}
		}
	}
}

// The order in which Set-Cookie arrives is the point: the answer that began before the logout is stored after it.
func TestALateAnswerRevivesNothing(t *testing.T) {
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		late   http.HandlerFunc
	}{
		{"a page", nil, page},
		{"an event", nil, track},
		{"a page of a persisted user", persist, page},
		{"an Identify that persists", persist, func(w http.ResponseWriter, r *http.Request) {
			loguro.Identify(r.Context(), "u1", loguro.Props{})
			page(w, r)
		}},
		{"a renewed visitor", func(c *loguro.Config) { c.RenewVisitor, c.PersistUser, c.SessionTimeout = true, true, 1e6 }, page},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/late" {
					tt.late(w, r)
					return
				}
				account(w, r)
			}, tt.mutate)
			b := s.browser()
			b.get("/")
			b.get("/login?user=u1")
			b.get("/")
			old := s.last()

			slow := b.request("GET", "/late") // leaves with the cookies of before the logout
			for _, c := range b.jar.Cookies(slow.URL) {
				slow.AddCookie(c)
			}
			b.get("/logout")
			answer := s.serve(slow)
			s.events()
			b.jar.SetCookies(slow.URL, answer.Cookies())

			b.get("/")
			got := s.last()
			if got.Visitor == old.Visitor || got.Session == old.Session || got.User != "" {
				t.Errorf("the late answer revived %v %v %q", got.Visitor, got.Session, got.User)
			}

			// And once more, over the new visitor's cookies.
			b.jar.SetCookies(slow.URL, answer.Cookies())
			b.get("/")
			if again := s.last(); again.Visitor == old.Visitor || again.User != "" {
				t.Errorf("the late answer revived %v %q over a new visitor", again.Visitor, again.User)
			} else if tt.mutate == nil && (again.Visitor != got.Visitor || again.Session != got.Session) {
				t.Errorf("the late answer split the new visit: %v %v, want %v %v", again.Visitor, again.Session, got.Visitor, got.Session)
			}
		})
	}
}

func TestTheMarkOfAForgottenVisitorIsSetOnce(t *testing.T) {
	s := newSite(t, account, func(c *loguro.Config) { c.RenewVisitor = true })
	b := s.browser()
	b.get("/")
	if got := setCookies(b.get("/logout")); len(got) != 4 {
		t.Errorf("logout wrote %v, want the three deleted and the mark", got)
	}
	b.get("/")
	if got := setCookies(b.get("/")); len(got) != 1 || got[0] != "loguro_s" {
		t.Errorf("the second page of the new visitor wrote %v, want loguro_s alone", got)
	}
}

func TestResetAfterTheHeadersChangesNothing(t *testing.T) {
	var got error
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		page(w, r)
		got = loguro.Reset(r.Context())
	}, persist)
	b := s.browser()
	b.get("/")
	b.get("/")
	if e := s.events(); !errors.Is(got, loguro.ErrHeadersSent) || e[0].Visitor != e[1].Visitor {
		t.Errorf("Reset() = %v, visitors %v and %v; want ErrHeadersSent, and the same", got, e[0].Visitor, e[1].Visitor)
	}
}

func TestIdentifyAfterTheHeadersHoldsForTheRequest(t *testing.T) {
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		want   error
	}{
		{"by default it cannot tell the difference", nil, nil},
		{"what cannot be kept is said", persist, loguro.ErrHeadersSent},
	} {
		var got error
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			page(w, r)
			w.(http.Flusher).Flush()
			got = loguro.Identify(r.Context(), "u1", loguro.Props{})
		}, tt.mutate)
		s.browser().get("/")
		if e := s.events(); !errors.Is(got, tt.want) || e[0].Name != "identify" || e[0].User != "u1" {
			t.Errorf("%s: Identify() = %v, event %s of %q", tt.why, got, e[0].Name, e[0].User)
		}
	}
}

func TestMemoryStorageKnowsNoCookies(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "x", nil)
		account(w, r)
	}, func(c *loguro.Config) { c.Storage = loguro.StorageMemory })
	other := newSite(t, page, nil).browser()
	other.get("/")
	b := s.browser()
	b.jar = other.jar // it comes with valid cookies of another configuration
	visitors := map[uuid.UUID]int{}
	for _, path := range []string{"/", "/", "/login?user=u", "/logout"} {
		if got := setCookies(b.get(path)); got != nil {
			t.Errorf("%s set %v", path, got)
		}
	}
	for _, e := range s.events() {
		visitors[e.Visitor]++
		if e.Visitor == other.site.last().Visitor {
			t.Error("the visitor of a cookie was read")
		}
	}
	if len(visitors) != 4 {
		t.Errorf("four page loads made %d visitors, want 4", len(visitors))
	}
}

func TestResetUnderWithdrawnConsentDeletesTheCookies(t *testing.T) {
	consent := loguro.ConsentGranted
	for _, then := range []loguro.Consent{loguro.ConsentAnonymous, loguro.ConsentDenied} {
		consent = loguro.ConsentGranted
		s := newSite(t, account, func(c *loguro.Config) {
			c.PersistUser, c.Consent = true, func(*http.Request) loguro.Consent { return consent }
		})
		b := s.browser()
		b.get("/login?user=u1")
		b.get("/")
		old := s.last()
		consent = then
		b.get("/logout")
		consent = loguro.ConsentGranted
		b.get("/")
		if e := s.last(); e.Visitor == old.Visitor || e.User != "" {
			t.Errorf("consent %d: after the logout %v of %q is back", then, e.Visitor, e.User)
		}
	}
}

func TestSeveralResetsForgetEachVisitor(t *testing.T) {
	s := newSite(t, callback(nil), func(c *loguro.Config) { c.RenewVisitor, c.PersistUser, c.SessionTimeout = true, true, 1e6 })
	b := s.browser()
	b.get("/login?user=u1")
	b.get("/")
	old := s.last()
	slow := b.request("GET", "/")
	for _, c := range b.jar.Cookies(slow.URL) {
		slow.AddCookie(c)
	}
	late := s.serve(slow)
	s.events()
	for _, step := range []func(){
		func() { b.get("/logout"); b.get("/"); b.get("/logout") },
		func() { b.get("/logout"); b.signInFromElsewhere("/callback") },
	} {
		step()
		b.jar.SetCookies(slow.URL, late.Cookies())
		b.get("/")
		if e := s.last(); e.Visitor == old.Visitor {
			t.Errorf("a renewal that came late revived the visitor, of %q", e.User)
		}
	}
}
