package bench

import (
	"context"
	"errors"
	"time"
)

const (
	// patience is how long a program stays up if events are missing: longer than all the waits between retries that
	// ten seconds of outage lead to. Then it closes its client, which may take as long again.
	patience = 30 * time.Second
	// comeback is how long a program that was started again does: twice the time that any library leaves an event.
	comeback = 10 * time.Second
)

// scenario is what happens to a program and its store. All libraries go through the same.
type scenario struct {
	name  string
	store health // to begin with
	run   func(context.Context, *run) error
}

// run is a library on its way through a scenario.
type run struct {
	library library
	store   *store
	dir     string
	outcome outcome
}

func (s scenario) play(ctx context.Context, l library, dir string) (outcome, error) {
	r := &run{library: l, store: newStore(l.decode, s.store), dir: dir}
	err := s.run(ctx, r)
	r.store.server.Close()
	o := r.outcome
	o.scenario, o.library = s.name, l.name
	var unread error
	o.arrived, o.twice, o.again, unread = r.store.count()
	return o, errors.Join(err, unread)
}

// start runs the program, which tracks n events, and then waits or kills itself.
func (r *run) start(ctx context.Context, n int, kill bool) (*process, error) {
	p, err := start(ctx, job{Library: r.library.name, Store: r.store.server.URL, Dir: r.dir, Events: n, Kill: kill})
	if err == nil {
		r.outcome.accepted += n - p.Refused
	}
	return p, err
}

// close ends the program as a deploy does.
func (r *run) close(p *process, grace time.Duration) error {
	c, err := p.close(grace)
	r.outcome.closed = append(r.outcome.closed, c)
	r.outcome.log += p.log.String()
	return err
}

// stay keeps the program up until all events have arrived or it is clear that some will not, and then ends it.
func (r *run) stay(ctx context.Context, p *process, limit time.Duration) error {
	r.store.until(ctx, limit, isComplete)
	return r.close(p, patience)
}

// restart runs the program again, with nothing new to track. Not every library has left itself anything to deliver.
func (r *run) restart(ctx context.Context) error {
	p, err := r.start(ctx, 0, false)
	if err != nil {
		return err
	}
	return r.stay(ctx, p, comeback)
}

// control shows that each library delivers, if only it is let.
var control = scenario{"0 nothing goes wrong", healthy, func(ctx context.Context, r *run) error {
	p, err := r.start(ctx, events, false)
	if err != nil {
		return err
	}
	return r.close(p, patience)
}}

var outages = []scenario{
	{"1 deploy while the store is down", down, func(ctx context.Context, r *run) error {
		p, err := r.start(ctx, events, false)
		if err != nil {
			return err
		}
		defer time.AfterFunc(3*time.Second, func() { r.store.become(healthy) }).Stop()
		r.store.until(ctx, time.Second, isHealthy) // it is not
		if err := r.close(p, time.Second); err != nil {
			return err
		}
		r.store.until(ctx, patience, isHealthy)
		return r.restart(ctx)
	}},
	{"2 kill -9 after the last Track", healthy, func(ctx context.Context, r *run) error {
		p, err := r.start(ctx, events, true)
		if err != nil {
			return err
		}
		err = p.killed()
		r.outcome.log += p.log.String()
		if err != nil {
			return err
		}
		return r.restart(ctx)
	}},
	{"3 store down for 10 s", down, func(ctx context.Context, r *run) error {
		p, err := r.start(ctx, events, false)
		if err != nil {
			return err
		}
		defer time.AfterFunc(10*time.Second, func() { r.store.become(healthy) }).Stop()
		return r.stay(ctx, p, patience)
	}},
	// Requests time out after 10 s, which the others have by default and loguro's exporter has by choice.
	{"4 store keeps, answer is lost", slow, func(ctx context.Context, r *run) error {
		p, err := r.start(ctx, events, false)
		if err != nil {
			return err
		}
		return r.stay(ctx, p, patience)
	}},
}
