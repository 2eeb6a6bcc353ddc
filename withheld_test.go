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

// signInFromElsewhere is the form post of an identity provider: the browser withholds SameSite=Lax cookies, and keeps
// what the answer sets.
func (b *browser) signInFromElsewhere(path string, header ...string) *http.Response {
	r := b.request("POST", path)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if r.Header.Get("Sec-Fetch-Site") == "" {
		r.Header.Del("Sec-Fetch-Site")
	}
	res := b.site.serve(r)
	b.jar.SetCookies(r.URL, res.Cookies())
	return res
}

func callback(traits loguro.Props) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			loguro.Identify(r.Context(), "u1", traits)
			loguro.Track(r.Context(), "signed_in", nil)
			http.Redirect(w, r, "/account", http.StatusSeeOther)
			return
		}
		account(w, r)
	}
}

func TestASignInFromAnotherSiteKeepsTheVisitor(t *testing.T) {
	user := ""
	for why, mutate := range map[string]func(*loguro.Config){
		"in memory":         nil,
		"persisted":         persist,
		"by Config.User":    func(c *loguro.Config) { c.User = func(*http.Request) string { return user } },
		"on all subdomains": func(c *loguro.Config) { c.Domain = ".acme.com" },
	} {
		t.Run(why, func(t *testing.T) {
			user = ""
			s := newSite(t, callback(loguro.Props{"plan": "pro"}), mutate)
			b := s.browser()
			b.get("/")
			before := s.last()
			res := b.signInFromElsewhere("/callback")
			if got := setCookies(res); len(got) != 1 || got[0] != "loguro_n" {
				t.Fatalf("the form post set %v, want the note alone: visitor and session are not known here", got)
			}
			if e := s.last(); e.Name != "signed_in" || e.User != "u1" || e.Visitor == before.Visitor || e.Returning {
				t.Errorf("the event of the post: %s %q %v; want ids of its own, and the user", e.Name, e.User, e.Visitor)
			}
			user = "u1" // the application's own session knows by now
			b.get("/account")
			e := s.events()
			identify, pageview := e[len(e)-2], e[len(e)-1]
			if identify.Name != "identify" || identify.Visitor != before.Visitor || identify.Session != before.Session ||
				identify.User != "u1" || string(identify.Props) != `{"plan":"pro"}` {
				t.Errorf("identify = %+v, want that of the visitor of before the sign-in", identify)
			}
			if pageview.User != "u1" || pageview.Visitor != before.Visitor {
				t.Errorf("the next page is %q of %v, want u1 of %v", pageview.User, pageview.Visitor, before.Visitor)
			}
			if b.cookie("loguro_n") != "" {
				t.Error("the note is still there")
			}
			n := len(s.events())
			b.get("/")
			if e := s.events(); len(e) != n+1 {
				t.Errorf("the page after that recorded %d events, want 1", len(e)-n)
			} else if wantUser := map[bool]string{true: "", false: "u1"}[mutate == nil || why == "on all subdomains"]; e[n].User != wantUser {
				t.Errorf("user of the page after that = %q, want %q", e[n].User, wantUser)
			}
		})
	}
}

func TestANoteIsTakenOverByWhateverRequestIsNext(t *testing.T) {
	for _, tt := range []struct {
		why  string
		next func(b *browser) *http.Response
	}{
		{"a redirect", func(b *browser) *http.Response { return b.get("/logout-not-really") }},
		{"a JSON request", func(b *browser) *http.Response {
			r := b.request("GET", "/api")
			r.Header.Set("Sec-Fetch-Dest", "empty")
			return b.send(r)
		}},
	} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/callback":
				callback(loguro.Props{})(w, r)
			case "/api":
				w.Header().Set("Content-Type", "application/json")
			default:
				http.Redirect(w, r, "/", http.StatusSeeOther)
			}
		}, nil)
		b := s.browser()
		b.signInFromElsewhere("/callback")
		tt.next(b)
		if e := s.last(); e.Name != "identify" || e.User != "u1" || b.cookie("loguro_n") != "" {
			t.Errorf("%s: %s of %q, note %q; want the identify event, and the note gone", tt.why, e.Name, e.User, b.cookie("loguro_n"))
		}
	}
}

func TestANoteWithoutAnEventWaitsForOne(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/callback":
			loguro.Identify(r.Context(), "u1", nil)
			http.Redirect(w, r, "/hop", http.StatusSeeOther)
		case "/hop":
			http.Redirect(w, r, "/account", http.StatusSeeOther)
		default:
			page(w, r)
		}
	}, nil)
	for _, visitedBefore := range []bool{true, false} {
		b := s.browser()
		if visitedBefore {
			b.get("/")
		}
		b.signInFromElsewhere("/callback")
		if got := setCookies(b.get("/hop")); got != nil {
			t.Errorf("a redirect is no event, but set %v", got)
		}
		b.get("/account")
		if e := s.last(); e.User != "u1" || b.cookie("loguro_n") != "" {
			t.Errorf("the page after the redirect is of %q, note %q; want u1, and the note gone", e.User, b.cookie("loguro_n"))
		}
		b.get("/")
		if e := s.last(); e.User != "" || e.Returning != true {
			t.Errorf("the page after that is of %q, returning %v", e.User, e.Returning)
		}
	}
}

func TestAnOldNoteComesToNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, callback(loguro.Props{}), persist)
		b := s.browser()
		b.get("/")
		b.signInFromElsewhere("/callback")
		note := b.cookie("loguro_n")
		time.Sleep(6 * time.Minute)
		r := b.request("GET", "/") // a client that keeps cookies longer than it was told to
		r.Header.Set("Cookie", "loguro_v="+b.cookie("loguro_v")+"; loguro_s="+b.cookie("loguro_s")+"; loguro_n="+note)
		s.serve(r)
		if e := s.last(); e.Name == "identify" || e.User != "" {
			t.Errorf("a note of six minutes ago still counts: %s of %q", e.Name, e.User)
		}
	})
}

func TestANoteThatComesTwiceGivesItsEventOnce(t *testing.T) {
	s := newSite(t, callback(loguro.Props{}), nil)
	b := s.browser()
	b.get("/")
	b.signInFromElsewhere("/callback")
	cookies := b.jar.Cookies(b.request("GET", "/").URL)
	for range 3 {
		r := b.request("GET", "/")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		s.serve(r)
	}
	n := 0
	for _, e := range s.events() {
		if e.Name == "identify" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("three requests with one note gave %d identify events, want 1", n)
	}
}

func TestTraitsTooLargeForANoteAreRecordedAtOnce(t *testing.T) {
	traits := loguro.Props{"x": strings.Repeat("long ", 800)}
	s := newSite(t, callback(traits), nil)
	b := s.browser()
	b.get("/")
	before := s.last()
	res := b.signInFromElsewhere("/callback")
	for _, line := range res.Header["Set-Cookie"] {
		if len(line) > 3000 {
			t.Errorf("a Set-Cookie of %d bytes; nginx takes 4 KiB of headers", len(line))
		}
	}
	if e := s.events()[1]; e.Name != "identify" || len(e.Props) < 4000 {
		t.Errorf("event = %s with %d bytes, want identify at once", e.Name, len(e.Props))
	}
	b.get("/account")
	if e := s.last(); e.User != "u1" || e.Visitor != before.Visitor {
		t.Errorf("the next page is %q of %v, want u1 of %v", e.User, e.Visitor, before.Visitor)
	}
}

func TestAnIdentifyThatCannotTravelSaysSo(t *testing.T) {
	var got error
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		page(w, r)
		got = loguro.Identify(r.Context(), "u1", loguro.Props{})
	}, nil)
	s.browser().signInFromElsewhere("/callback")
	if !errors.Is(got, loguro.ErrHeadersSent) {
		t.Errorf("Identify() = %v, want ErrHeadersSent: the note for the next request is too late", got)
	}
	if e := s.last(); e.Name != "identify" || e.User != "u1" {
		t.Errorf("event = %s of %q, want identify of u1, at once", e.Name, e.User)
	}
}

func TestWhichRequestsComeWithoutTheirCookies(t *testing.T) {
	for _, tt := range []struct {
		why    string
		header []string
		fresh  bool // an ordinary request of a fresh browser, which gets its cookies
	}{
		{"a cross-site post", nil, false},
		{"a same-origin post", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"a post of a sibling domain", []string{"Sec-Fetch-Site", "same-site"}, true},
		{"a post from the address bar", []string{"Sec-Fetch-Site", "none"}, true},
		{"without Sec-Fetch, another site's origin", []string{"Sec-Fetch-Site", "", "Origin", "https://idp.example"}, false},
		{"without Sec-Fetch, an opaque origin", []string{"Sec-Fetch-Site", "", "Origin", "null"}, false},
		{"without Sec-Fetch, our own origin", []string{"Sec-Fetch-Site", "", "Origin", "https://app.acme.com"}, true},
		{"without Sec-Fetch and Origin", []string{"Sec-Fetch-Site", ""}, true},
		{"a look-alike of our host", []string{"Sec-Fetch-Site", "", "Origin", "https://evilapp.acme.com.example"}, false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, track, nil)
			b := s.browser()
			got := setCookies(b.signInFromElsewhere("/api", tt.header...))
			if fresh := len(got) == 2; fresh != tt.fresh {
				t.Errorf("the response set %v; treated as a fresh browser: %v, want %v", got, fresh, tt.fresh)
			}
			if len(s.events()) != 1 {
				t.Error("the event was not counted")
			}
		})
	}
}

func TestACrossSitePostThatHasCookiesIsLikeAnyOther(t *testing.T) {
	s := newSite(t, track, nil)
	b := s.browser()
	b.post("/api")
	first := s.last()
	r := b.request("POST", "/api")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.send(r)
	if e := s.last(); e.Visitor != first.Visitor {
		t.Errorf("visitor %v, want %v", e.Visitor, first.Visitor)
	}
}

func TestALogoutFromAnotherSiteDeletesTheCookies(t *testing.T) {
	s := newSite(t, account, persist)
	b := s.browser()
	b.get("/login?user=u1")
	b.get("/")
	b.signInFromElsewhere("/logout") // SAML single logout
	if v := b.cookie("loguro_v") + b.cookie("loguro_u"); v != "" {
		t.Errorf("cookies are left: %s", v)
	}
}

func TestALogoutFromAnotherSiteForgetsTheSignInThatWaits(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			callback(loguro.Props{})(w, r)
			return
		}
		account(w, r)
	}, nil)
	b := s.browser()
	b.get("/")
	b.signInFromElsewhere("/callback")
	b.signInFromElsewhere("/logout")
	b.get("/")
	if e := s.last(); e.User != "" || e.Name != "" {
		t.Errorf("after the logout the event is %q of %q", e.Name, e.User)
	}
}

func TestNoIdentifyEventOfASignInIsLost(t *testing.T) {
	for _, tt := range []struct {
		why    string
		signIn http.HandlerFunc
		want   int
	}{
		{"identified twice", func(w http.ResponseWriter, r *http.Request) {
			loguro.Identify(r.Context(), "u1", loguro.Props{"plan": "pro"})
			loguro.Identify(r.Context(), "u1", nil)
		}, 1},
		{"with traits twice", func(w http.ResponseWriter, r *http.Request) {
			loguro.Identify(r.Context(), "u1", loguro.Props{"plan": "pro"})
			loguro.Identify(r.Context(), "u1", loguro.Props{"plan": "max"})
		}, 2},
		{"on an answer that may be cached", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=0")
			loguro.Identify(r.Context(), "u1", loguro.Props{"plan": "pro"})
		}, 1},
	} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/callback" {
				tt.signIn(w, r)
				http.Redirect(w, r, "/", http.StatusSeeOther)
				return
			}
			page(w, r)
		}, nil)
		b := s.browser()
		b.get("/")
		b.signInFromElsewhere("/callback")
		b.get("/")
		n := 0
		for _, e := range s.events() {
			if e.Name == "identify" && e.User == "u1" {
				n++
			}
		}
		if n != tt.want {
			t.Errorf("%s: %d identify events, want %d", tt.why, n, tt.want)
		}
	}
}
