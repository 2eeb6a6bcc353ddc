package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/internal/pipeline"
	"github.com/loguro/loguro/internal/spool"
)

const (
	// patience is how many attempts may fail in a row: some twelve seconds. A command has somebody who can try again.
	patience = 8
	// attemptTimeout is for a large batch on a slow disk.
	attemptTimeout = time.Minute
	// stopTimeout is for an exporter that does not stop when it is told to.
	stopTimeout = 10 * time.Second
	pollEvery   = 20 * time.Millisecond
)

// shipment brings what waits in a spool to an exporter, by the pipeline that applications use.
type shipment struct {
	plan     *plan
	dir      string // of the spool, or of the copy
	fs       spool.FS
	exporter loguro.Exporter
	progress *progress
}

// outcome is what became of it.
type outcome struct {
	pipeline.Counts
	delivered uint64 // events
	redriven  uint64 // events that were dead letters
	refused   uint64 // events, of both
	err       error  // why it stopped early
	remains   remains
}

// lane is the exporter's.
func lane(c pipeline.Counts) pipeline.LaneCounts { return c.Lanes[0] }

// run returns an error if the spool cannot be used.
func (s *shipment) run(ctx context.Context) (o outcome, err error) {
	log := &logHandler{out: s.progress, paths: strings.NewReplacer(s.dir, s.plan.dir)}
	config := pipeline.Config{
		Exporters:   []pipeline.Exporter{{Name: s.plan.exporter, Export: s.exporter.Export}},
		BatchEvents: 1, BatchBytes: 1, BatchAge: time.Second, // nothing new is accepted
		MemoryBytes: 256 << 20, ExportTimeout: attemptTimeout,
		Spool: s.dir, SpoolBytes: 1, SyncInterval: time.Second, FS: view{s.fs, s.plan, s.dir}, Logger: slog.New(log),
	}
	p, err := pipeline.New(config)
	if err != nil {
		return o, err
	}
	o.err = s.wait(ctx, p, func(c pipeline.Counts) bool { return lane(c).Pending == 0 })
	before, again := p.Counts(), o.err == nil && len(s.plan.letters) > 0
	if again {
		o.err = s.redrive(ctx, p)
	}
	log.quiet.Store(true) // what follows is no failure
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Shutdown(over) // tells the exporter to stop; what is not delivered is counted below
	over, cancel = context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	_ = p.Shutdown(over) // waits until it has, and the folders are let go
	o.Counts = p.Counts()
	o.delivered, o.refused = lane(o.Counts).Delivered, lane(o.Counts).Dead
	if again {
		o.delivered = lane(before).Delivered
		o.redriven = lane(o.Counts).Delivered - o.delivered
	}
	o.remains, err = s.look()
	return o, err
}

// wait returns when done is true, or why it will not be.
func (s *shipment) wait(ctx context.Context, p *pipeline.Pipeline, done func(pipeline.Counts) bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		c := p.Counts()
		if done(c) {
			return nil
		}
		if l := lane(c); l.Failures >= patience {
			return fmt.Errorf("gave up after %d failed attempts: %w", l.Failures, l.LastError)
		}
		s.progress.show(func() string {
			return fmt.Sprintf("exported %d of %s", lane(c).Delivered, count(lane(c).Delivered+uint64(lane(c).Pending), "event"))
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// redrive exports the dead letters.
func (s *shipment) redrive(ctx context.Context, p *pipeline.Pipeline) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Redrive(ctx) }()
	before := lane(p.Counts()).Dead
	var err error
	stopped := s.wait(ctx, p, func(pipeline.Counts) bool {
		select {
		case err = <-ended:
			return true
		default:
			return false
		}
	})
	if stopped != nil {
		cancel()
		<-ended
		return stopped
	}
	if lane(p.Counts()).Dead > before {
		return nil // it says that, and the summary does too
	}
	return err
}
