package loguro

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/loguro/loguro/identity"
	"github.com/loguro/loguro/internal/pipeline"
	"github.com/loguro/loguro/middleware"
)

// Tracker records the events of one site and delivers them. Make one with New, wrap the application's handler with
// Handler, and call Shutdown when the server has stopped. It is safe for concurrent use.
type Tracker struct {
	config     Config
	middleware *middleware.Middleware
	pipeline   *pipeline.Pipeline

	propsTooLarge atomic.Uint64
	namesCut      atomic.Uint64
	hookFailures  atomic.Uint64
}

// New checks the configuration and starts the delivery, with what dead processes left in the spool first. The error joins
// all complaints, each naming field and value.
func New(cfg Config) (*Tracker, error) {
	invalid := cfg.validate()
	cfg, batchBytes := cfg.withDefaults()
	issuer, err := identity.NewIssuer(cfg.policy())
	if err := errors.Join(invalid, err); err != nil {
		return nil, fmt.Errorf("loguro: invalid Config: %w", err)
	}
	t := &Tracker{config: cfg}
	t.middleware = middleware.New(cfg.middleware(issuer, (*recorder)(t), t.hookFailed))
	if t.pipeline, err = pipeline.New(cfg.pipeline(batchBytes)); err != nil {
		return nil, fmt.Errorf("loguro: invalid Config: %w", err)
	}
	return t, nil
}

// Handler wraps the application's handler: it recognises visitors, and records pageviews after next has answered.
// Wrap it once, around everything that serves pages, and inside middleware that authenticates or keeps sessions.
func (t *Tracker) Handler(next http.Handler) http.Handler { return t.middleware.Wrap(next) }

// Flush delivers what was accepted before the call. It returns when that is done or ctx ends; then the error says how
// many events are not delivered yet. They are still tried.
func (t *Tracker) Flush(ctx context.Context) error { return t.pipeline.Flush(ctx) }

// Shutdown accepts no more events, delivers those that wait and ends all background work. Call it after
// http.Server.Shutdown, so that the last requests are still recorded. If ctx ends first, the error says how many events
// are not delivered, and where they are: in the spool, for the next process, or lost without one. Calling it again is
// safe.
func (t *Tracker) Shutdown(ctx context.Context) error { return t.pipeline.Shutdown(ctx) }

// Redrive offers the dead letters of the spool again, each to the exporter that refused it and under the batch id that
// it was refused with. Call it when what was wrong is mended. It returns when all are delivered or refused again, or ctx
// ends; the error says how many were refused or still wait.
func (t *Tracker) Redrive(ctx context.Context) error { return t.pipeline.Redrive(ctx) }

// hookFailed says once that a function of Config panicked or answered what cannot be, and counts the rest: one line per request would bury it.
func (t *Tracker) hookFailed(hook string, cause any) {
	if t.hookFailures.Add(1) == 1 {
		t.config.Logger.Error("loguro: Config."+hook+" failed; its answer is taken as the most private one", "cause", fmt.Sprint(cause))
	}
}
