package e2e

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/loguro/loguro"
)

// authCookie is the application's own login, for Config.User. Its value is the user id, which is good enough here.
const authCookie = "auth"

// signInApp takes sign-ins from elsewhere at /callback, as with OpenID Connect's form_post, SAML or Sign in with Apple.
func signInApp(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/callback":
		http.SetCookie(w, &http.Cookie{Name: authCookie, Value: "u1", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		if err := loguro.Identify(r.Context(), "u1", loguro.Props{"plan": "pro"}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	default:
		show(w, `<a href="/page">a page</a>`)
	}
}

func authUser(r *http.Request) string {
	c, err := r.Cookie(authCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// signInModes are the three ways to know the user after the request of the login.
var signInModes = []struct {
	why    string
	mutate func(*loguro.Config)
	later  string // the user of the second page after the sign-in
}{
	{"in memory", func(*loguro.Config) {}, ""},
	{"persisted", func(c *loguro.Config) { c.PersistUser = true }, "u1"},
	{"by Config.User", func(c *loguro.Config) { c.User = authUser }, "u1"},
}

// A browser sends no SameSite=Lax cookies with a form that another site posts. Over HTTPS it says so in Sec-Fetch-Site;
// over plain HTTP only the Origin tells.
func TestASignInByAFormOfAnotherSiteKeepsTheVisitor(t *testing.T) {
	for _, scheme := range []string{"https", "http"} {
		for _, mode := range signInModes {
			t.Run(scheme+", "+mode.why, func(t *testing.T) {
				w := newWindow(t)
				var withheld atomic.Bool
				app := newSite(t, scheme, func(tracker *loguro.Tracker) http.Handler {
					handler := tracker.Handler(http.HandlerFunc(signInApp))
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/callback" {
							withheld.Store(r.Header.Get("Cookie") == "")
						}
						handler.ServeHTTP(w, r)
					})
				}, mode.mutate)
				idp := serve(t, scheme, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					show(w, fmt.Sprintf(`<form method=post action="%s"><input type=hidden name=code value=secret><button id=allow>Allow</button></form>`,
						app.url("app.acme.test", "/callback")))
				}))

				w.tab.open(app.url("app.acme.test", "/"))
				before := app.last()
				visitorCookie := w.cookies("app.acme.test")["loguro_v"].Value
				w.tab.open(scheme + "://idp.test:" + idp + "/")
				w.tab.click("#allow")
				if got, want := w.tab.address(), app.url("app.acme.test", "/account"); got != want {
					t.Fatalf("after the sign-in the browser shows %s, want %s", got, want)
				}
				w.tab.click("a")

				if !withheld.Load() {
					t.Error("the browser sent its cookies with the form, so that this test shows nothing")
				}
				events := app.since(1)
				if len(events) != 3 {
					t.Fatalf("the sign-in and two pages recorded %d events, want 3: %+v", len(events), events)
				}
				identify, account, page := events[0], events[1], events[2]
				if identify.Name != "identify" || identify.User != "u1" || string(identify.Props) != `{"plan":"pro"}` {
					t.Errorf("first event = %s %q of user %q with %s; want identify of u1 with the traits", identify.Type, identify.Name, identify.User, identify.Props)
				}
				if account.Path != "/account" || account.User != "u1" || page.Path != "/page" || page.User != mode.later {
					t.Errorf("then %s of %q and %s of %q; want /account of u1 and /page of %q", account.Path, account.User, page.Path, page.User, mode.later)
				}
				for _, e := range events {
					if e.Visitor != before.Visitor || e.Session != before.Session {
						t.Errorf("%s %s is of visitor %v, session %v; want %v, %v, which were there before", e.Name, e.Path, e.Visitor, e.Session, before.Visitor, before.Session)
					}
				}
				cookies := w.cookies("app.acme.test") // complains about doubles
				if cookies["loguro_v"] == nil || cookies["loguro_v"].Value != visitorCookie {
					t.Error("the visitor cookie is another one than before the sign-in")
				}
				if cookies["loguro_n"] != nil {
					t.Error("the note of the sign-in is still there")
				}
			})
		}
	}
}

// Somebody may begin at the identity provider: then there is no visitor to keep, and the sign-in still counts.
func TestASignInOfAFreshBrowserMakesOneVisitor(t *testing.T) {
	w := newWindow(t)
	app := newSite(t, "https", tracked(http.HandlerFunc(signInApp)), func(c *loguro.Config) { c.PersistUser = true })
	idp := serve(t, "https", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		show(w, fmt.Sprintf(`<form method=post action="%s"><button id=allow>Allow</button></form>`, app.url("app.acme.test", "/callback")))
	}))
	w.tab.open("https://idp.test:" + idp + "/")
	w.tab.click("#allow")
	w.tab.click("a")
	e := app.events()
	if len(e) != 3 || e[0].Name != "identify" {
		t.Fatalf("events = %+v, want identify and two pages", e)
	}
	for _, e := range e {
		if e.Visitor != app.recorder.Events()[0].Visitor || e.User != "u1" {
			t.Errorf("%s %s: visitor %v, user %q; want one visitor, u1", e.Name, e.Path, e.Visitor, e.User)
		}
	}
}

// A link is a GET: browsers send Lax cookies with it, wherever it stands.
func TestALinkOfAnotherSiteKeepsTheVisitor(t *testing.T) {
	w := newWindow(t)
	app := newSite(t, "https", tracked(http.HandlerFunc(signInApp)), nil)
	other := serve(t, "https", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		show(w, `<a href="`+app.url("app.acme.test", "/account")+`">an article about Acme</a>`)
	}))
	w.tab.open(app.url("app.acme.test", "/"))
	w.tab.open("https://other.test:" + other + "/")
	w.tab.click("a")
	e := app.events()
	if len(e) != 2 || e[0].Visitor != e[1].Visitor || e[0].Session != e[1].Session {
		t.Fatalf("events = %+v, want two of one visitor in one session", e)
	}
	if want := "https://other.test:" + other + "/"; e[1].Referrer != want {
		t.Errorf("referrer = %q, want %q", e[1].Referrer, want)
	}
}
