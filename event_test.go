package loguro_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

func TestWhatAPageviewRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(1500 * time.Millisecond)
			page(w, r)
		})
		s := newSite(t, mux.ServeHTTP, nil)
		b := s.browser()
		r := b.request("GET", "/users/42%2F7?q=a%20b&token=s3cret#frag")
		r.Header.Set("Referer", "https://search.example/?q=shoes&session=abc")
		b.send(r)
		e := s.last()
		got := string(e.AppendJSON(nil))
		for _, part := range []string{
			`{"event_type":"pageview","url":"https://app.acme.com/users/42%2F7?q=a%20b&token=redacted","path":"/users/42%2F7","visitor_id":"`,
			`"timestamp":"2000-01-01T00:00:01.500Z","event_id":"`,
			`"referrer":"https://search.example/?q=shoes&session=redacted"`,
			`"route":"GET /users/{id}","status":200,"duration_ms":1500`,
		} {
			if !strings.Contains(got, part) {
				t.Errorf("event lacks %s:\n%s", part, got)
			}
		}
		if e.ID.Version() != 7 {
			t.Errorf("event_id %v has version %v, want 7", e.ID, e.ID.Version())
		}
	})
}

func TestNoAddressAndNoUserAgentIsInAnEvent(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "x", nil)
		page(w, r)
	}, nil)
	b := s.browser()
	r := b.request("GET", "/")
	r.RemoteAddr = "198.51.100.77:4711"
	for _, h := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Cf-Connecting-Ip"} {
		r.Header.Set(h, "198.51.100.77")
	}
	r.Header.Set("Authorization", "Bearer hunter2")
	b.send(r)
	for _, e := range s.events() {
		if line := string(e.AppendJSON(nil)); strings.Contains(line, "198.51") || strings.Contains(line, "Chrome") || strings.Contains(line, "hunter2") {
			t.Errorf("the event gives the visitor away: %s", line)
		}
	}
}

func TestTrackRefusesWhatItCannotKeep(t *testing.T) {
	cycle := loguro.Props{}
	cycle["self"] = cycle
	for _, tt := range []struct {
		why   string
		name  string
		props loguro.Props
		want  error  // or
		says  string // part of the error
	}{
		{"no name", "", nil, loguro.ErrEmptyName, ""},
		{"white space", " \t\n", nil, loguro.ErrEmptyName, ""},
		{"4096 bytes", "x", loguro.Props{"k": strings.Repeat("x", 4096-len(`{"k":""}`))}, nil, ""},
		{"4097 bytes", "x", loguro.Props{"k": strings.Repeat("x", 4097-len(`{"k":""}`))}, loguro.ErrPropsTooLarge, ""},
		{"a channel", "x", loguro.Props{"pipe": make(chan int)}, nil, `"pipe"`},
		{"a function", "x", loguro.Props{"deep": loguro.Props{"call": func() {}}}, nil, `"deep.call"`},
		{"not a number", "x", loguro.Props{"ratio": math.NaN()}, nil, `"ratio"`},
		{"infinity in a slice", "x", loguro.Props{"list": []float64{math.Inf(1)}}, nil, `"list"`},
		{"a cycle", "x", cycle, nil, `self`},
		{"a Marshaler that panics", "x", loguro.Props{"bomb": bomb{}}, nil, `"bomb"`},
	} {
		t.Run(tt.why, func(t *testing.T) {
			var got error
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				got = loguro.Track(r.Context(), tt.name, tt.props)
			}, nil)
			s.browser().post("/")
			switch {
			case tt.says != "":
				if got == nil || !strings.Contains(got.Error(), tt.says) {
					t.Errorf("Track() = %v, want an error that names %s", got, tt.says)
				}
			case !errors.Is(got, tt.want) || tt.want == nil && got != nil:
				t.Errorf("Track() = %v, want %v", got, tt.want)
			}
			if n := len(s.events()); (n == 1) != (got == nil) {
				t.Errorf("%d events were recorded after %v", n, got)
			}
		})
	}
}

type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { panic("boom") }

func TestALongNameIsCut(t *testing.T) {
	name := strings.Repeat("é", 70)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { loguro.Track(r.Context(), "  "+name+" ", nil) }, nil)
	s.browser().post("/")
	if got := s.last().Name; got != strings.Repeat("é", 64) || s.tracker.Stats().NamesCut != 1 {
		t.Errorf("name = %q, want 64 characters", got)
	}
}

func TestTheCallersPropsAreNeitherKeptNorChanged(t *testing.T) {
	props := loguro.Props{"plan": "pro", "seats": []int{1, 2}}
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "x", props)
		props["plan"] = "changed"
		delete(props, "seats")
	}, nil)
	s.browser().post("/")
	if got := string(s.last().Props); got != `{"plan":"pro","seats":[1,2]}` {
		t.Errorf("props = %s", got)
	}
}

func TestCurrentIsWhoTheEventsBelongTo(t *testing.T) {
	var got []loguro.Identity
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		note := func() {
			id, ok := loguro.Current(r.Context())
			if !ok {
				t.Error("Current() knows nobody in a handler")
			}
			got = append(got, id)
		}
		note()
		loguro.Track(r.Context(), "a", nil)
		loguro.Identify(r.Context(), "u1", nil)
		note()
		loguro.Track(r.Context(), "b", nil)
		loguro.Reset(r.Context())
		note()
		page(w, r)
	}, nil)
	s.browser().get("/")
	for i, e := range s.events() {
		want := loguro.Identity{VisitorID: e.Visitor, SessionID: e.Session, UserID: e.User}
		if got[i] != want {
			t.Errorf("Current() = %v before event %d of %v", got[i], i, want)
		}
	}
}

func TestCurrentAloneMakesNoVisitor(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Current(r.Context())
		http.NotFound(w, r)
	}, nil)
	if got := setCookies(s.browser().get("/")); got != nil {
		t.Errorf("Current set the cookies %v, though nothing happened", got)
	}
}

func TestBackgroundWorkRecordsForAnIdentity(t *testing.T) {
	var payload []byte
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Identify(r.Context(), "u1", nil)
		id, _ := loguro.Current(r.Context())
		payload, _ = json.Marshal(id)
		page(w, r)
	}, nil)
	s.browser().get("/")
	visit := s.last()

	var id loguro.Identity
	if err := json.Unmarshal(payload, &id); err != nil {
		t.Fatal(err)
	}
	ctx := loguro.WithIdentity(context.Background(), id)
	if err := s.tracker.Track(ctx, "invoice_paid", loguro.Props{"amount": 12.5}); err != nil {
		t.Fatalf("Tracker.Track() = %v", err)
	}
	e := s.last()
	if e.Name != "invoice_paid" || e.Visitor != visit.Visitor || e.Session != visit.Session || e.User != "u1" || e.URL != "" {
		t.Errorf("event = %+v", e)
	}
	if got, ok := loguro.Current(ctx); !ok || got != id {
		t.Errorf("Current() = %v, want %v", got, id)
	}
	if err := s.tracker.Track(loguro.WithIdentity(t.Context(), loguro.Identity{UserID: "u2"}), "renewed", nil); err != nil {
		t.Errorf("a user without a browser: %v", err)
	}
	if e := s.last(); e.User != "u2" || e.Visitor != uuid.Nil || strings.Contains(string(e.AppendJSON(nil)), "visitor_id") {
		t.Errorf("event = %s", e.AppendJSON(nil))
	}
	if err := s.tracker.Track(context.Background(), "x", nil); !errors.Is(err, loguro.ErrNoVisit) {
		t.Errorf("Track() without an identity = %v, want ErrNoVisit", err)
	}
	if err := s.tracker.Track(loguro.WithIdentity(t.Context(), loguro.Identity{}), "x", nil); err == nil {
		t.Error("an empty identity was taken")
	}
}

func TestTheNearerOfVisitAndIdentityCounts(t *testing.T) {
	other := loguro.Identity{VisitorID: uuid.New(), UserID: "other"}
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "visit", nil)
		loguro.Track(loguro.WithIdentity(r.Context(), other), "identity", nil)
	}, nil)
	r := s.browser().request("POST", "/")
	s.serve(r.WithContext(loguro.WithIdentity(r.Context(), other))) // put there before the request was wrapped
	if e := s.events(); e[0].User != "" || e[1].User != "other" {
		t.Errorf("users = %q, %q; want the visit's, then other", e[0].User, e[1].User)
	}
}

func TestConsentAndSignals(t *testing.T) {
	answer := loguro.ConsentGranted
	consent := func(c *loguro.Config) { c.Consent = func(*http.Request) loguro.Consent { return answer } }
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		then   loguro.Consent
		header string
		events int
		reason string
	}{
		{"denied", consent, loguro.ConsentDenied, "", 0, "consent"},
		{"anonymous", consent, loguro.ConsentAnonymous, "", 2, ""},
		{"do not track", func(c *loguro.Config) { c.RespectDNT = true }, 0, "DNT", 0, "dnt"},
		{"global privacy control", func(c *loguro.Config) { c.RespectGPC = true }, 0, "Sec-GPC", 0, "gpc"},
		{"signals are not respected unless told", nil, 0, "DNT", 2, ""},
	} {
		t.Run(tt.why, func(t *testing.T) {
			answer = loguro.ConsentGranted
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				if err := loguro.Identify(r.Context(), "u1", nil); err != nil {
					t.Errorf("Identify() = %v", err)
				}
				if err := loguro.Track(r.Context(), "x", nil); err != nil {
					t.Errorf("Track() = %v", err)
				}
				page(w, r)
			}, tt.mutate)
			b := s.browser()
			b.get("/")
			first := s.last()
			answer = tt.then
			r := b.request("GET", "/")
			if tt.header != "" {
				r.Header.Set(tt.header, "1")
			}
			b.send(r)
			e := s.events()
			if len(e)-2 != tt.events || tt.reason != "" && s.tracker.Stats().Excluded[tt.reason] != 1 {
				t.Errorf("%d events, excluded %v; want %d, %q", len(e)-2, s.tracker.Stats().Excluded, tt.events, tt.reason)
			}
			withdrawn := tt.reason != "" || tt.then == loguro.ConsentAnonymous
			if left := b.cookie("loguro_v") != ""; left == withdrawn {
				t.Errorf("the visitor cookie is left: %v", left)
			}
			if tt.then == loguro.ConsentAnonymous && (e[3].Visitor == first.Visitor || e[3].User != "" || e[3].Visitor != e[2].Visitor) {
				t.Errorf("an anonymous event is %q of %v", e[3].User, e[3].Visitor)
			}
		})
	}
}
