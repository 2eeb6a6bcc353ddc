package middleware_test

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/loguro/loguro"
)

// recovering is the middleware that many programs have: an error page, if it is not too late.
func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				http.Error(w, "sorry", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func TestAPanicPassesByAsWithoutTheWrapper(t *testing.T) {
	noLayer := func(h http.Handler) http.Handler { return h }
	for _, protocol := range protocols {
		for _, layer := range []layer{{"nobody recovers", noLayer}, {"a layer outside recovers", recovering}} {
			for _, tt := range []struct {
				why    string
				before http.HandlerFunc
				cause  any
			}{
				{"before the first write", func(http.ResponseWriter, *http.Request) {}, "boom"},
				{"before the first write, with a type", as(html, func(http.ResponseWriter, *http.Request) {}), "boom"},
				{"after WriteHeader", as(html, status(200)), "boom"},
				{"after a write", page, "boom"},
				{"after a write without a type", text("<html>"), "boom"},
				{"after early hints", status(103), "boom"},
				{"after a flush", as(html, func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, "<html>")
					w.(http.Flusher).Flush()
				}), "boom"},
				{"a status that is none", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(7) }, "boom"},
				{"a status that is none, on a page", as(html, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(7) }), "boom"},
				{"http.ErrAbortHandler before the first write", func(http.ResponseWriter, *http.Request) {}, http.ErrAbortHandler},
				{"http.ErrAbortHandler after a write", page, http.ErrAbortHandler},
				{"http.ErrAbortHandler after a write without a type", text("<html>"), http.ErrAbortHandler},
			} {
				t.Run(protocol+", "+layer.why+", "+tt.why, func(t *testing.T) {
					h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if _, wrapped := loguro.Current(r.Context()); wrapped {
							loguro.Track(r.Context(), "before", nil)
						}
						tt.before(w, r)
						panic(tt.cause)
					})
					s := newSite(t, nil)
					bare, wrapped := serve(t, protocol, layer.wrap(h)), serve(t, protocol, layer.wrap(s.tracker.Handler(h)))
					want, got := bare.send(bare.browser(), navigation(t, "GET", bare.URL)), wrapped.send(wrapped.browser(), navigation(t, "GET", wrapped.URL))
					sameAnswer(t, want, got)
					if set, _ := got.cookies(); !got.failed && len(set) != 2 {
						t.Errorf("cookies = %v, want those of the event before the panic", set)
					}
					if names := s.names(); !slices.Equal(names, []string{"before"}) || s.pageviews() != 0 || s.tracker.Stats().Excluded["status"] != 1 {
						t.Errorf("events %v, %d pageviews, excluded %v; want the event, and no pageview because of its status", names, s.pageviews(), s.tracker.Stats().Excluded)
					}
					if protocol != "HTTP/1.1" {
						return // nobody can wait for what HTTP/2 logs
					}
					bare.Close()
					wrapped.Close()
					if b, w := bare.log.count("panic serving"), wrapped.log.count("panic serving"); b != w {
						t.Errorf("the log has %d panics, want %d", w, b)
					}
				})
			}
		}
	}
}

func TestAPageThatPanicsBeforeItsHeadersWentMakesNoVisitor(t *testing.T) {
	for why, before := range map[string]http.HandlerFunc{
		"nothing written":  as(html, func(http.ResponseWriter, *http.Request) {}),
		"still to sniff":   text("<html>"),
		"status to sniff":  status(200),
		"early hints only": as(html, status(103)),
	} {
		s := newSite(t, nil)
		srv := serve(t, "HTTP/1.1", recovering(s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before(w, r)
			panic("boom")
		}))))
		if got := srv.send(srv.browser(), navigation(t, "GET", srv.URL)); got.failed || got.sets() || len(s.events()) != 0 {
			t.Errorf("%s: Set-Cookie %q, %d events; want none: nothing happened", why, got.header["Set-Cookie"], len(s.events()))
		}
	}
}

func TestAPanicThatTheHandlerItselfRecoversIsAnErrorPage(t *testing.T) {
	for _, protocol := range protocols {
		s := newSite(t, nil)
		h := recovering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic("boom") }))
		srv := serve(t, protocol, s.tracker.Handler(h))
		got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
		if got.status != 500 || got.body != "sorry\n" || got.sets() || s.tracker.Stats().Excluded["status"] != 1 {
			t.Errorf("%d %q, cookies %v, excluded %v; want the error page, not counted", got.status, got.body, got.sets(), s.tracker.Stats().Excluded)
		}
	}
}
