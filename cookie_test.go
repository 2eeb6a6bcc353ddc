package loguro_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

func TestCookieAttributes(t *testing.T) {
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		name   string
		want   string
	}{
		{"the defaults", nil, "loguro_v", "Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax; Secure"},
		{"plain HTTP", func(c *loguro.Config) { c.AllowHTTP = true }, "loguro_v", "Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"},
		{"all subdomains", func(c *loguro.Config) { c.Domain = ".acme.com" }, "loguro_v", "Max-Age=31536000; Path=/; Domain=acme.com; HttpOnly; SameSite=Lax; Secure"},
		{"the browser's own guard", func(c *loguro.Config) { c.CookiePrefix = "__Host-" }, "__Host-loguro_v", "Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax; Secure"},
		{"another age", func(c *loguro.Config) { c.VisitorMaxAge = time.Hour }, "loguro_v", "Max-Age=3600; Path=/; HttpOnly; SameSite=Lax; Secure"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, page, tt.mutate)
			lines := s.browser().get("/").Header["Set-Cookie"]
			if len(lines) != 2 {
				t.Fatalf("Set-Cookie = %q, want two", lines)
			}
			name, rest, _ := strings.Cut(lines[0], "=")
			if _, attributes, _ := strings.Cut(rest, "; "); name != tt.name || attributes != tt.want {
				t.Errorf("%s has %q, want %s with %q", name, attributes, tt.name, tt.want)
			}
			for _, line := range lines {
				if len(line) > 512 {
					t.Errorf("a cookie of %d bytes: %s", len(line), line)
				}
			}
		})
	}
}

func TestADomainSharesTheVisitorAcrossSubdomains(t *testing.T) {
	for domain, same := range map[string]bool{".acme.com": true, "acme.com": true, "": false} {
		s := newSite(t, page, func(c *loguro.Config) { c.Domain = domain })
		b := s.browser()
		b.get("https://app.acme.com/")
		b.get("https://www.acme.com/")
		if e := s.events(); (e[0].Visitor == e[1].Visitor) != same {
			t.Errorf("Domain %q: the visitor is shared: %v, want %v", domain, !same, same)
		}
	}
}

// A change of Domain leaves cookies of the old scope behind. They must not come along forever, twice the name.
func TestAChangeOfDomainMakesOneNewVisitor(t *testing.T) {
	for _, tt := range []struct{ from, to string }{{"", ".acme.com"}, {".acme.com", ""}} {
		before := newSite(t, page, func(c *loguro.Config) { c.Domain = tt.from })
		after := newSite(t, page, func(c *loguro.Config) { c.Domain = tt.to })
		b := before.browser()
		b.get("/")
		b.site = after
		for range 4 {
			b.get("/")
		}
		visitors := map[uuid.UUID]bool{}
		for _, e := range after.events() {
			visitors[e.Visitor] = true
		}
		if len(visitors) != 1 {
			t.Errorf("from Domain %q to %q: four pages made %d visitors, want 1", tt.from, tt.to, len(visitors))
		}
	}
}

func TestAHostileCookieIsANewVisitorAndThePageIsTheSame(t *testing.T) {
	s := newSite(t, page, persist)
	b := s.browser()
	b.get("/")
	old := s.last()
	v, sess := b.cookie("loguro_v"), b.cookie("loguro_s")

	foreign := newSite(t, page, func(c *loguro.Config) { c.Keys = [][]byte{bytes.Repeat([]byte("x"), 32)} }).browser()
	foreign.get("/")
	prefixed := newSite(t, page, func(c *loguro.Config) { c.CookiePrefix = "other_" }).browser()
	prefixed.get("/")

	flip := func(s string, i int) string {
		c := byte('A')
		if s[i] == c {
			c = 'B'
		}
		return s[:i] + string(c) + s[i+1:]
	}
	rows := map[string]string{
		"truncated":               "loguro_v=" + v[:len(v)/2] + "; loguro_s=" + sess,
		"empty":                   "loguro_v=; loguro_s=" + sess,
		"not base64":              "loguro_v=%%%; loguro_s=" + sess,
		"binary":                  "loguro_v=\x00\xff\x01; loguro_s=" + sess,
		"64 KB":                   "loguro_v=" + strings.Repeat("A", 64<<10) + "; loguro_s=" + sess,
		"64 KB behind the real":   "loguro_v=" + v + "; loguro_v=" + strings.Repeat("A", 64<<10) + "; loguro_s=" + sess,
		"twice the same":          "loguro_v=" + v + "; loguro_v=" + v + "; loguro_s=" + sess,
		"twice, the second bad":   "loguro_v=" + v + "; loguro_v=x; loguro_s=" + sess,
		"a foreign key":           "loguro_v=" + foreign.cookie("loguro_v") + "; loguro_s=" + foreign.cookie("loguro_s"),
		"another name's value":    "loguro_v=" + prefixed.cookie("other_loguro_v") + "; loguro_s=" + sess,
		"the session's value":     "loguro_v=" + sess + "; loguro_s=" + sess,
		"the session alone":       "loguro_s=" + sess,
		"quoted":                  `loguro_v="` + v + `"; loguro_s=` + sess,
		"padded":                  "loguro_v=" + v + "=; loguro_s=" + sess,
		"a session without a key": "loguro_v=" + foreign.cookie("loguro_v") + "; loguro_s=" + sess,
	}
	for i := 0; i < len(v); i += 3 {
		rows["tampered at "+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10))] = "loguro_v=" + flip(v, i) + "; loguro_s=" + sess
	}
	want := b.get("/")
	body, _ := io.ReadAll(want.Body)
	for why, header := range rows {
		t.Run(why, func(t *testing.T) {
			before := s.tracker.Stats().CookiesRejected
			r := b.request("GET", "/")
			r.Header["Cookie"] = []string{header}
			res := s.serve(r)
			got, _ := io.ReadAll(res.Body)
			if res.StatusCode != want.StatusCode || !bytes.Equal(got, body) {
				t.Errorf("the page changed: %d %q", res.StatusCode, got)
			}
			if e := s.last(); e.Visitor == old.Visitor || e.Session == old.Session || e.Returning {
				t.Errorf("the cookie was believed: visitor %v, session %v, returning %v", e.Visitor, e.Session, e.Returning)
			}
			if n := s.tracker.Stats().CookiesRejected - before; n != 1 && why != "the session alone" {
				t.Errorf("CookiesRejected grew by %d, want 1", n)
			}
		})
	}
}

func TestATamperedSessionOrUserCookieCostsOnlyItself(t *testing.T) {
	s := newSite(t, account, persist)
	b := s.browser()
	b.get("/login?user=u1")
	b.get("/")
	old := s.last()
	r := b.request("GET", "/")
	r.Header.Set("Cookie", "loguro_v="+b.cookie("loguro_v")+"; loguro_s=x; loguro_u=x")
	s.serve(r)
	if e := s.last(); e.Visitor != old.Visitor || e.User != "" || !e.Returning {
		t.Errorf("visitor %v of %q, want %v of nobody", e.Visitor, e.User, old.Visitor)
	}
	// Another browser's session and user stand beside a visitor they were not issued for.
	other := s.browser()
	other.get("/login?user=other")
	other.get("/")
	theirs := s.last()
	r = b.request("GET", "/")
	r.Header.Set("Cookie", "loguro_v="+b.cookie("loguro_v")+"; loguro_s="+other.cookie("loguro_s")+"; loguro_u="+other.cookie("loguro_u"))
	s.serve(r)
	if e := s.last(); e.Visitor != old.Visitor || e.Session == theirs.Session || e.User != "" {
		t.Errorf("a foreign session or user was believed: %v %v %q", e.Visitor, e.Session, e.User)
	}
}

func TestKeysRotate(t *testing.T) {
	oldKey, newKey := testKey, bytes.Repeat([]byte("n"), 32)
	before := newSite(t, page, nil)
	during := newSite(t, page, func(c *loguro.Config) { c.Keys = [][]byte{newKey, oldKey} })
	after := newSite(t, page, func(c *loguro.Config) { c.Keys = [][]byte{newKey} })
	b := before.browser()
	b.get("/")
	first := before.last()
	b.site = during
	b.get("/")
	b.get("/")
	if e := during.last(); e.Visitor != first.Visitor || e.Session != first.Session {
		t.Errorf("with the new key first: %v %v, want %v %v", e.Visitor, e.Session, first.Visitor, first.Session)
	}
	absent := before.browser() // does not come by while both keys are there
	absent.get("/")
	lost := before.last()
	b.site, absent.site = after, after
	b.get("/")
	if e := after.last(); e.Visitor != first.Visitor {
		t.Error("the new key vouched for the visitor, who was lost with the old key all the same")
	}
	absent.get("/")
	if e := after.last(); e.Visitor == lost.Visitor || e.Returning {
		t.Error("a visitor cookie of a key that was dropped still counts")
	}
}

func TestOurCookiesAreFoundAmongManyAndLeftToTheHandler(t *testing.T) {
	var seen string
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		seen = strings.Join(r.Header["Cookie"], "|")
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "app"})
		page(w, r)
	}, nil)
	b := s.browser()
	b.get("/")
	first := s.last()
	r := b.request("GET", "/")
	r.Header["Cookie"] = []string{"a=1; xloguro_v=no; loguro_vx=no", "LOGURO_V=no;loguro_v=" + b.cookie("loguro_v") + " ;;=;b", "loguro_s=" + b.cookie("loguro_s")}
	sent := strings.Join(r.Header["Cookie"], "|")
	res := s.serve(r)
	if e := s.last(); e.Visitor != first.Visitor || e.Session != first.Session {
		t.Errorf("visitor %v, want %v", e.Visitor, first.Visitor)
	}
	if seen != sent {
		t.Errorf("the handler saw %q, want %q", seen, sent)
	}
	if got := setCookies(res); len(got) != 2 || got[1] != "session" {
		t.Errorf("the response sets %v, want the application's cookie as well", got)
	}
}

func TestEachNameIsSetOnceInAResponse(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Identify(r.Context(), "a", loguro.Props{})
		loguro.Reset(r.Context())
		loguro.Identify(r.Context(), "b", loguro.Props{})
		loguro.Track(r.Context(), "x", nil)
		page(w, r)
	}, persist)
	b := s.browser()
	for range 3 {
		got := strings.Join(setCookies(b.get("/")), " ")
		if got != "loguro_s loguro_u loguro_v" {
			t.Errorf("Set-Cookie names = %s, want each once", got)
		}
	}
	if e := s.last(); e.User != "b" {
		t.Errorf("user = %q, want b", e.User)
	}
}
