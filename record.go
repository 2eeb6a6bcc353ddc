package loguro

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/enrich"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/identity"
	"github.com/loguro/loguro/middleware"
)

// track records a custom event of a visit, or of an identity without one.
func (t *Tracker) track(ctx context.Context, v *middleware.Visit, who *detached, name string, props Props) error {
	name, cut, err := event.CleanName(name)
	if err != nil {
		return err
	}
	if cut && t.namesCut.Add(1) == 1 {
		t.config.Logger.Warn("loguro: the name of an event is over 64 characters and was cut; further ones are cut without a word", "name", name)
	}
	raw, err := t.marshal(props)
	if err != nil {
		return err
	}
	if who != nil {
		return t.pipeline.Put(&Event{ID: newEventID(), Type: event.Custom, Name: name, Props: raw, Time: time.Now().UnixMilli(),
			Visitor: who.id.VisitorID, Session: who.id.SessionID, User: who.id.UserID})
	}
	return t.custom(v, newEventID(), name, raw)
}

func (t *Tracker) marshal(props Props) (json.RawMessage, error) {
	raw, err := props.Marshal()
	if errors.Is(err, ErrPropsTooLarge) {
		t.propsTooLarge.Add(1)
	}
	return raw, err
}

// custom records a custom event of a visit, unless nothing of the visit is to be recorded.
func (t *Tracker) custom(v *middleware.Visit, id uuid.UUID, name string, props json.RawMessage) error {
	now := time.Now()
	who, reason := v.Event(now)
	if reason != middleware.Counted {
		return nil
	}
	e := t.visited(v, who, now)
	e.ID, e.Type, e.Name, e.Props = id, event.Custom, name, props
	return t.pipeline.Put(&e)
}

// visited is what all events of a visit have in common.
func (t *Tracker) visited(v *middleware.Visit, who identity.Snapshot, now time.Time) Event {
	url, path, referrer := v.Address(enrich.CleanURL)
	if !who.Returning {
		// The page before may be the account that the visitor just logged out of: Reset must leave no link to it.
		referrer = enrich.ForgetPath(referrer, url, t.config.Domain)
	}
	return Event{
		Visitor: who.Visitor, Session: who.Session, User: who.User, Returning: who.Returning,
		URL: url, Path: path, Referrer: referrer, Time: now.UnixMilli(),
	}
}

// newEventID is a version 7 UUID, so that ids sort by time. It fails only if the system has no randomness, and then a
// zero id is better than a request that panics.
func newEventID() uuid.UUID {
	id, _ := uuid.NewV7()
	return id
}

// recorder is the Tracker as package middleware sees it.
type recorder Tracker

var _ middleware.Recorder = (*recorder)(nil)

// Pageview records a page. A full queue is counted there; the request has no use for the error.
func (r *recorder) Pageview(v *middleware.Visit, who identity.Snapshot, page middleware.Page) {
	e := (*Tracker)(r).visited(v, who, page.Time)
	e.ID, e.Type = newEventID(), event.Pageview
	e.Status, e.Duration, e.Route = page.Status, page.Duration.Milliseconds(), page.Route
	_ = r.pipeline.Put(&e)
}

// Identified records the identify event that a request without cookies left for this one.
func (r *recorder) Identified(v *middleware.Visit, who identity.Snapshot, id uuid.UUID, traits json.RawMessage, now time.Time) {
	e := (*Tracker)(r).visited(v, who, now)
	e.ID, e.Type, e.Name, e.Props = id, event.Custom, identifyEvent, traits
	_ = r.pipeline.Put(&e)
}
