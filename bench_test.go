package loguro_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/loguro/loguro"
)

// discard is an exporter without a store, so that the benchmarks show the cost in the request.
type discard struct{}

func (discard) Export(context.Context, loguro.Batch) error { return nil }

func benchTracker(b *testing.B, spool string) *loguro.Tracker {
	b.Helper()
	tracker, err := loguro.New(loguro.Config{Exporter: discard{}, Keys: [][]byte{testKey}, Spool: spool, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { tracker.Shutdown(context.Background()) })
	return tracker
}

// nullWriter keeps nothing, so that what is measured is not the recorder.
type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullWriter) WriteHeader(int)             {}

var html = []byte("<!doctype html><title>page</title>")

func serve(b *testing.B, h http.Handler, r *http.Request) {
	b.ReportAllocs()
	w := &nullWriter{header: http.Header{}}
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r.WithContext(r.Context())) // a server hands each request on as its own
	}
}

func benchPage(w http.ResponseWriter, r *http.Request) {
	w.Header()["Content-Type"] = []string{"text/html; charset=utf-8"}
	w.Write(html)
}

func navigate() *http.Request {
	r := httptest.NewRequest("GET", "https://app.acme.com/pricing?utm_source=mail&page=2", nil)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Referer", "https://app.acme.com/")
	return r
}

// Each case beside the bare handler: compare within one run.
func BenchmarkRequest(b *testing.B) {
	bare := http.HandlerFunc(benchPage)
	b.Run("bare", func(b *testing.B) { serve(b, bare, navigate()) })
	counted := func(b *testing.B, spool string) { // a returning visitor's page
		h := benchTracker(b, spool).Handler(bare)
		r := navigate()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			r.AddCookie(c)
		}
		serve(b, h, r)
	}
	b.Run("counted", func(b *testing.B) { counted(b, "") })
	b.Run("counted, on disk", func(b *testing.B) { counted(b, b.TempDir()) })
	b.Run("counted, 16k visitors", func(b *testing.B) {
		h := benchTracker(b, "").Handler(bare)
		requests := make([]*http.Request, 16<<10)
		for i := range requests {
			requests[i] = navigate()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, requests[i])
			for _, c := range w.Result().Cookies() {
				requests[i].AddCookie(c)
			}
		}
		b.ReportAllocs()
		w := &nullWriter{header: http.Header{}}
		for i := 0; b.Loop(); i++ {
			clear(w.header)
			r := requests[i%len(requests)]
			h.ServeHTTP(w, r.WithContext(r.Context()))
		}
	})
	b.Run("first visit", func(b *testing.B) { serve(b, benchTracker(b, "").Handler(bare), navigate()) })
	b.Run("uncounted", func(b *testing.B) { // an asset
		r := navigate()
		r.Header.Set("Sec-Fetch-Dest", "style")
		serve(b, benchTracker(b, "").Handler(bare), r)
	})
}

func BenchmarkTrack(b *testing.B) {
	track := func(b *testing.B, spool string, size int) {
		props := loguro.Props{}
		for i := range size {
			props[fmt.Sprintf("property_%d", i)] = "value"
		}
		tracker := benchTracker(b, spool)
		h := tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			b.ReportAllocs()
			for b.Loop() {
				if err := loguro.Track(ctx, "subscription_upgraded", props); err != nil {
					b.Fatal(err)
				}
			}
		}))
		h.ServeHTTP(&nullWriter{header: http.Header{}}, navigate())
	}
	for _, size := range []int{0, 2, 10} {
		b.Run(fmt.Sprintf("%d props", size), func(b *testing.B) { track(b, "", size) })
		b.Run(fmt.Sprintf("%d props, on disk", size), func(b *testing.B) { track(b, b.TempDir(), size) })
	}
}
