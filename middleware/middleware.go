package middleware

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/identity"
)

// Consent is what a visitor allowed.
type Consent int

const (
	// ConsentGranted: count, recognise, remember. The default.
	ConsentGranted Consent = iota
	// ConsentAnonymous: count, with ids of this request alone, without user and cookies.
	ConsentAnonymous
	// ConsentDenied: nothing.
	ConsentDenied
)

// Options are the compiled settings of the middleware.
type Options struct {
	Issuer         *identity.Issuer
	Recorder       Recorder
	Ephemeral      bool // neither read nor write cookies
	User           func(*http.Request) string
	Consent        func(*http.Request) Consent
	Skip           func(*http.Request) bool
	RespectDNT     bool
	RespectGPC     bool
	TrustedProxies []netip.Prefix
	Debug          bool
	// HookFailed hears of a panic in User, Consent or Skip, and of an id that User should not have given.
	HookFailed func(hook string, cause any)
}

// Recorder hears what happened. Its methods must not block.
type Recorder interface {
	// Pageview tells of a page that was shown.
	Pageview(v *Visit, who identity.Snapshot, page Page)
	// Identified tells of an identify event that the browser's last request left behind.
	Identified(v *Visit, who identity.Snapshot, event uuid.UUID, traits json.RawMessage, now time.Time)
}

// Middleware wraps handlers. It is safe for concurrent use.
type Middleware struct {
	options           Options
	excluded          [reasons]atomic.Uint64
	cookiesRejected   atomic.Uint64
	cookiesSuppressed atomic.Uint64
}

// New returns a Middleware.
func New(o Options) *Middleware { return &Middleware{options: o} }

// Counts are how often something happened since the start.
type Counts struct {
	Excluded                           map[string]uint64
	CookiesRejected, CookiesSuppressed uint64
}

// Counts reads the counters.
func (m *Middleware) Counts() Counts {
	c := Counts{Excluded: make(map[string]uint64), CookiesRejected: m.cookiesRejected.Load(), CookiesSuppressed: m.cookiesSuppressed.Load()}
	for r := range reasons {
		if n := m.excluded[r].Load(); n > 0 && r != Counted {
			c.Excluded[r.String()] = n
		}
	}
	return c
}

// Wrap returns next with visits.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := From(r.Context()); ok && v.m == m {
			next.ServeHTTP(w, r) // wrapped twice by mistake: one request is one visit
			return
		}
		v := &Visit{Context: r.Context(), m: m, request: r, began: time.Now()}
		v.writer = writer{visit: v, inner: w}
		inside := r.WithContext(v)
		returned := false
		defer func() {
			// What the layers below found out is for those above as well: the server removes the temporary files of
			// the form that it finds in its own request, and metrics read the pattern.
			if r.MultipartForm == nil {
				r.MultipartForm = inside.MultipartForm
			}
			if r.Pattern == "" {
				r.Pattern = inside.Pattern
			}
			v.finish(inside.Pattern, returned)
		}()
		next.ServeHTTP(v.writer.shaped(), inside)
		returned = true
	})
}

// permission asks whether anything of a request may be recorded.
func (m *Middleware) permission(r *http.Request) (bar Reason, anonymous bool) {
	o := &m.options
	if isPrefetch(r.Header) {
		return Prefetch, false
	}
	if o.Skip != nil && guard(m, "Skip", true, func() bool { return o.Skip(r) }) {
		return Skipped, false
	}
	if o.RespectDNT && first(r.Header, "Dnt") == "1" {
		return DNT, false
	}
	if o.RespectGPC && first(r.Header, "Sec-Gpc") == "1" {
		return GPC, false
	}
	if o.Consent != nil {
		switch guard(m, "Consent", ConsentDenied, func() Consent { return o.Consent(r) }) {
		case ConsentGranted:
		case ConsentAnonymous:
			return Counted, true
		default:
			return ConsentMissing, false
		}
	}
	return Counted, false
}

func (m *Middleware) user(r *http.Request) string {
	return guard(m, "User", "", func() string {
		id, err := identity.CleanUser(m.options.User(r))
		if err != nil {
			m.options.HookFailed("User", err)
		}
		return id
	})
}

// guard runs a function of the application; if it panics, analytics stand back and the request goes on.
func guard[T any](m *Middleware, hook string, otherwise T, f func() T) (out T) {
	defer func() {
		if p := recover(); p != nil {
			out = otherwise
			m.options.HookFailed(hook, p)
		}
	}()
	return f()
}
