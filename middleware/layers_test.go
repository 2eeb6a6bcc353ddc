package middleware_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

// assertions is what a program learns of a ResponseWriter by asking.
func assertions(w http.ResponseWriter) string {
	_, flusher := w.(http.Flusher)
	_, hijacker := w.(http.Hijacker)
	_, pusher := w.(http.Pusher)
	_, notifier := w.(interface{ CloseNotify() <-chan bool })
	_, readerFrom := w.(io.ReaderFrom)
	c := http.NewResponseController(w)
	return fmt.Sprintf("Flusher %v, Hijacker %v, Pusher %v, CloseNotifier %v, ReaderFrom %v; read deadline %v, write deadline %v, full duplex %v",
		flusher, hijacker, pusher, notifier, readerFrom, c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}), c.EnableFullDuplex())
}

// unwrapping is a wrapper as most are: it counts something and leaves the rest to Unwrap.
type unwrapping struct{ inner http.ResponseWriter }

func (u unwrapping) Header() http.Header         { return u.inner.Header() }
func (u unwrapping) Write(p []byte) (int, error) { return u.inner.Write(p) }
func (u unwrapping) WriteHeader(status int)      { u.inner.WriteHeader(status) }
func (u unwrapping) Unwrap() http.ResponseWriter { return u.inner }

// plain hides whatever the server's writer can do.
type plain struct{ http.ResponseWriter }

type layer struct {
	why  string
	wrap func(http.Handler) http.Handler
}

func around(wrap func(http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrap(w), r) })
	}
}

var layers = []layer{
	{"the server's own", func(h http.Handler) http.Handler { return h }},
	{"below http.TimeoutHandler", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "late") }},
	{"below a wrapper that can nothing", around(func(w http.ResponseWriter) http.ResponseWriter { return plain{w} })},
	{"below httptest.ResponseRecorder", around(func(w http.ResponseWriter) http.ResponseWriter { return httptest.NewRecorder() })},
}

func TestAssertionsFindTheSameWithAndWithoutTheWrapper(t *testing.T) {
	for _, protocol := range protocols {
		for _, layer := range layers {
			t.Run(protocol+", "+layer.why, func(t *testing.T) {
				var got []string
				ask := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = append(got, assertions(w)) })
				for _, h := range []http.Handler{ask, newSite(t, nil).tracker.Handler(ask)} {
					srv := serve(t, protocol, layer.wrap(h))
					srv.send(srv.browser(), navigation(t, "GET", srv.URL))
				}
				if got[0] != got[1] {
					t.Errorf("wrapped: %s\nwant:    %s", got[1], got[0])
				}
			})
		}
	}
}

// http.ResponseController finds Flush and Hijack behind an Unwrap, and must not find a way around us.
func TestBelowAWrapperWithOnlyUnwrapFlushAndHijackCommit(t *testing.T) {
	for _, tt := range []struct {
		why string
		do  func(w http.ResponseWriter) error
	}{
		{"Flush of the controller", func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }},
		{"Flush, if it is there", func(w http.ResponseWriter) error {
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
				return nil
			}
			return http.NewResponseController(w).Flush()
		}},
		{"Hijack of the controller", func(w http.ResponseWriter) error { return hijack(http.NewResponseController(w).Hijack()) }},
		{"Hijack, if it is there", func(w http.ResponseWriter) error {
			if h, ok := w.(http.Hijacker); ok {
				return hijack(h.Hijack())
			}
			return hijack(http.NewResponseController(w).Hijack())
		}},
	} {
		s := newSite(t, nil)
		var done, reset error
		h := s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", html)
			done, reset = tt.do(w), loguro.Reset(r.Context())
		}))
		srv := serve(t, "HTTP/1.1", around(func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{w} })(h))
		srv.send(srv.browser(), navigation(t, "GET", srv.URL))
		if done != nil || !errors.Is(reset, loguro.ErrHeadersSent) {
			t.Errorf("%s: %v, and then Reset() = %v, want ErrHeadersSent", tt.why, done, reset)
		}
	}
}

func hijack(conn net.Conn, rw *bufio.ReadWriter, err error) error {
	if err != nil {
		return err
	}
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
	return conn.Close()
}

// late is a wrapper that sends the headers with the body at the end, as those that compress do.
type late struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (l *late) WriteHeader(status int) {
	if l.status == 0 {
		l.status = status
	}
}

func (l *late) Write(p []byte) (int, error) {
	l.WriteHeader(200)
	return l.body.Write(p)
}

func delayed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &late{ResponseWriter: w}
		next.ServeHTTP(l, r)
		if l.status != 0 {
			w.WriteHeader(l.status)
		}
		w.Write(l.body.Bytes())
	})
}

func TestCookiesGetThroughALayerThatSendsTheHeadersLater(t *testing.T) {
	for _, layer := range []layer{
		{"http.TimeoutHandler", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "late") }},
		{"a wrapper that compresses", delayed},
	} {
		for _, tt := range ways(t) {
			if !tt.page || strings.Contains(tt.why, "hints") || strings.Contains(tt.why, "Flush") {
				continue // these layers know neither 1xx nor Flush
			}
			t.Run(layer.why+", "+tt.why, func(t *testing.T) {
				s := newSite(t, nil)
				bare, wrapped := serve(t, "HTTP/1.1", layer.wrap(tt.answer)), serve(t, "HTTP/1.1", layer.wrap(s.tracker.Handler(tt.answer)))
				want, got := bare.send(bare.browser(), tt.request(t, bare.URL)), wrapped.send(wrapped.browser(), tt.request(t, wrapped.URL))
				sameAnswer(t, want, got)
				set, _ := got.cookies()
				if counted := s.pageviews() == 1; counted != slices.Equal(set, []string{"loguro_s", "loguro_v"}) {
					t.Errorf("counted: %v, cookies %v; want both or none", counted, set)
				}
			})
		}
	}
}

func TestALayerOutsideSeesTheRouteAsWithoutUs(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", page)
	for _, h := range []http.Handler{mux, newSite(t, nil).tracker.Handler(mux)} {
		r := httptest.NewRequest("GET", "/users/42", nil)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if r.Pattern != "GET /users/{id}" {
			t.Errorf("Pattern = %q outside %T, want that of the mux: metrics read it", r.Pattern, h)
		}
	}
}

// recording is an outer layer that sees which source reaches the server's ReadFrom.
type recording struct {
	http.ResponseWriter
	sources []string
}

func (rec *recording) ReadFrom(src io.Reader) (int64, error) {
	name := fmt.Sprintf("%T", src)
	if limited, ok := src.(*io.LimitedReader); ok {
		name += fmt.Sprintf(" of %T", limited.R)
	}
	rec.sources = append(rec.sources, name)
	return rec.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
}

func TestAFileReachesTheServersReadFromItself(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.html")
	body := "<!doctype html>" + strings.Repeat("page ", 100_000)
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(w http.ResponseWriter, then func(f *os.File)) {
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		then(f)
	}
	for _, tt := range []struct {
		why  string
		send http.HandlerFunc
	}{
		{"io.Copy with a type", as(html, func(w http.ResponseWriter, r *http.Request) { open(w, func(f *os.File) { io.Copy(w, f) }) })},
		{"io.Copy without a type", func(w http.ResponseWriter, r *http.Request) { open(w, func(f *os.File) { io.Copy(w, f) }) }},
		{"io.Copy after bytes that are sniffed", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			open(w, func(f *os.File) { io.Copy(w, f) })
		}},
		{"ReadFrom", func(w http.ResponseWriter, r *http.Request) {
			open(w, func(f *os.File) { w.(io.ReaderFrom).ReadFrom(f) })
		}},
		{"http.ServeFile", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }},
		{"io.CopyN", func(w http.ResponseWriter, r *http.Request) { open(w, func(f *os.File) { io.CopyN(w, f, 100_000) }) }},
	} {
		t.Run(tt.why, func(t *testing.T) {
			var sources [2][]string
			var replies [2]reply
			for i, h := range []http.Handler{tt.send, newSite(t, nil).tracker.Handler(tt.send)} {
				srv := serve(t, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					rec := &recording{ResponseWriter: w}
					h.ServeHTTP(rec, r)
					sources[i] = rec.sources
				}))
				replies[i] = srv.send(srv.browser(), navigation(t, "GET", srv.URL))
			}
			sameAnswer(t, replies[0], replies[1])
			if len(sources[0]) != 1 || !slices.Equal(sources[0], sources[1]) {
				t.Errorf("ReadFrom got %v wrapped, want %v", sources[1], sources[0])
			}
			if n := len(replies[1].body); n < 100_000 {
				t.Errorf("a body of %d bytes, want the file", n)
			}
		})
	}
}
