package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loguro/loguro"
)

// way is one way in which a handler answers.
type way struct {
	why    string
	method string // "" is GET
	answer http.HandlerFunc
	page   bool // it counts
	open   bool // the headers are still here when answer returns, as they are in net/http's own buffer
}

func as(contentType string, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		then(w, r)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

func text(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, part := range parts {
			io.WriteString(w, part)
		}
	}
}

func ways(t *testing.T) []way {
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte("<!doctype html>"+strings.Repeat("page ", 30_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(file)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if _, err := io.Copy(w, f); err != nil {
			t.Errorf("Copy() = %v", err)
		}
	}
	long := strings.Repeat("x", 5000)
	return []way{
		{why: "nothing at all", answer: func(http.ResponseWriter, *http.Request) {}, open: true},
		{why: "a type and nothing else", answer: as(html, func(http.ResponseWriter, *http.Request) {}), page: true, open: true},
		{why: "Write", answer: as(html, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<p>hi")) }), page: true},
		{why: "an empty Write", answer: as(html, func(w http.ResponseWriter, r *http.Request) { w.Write(nil) }), page: true},
		{why: "WriteString", answer: as(html, text("<p>hi", "<p>ho")), page: true},
		{why: "a long Write", answer: as(html, text(long)), page: true},
		{why: "WriteHeader alone", answer: as(html, status(200)), page: true},
		{why: "WriteHeader, and headers too late", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(201)
			w.Header().Set("Late", "yes")
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "<p>hi")
		}), page: true},
		{why: "not found", answer: http.NotFound},
		{why: "an error page in HTML", answer: as(html, status(500))},
		{why: "a redirect", answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusSeeOther) }},
		{why: "early hints", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusProcessing)
			page(w, r)
		}, page: true},
		{why: "early hints, and then a page to be sniffed", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			io.WriteString(w, "<html>")
		}, page: true, open: true},
		{why: "early hints that come too late", answer: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints) // as superfluous as a second 200, and then the type is not known yet
			io.WriteString(w, "<html>")
		}},
		{why: "not modified", answer: as(html, status(304)), page: true},
		{why: "not modified, without a type", answer: status(304), page: true},
		{why: "no content", answer: status(204)},
		{why: "HEAD", method: "HEAD", answer: as(html, text("<p>hi"))},
		{why: "HEAD without a type", method: "HEAD", answer: text("<html>")},
		{why: "POST", method: "POST", answer: as(html, text("<p>hi"))},
		{why: "POST without a type", method: "POST", answer: text("<html>")},
		{why: "Flush first", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "<p>hi")
		}), page: true},
		{why: "Flush first, without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "<html>")
		}},
		{why: "Flush in the middle of what is sniffed", answer: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			w.(http.Flusher).Flush()
			io.WriteString(w, "<p>hi")
		}, page: true},
		{why: "Flush of the controller first", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("Flush() = %v", err)
			}
			io.WriteString(w, "<p>hi")
		}), page: true},
		{why: "a file", answer: as(html, copied), page: true},
		{why: "a file without a type", answer: copied, page: true},
		{why: "a file of known length", answer: func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }, page: true},
		{why: "a part of a file", answer: func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Range", "bytes=10-3000")
			http.ServeFile(w, r, file)
		}, page: true},
		{why: "a source that fails at once leaves room for an error page", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(w, brokenReader{}); err != nil {
				http.Error(w, "bad gateway", http.StatusBadGateway)
			}
		})},
		{why: "the same without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(w, brokenReader{}); err != nil {
				http.Error(w, "bad gateway", http.StatusBadGateway)
			}
		}},
		{why: "an empty source leaves room for not found", answer: func(w http.ResponseWriter, r *http.Request) {
			if n, _ := io.Copy(w, onlyReader{strings.NewReader("")}); n == 0 {
				http.NotFound(w, r)
			}
		}},
		{why: "sniffed HTML", answer: text("<!doctype html><title>t</title>"), page: true, open: true},
		{why: "sniffed HTML in small writes", answer: text("<", "!doctype", " html>", long), page: true},
		{why: "a template that begins with white space", answer: text("\n\n", "  \n", "<html>"), page: true, open: true},
		{why: "more white space than is sniffed", answer: text(strings.Repeat("\n", 600), "<html>")},
		{why: "plain text", answer: text("hello"), open: true},
		{why: "a picture", answer: text("\x89PNG\r\n\x1a\n"), open: true},
		{why: "an empty Write without a type", answer: text(""), open: true},
		{why: "WriteHeader and Write without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			io.WriteString(w, "<html>")
		}, page: true, open: true},
		{why: "WriteHeader, and a type too late", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Early", "yes")
			w.WriteHeader(200)
			w.Header().Del("Early")
			w.Header().Set("Late", "yes")
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "<html>")
		}, page: true, open: true},
		{why: "a type of nothing keeps net/http from sniffing", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "<html>")
		}},
		{why: "a coded body is not sniffed", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			io.WriteString(w, "<html>")
		}},
		{why: "a second WriteHeader", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.WriteHeader(500)
			io.WriteString(w, "<p>hi")
		}), page: true},
		{why: "a second WriteHeader without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			w.WriteHeader(500)
		}, page: true},
		{why: "more than the declared length", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "<p>hi")
			io.WriteString(w, "<p>ho")
		}), page: true},
		{why: "more than the declared length, without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "6")
			io.WriteString(w, "<html>")
			io.WriteString(w, "<body>")
		}, page: true},
		{why: "a declared length, without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "12")
			io.WriteString(w, "<html>")
			io.WriteString(w, "<body>")
		}, page: true, open: true},
		{why: "trailers", answer: as(html, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			io.WriteString(w, "<p>hi")
			w.Header().Set("Sum", "42")
			w.Header().Set(http.TrailerPrefix+"Undeclared", "yes")
		}), page: true},
		{why: "trailers without a type", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			w.Header().Set(http.TrailerPrefix+"Before", "yes")
			io.WriteString(w, "<html>")
			w.Header().Set("Sum", "42")
			w.Header().Set(http.TrailerPrefix+"After", "yes")
		}, page: true, open: true},
		{why: "cookies of its own", answer: func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "app", Value: "1"})
			page(w, r)
		}, page: true},
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("upstream is gone") }

type onlyReader struct{ io.Reader }

func (tt way) request(t *testing.T, url string) *http.Request {
	if tt.method == "" {
		tt.method = "GET"
	}
	return navigation(t, tt.method, url)
}

func TestEveryWayToAnswerIsTheSameWrapped(t *testing.T) {
	for _, protocol := range protocols {
		for _, tt := range ways(t) {
			t.Run(protocol+", "+tt.why, func(t *testing.T) {
				s := newSite(t, nil)
				bare, wrapped := serve(t, protocol, tt.answer), serve(t, protocol, s.tracker.Handler(tt.answer))
				want, got := bare.send(bare.browser(), tt.request(t, bare.URL)), wrapped.send(wrapped.browser(), tt.request(t, wrapped.URL))
				sameAnswer(t, want, got)
				if got.proto != protocol {
					t.Errorf("protocol = %s", got.proto)
				}
				if counted := s.pageviews() == 1; counted != tt.page {
					t.Errorf("counted = %v, excluded %v; want %v", counted, s.tracker.Stats().Excluded, tt.page)
				}
				var cookies []string
				if tt.page {
					cookies = []string{"loguro_s", "loguro_v"}
				}
				if set, deleted := got.cookies(); !slices.Equal(set, cookies) || deleted != nil {
					t.Errorf("cookies set %v, deleted %v; want %v", set, deleted, cookies)
				}
				for _, e := range got.early {
					if e.header.Get("Set-Cookie") != "" {
						t.Errorf("a %d carries Set-Cookie", e.status)
					}
				}
				for _, line := range []string{"superfluous", "panic"} {
					if b, w := bare.log.count(line), wrapped.log.count(line); b != w {
						t.Errorf("the log has %d lines of %q, want %d", w, line, b)
					}
				}
			})
		}
	}
}

func TestWhatHappensBeforeTheAnswerIsOnItsHeaders(t *testing.T) {
	for _, protocol := range protocols {
		for _, tt := range ways(t) {
			t.Run(protocol+", "+tt.why, func(t *testing.T) {
				s := newSite(t, persist)
				srv := serve(t, protocol, s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case "/reset":
						if err := loguro.Reset(r.Context()); err != nil {
							t.Errorf("Reset() = %v", err)
						}
					case "/login":
						if err := errors.Join(loguro.Identify(r.Context(), "u1", nil), loguro.Track(r.Context(), "login", nil)); err != nil {
							t.Errorf("Identify(), Track() = %v", err)
						}
					}
					tt.answer(w, r)
					if err := loguro.Track(r.Context(), "after", nil); err != nil {
						t.Errorf("Track() = %v", err)
					}
				})))
				b := srv.browser()

				got := srv.send(b, tt.request(t, srv.URL+"/login"))
				if set, deleted := got.cookies(); !slices.Equal(set, []string{"loguro_s", "loguro_u", "loguro_v"}) || deleted != nil {
					t.Errorf("Identify and Track: cookies set %v, deleted %v; want all three", set, deleted)
				}
				if names := s.names(); !slices.Equal(names, []string{"login", "after"}) {
					t.Errorf("events %v, want those of before and after the headers", names)
				}
				visitor := srv.cookie(b, "loguro_v")

				got = srv.send(b, tt.request(t, srv.URL+"/reset"))
				set, deleted := got.cookies()
				if all := slices.Sorted(slices.Values(append(set, deleted...))); !slices.Equal(all, []string{"loguro_s", "loguro_u", "loguro_v"}) || !slices.Contains(deleted, "loguro_u") {
					t.Errorf("Reset: cookies set %v, deleted %v; want none of the old ones left", set, deleted)
				}
				if now := srv.cookie(b, "loguro_v"); now == visitor {
					t.Error("the visitor is still there after Reset")
				}
			})
		}
	}
}

func TestResetAfterTheAnswerIsRefusedAndChangesNothing(t *testing.T) {
	for _, protocol := range protocols {
		for _, tt := range ways(t) {
			t.Run(protocol+", "+tt.why, func(t *testing.T) {
				s := newSite(t, persist)
				var after error
				srv := serve(t, protocol, s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/first" {
						loguro.Identify(r.Context(), "u1", nil)
						page(w, r)
						return
					}
					tt.answer(w, r)
					after = loguro.Reset(r.Context())
				})))
				b := srv.browser()
				srv.send(b, navigation(t, "GET", srv.URL+"/first"))
				visitor, user := srv.cookie(b, "loguro_v"), srv.cookie(b, "loguro_u")
				srv.send(b, tt.request(t, srv.URL))
				kept := srv.cookie(b, "loguro_v") == visitor && srv.cookie(b, "loguro_u") == user
				switch {
				case tt.open && (after != nil || kept):
					t.Errorf("Reset() = %v, cookies kept: %v; want them gone: the headers were not sent", after, kept)
				case !tt.open && (!errors.Is(after, loguro.ErrHeadersSent) || !kept):
					t.Errorf("Reset() = %v, cookies kept: %v; want ErrHeadersSent and all as it was", after, kept)
				}
			})
		}
	}
}
