package loguro_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro"
)

// account logs in at /login?user=…, logs out at /logout, and shows pages elsewhere.
func account(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		if err := loguro.Identify(r.Context(), r.URL.Query().Get("user"), nil); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case "/logout":
		if err := loguro.Reset(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		page(w, r)
	}
}

func persist(c *loguro.Config) { c.PersistUser = true }

func TestByDefaultTheUserEndsWithTheRequest(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "before", nil)
		if r.URL.Path == "/login" {
			loguro.Identify(r.Context(), "u1", nil)
		}
		loguro.Track(r.Context(), "after", nil)
		page(w, r)
	}, nil)
	b := s.browser()
	b.get("/login")
	b.get("/")
	want := []string{"before:", "after:u1", ":u1", "before:", "after:", ":"}
	for i, e := range s.events() {
		if got := e.Name + ":" + e.User; got != want[i] {
			t.Errorf("event %d is %q, want %q", i, got, want[i])
		}
	}
	if b.cookie("loguro_u") != "" {
		t.Error("a user cookie was set without PersistUser")
	}
}

func TestAPersistedUserLastsUntilReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, account, persist)
		b := s.browser()
		b.get("/")
		anonymous := s.last()
		res := b.get("/login?user=ada-lovelace")
		if got := setCookies(res); len(got) != 1 || got[0] != "loguro_u" || res.StatusCode != http.StatusSeeOther {
			t.Fatalf("login answered %d and set %v, want 303 and loguro_u: nothing happened but Identify", res.StatusCode, got)
		}
		if strings.Contains(b.cookie("loguro_u"), "ada-lovelace") {
			t.Error("the user id is readable in its cookie")
		}
		for range 3 {
			time.Sleep(50 * 24 * time.Hour)
			b.get("/")
			if e := s.last(); e.User != "ada-lovelace" || e.Visitor != anonymous.Visitor {
				t.Fatalf("user = %q of %v, want ada-lovelace of %v", e.User, e.Visitor, anonymous.Visitor)
			}
		}
		if got := setCookies(b.get("/logout")); len(got) != 3 {
			t.Errorf("logout wrote %v, want the deletion of all three", got)
		}
		if b.cookie("loguro_v")+b.cookie("loguro_s")+b.cookie("loguro_u") != "" {
			t.Error("cookies are left after logout")
		}
		b.get("/")
		if e := s.last(); e.User != "" || e.Visitor == anonymous.Visitor || e.Returning {
			t.Errorf("after logout the event is of %q, visitor %v, returning %v", e.User, e.Visitor, e.Returning)
		}
	})
}

func TestAPersistedUserOfAFreshBrowserGetsAVisitor(t *testing.T) {
	s := newSite(t, account, persist)
	b := s.browser()
	b.get("/login?user=u1") // no event, a redirect, no body
	b.get("/")
	if e := s.last(); e.User != "u1" || !e.Returning {
		t.Errorf("user = %q, returning %v; want u1, true", e.User, e.Returning)
	}
}

func TestTwoPeopleNeverShareASession(t *testing.T) {
	who := ""
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		login  bool
	}{
		{"over a persisted user", persist, true},
		{"by the application's own answer", func(c *loguro.Config) { c.User = func(*http.Request) string { return who } }, false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			who = ""
			s := newSite(t, account, tt.mutate)
			b := s.browser()
			b.get("/")
			anonymous := s.last()
			for _, user := range []string{"alice", "alice", "bob", "bob"} {
				if who = user; tt.login {
					b.get("/login?user=" + user)
				}
				b.get("/")
			}
			e := s.events()
			if e[1].Session != anonymous.Session || e[2].Session != anonymous.Session {
				t.Error("the login split the session of the visitor who logged in")
			}
			if e[3].Session == e[2].Session || e[3].Session != e[4].Session {
				t.Errorf("sessions of alice, bob, bob: %v %v %v; want bob to begin one and keep it", e[2].Session, e[3].Session, e[4].Session)
			}
			if e[3].Visitor != anonymous.Visitor {
				t.Error("the switch changed the visitor, who is the browser")
			}
			if e[2].User != "alice" || e[3].User != "bob" {
				t.Errorf("users = %q, %q", e[2].User, e[3].User)
			}
		})
	}
}

func TestASwitchWithoutEventsOfTheFirstUserStartsASessionToo(t *testing.T) {
	s := newSite(t, account, persist)
	b := s.browser()
	b.get("/")
	before := s.last()
	b.get("/login?user=alice")
	b.get("/login?user=bob")
	b.get("/")
	if after := s.last(); after.Session == before.Session || after.User != "bob" {
		t.Errorf("session %v of %q, want a new one of bob", after.Session, after.User)
	}
}

func TestPrecedenceOfWhoTheUserIs(t *testing.T) {
	asked := 0
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "asked", nil)
		loguro.Track(r.Context(), "asked again", nil)
		if user := r.URL.Query().Get("user"); user != "" {
			loguro.Identify(r.Context(), user, nil)
		}
		page(w, r)
	}, func(c *loguro.Config) {
		c.User = func(r *http.Request) string { asked++; return r.Header.Get("App-User") }
	})
	b := s.browser()
	r := b.request("GET", "/?user=identified")
	r.Header.Set("App-User", "application")
	b.send(r)
	e := s.events()
	if e[0].User != "application" || e[1].User != "application" || e[2].User != "identified" {
		t.Errorf("users = %q %q %q, want the application's answer until Identify", e[0].User, e[1].User, e[2].User)
	}
	if asked != 1 {
		t.Errorf("Config.User was asked %d times in one request, want once", asked)
	}
	b.get("/")
	if e := s.last(); e.User != "" {
		t.Errorf("user = %q, want nobody: the application says so", e.User)
	}
	asked = 0
	b.send(func() *http.Request { r := b.request("GET", "/"); r.Header.Set("Sec-Purpose", "prefetch"); return r }())
	if asked != 0 {
		t.Error("Config.User was asked although no event needs it")
	}
}

func TestIdentify(t *testing.T) {
	long := strings.Repeat("x", 513)
	for _, tt := range []struct {
		why    string
		user   string
		traits loguro.Props
		want   error
		names  string // of the custom events
		after  string // user of the pageview
		props  string
	}{
		{"without traits there is no event", "u1", nil, nil, "", "u1", ""},
		{"empty traits are an event", "u1", loguro.Props{}, nil, "identify", "u1", ""},
		{"traits become custom_props", "u1", loguro.Props{"plan": "pro"}, nil, "identify", "u1", `{"plan":"pro"}`},
		{"empty id changes nothing", "", loguro.Props{"plan": "pro"}, loguro.ErrEmptyUserID, "", "", ""},
		{"white space is empty", " \t", nil, loguro.ErrEmptyUserID, "", "", ""},
		{"too large traits lose the event, not the user", "u1", loguro.Props{"x": strings.Repeat("x", 5000)}, loguro.ErrPropsTooLarge, "", "u1", ""},
		{"an id that is none", long, nil, errors.ErrUnsupported, "", "", ""},
	} {
		t.Run(tt.why, func(t *testing.T) {
			var got error
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				got = loguro.Identify(r.Context(), tt.user, tt.traits)
				page(w, r)
			}, nil)
			s.browser().get("/")
			if tt.user == long {
				if got == nil {
					t.Error("an id of 513 bytes was taken")
				}
			} else if !errors.Is(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("Identify() = %v, want %v", got, tt.want)
			}
			names, props := "", ""
			for _, e := range s.events() {
				if names += e.Name; e.Name != "" {
					props = string(e.Props)
				}
			}
			if names != tt.names || props != tt.props || s.last().User != tt.after {
				t.Errorf("events %q %s, user %q; want %q %s, user %q", names, props, s.last().User, tt.names, tt.props, tt.after)
			}
		})
	}
}

func TestIdentifyWorksOnEveryAnswer(t *testing.T) {
	for _, status := range []int{200, 204, 302, 303, 401, 500} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				page(w, r)
				return
			}
			for range 2 { // idempotent
				loguro.Identify(r.Context(), "u1", nil)
			}
			w.WriteHeader(status)
		}, persist)
		b := s.browser()
		b.get("/")
		if got := setCookies(b.post("/login")); len(got) != 1 {
			t.Errorf("a %d after Identify set %v, want loguro_u alone", status, got)
		}
		b.get("/")
		if e := s.last(); e.User != "u1" {
			t.Errorf("after a %d the user is %q, want u1", status, e.User)
		}
	}
}

func TestAContextWithoutAVisitSaysHowToFixIt(t *testing.T) {
	for call, err := range map[string]error{
		"Track":    loguro.Track(t.Context(), "x", nil),
		"Identify": loguro.Identify(t.Context(), "x", nil),
		"Reset":    loguro.Reset(t.Context()),
	} {
		if !errors.Is(err, loguro.ErrNoVisit) || !strings.Contains(err.Error(), "Tracker.Handler") {
			t.Errorf("%s() = %v, want ErrNoVisit that names Tracker.Handler", call, err)
		}
	}
	if id, ok := loguro.Current(t.Context()); ok {
		t.Errorf("Current() = %v, true", id)
	}
}

func TestAPersistedUserOutlivesItsKey(t *testing.T) {
	fresh := []byte("a new key of at least thirty-two bytes")
	before := newSite(t, account, persist)
	during := newSite(t, account, func(c *loguro.Config) { c.PersistUser, c.Keys = true, [][]byte{fresh, testKey} })
	after := newSite(t, account, func(c *loguro.Config) { c.PersistUser, c.Keys = true, [][]byte{fresh} })
	b := before.browser()
	b.get("/login?user=u1")
	b.get("/")
	b.site = during
	b.get("/")
	if got := setCookies(b.get("/")); len(got) != 1 {
		t.Errorf("the second page with the new key set %v, want loguro_s alone", got)
	}
	b.site = after
	b.get("/")
	if e := after.last(); e.User != "u1" {
		t.Errorf("user = %q after the old key was dropped, want u1", e.User)
	}
}

func TestTheApplicationsAnswerIsCleanedAsIdentifyDoes(t *testing.T) {
	for answer, want := range map[string]string{" u1\n": "u1", "  ": "", "\xff": "\uFFFD", strings.Repeat("x", 513): ""} {
		s := newSite(t, page, func(c *loguro.Config) { c.User = func(*http.Request) string { return answer } })
		s.browser().get("/")
		if got := s.last().User; got != want {
			t.Errorf("Config.User answers %.20q, the event has %.20q, want %q", answer, got, want)
		}
	}
}

func TestAnAnonymousVisitorIsNotIdentified(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if err := loguro.Identify(r.Context(), "u1", loguro.Props{"email": "me@acme.com"}); err != nil {
			t.Errorf("Identify() = %v", err)
		}
		page(w, r)
	}, func(c *loguro.Config) {
		c.Consent = func(*http.Request) loguro.Consent { return loguro.ConsentAnonymous }
	})
	s.browser().get("/")
	for _, e := range s.events() {
		if e.Name != "" || e.User != "" || e.Props != nil {
			t.Errorf("recorded %s", e.AppendJSON(nil))
		}
	}
}
