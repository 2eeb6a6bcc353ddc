package middleware_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

func TestAHookThatPanicsNeverBreaksThePage(t *testing.T) {
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		names  []string
		pages  int
		reason string
	}{
		{"User: nobody", func(c *loguro.Config) { c.User = func(*http.Request) string { panic("boom") } }, []string{"x"}, 1, ""},
		{"Consent: denied", func(c *loguro.Config) { c.Consent = func(*http.Request) loguro.Consent { panic("boom") } }, nil, 0, "consent"},
		{"Skip: skipped", func(c *loguro.Config) { c.Skip = func(*http.Request) bool { panic("boom") } }, nil, 0, "skipped"},
		{"Skip, with what net/http lets pass", func(c *loguro.Config) { c.Skip = func(*http.Request) bool { panic(http.ErrAbortHandler) } }, nil, 0, "skipped"},
		{"Consent, with an answer that is none", func(c *loguro.Config) { c.Consent = func(*http.Request) loguro.Consent { return 42 } }, nil, 0, "consent"},
		{"User, with a nil map", func(c *loguro.Config) {
			c.User = func(r *http.Request) string {
				var m map[string]string
				//lint:ignore SA5000 the panic is the point
				m["x"] = r.URL.Path
				return ""
			}
		}, []string{"x"}, 1, ""},
	} {
		for _, when := range []string{"in Track", "when the headers go out"} {
			t.Run(tt.why+", "+when, func(t *testing.T) {
				s := newSite(t, tt.mutate)
				srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if when == "in Track" {
						if err := loguro.Track(r.Context(), "x", nil); err != nil {
							t.Errorf("Track() = %v", err)
						}
					}
					page(w, r)
				})))
				got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
				if got.failed || got.status != 200 || got.body != "<!doctype html><title>page</title>" {
					t.Errorf("%d %q, failed %v; want the page", got.status, got.body, got.failed)
				}
				names := tt.names
				if when != "in Track" {
					names = nil
				}
				if !slices.Equal(s.names(), names) || s.pageviews() != tt.pages || tt.reason != "" && s.tracker.Stats().Excluded[tt.reason] != 1 {
					t.Errorf("events %v, %d pageviews, excluded %v; want %v, %d, %s", s.names(), s.pageviews(), s.tracker.Stats().Excluded, names, tt.pages, tt.reason)
				}
				if n := s.tracker.Stats().Panics; n != 1 && !strings.Contains(tt.why, "answer") {
					t.Errorf("%d panics counted, want 1: a hook is asked once", n)
				}
				for _, e := range s.events() {
					if e.User != "" {
						t.Errorf("user = %q", e.User)
					}
				}
			})
		}
	}
}

func TestHooksAreAskedOnceAndOnlyIfNeeded(t *testing.T) {
	const none, once = "User 0, Consent 0, Skip 0", "User 1, Consent 1, Skip 1"
	for _, tt := range []struct {
		why     string
		method  string
		headers []string
		handler func(r *http.Request)
		want    string
	}{
		{"a page", "GET", nil, nil, once},
		{"a page with events", "GET", nil, func(r *http.Request) {
			loguro.Track(r.Context(), "x", nil)
			loguro.Current(r.Context())
			loguro.Track(r.Context(), "y", nil)
		}, once},
		{"an asset", "GET", []string{"Sec-Fetch-Dest", "image"}, nil, none},
		{"a fragment", "GET", []string{"Hx-Request", "true"}, nil, none},
		{"a form", "POST", nil, nil, none},
		{"a form with an event", "POST", nil, func(r *http.Request) { loguro.Track(r.Context(), "x", nil) }, once},
		{"a prefetch with an event", "GET", []string{"Purpose", "prefetch"}, func(r *http.Request) { loguro.Track(r.Context(), "x", nil) }, none},
		{"Identify answers who it is", "POST", nil, func(r *http.Request) { loguro.Identify(r.Context(), "u2", loguro.Props{}) }, "User 0, Consent 1, Skip 1"},
		{"Reset answers it too", "POST", nil, func(r *http.Request) {
			loguro.Reset(r.Context())
			loguro.Track(r.Context(), "x", nil)
		}, "User 0, Consent 1, Skip 1"},
	} {
		var user, consent, skip int
		s := newSite(t, func(c *loguro.Config) {
			c.User = func(*http.Request) string { user++; return "u1" }
			c.Consent = func(*http.Request) loguro.Consent { consent++; return loguro.ConsentGranted }
			c.Skip = func(*http.Request) bool { skip++; return false }
		})
		srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tt.handler != nil {
				tt.handler(r)
			}
			page(w, r)
		})))
		srv.send(srv.browser(), navigation(t, tt.method, srv.URL, tt.headers...))
		if got := fmt.Sprintf("User %d, Consent %d, Skip %d", user, consent, skip); got != tt.want {
			t.Errorf("%s: hooks were asked: %s, want %s", tt.why, got, tt.want)
		}
	}
}

func TestAHookMayAskAboutTheVisitAndGetsNoAnswer(t *testing.T) {
	var asked []bool
	ask := func(r *http.Request) {
		_, ok := loguro.Current(r.Context())
		loguro.Track(r.Context(), "from a hook", nil)
		loguro.Identify(r.Context(), "somebody", nil)
		loguro.Reset(r.Context())
		asked = append(asked, ok)
	}
	s := newSite(t, func(c *loguro.Config) {
		c.User = func(r *http.Request) string { ask(r); return "u1" }
		c.Consent = func(r *http.Request) loguro.Consent { ask(r); return loguro.ConsentGranted }
		c.Skip = func(r *http.Request) bool { ask(r); return false }
	})
	srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(page)))
	srv.send(srv.browser(), navigation(t, "GET", srv.URL))
	if e := s.events(); !slices.Equal(asked, []bool{false, false, false}) || len(e) != 1 || e[0].User != "u1" {
		t.Errorf("hooks saw a visit: %v, events %v; want none, and the page of u1", asked, e)
	}
}

func TestTemporaryFilesOfAFormAreRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("file", "large.bin")
	part.Write(make([]byte, 1<<20))
	form.Close()
	for _, panics := range []bool{false, true} {
		during := 0
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseMultipartForm(1); err != nil {
				t.Errorf("ParseMultipartForm() = %v", err)
			}
			files, _ := os.ReadDir(dir)
			during = len(files)
			if panics {
				panic("boom")
			}
			page(w, r)
		})
		s := newSite(t, nil)
		srv := serve(t, "HTTP/1.1", recovering(s.tracker.Handler(h)))
		r := navigation(t, "POST", srv.URL)
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		srv.send(srv.browser(), r)
		srv.Close() // waits until the server is through with the request
		if left, _ := os.ReadDir(dir); during == 0 || len(left) != 0 {
			t.Errorf("%d temporary files during the request, %d left after it (it panicked: %v); want some, none", during, len(left), panics)
		}
	}
}

func TestEveryCallOnOneRequestIsConcurrentSafe(t *testing.T) {
	for _, protocol := range protocols {
		s := newSite(t, func(c *loguro.Config) {
			c.User = func(r *http.Request) string { return r.Header.Get("App-User") }
		})
		var after sync.WaitGroup
		returned := make(chan struct{})
		var failures atomic.Int32
		call := func(r *http.Request, i int) {
			ctx := r.Context()
			if err := loguro.Track(ctx, "x", loguro.Props{"i": i}); err != nil {
				failures.Add(1)
			}
			if id, ok := loguro.Current(ctx); !ok || id.VisitorID == uuid.Nil {
				failures.Add(1)
			}
			if err := loguro.Identify(ctx, fmt.Sprint("u", i), loguro.Props{}); err != nil {
				failures.Add(1)
			}
		}
		srv := serve(t, protocol, s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var during sync.WaitGroup
			for i := range 20 {
				during.Go(func() { call(r, i) })
				after.Go(func() {
					<-returned
					call(r, i)
					loguro.Reset(r.Context())
				})
			}
			page(w, r) // while they are at it
			during.Wait()
		})))
		got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
		close(returned)
		after.Wait()
		if set, _ := got.cookies(); got.status != 200 || len(set) != 2 || failures.Load() != 0 {
			t.Errorf("%s: %d, cookies %v, %d calls failed", protocol, got.status, set, failures.Load())
		}
		visitors := map[uuid.UUID]bool{}
		for _, e := range s.events() {
			visitors[e.Visitor] = true
		}
		if n := len(s.events()); n != 81 || len(visitors) != 1 {
			t.Errorf("%s: %d events of %d visitors, want 81 of one", protocol, n, len(visitors))
		}
	}
}
