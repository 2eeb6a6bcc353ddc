package middleware

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// sniffLen is how much of a body net/http looks at to find its type (http.DetectContentType).
const sniffLen = 512

// writer is the ResponseWriter that the handler gets. The first of Write, WriteHeader, Flush, ReadFrom and Hijack
// commits; 1xx responses but 101 do not.
//
// A page without a Content-Type is one that net/http will sniff from the first bytes of the body. Whether it counts, and
// so whether its headers carry a cookie, is known only then: until it is, those bytes and the status are held back, as
// net/http would do in its own buffer.
type writer struct {
	visit *Visit
	inner http.ResponseWriter

	wrote    bool // status and headers are handed on, or the connection was hijacked
	panicked bool // the handler did, so that what it held back is no page

	held   bool
	status int
	frozen http.Header // the headers as they were when the handler committed to them
	buf    []byte
}

func (w *writer) Header() http.Header { return w.inner.Header() }

// Unwrap lets http.ResponseController reach the deadlines and whatever else the server's writer can do.
func (w *writer) Unwrap() http.ResponseWriter { return w.inner }

func (w *writer) WriteHeader(status int) {
	if w.held { // a second call: the server says so in its log
		w.release()
	}
	if w.wrote || 100 <= status && status <= 199 && status != http.StatusSwitchingProtocols {
		w.inner.WriteHeader(status)
		return
	}
	if w.begin(status) {
		w.inner.WriteHeader(status)
	}
}

func (w *writer) Write(p []byte) (int, error) {
	if !w.wrote && !w.held {
		w.begin(http.StatusOK)
	}
	if w.held && w.tooLong(len(p)) {
		w.release()
	}
	if !w.held {
		return w.inner.Write(p)
	}
	w.buf = append(w.buf, p...)
	if len(w.buf) >= sniffLen {
		if err := w.release(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (w *writer) WriteString(s string) (int, error) {
	if w.wrote {
		return io.WriteString(w.inner, s)
	}
	return w.Write([]byte(s))
}

// tooLong says whether n more bytes are over the length that the handler declared: the server refuses them, and only
// them.
func (w *writer) tooLong(n int) bool {
	length := first(w.frozen, "Content-Length")
	if length == "" {
		return false
	}
	declared, err := strconv.ParseInt(length, 10, 64)
	return err == nil && int64(len(w.buf)+n) > declared
}

// begin commits, or holds the response back; it says which.
func (w *writer) begin(status int) (committed bool) {
	h := w.inner.Header()
	if needsSniff(status, h) && navigation(w.visit.request) == Counted {
		w.held, w.status, w.frozen = true, status, h.Clone()
		return false
	}
	w.commit(status)
	return true
}

// commit commits to a response whose type the handler has declared, or never will.
func (w *writer) commit(status int) {
	w.wrote = true
	h := w.inner.Header()
	w.visit.commit(status, h, first(h, "Content-Type"), !w.panicked)
}

// release hands on what was held back.
func (w *writer) release() error {
	if !w.held {
		return nil
	}
	w.held, w.wrote = false, true
	contentType := ""
	if len(w.buf) > 0 {
		contentType = http.DetectContentType(w.buf)
	}
	h := w.inner.Header()
	live := maps.Clone(h)
	replace(h, w.frozen)
	w.visit.commit(w.status, h, contentType, !w.panicked)
	carry(live, h, len(w.frozen["Set-Cookie"]))
	w.inner.WriteHeader(w.status)
	replace(h, live)
	w.frozen = nil
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.inner.Write(w.buf)
	w.buf = nil
	return err
}

// carry takes what commit added over into the headers as the handler left them since. For the server these are trailers,
// or nothing; but a layer between, such as http.TimeoutHandler or one that compresses, sends them only at the end.
func carry(live, committed http.Header, cookies int) {
	if lines := committed["Set-Cookie"][cookies:]; len(lines) > 0 {
		live["Set-Cookie"] = slices.Concat(live["Set-Cookie"], lines)
		protect(live)
	}
	if reason := committed["Loguro-Excluded"]; reason != nil {
		live["Loguro-Excluded"] = reason
	}
}

func replace(h, with http.Header) {
	clear(h)
	maps.Copy(h, with)
}

// settle commits before something other than a Write goes out.
func (w *writer) settle() {
	if w.held {
		w.release()
	} else if !w.wrote {
		w.commit(http.StatusOK)
	}
}

// FlushError is what http.ResponseController calls, so it is there whatever the server's writer can do.
func (w *writer) FlushError() error {
	if !supports[http.Flusher](w.inner) && !supports[flushErrorer](w.inner) {
		return http.NewResponseController(w.inner).Flush() // says that it is not supported; nothing went out
	}
	w.settle()
	return http.NewResponseController(w.inner).Flush()
}

func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.held {
		w.release()
	}
	conn, rw, err := http.NewResponseController(w.inner).Hijack()
	if err == nil && !w.wrote {
		// The handler now speaks for itself: whatever headers it writes, ours are not among them.
		w.wrote = true
		w.visit.hijacked()
	}
	return conn, rw, err
}

// hijacked marks the headers as gone without cookies.
func (v *Visit) hijacked() {
	v.mu.Lock()
	v.sent = true
	v.page = Page{Reason: Status, Time: v.began, Status: http.StatusSwitchingProtocols}
	var identified func()
	if v.opened {
		identified = v.keep(time.Now())
	}
	v.mu.Unlock()
	if identified != nil {
		identified()
	}
}

// readFrom keeps sendfile: the server's writer gets the source itself, but for the bytes to be sniffed. As in net/http,
// nothing is committed before there are any, so that a source which fails at once leaves room for an error page; and
// what goes on beyond them is not a response of known length any more.
func (w *writer) readFrom(src io.Reader) (n int64, err error) {
	if !w.wrote {
		n, err = io.CopyN(onlyWriter{w}, src, sniffLen)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		_ = w.FlushError()
	}
	rest, err := w.inner.(io.ReaderFrom).ReadFrom(src)
	return n + rest, err
}

// onlyWriter hides ReadFrom from io.CopyN.
type onlyWriter struct{ io.Writer }

type flushErrorer interface{ FlushError() error }

// supports looks for a method as http.ResponseController does, through every Unwrap.
func supports[T any](w http.ResponseWriter) bool {
	for {
		if _, ok := w.(T); ok {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}
