package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/google/uuid"

	"github.com/loguro/loguro/internal/spool"
)

// ErrNoSpool means that there is no place for dead letters.
var ErrNoSpool = errors.New("loguro: there are no dead letters without a spool; set Config.Spool")

// Redrive puts the dead letters back into the queue, each for the exporter that refused it and under the id that it was
// refused with, and waits until they are delivered or refused again, or until ctx ends.
func (p *Pipeline) Redrive(ctx context.Context) error {
	if p.spool == nil {
		return ErrNoSpool
	}
	if p.isClosed() {
		return ErrShutdown
	}
	names, err := p.spool.DeadFiles()
	if err != nil {
		return fmt.Errorf("loguro: redrive: %w", err)
	}
	var errs []error
	var batches []*batch
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		b, err := p.revive(name)
		errs = append(errs, err)
		if b != nil {
			batches = append(batches, b)
		}
	}
	errs = append(errs, p.wait(ctx, "redrive", batches))
	again := 0
	p.mu.Lock()
	for _, b := range batches {
		again += b.dead
	}
	p.mu.Unlock()
	if again > 0 {
		errs = append(errs, fmt.Errorf("%s refused again; see the reasons in the folder dead of the spool %s", number(again), p.config.Spool))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("loguro: redrive: %w", err)
	}
	return nil
}

// revive makes a batch of a file of dead letters; nil if another process was faster.
func (p *Pipeline) revive(name string) (*batch, error) {
	dead, claim, err := p.spool.Claim(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := p.requeue(dead)
	if err != nil {
		return nil, errors.Join(err, claim.Undo())
	}
	// Should the process die before this, the letters are put back, and come again under the same id.
	return b, claim.Done()
}

func (p *Pipeline) requeue(dead spool.Dead) (*batch, error) {
	id, err := uuid.Parse(dead.BatchID)
	if err != nil {
		return nil, fmt.Errorf("batch id %q of dead letters: %w", dead.BatchID, err)
	}
	b := p.newBatch()
	b.id, b.events, b.sealed, b.away, b.since = id, len(dead.Events), true, true, dead.FailedAt
	b.span, b.unsure = b.events, dead.MayHaveArrived
	// Only who refused them gets them: the others have them.
	b.rest = spool.Rest{dead.Exporter: {{0, b.span}}, spool.Others: {}}
	if !slices.Contains(p.names, dead.Exporter) {
		return nil, fmt.Errorf("dead letters of batch %s are of the exporter %q, which is not configured", dead.BatchID, dead.Exporter)
	}
	b.segment, err = p.spool.Store(b.number, b.id, dead.Events, b.rest, true)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b.place = p.live.PushFront(b) // the last place is that of the batch under way
	p.counts.Pending += b.events
	p.enqueue(b)
	return b, nil
}
