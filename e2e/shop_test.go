package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"

	"github.com/loguro/loguro"
)

// shop is the application that each router serves: handlers of net/http, mounted in the router's own way.
type shop struct {
	flushed chan struct{} // the client has the first part of the stream
}

// route is one entry of the shop.
type route struct {
	method, path string
	handler      http.HandlerFunc
}

func (s *shop) routes() []route {
	return []route{
		{"GET", "/", s.page},
		{"GET", "/broken", s.broken},
		{"POST", "/login", s.login},
		{"POST", "/api/cart", s.cart},
		{"POST", "/logout", s.logout},
		{"GET", "/stream", s.stream},
		{"GET", "/socket", s.socket},
	}
}

func (s *shop) page(w http.ResponseWriter, r *http.Request) { show(w, "shop") }

func (s *shop) broken(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "broken", http.StatusInternalServerError)
}

func (s *shop) login(w http.ResponseWriter, r *http.Request) {
	if err := loguro.Identify(r.Context(), "u1", loguro.Props{"plan": "pro"}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *shop) cart(w http.ResponseWriter, r *http.Request) {
	if err := loguro.Track(r.Context(), "added_to_cart", loguro.Props{"sku": "A1"}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"ok":true}`)
}

func (s *shop) logout(w http.ResponseWriter, r *http.Request) {
	if err := loguro.Reset(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// stream sends a part of a page, and the rest only when the client has that part.
func (s *shop) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintln(w, "first")
	w.(http.Flusher).Flush()
	select {
	case <-s.flushed:
	case <-r.Context().Done():
		return
	}
	fmt.Fprintln(w, "second")
	if err := http.NewResponseController(w).Flush(); err != nil {
		fmt.Fprintln(w, err)
	}
}

// socket takes the connection over as WebSocket libraries do, and sends each line back.
func (s *shop) socket(w http.ResponseWriter, r *http.Request) {
	loguro.Track(r.Context(), "connected", nil)
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	lines := bufio.NewReader(rw)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(conn, "echo "+line)
	}
}
