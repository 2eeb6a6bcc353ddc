package middleware_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

func TestAHijackedConnectionIsTheHandlersAlone(t *testing.T) {
	for _, way := range []string{"Hijacker", "controller"} {
		s := newSite(t, nil)
		var reset error
		srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			loguro.Track(r.Context(), "upgraded", nil)
			var conn net.Conn
			var rw *bufio.ReadWriter
			var err error
			if way == "Hijacker" {
				conn, rw, err = w.(http.Hijacker).Hijack()
			} else {
				conn, rw, err = http.NewResponseController(w).Hijack()
			}
			if err != nil {
				t.Errorf("Hijack() = %v", err)
				return
			}
			defer conn.Close()
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
			rw.Flush()
			line, _ := rw.ReadString('\n')
			reset = loguro.Reset(r.Context())
			loguro.Track(r.Context(), "echoed", nil)
			rw.WriteString("echo " + line)
			rw.Flush()
			if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrHijacked) {
				t.Errorf("Write() after Hijack = %v, want ErrHijacked", err)
			}
		})))
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: app.acme.com\r\nUpgrade: echo\r\nConnection: Upgrade\r\nAccept: text/html\r\n\r\nhello\n")
		all, _ := io.ReadAll(conn)
		srv.busy.Wait()
		if want := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\necho hello\n"; string(all) != want {
			t.Errorf("%s: the client read %q, want %q", way, all, want)
		}
		if names := s.names(); !errors.Is(reset, loguro.ErrHeadersSent) || !slices.Equal(names, []string{"upgraded", "echoed"}) || s.pageviews() != 0 {
			t.Errorf("%s: Reset() = %v, events %v, %d pageviews; want ErrHeadersSent, the two events and no pageview", way, reset, names, s.pageviews())
		}
	}
}

// Some WebSocket libraries write the headers first, and hijack then.
func TestA101IsTheEndOfTheHeaders(t *testing.T) {
	s := newSite(t, nil)
	srv := serve(t, "HTTP/1.1", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "upgraded", nil)
		change(w.Header(), []string{"Upgrade", "echo", "Connection", "Upgrade"})
		w.WriteHeader(http.StatusSwitchingProtocols)
		if err := loguro.Reset(r.Context()); !errors.Is(err, loguro.ErrHeadersSent) {
			t.Errorf("Reset() = %v, want ErrHeadersSent", err)
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack() = %v", err)
			return
		}
		defer conn.Close()
		line, _ := rw.ReadString('\n')
		io.WriteString(conn, "echo "+line)
	})))
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: app.acme.com\r\nUpgrade: echo\r\nConnection: Upgrade\r\nAccept: text/html\r\n\r\nhello\n")
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(reader)
	if res.StatusCode != 101 || len(res.Cookies()) != 2 || string(rest) != "echo hello\n" {
		t.Errorf("%d, cookies %v, then %q; want 101 with the cookies of the event, and the echo", res.StatusCode, res.Cookies(), rest)
	}
	srv.busy.Wait()
	if s.pageviews() != 0 || s.tracker.Stats().Excluded["status"] != 1 {
		t.Errorf("%d pageviews, excluded %v; want none because of its status", s.pageviews(), s.tracker.Stats().Excluded)
	}
}

func TestHijackOnHTTP2FailsAndLeavesRoomForAnErrorPage(t *testing.T) {
	s := newSite(t, nil)
	srv := serve(t, "HTTP/2.0", s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack() = %v, want ErrNotSupported", err)
		}
		loguro.Track(r.Context(), "refused", nil)
		http.Error(w, "no upgrade", http.StatusNotImplemented)
	})))
	got := srv.send(srv.browser(), navigation(t, "GET", srv.URL))
	if set, _ := got.cookies(); got.status != http.StatusNotImplemented || len(set) != 2 {
		t.Errorf("status %d, cookies %v; want 501 with the cookies of the event", got.status, set)
	}
}

func TestServerSentEventsArriveAsTheyAreFlushed(t *testing.T) {
	for _, protocol := range protocols {
		for _, contentType := range []string{"text/event-stream", html, ""} {
			s := newSite(t, nil)
			read := make(chan struct{})
			srv := serve(t, protocol, s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if contentType != "" {
					w.Header().Set("Content-Type", contentType)
				}
				io.WriteString(w, "data: one\n\n")
				w.(http.Flusher).Flush()
				select {
				case <-read: // the client has the first event while this handler is at work
				case <-r.Context().Done():
					return
				}
				io.WriteString(w, "data: two\n\n")
				loguro.Track(r.Context(), "streamed", nil)
			})))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			res, err := srv.browser().Do(navigation(t, "GET", srv.URL).WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			body := bufio.NewReader(res.Body)
			if line, err := body.ReadString('\n'); line != "data: one\n" {
				t.Errorf("%s %q: the first event is %q, %v", protocol, contentType, line, err)
			}
			close(read)
			if rest, err := io.ReadAll(body); string(rest) != "\ndata: two\n\n" {
				t.Errorf("%s %q: the rest is %q, %v", protocol, contentType, rest, err)
			}
			res.Body.Close()
			cancel()
			srv.busy.Wait()
			if names := s.names(); !slices.Equal(names, []string{"streamed"}) {
				t.Errorf("%s %q: events %v, want that of after the flush", protocol, contentType, names)
			}
		}
	}
}
