package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

func TestATimeoutAroundUsAnswersAsWithoutUs(t *testing.T) {
	for _, tt := range []struct {
		why    string
		before http.HandlerFunc
		after  http.HandlerFunc
	}{
		{"and the handler writes nothing", func(http.ResponseWriter, *http.Request) {}, func(http.ResponseWriter, *http.Request) {}},
		{"and the handler writes a page too late", func(http.ResponseWriter, *http.Request) {}, page},
		{"and the handler writes a page without a type too late", func(http.ResponseWriter, *http.Request) {}, text("<html>")},
		{"and the handler's page was buffered in vain", page, func(http.ResponseWriter, *http.Request) {}},
		{"and the handler's bytes were still to be sniffed", text("<html>"), text("<p>hi")},
		{"and a redirect comes too late", func(http.ResponseWriter, *http.Request) {}, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }},
	} {
		t.Run(tt.why, func(t *testing.T) {
			run := func(wrap func(http.Handler) http.Handler, enter func(*http.Request)) reply {
				answered, returned := make(chan struct{}), make(chan struct{})
				inner := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					enter(r)
					tt.before(w, r)
					<-answered
					tt.after(w, r)
					if _, err := io.WriteString(w, "late"); err != nil && !errors.Is(err, http.ErrHandlerTimeout) {
						t.Errorf("a write too late: %v, want ErrHandlerTimeout", err)
					}
				}))
				srv := serve(t, "HTTP/1.1", http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(returned)
					inner.ServeHTTP(w, r)
				}), time.Millisecond, "too slow"))
				got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
				close(answered)
				<-returned
				return got
			}
			s := newSite(t, nil)
			want := run(func(h http.Handler) http.Handler { return h }, func(*http.Request) {})
			got := run(s.tracker.Handler, func(r *http.Request) { loguro.Track(r.Context(), "began", nil) })
			sameAnswer(t, want, got)
			if got.status != 503 || got.body != "too slow" || got.sets() {
				t.Errorf("%d %q, cookies %v; want the 503 of http.TimeoutHandler alone", got.status, got.body, got.sets())
			}
			if names, n := s.names(), s.pageviews(); !slices.Equal(names, []string{"began"}) || n != 0 || len(s.tracker.Stats().Excluded) != 1 {
				t.Errorf("events %v, %d pageviews, excluded %v; want the event, and no page that nobody saw", names, n, s.tracker.Stats().Excluded)
			}
		})
	}
}

func TestATimeoutBelowUsAnswersAndLateCallsChangeNothing(t *testing.T) {
	s := newSite(t, persist)
	answered, returned := make(chan struct{}), make(chan struct{})
	var reset, identify, track error
	slow := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		loguro.Track(r.Context(), "began", nil)
		<-answered
		reset, identify, track = loguro.Reset(r.Context()), loguro.Identify(r.Context(), "u1", nil), loguro.Track(r.Context(), "ended", nil)
		page(w, r)
	}), time.Millisecond, "too slow")
	srv := serve(t, "HTTP/1.1", s.tracker.Handler(slow))
	b := srv.browser()
	got := srv.send(b, navigation(t, "GET", srv.URL))
	close(answered)
	<-returned
	if set, _ := got.cookies(); got.status != 503 || got.body != "too slow" || len(set) != 2 {
		t.Errorf("%d %q, cookies %v; want the 503 with the cookies of the event", got.status, got.body, set)
	}
	if !errors.Is(reset, loguro.ErrHeadersSent) || !errors.Is(identify, loguro.ErrHeadersSent) || track != nil {
		t.Errorf("late Reset() = %v, Identify() = %v, Track() = %v; want ErrHeadersSent twice, nil", reset, identify, track)
	}
	events := s.events()
	if len(events) != 2 || events[0].Visitor != events[1].Visitor || events[1].User != "u1" {
		t.Errorf("events = %v, want both of one visitor, the late one of u1", events)
	}
}

func TestDeadlinesAndFullDuplexReachTheConnection(t *testing.T) {
	for _, protocol := range protocols {
		s := newSite(t, nil)
		srv := serve(t, protocol, s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := http.NewResponseController(w)
			w.Header().Set("Content-Type", html)
			if err := c.EnableFullDuplex(); err != nil {
				t.Errorf("%s: EnableFullDuplex() = %v", protocol, err)
			}
			io.WriteString(w, "<p>hi")
			if err := c.Flush(); err != nil {
				t.Errorf("%s: Flush() = %v", protocol, err)
			}
			if r.URL.Path == "/write" {
				if err := c.SetWriteDeadline(time.Unix(1, 0)); err != nil {
					t.Errorf("%s: SetWriteDeadline() = %v", protocol, err)
				}
				if _, err := io.WriteString(w, "<p>ho"); err == nil && c.Flush() == nil && protocol == "HTTP/1.1" {
					t.Errorf("%s: a write after its deadline went through", protocol)
				}
				return
			}
			if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Errorf("%s: SetReadDeadline() = %v", protocol, err)
			}
			if _, err := io.ReadAll(r.Body); err == nil {
				t.Errorf("%s: a read after its deadline went through", protocol)
			}
		})))
		if got := srv.send(srv.browser(), navigation(t, "GET", srv.URL+"/write")); !got.failed {
			t.Errorf("%s: the response is whole though its deadline was over", protocol)
		}
		body, never := io.Pipe()
		r := navigation(t, "POST", srv.URL+"/read")
		r.Body = body
		srv.send(srv.browser(), r)
		never.Close()
	}
}
