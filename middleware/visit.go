package middleware

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/identity"
)

type contextKey struct{}

// From returns the visit that the context carries, if a handler of this package made it.
func From(ctx context.Context) (*Visit, bool) {
	v, ok := ctx.Value(contextKey{}).(*Visit)
	return v, ok
}

// Visit is one request, and the context that its handler gets. It is safe for concurrent use and may outlive the
// request: a goroutine that still tracks then records for the right visitor. (That is why it is never pooled: a reused
// one would record for a stranger.)
type Visit struct {
	context.Context
	m       *Middleware
	request *http.Request // as it came in, without this visit in its context
	writer  writer
	began   time.Time

	mu     sync.Mutex
	opened bool
	bar    Reason          // why nothing at all is recorded, or Counted
	anon   bool            // consent to be counted, not to be recognised
	state  *identity.State // of its own, because most requests never need one
	scheme string
	host   string
	sent   bool // the headers are gone
	page   Page
	who    identity.Snapshot // of the page, when its headers went out

	url, path, referrer string
}

// Page is what the middleware knows of a pageview.
type Page struct {
	Reason   Reason // Counted, or why it is none
	Time     time.Time
	Status   int
	Duration time.Duration
	Route    string
}

// Value makes the visit its own context value, which saves an allocation on each request.
func (v *Visit) Value(key any) any {
	if key == (contextKey{}) {
		return v
	}
	return v.Context.Value(key)
}

// Recorder returns what the middleware tells about this visit.
func (v *Visit) Recorder() Recorder { return v.m.options.Recorder }

// Request returns the request as the middleware got it. It must not be changed.
func (v *Visit) Request() *http.Request { return v.request }

// Address returns the absolute address that the visitor's browser asked, its path, and the address of the page before,
// each as it was sent but for what clean takes out.
func (v *Visit) Address(clean func(string) string) (url, path, referrer string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.url == "" {
		v.findOrigin()
		target := v.request.RequestURI
		if !strings.HasPrefix(target, "/") { // the absolute form, or a request that no server read
			target = v.request.URL.RequestURI()
		}
		if !strings.HasPrefix(target, "/") { // OPTIONS *
			target = "/"
		}
		v.url = clean(v.scheme + "://" + v.host + target)
		// The path lies within the address, and takes no memory of its own.
		_, rest, _ := strings.Cut(v.url, "://")
		v.path, _, _ = strings.Cut(rest[max(strings.IndexByte(rest, '/'), 0):], "?")
		if from := first(v.request.Header, "Referer"); strings.Contains(from, "://") {
			v.referrer = clean(from)
		}
	}
	return v.url, v.path, v.referrer
}

// Event says who an event at now belongs to; the event is then to be recorded. If the reason is not Counted, nothing of
// this request is.
func (v *Visit) Event(now time.Time) (identity.Snapshot, Reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open(); v.bar != Counted {
		return identity.Snapshot{}, v.bar
	}
	return v.state.Event(now.UnixMilli()), Counted
}

// Current says who an event would belong to; ok is false where none would be recorded.
func (v *Visit) Current(now time.Time) (who identity.Snapshot, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open(); v.bar != Counted {
		return identity.Snapshot{}, false
	}
	return v.state.Peek(now.UnixMilli()), true
}

// Identify sets the user for the rest of the request, and beyond if the policy says so. After the headers are gone it
// still holds for the request; that it cannot be kept is ErrHeadersSent.
func (v *Visit) Identify(user string, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open(); v.bar != Counted || v.anon {
		return nil
	}
	v.state.Identify(user, now.UnixMilli())
	if v.sent && v.state.Outlasts() {
		return ErrHeadersSent
	}
	return nil
}

// Anonymous says whether the visitor consented to be counted only: then nothing may say who it is.
func (v *Visit) Anonymous() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open()
	return v.anon
}

// Leave hands an identify event to the next request of this browser, if this one cannot know the visitor.
func (v *Visit) Leave(event uuid.UUID, traits json.RawMessage) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.opened && v.bar == Counted && !v.sent && v.state.Leave(event, traits)
}

// Reset forgets visitor, session and user. After the headers are gone it changes nothing and returns ErrHeadersSent.
func (v *Visit) Reset(now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sent {
		return ErrHeadersSent
	}
	v.open()
	v.state.Reset(now.UnixMilli())
	return nil
}

// findOrigin and open need the lock.
func (v *Visit) findOrigin() {
	if v.host == "" {
		v.scheme, v.host = origin(v.request, v.m.options.TrustedProxies)
	}
}

// open finds out, once, whether anything of this request may be recorded, and reads its cookies.
func (v *Visit) open() {
	if v.opened {
		return
	}
	v.opened = true
	o := &v.m.options
	v.bar, v.anon = v.m.permission(v.request)
	mode := identity.Ephemeral
	var presented identity.Presented
	if !o.Ephemeral {
		presented = o.Issuer.Present(v.request.Header)
		v.findOrigin()
		switch {
		case v.anon:
		case !presented.Any() && withheld(v.request, v.scheme, v.host, o.Issuer.Domain()):
			mode = identity.Withheld
		default:
			mode = identity.Stored
		}
	}
	var ask func() string
	if o.User != nil && !v.anon {
		ask = func() string { return v.m.user(v.request) }
	}
	v.state = o.Issuer.Open(presented, mode, ask)
	if v.anon || v.bar == ConsentMissing || v.bar == DNT || v.bar == GPC {
		v.state.Withdraw()
	}
}
