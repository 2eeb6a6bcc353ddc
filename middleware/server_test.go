package middleware_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

// site is a Tracker with what it exported.
type site struct {
	t        *testing.T
	tracker  *loguro.Tracker
	recorder *exportertest.Recorder
}

func newSite(t *testing.T, mutate func(*loguro.Config)) *site {
	t.Helper()
	recorder := new(exportertest.Recorder)
	cfg := loguro.Config{
		Exporter: recorder, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, AllowHTTP: true, Logger: slog.New(slog.DiscardHandler),
	}
	if mutate != nil {
		mutate(&cfg)
	}
	tracker, err := loguro.New(cfg)
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := tracker.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown() = %v", err)
		}
	})
	return &site{t: t, tracker: tracker, recorder: recorder}
}

func persist(c *loguro.Config) { c.PersistUser = true }

// events flushes, and returns what was exported so far.
func (s *site) events() []loguro.Event {
	s.t.Helper()
	if err := s.tracker.Flush(s.t.Context()); err != nil {
		s.t.Fatalf("Flush() = %v", err)
	}
	return s.recorder.Events()
}

func (s *site) pageviews() (n int) {
	for _, e := range s.events() {
		if e.Type == "pageview" {
			n++
		}
	}
	return n
}

func (s *site) names() (names []string) {
	for _, e := range s.events() {
		if e.Name != "" {
			names = append(names, e.Name)
		}
	}
	return names
}

var protocols = []string{"HTTP/1.1", "HTTP/2.0"}

// server is a real one, with what it logs.
type server struct {
	*httptest.Server
	log  *logbook
	busy sync.WaitGroup
}

func serve(t *testing.T, protocol string, h http.Handler) *server {
	t.Helper()
	s := &server{log: new(logbook)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.busy.Add(1)
		defer s.busy.Done()
		h.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(s.log, "", 0)
	if protocol == "HTTP/2.0" {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// browser returns a client that keeps cookies and follows no redirect.
func (s *server) browser() *http.Client {
	c := *s.Client()
	c.Transport.(*http.Transport).DisableCompression = true
	c.Jar, _ = cookiejar.New(nil)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

func (s *server) cookie(c *http.Client, name string) string {
	u, _ := url.Parse(s.URL)
	for _, c := range c.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

// count says how many lines hold the text.
func (l *logbook) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// navigation is a click in Chrome, changed by pairs of header names and values; "" deletes.
func navigation(t *testing.T, method, target string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	change(r.Header, headers)
	return r
}

func change(h http.Header, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		if h.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			h.Del(pairs[i])
		}
	}
}

// reply is a response to its last byte.
type reply struct {
	failed  bool // the connection broke before the headers or in the body
	proto   string
	status  int
	header  http.Header
	trailer http.Header
	body    string
	early   []early
}

type early struct {
	status int
	header http.Header
}

// send waits for the handler too: it may have the last byte sent and still be at work.
func (s *server) send(c *http.Client, r *http.Request) (got reply) {
	defer s.busy.Wait()
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		got.early = append(got.early, early{status, http.Header(h).Clone()})
		return nil
	}}
	res, err := c.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return reply{failed: true}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	got.failed, got.proto, got.status, got.body = err != nil, res.Proto, res.StatusCode, string(body)
	got.header, got.trailer = res.Header, res.Trailer
	return got
}

// cookies are the names of ours that the response sets, and those that it deletes.
func (r reply) cookies() (set, deleted []string) {
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if !strings.HasPrefix(c.Name, "loguro_") {
			continue
		}
		if c.MaxAge < 0 {
			deleted = append(deleted, c.Name)
		} else {
			set = append(set, c.Name)
		}
	}
	slices.Sort(set)
	slices.Sort(deleted)
	return set, deleted
}

// sets says whether the response sets or deletes a cookie of ours.
func (r reply) sets() bool {
	set, deleted := r.cookies()
	return len(set)+len(deleted) > 0
}

const html = "text/html; charset=utf-8"

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", html)
	io.WriteString(w, "<!doctype html><title>page</title>")
}
