package middleware

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Programs ask a ResponseWriter what it can do by type assertion, so ours can do exactly what the server's can: a
// Hijacker on HTTP/2, or a Flusher below http.TimeoutHandler, would be a promise that fails when it is used.

type flusher struct{ w *writer }

func (f flusher) Flush() { _ = f.w.FlushError() }

type hijacker struct{ w *writer }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.w.hijack() }

type readerFrom struct{ w *writer }

func (r readerFrom) ReadFrom(src io.Reader) (int64, error) { return r.w.readFrom(src) }

// notifier is deprecated since Go 1.11, yet gin and others still assert it on what net/http gives them.
type notifier interface{ CloseNotify() <-chan bool }

const (
	canFlush = 1 << iota
	canHijack
	canReadFrom
	canPush
)

// shaped returns the writer with the optional methods of the server's writer. Flush and Hijack may also lie behind an
// Unwrap, because http.ResponseController would find them there and pass us by.
func (w *writer) shaped() http.ResponseWriter {
	f, h, r := flusher{w}, hijacker{w}, readerFrom{w}
	p, push := w.inner.(http.Pusher)
	n, notify := w.inner.(notifier)
	_, readFrom := w.inner.(io.ReaderFrom)
	can := when(supports[http.Flusher](w.inner), canFlush) | when(supports[http.Hijacker](w.inner), canHijack) |
		when(readFrom, canReadFrom) | when(push, canPush)
	if notify {
		switch can { // net/http's own two; nobody else needs the deprecated method
		case canFlush | canHijack | canReadFrom: // HTTP/1
			return struct {
				*writer
				flusher
				hijacker
				readerFrom
				notifier
			}{w, f, h, r, n}
		case canFlush | canPush: // HTTP/2
			return struct {
				*writer
				flusher
				http.Pusher
				notifier
			}{w, f, p, n}
		}
	}
	switch can {
	case canFlush:
		return struct {
			*writer
			flusher
		}{w, f}
	case canHijack:
		return struct {
			*writer
			hijacker
		}{w, h}
	case canReadFrom:
		return struct {
			*writer
			readerFrom
		}{w, r}
	case canPush:
		return struct {
			*writer
			http.Pusher
		}{w, p}
	case canFlush | canHijack:
		return struct {
			*writer
			flusher
			hijacker
		}{w, f, h}
	case canFlush | canReadFrom:
		return struct {
			*writer
			flusher
			readerFrom
		}{w, f, r}
	case canFlush | canPush:
		return struct {
			*writer
			flusher
			http.Pusher
		}{w, f, p}
	case canHijack | canReadFrom:
		return struct {
			*writer
			hijacker
			readerFrom
		}{w, h, r}
	case canHijack | canPush:
		return struct {
			*writer
			hijacker
			http.Pusher
		}{w, h, p}
	case canReadFrom | canPush:
		return struct {
			*writer
			readerFrom
			http.Pusher
		}{w, r, p}
	case canFlush | canHijack | canReadFrom:
		return struct {
			*writer
			flusher
			hijacker
			readerFrom
		}{w, f, h, r}
	case canFlush | canHijack | canPush:
		return struct {
			*writer
			flusher
			hijacker
			http.Pusher
		}{w, f, h, p}
	case canFlush | canReadFrom | canPush:
		return struct {
			*writer
			flusher
			readerFrom
			http.Pusher
		}{w, f, r, p}
	case canHijack | canReadFrom | canPush:
		return struct {
			*writer
			hijacker
			readerFrom
			http.Pusher
		}{w, h, r, p}
	case canFlush | canHijack | canReadFrom | canPush:
		return struct {
			*writer
			flusher
			hijacker
			readerFrom
			http.Pusher
		}{w, f, h, r, p}
	}
	return w
}

func when(ok bool, bit int) int {
	if ok {
		return bit
	}
	return 0
}
