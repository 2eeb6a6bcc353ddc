package loguro_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

var testKey = bytes.Repeat([]byte("k"), 32)

// site is a Tracker around a handler, with what it exported.
type site struct {
	t        *testing.T
	tracker  *loguro.Tracker
	recorder *exportertest.Recorder
	handler  http.Handler
}

// newSite builds a site for tests on https://app.acme.com; mutate may be nil.
func newSite(t *testing.T, handler http.HandlerFunc, mutate func(*loguro.Config)) *site {
	t.Helper()
	recorder := new(exportertest.Recorder)
	cfg := loguro.Config{Exporter: recorder, Keys: [][]byte{testKey}, Logger: slog.New(slog.DiscardHandler)}
	if mutate != nil {
		mutate(&cfg)
	}
	tracker, err := loguro.New(cfg)
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		tracker.Shutdown(ctx)
	})
	return &site{t: t, tracker: tracker, recorder: recorder, handler: tracker.Handler(handler)}
}

// events flushes, and returns what was exported so far.
func (s *site) events() []loguro.Event {
	s.t.Helper()
	if err := s.tracker.Flush(s.t.Context()); err != nil {
		s.t.Fatalf("Flush() = %v", err)
	}
	return s.recorder.Events()
}

// last is the newest event.
func (s *site) last() loguro.Event {
	s.t.Helper()
	events := s.events()
	if len(events) == 0 {
		s.t.Fatal("no event was recorded")
	}
	return events[len(events)-1]
}

// browser keeps cookies as a browser would, and needs no network, so that it works in fake time.
type browser struct {
	site *site
	jar  http.CookieJar
}

func (s *site) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{site: s, jar: jar}
}

const home = "https://app.acme.com/"

// request builds a top-level navigation, as Chrome sends it.
func (b *browser) request(method, target string) *http.Request {
	if strings.HasPrefix(target, "/") {
		target = home + target[1:]
	}
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/150")
	return r
}

// send adds the browser's cookies, and stores those of the response.
func (b *browser) send(r *http.Request) *http.Response {
	b.site.t.Helper()
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	res := b.site.serve(r)
	b.jar.SetCookies(r.URL, res.Cookies())
	return res
}

func (s *site) serve(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result()
}

func (b *browser) get(target string) *http.Response  { return b.send(b.request("GET", target)) }
func (b *browser) post(target string) *http.Response { return b.send(b.request("POST", target)) }

func (b *browser) cookie(name string) string {
	u, _ := url.Parse(home)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// page is a handler that answers with a small HTML page.
func page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!doctype html><title>page</title>")
}

func setCookies(res *http.Response) []string {
	var names []string
	for _, c := range res.Cookies() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
