package loguro_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

// track is a handler for requests that a script makes: it records a custom event and answers with JSON.
func track(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := loguro.Track(r.Context(), "clicked", nil); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// tracksOnAPI serves pages, and custom events below /api.
func tracksOnAPI(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api" {
		track(w, r)
		return
	}
	page(w, r)
}

func TestASessionEndsAtAGapOfTheTimeoutAndNotBefore(t *testing.T) {
	for _, tt := range []struct {
		gap     time.Duration
		timeout time.Duration
		same    bool
		why     string
	}{
		{0, 0, true, "the same moment"},
		{29*time.Minute + 59*time.Second + 999*time.Millisecond, 0, true, "a gap under the timeout continues"},
		{30 * time.Minute, 0, false, "a gap of the timeout starts a new session"},
		{30*time.Minute + time.Second, 0, false, "and so does a longer one"},
		{72 * time.Hour, 0, false, "days later"},
		{4*time.Second + 999*time.Millisecond, 5 * time.Second, true, "the timeout is configurable"},
		{5 * time.Second, 5 * time.Second, false, "at the configured timeout"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, page, func(c *loguro.Config) { c.SessionTimeout = tt.timeout })
				b := s.browser()
				b.get("/")
				before := s.last()
				time.Sleep(tt.gap)
				b.get("/")
				after := s.last()
				if same := before.Session == after.Session; same != tt.same {
					t.Errorf("after %v the session is the same: %v, want %v", tt.gap, same, tt.same)
				}
				if before.Visitor != after.Visitor {
					t.Errorf("the visitor changed with the session: %v, then %v", before.Visitor, after.Visitor)
				}
			})
		})
	}
}

func TestEveryEventRefreshesLastSeen(t *testing.T) {
	for _, accept := range []string{"application/json", "*/*"} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, tracksOnAPI, nil)
			b := s.browser()
			b.get("/")
			first := s.last()
			for range 100 { // 40 hours: no midnight split, no cap on length
				time.Sleep(24 * time.Minute)
				r := b.request("POST", "/api")
				r.Header.Set("Sec-Fetch-Dest", "empty")
				r.Header.Set("Accept", accept)
				b.send(r)
			}
			if last := s.last(); last.Session != first.Session || last.Name != "clicked" {
				t.Errorf("after 40 hours of events the session is %v (%s), want %v", last.Session, last.Name, first.Session)
			}
		})
	}
}

func TestRequestsWithoutAnEventDoNotRefreshLastSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/style.css" {
				w.Header().Set("Content-Type", "text/css")
				return
			}
			page(w, r)
		}, nil)
		b := s.browser()
		b.get("/")
		first := s.last()
		time.Sleep(20 * time.Minute)
		r := b.request("GET", "/style.css")
		r.Header.Set("Sec-Fetch-Dest", "style")
		if got := setCookies(b.send(r)); got != nil {
			t.Errorf("an asset set the cookies %v", got)
		}
		time.Sleep(10 * time.Minute)
		b.get("/")
		if last := s.last(); last.Session == first.Session {
			t.Error("an asset in between kept the session alive; only events do")
		}
	})
}

func TestParallelRequestsWithOneExpiredCookieShareTheNewSession(t *testing.T) {
	for _, tt := range []struct {
		why  string
		wait time.Duration
	}{
		{"just expired", 30 * time.Minute},
		{"an hour later", time.Hour},
		{"restored after the weekend", 63 * time.Hour},
		{"months later", 200 * 24 * time.Hour},
	} {
		t.Run(tt.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one := newSite(t, page, nil)
				two := newSite(t, page, nil) // another process with the same keys
				b := one.browser()
				b.get("/")
				first := one.last()
				time.Sleep(tt.wait)

				var wg sync.WaitGroup
				for i := range 8 {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * 150 * time.Millisecond)
						r := b.request("GET", "/")
						for _, c := range b.jar.Cookies(r.URL) { // the eight present the same cookies
							r.AddCookie(c)
						}
						[]*site{one, two}[i%2].serve(r)
					})
				}
				wg.Wait()
				sessions := map[uuid.UUID]int{}
				for _, e := range append(one.events()[1:], two.events()...) {
					sessions[e.Session]++
					if e.Visitor != first.Visitor {
						t.Errorf("visitor = %v, want %v", e.Visitor, first.Visitor)
					}
				}
				if len(sessions) != 1 || sessions[first.Session] != 0 {
					t.Errorf("eight tabs made the sessions %v, want one, and not %v", sessions, first.Session)
				}
			})
		})
	}
}

func TestProcessesAgreeOnTheNewSessionWhileKeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fresh := []byte("a new key of at least thirty-two bytes")
		old := newSite(t, page, nil)
		updated := newSite(t, page, func(c *loguro.Config) { c.Keys = [][]byte{fresh, testKey} })
		b := old.browser()
		b.get("/")
		time.Sleep(time.Hour)
		cookies := b.jar.Cookies(b.request("GET", "/").URL)
		for _, s := range []*site{old, updated} {
			r := b.request("GET", "/")
			for _, c := range cookies {
				r.AddCookie(c)
			}
			s.serve(r)
		}
		if a, b := old.last(), updated.last(); a.Session != b.Session || a.Visitor != b.Visitor {
			t.Errorf("during a rollout of keys one browser is %v/%v and %v/%v", a.Visitor, a.Session, b.Visitor, b.Session)
		}
	})
}

func TestACookieThatIsNeverUpdatedStartsNewSessionsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, page, nil)
		b := s.browser()
		b.get("/")
		cookies := b.jar.Cookies(b.request("GET", "/").URL)
		sessions := map[uuid.UUID]bool{s.last().Session: true}
		for range 5 {
			time.Sleep(5 * time.Hour)
			r := b.request("GET", "/")
			for _, c := range cookies {
				r.AddCookie(c)
			}
			s.serve(r)
			sessions[s.last().Session] = true
		}
		if len(sessions) != 6 {
			t.Errorf("six visits, five hours apart, with a frozen cookie made %d sessions, want 6", len(sessions))
		}
	})
}

func TestASessionThatLastsWithinOneRequestFollowsTheRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				loguro.Track(r.Context(), "tick", nil)
				time.Sleep(29 * time.Minute)
			}
			time.Sleep(time.Minute)
			loguro.Track(r.Context(), "late", nil)
		}, nil)
		s.browser().post("/stream")
		e := s.events()
		if e[0].Session != e[2].Session || e[2].Session == e[3].Session {
			t.Errorf("sessions of a stream = %v, want a new one after the gap of 30 minutes only", e)
		}
	})
}

func TestTheVisitorLastsAYear(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		why    string
		after  time.Duration
		same   bool
		mutate func(*loguro.Config)
		visits int // in between
	}{
		{"day 364", 364 * day, true, nil, 0},
		{"day 366", 366 * day, false, nil, 0},
		{"fixed from its making, visits in between do not extend it", 366 * day, false, nil, 3},
		{"renewed at each session's start", 366 * day, true, func(c *loguro.Config) { c.RenewVisitor = true }, 3},
		{"renewed, but a year without a visit", 366 * day, false, func(c *loguro.Config) { c.RenewVisitor = true }, 0},
		{"an age of one's own", 8 * day, false, func(c *loguro.Config) { c.VisitorMaxAge = 7 * day }, 0},
		{"within an age of one's own", 6 * day, true, func(c *loguro.Config) { c.VisitorMaxAge = 7 * day }, 0},
		{"over the 30 days of securecookie", 40 * day, true, nil, 0},
	} {
		t.Run(tt.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, page, tt.mutate)
				b := s.browser()
				b.get("/")
				first := s.last()
				raw := b.jar.Cookies(b.request("GET", "/").URL)
				for range tt.visits {
					time.Sleep(tt.after / time.Duration(tt.visits+1))
					b.get("/")
				}
				time.Sleep(tt.after / time.Duration(tt.visits+1))
				b.get("/")
				last := s.last()
				if same := last.Visitor == first.Visitor; same != tt.same {
					t.Errorf("after %v the visitor is the same: %v, want %v", tt.after, same, tt.same)
				}
				if last.Returning != tt.same {
					t.Errorf("returning = %v, want %v", last.Returning, tt.same)
				}
				// A client that keeps cookies longer than it was told to gains nothing.
				r := b.request("GET", "/")
				for _, c := range raw {
					r.AddCookie(c)
				}
				if res := s.serve(r); s.last().Visitor == first.Visitor && !tt.same {
					t.Errorf("an expired cookie revived its visitor; the response set %v", setCookies(res))
				}
			})
		})
	}
}

func TestAFreshBrowserGetsItsVisitorAtTheFirstEvent(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		case "/missing":
			http.NotFound(w, r)
		default:
			page(w, r)
		}
	}, nil)
	b := s.browser()
	for _, path := range []string{"/old", "/missing"} {
		if got := setCookies(b.get(path)); got != nil {
			t.Errorf("%s is no event, but set %v", path, got)
		}
	}
	res := b.get("/")
	if got := setCookies(res); len(got) != 2 || got[0] != "loguro_s" || got[1] != "loguro_v" {
		t.Errorf("the first page set %v, want loguro_s and loguro_v", got)
	}
	e := s.last()
	if e.Visitor.Version() != 4 || e.Visitor.Variant() != uuid.RFC4122 {
		t.Errorf("visitor %v has version %v, want 4", e.Visitor, e.Visitor.Version())
	}
	if e.Session == uuid.Nil || e.Session == e.Visitor {
		t.Errorf("session = %v", e.Session)
	}
	if got := setCookies(b.get("/")); len(got) != 1 || got[0] != "loguro_s" {
		t.Errorf("the second page set %v, want loguro_s alone: a visitor cookie is sent once", got)
	}
}
