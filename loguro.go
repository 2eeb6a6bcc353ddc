package loguro

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/identity"
	"github.com/loguro/loguro/middleware"
)

// identifyEvent is the name of the custom event that Identify records with traits.
const identifyEvent = "identify"

// Identity is who an event belongs to. It may travel in the payload of a background job.
type Identity struct {
	VisitorID uuid.UUID `json:"visitor_id"` // the browser
	SessionID uuid.UUID `json:"session_id"` // the run of events without a long gap
	UserID    string    `json:"user_id"`    // the application's own account id, "" for nobody
}

// Identify says that the visitor logged in as the account userID: call it in the login handler, before the first write.
// Events from here on carry the user, those of before are not rewritten; the visitor stays. How long it lasts is for
// Config to say: with neither User nor PersistUser, as long as the request.
//
// With traits (not nil, even if empty) it also records the custom event "identify" with the traits as custom_props.
//
// Errors: [ErrEmptyUserID], and nothing changes; an id over 512 bytes is refused as well; [ErrNoVisit];
// [ErrHeadersSent] with PersistUser or after a form post from another site, and the user holds for this request only; those of Track about the traits, and the
// user is set all the same.
func Identify(ctx context.Context, userID string, traits Props) error {
	v, ok := middleware.From(ctx)
	if !ok {
		return ErrNoVisit
	}
	userID, err := identity.CleanUser(userID)
	if err != nil {
		return fmt.Errorf("loguro: %w", err)
	}
	if userID == "" {
		return ErrEmptyUserID
	}
	kept := v.Identify(userID, time.Now())
	if traits == nil || v.Anonymous() {
		return kept
	}
	t := trackerOf(v)
	raw, err := t.marshal(traits)
	if err != nil {
		return errors.Join(err, kept)
	}
	id := newEventID()
	if v.Leave(id, raw) {
		return kept
	}
	return errors.Join(t.custom(v, id, identifyEvent, raw), kept)
}

// Reset says that the visitor logged out: it forgets visitor, session and user, and deletes their cookies. Call it in
// the logout handler, before the first write. The next event, in this request or later, belongs to a new visitor that
// nothing links to the old one. On a response that a shared cache may store no cookie can be deleted either, so do not
// let a logout be cached.
//
// Errors: [ErrHeadersSent], and nothing changes; [ErrNoVisit].
func Reset(ctx context.Context) error {
	v, ok := middleware.From(ctx)
	if !ok {
		return ErrNoVisit
	}
	return v.Reset(time.Now())
}

// Track records a custom event of the visitor whose request this is: a name of at most 64 characters, and properties of
// at most 4096 bytes of JSON. It never waits for the network, or for a disk to be in sync. Of requests that record nothing (prefetches,
// denied consent, skipped ones) it records nothing, and returns nil.
//
// Errors: [ErrEmptyName], [ErrPropsTooLarge], an error that names the key of a property which JSON cannot hold,
// [ErrNoVisit], [ErrSpoolFull], [ErrEventTooLarge], [ErrShutdown]; then nothing is recorded. A longer name is cut.
func Track(ctx context.Context, name string, props Props) error {
	v, who := lookup(ctx)
	if v == nil {
		return ErrNoVisit
	}
	return trackerOf(v).track(ctx, v, who, name, props)
}

// Track records a custom event outside a request, for the identity that [WithIdentity] put into ctx. In a handler it
// does what the function [Track] does.
func (t *Tracker) Track(ctx context.Context, name string, props Props) error {
	v, who := lookup(ctx)
	if v == nil && who == nil {
		return ErrNoVisit
	}
	if who != nil && who.id.VisitorID == uuid.Nil && who.id.UserID == "" {
		return errors.New("loguro: the identity names neither a visitor nor a user; take it from Current")
	}
	return t.track(ctx, v, who, name, props)
}

// Current returns who an event of this request would belong to. A fresh browser has a visitor from the first call on,
// and keeps it if an event follows. ok is false outside a wrapped handler, and where nothing is recorded.
func Current(ctx context.Context) (id Identity, ok bool) {
	v, who := lookup(ctx)
	if who != nil {
		return who.id, true
	}
	if v == nil {
		return Identity{}, false
	}
	s, ok := v.Current(time.Now())
	return fromSnapshot(s), ok
}

// WithIdentity returns a context whose events belong to id: for work that goes on after the request, or elsewhere. Take
// the identity from Current while the request lasts. Cookies and sessions do not follow from such events.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	v, _ := middleware.From(ctx)
	return context.WithValue(ctx, detachedKey{}, &detached{id: id, visit: v})
}

type detachedKey struct{}

// detached is an identity that somebody put into a context, and the visit that the context carried then.
type detached struct {
	id    Identity
	visit *middleware.Visit
}

// lookup returns the visit of the context, and the identity that was put over it, if any.
func lookup(ctx context.Context) (*middleware.Visit, *detached) {
	v, _ := middleware.From(ctx)
	who, _ := ctx.Value(detachedKey{}).(*detached)
	if who != nil && who.visit != v {
		who = nil // the visit is the nearer one
	}
	return v, who
}

func trackerOf(v *middleware.Visit) *Tracker { return (*Tracker)(v.Recorder().(*recorder)) }

func fromSnapshot(s identity.Snapshot) Identity {
	return Identity{VisitorID: s.Visitor, SessionID: s.Session, UserID: s.User}
}
