package e2e

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

var testKey = bytes.Repeat([]byte("k"), 32)

// site is a Tracker around a handler, on a server that other programs can reach, with what it exported.
type site struct {
	t        *testing.T
	tracker  *loguro.Tracker
	recorder *exportertest.Recorder
	scheme   string
	port     string
	busy     atomic.Int64
}

// newSite serves wrap's handler over "http" or "https"; mutate may be nil. Over HTTPS it speaks HTTP/2 too.
func newSite(t *testing.T, scheme string, wrap func(*loguro.Tracker) http.Handler, mutate func(*loguro.Config)) *site {
	t.Helper()
	s := &site{t: t, recorder: new(exportertest.Recorder), scheme: scheme}
	cfg := loguro.Config{Exporter: s.recorder, Keys: [][]byte{testKey}, Logger: slog.New(slog.DiscardHandler), AllowHTTP: scheme == "http"}
	if mutate != nil {
		mutate(&cfg)
	}
	tracker, err := loguro.New(cfg)
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	s.tracker = tracker
	handler := wrap(tracker)
	// Cleanups run last in, first out: the server ends before the tracker does.
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tracker.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown() = %v", err)
		}
	})
	s.port = serve(t, scheme, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.busy.Add(1)
		defer s.busy.Add(-1)
		handler.ServeHTTP(w, r)
	}))
	return s
}

// serve answers on a free port of this machine until the test ends.
func serve(t *testing.T, scheme string, handler http.Handler) (port string) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // browsers break off connections as they please
	if scheme == "https" {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
}

// tracked is the usual way to wrap a plain handler.
func tracked(h http.Handler) func(*loguro.Tracker) http.Handler {
	return func(t *loguro.Tracker) http.Handler { return t.Handler(h) }
}

// trackedAndWatched also shows the headers of the answers to that path, as they went out.
func trackedAndWatched(path string, watch func(http.Header), h http.Handler) func(*loguro.Tracker) http.Handler {
	return func(t *loguro.Tracker) http.Handler {
		handler := t.Handler(h)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler.ServeHTTP(w, r)
			if r.URL.Path == path {
				watch(w.Header())
			}
		})
	}
}

// url is an address of the site under that host name; it answers to all.
func (s *site) url(host, path string) string { return s.scheme + "://" + host + ":" + s.port + path }

// events waits until no request is under way, and returns all that was recorded, in order. A pageview is recorded after
// its handler, so that the visitor may have the page a moment before.
func (s *site) events() []loguro.Event {
	s.t.Helper()
	eventually(s.t, "no request is under way", func() bool { return s.busy.Load() == 0 })
	if err := s.tracker.Flush(s.t.Context()); err != nil {
		s.t.Fatalf("Flush() = %v", err)
	}
	return s.recorder.Events()
}

// since returns the events after the first n, and wants some.
func (s *site) since(n int) []loguro.Event {
	s.t.Helper()
	events := s.events()
	if len(events) <= n {
		s.t.Fatalf("%d events were recorded, want more than %d", len(events), n)
	}
	return events[n:]
}

// last is the newest event.
func (s *site) last() loguro.Event {
	s.t.Helper()
	events := s.since(0)
	return events[len(events)-1]
}

// show writes a small page.
func show(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!doctype html><title>page</title><link rel=icon href=data:,>"+body)
}
