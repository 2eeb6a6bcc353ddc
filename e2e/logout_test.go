package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

// slowApp has a page that takes as long as the test wants.
type slowApp struct {
	began   chan struct{} // the slow handler is under way
	release chan struct{} // let it go on
}

func newSlowApp() *slowApp {
	return &slowApp{began: make(chan struct{}), release: make(chan struct{})}
}

func (a *slowApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	switch r.URL.Path {
	case "/login":
		loguro.Identify(ctx, r.FormValue("user"), nil)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case "/logout":
		loguro.Reset(ctx)
		http.Redirect(w, r, "/bye", http.StatusSeeOther)
	case "/slow", "/slow-login":
		loguro.Current(ctx) // the cookies of the request are read before the logout
		close(a.began)
		<-a.release
		if r.URL.Path == "/slow-login" {
			loguro.Identify(ctx, "u1", nil)
		}
		loguro.Track(ctx, "report_made", nil)
		show(w, "slow")
	case "/bye":
		http.Error(w, "gone", http.StatusGone) // not a page that counts: the browser is nobody until it opens one
	default:
		show(w, `<a id=slow href="/slow">slow</a> <form method=post action="/logout"><button id=logout>Log out</button></form>`)
	}
}

// logoutModes are the configurations in which a late answer could bring different things back.
var logoutModes = []struct {
	why    string
	mutate func(*loguro.Config)
}{
	{"in memory", func(*loguro.Config) {}},
	{"persisted", func(c *loguro.Config) { c.PersistUser = true }},
	{"on all subdomains", func(c *loguro.Config) { c.Domain, c.PersistUser = ".acme.test", true }},
	{"renewed", func(c *loguro.Config) {
		c.PersistUser, c.RenewVisitor = true, true
		c.SessionTimeout = time.Millisecond // every event starts a session, and so renews the visitor's cookie
	}},
}

func TestALateAnswerAfterLogoutRevivesNothing(t *testing.T) {
	for _, mode := range logoutModes {
		for _, slow := range []string{"/slow", "/slow-login"} {
			for _, when := range []string{"before the next page", "after the next page"} {
				t.Run(mode.why+", "+slow+" ends "+when, func(t *testing.T) {
					app := newSlowApp()
					s := newSite(t, "https", tracked(app), mode.mutate)
					b := newClient(t, s)
					b.get("/login?user=u1")
					old := s.last()

					arrived := make(chan error, 1)
					go func() { arrived <- b.fetch("GET", slow) }()
					<-app.began
					b.post("/logout")
					if kept := b.kept(); kept != "" && mode.why != "renewed" {
						t.Fatalf("after the logout the browser keeps %s", kept)
					}
					if when == "after the next page" {
						b.get("/next")
					}
					close(app.release)
					if err := <-arrived; err != nil {
						t.Fatal(err)
					}
					if !strings.Contains(b.kept(), "loguro_s") {
						t.Error("the late answer brought no cookie, so that this test shows nothing")
					}
					late := len(s.events())
					b.get("/next")
					b.get("/next")
					for _, e := range s.since(late) {
						if e.Visitor == old.Visitor || e.Session == old.Session || e.User != "" {
							t.Errorf("%s is of visitor %v, session %v, user %q; visitor %v, session %v and u1 had logged out",
								e.Path, e.Visitor, e.Session, e.User, old.Visitor, old.Session)
						}
					}
				})
			}
		}
	}
}

// The same with two tabs of a real browser, whose cookies arrive in the order that the network makes.
func TestALateAnswerInAnotherTabRevivesNothing(t *testing.T) {
	for _, mode := range logoutModes {
		t.Run(mode.why, func(t *testing.T) {
			app := newSlowApp()
			s := newSite(t, "https", tracked(app), mode.mutate)
			w := newWindow(t)
			url := func(path string) string { return s.url("app.acme.test", path) }
			w.tab.open(url("/login?user=u1"))
			old := s.last()
			second := w.newTab()
			second.open(url("/"))

			wait := w.tab.clickSlow("#slow")
			<-app.began
			second.click("#logout")
			close(app.release)
			wait()
			late := len(s.events())

			second.open(url("/next"))
			w.tab.open(url("/next"))
			events := s.since(late)
			for _, e := range events {
				if e.Visitor == old.Visitor || e.Session == old.Session || e.User != "" {
					t.Errorf("%s is of visitor %v, session %v, user %q; visitor %v, session %v and u1 had logged out",
						e.Path, e.Visitor, e.Session, e.User, old.Visitor, old.Session)
				}
			}
			if len(events) != 2 || events[0].Visitor != events[1].Visitor {
				t.Errorf("events = %+v, want two pages of one new visitor", events)
			}
		})
	}
}
