package e2e

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/securecookie"

	"github.com/loguro/loguro"
)

var costKey = bytes.Repeat([]byte("k"), 32)

type nowhere struct{}

func (nowhere) Export(context.Context, loguro.Batch) error { return nil }

// BenchmarkReturningVisitor is what a page costs a visitor who was here before: without us, with us, with a session
// manager that does nothing but touch its session, and with two cookies of securecookie as it comes. Compare within a
// run, not between runs.
func BenchmarkReturningVisitor(b *testing.B) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = []string{"text/html; charset=utf-8"}
		w.Write([]byte("<!doctype html><title>page</title>"))
	})
	tracker, err := loguro.New(loguro.Config{Exporter: nowhere{}, Keys: [][]byte{costKey}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { tracker.Shutdown(context.Background()) })
	sessions := scs.New()

	b.Run("bare", func(b *testing.B) { revisit(b, page) })
	b.Run("loguro", func(b *testing.B) { revisit(b, tracker.Handler(page)) })
	b.Run("scs", func(b *testing.B) {
		revisit(b, sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sessions.Put(r.Context(), "seen", 1)
			page(w, r)
		})))
	})
	b.Run("two gob cookies", func(b *testing.B) { revisit(b, twoCookies(page)) })
}

func revisit(b *testing.B, h http.Handler) {
	r := httptest.NewRequest("GET", "https://app.acme.com/pricing", nil)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Dest", "document")
	first := httptest.NewRecorder()
	h.ServeHTTP(first, r)
	for _, c := range first.Result().Cookies() {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		clear(w.Header())
		w.Body.Reset()
		h.ServeHTTP(w, r.WithContext(r.Context()))
	}
}

func twoCookies(next http.Handler) http.Handler {
	codec := securecookie.New(costKey, nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"visitor", "session"} {
			state := map[string]string{}
			if c, err := r.Cookie(name); err == nil {
				_ = codec.Decode(name, c.Value, &state)
			}
			state["id"], state["seen"] = "0b7d3f5e-58a1-4f0e-9d0c-5a7a2e6f1c11", "1778752800"
			if value, err := codec.Encode(name, state); err == nil {
				http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/"})
			}
		}
		next.ServeHTTP(w, r)
	})
}
