package exportertest

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/loguro/loguro"
)

var _ loguro.Exporter = (*Recorder)(nil)

// Recorder is an Exporter that keeps what it gets in memory. The zero value is ready, and all methods are safe for
// concurrent use.
type Recorder struct {
	// Before, if set, is called at the start of every Export, repeated ones included; an error from it is what Export
	// returns, and then nothing is recorded. Set it to fail on purpose, to count attempts or to hold an export up. It
	// must be set before the first Export, may be called from several goroutines, and must not keep the batch.
	Before func(loguro.Batch) error

	mu      sync.Mutex
	batches []loguro.Batch
	seen    map[string]bool
}

// Export records a deep copy of the batch. A batch whose id was recorded before changes nothing, and an empty one is
// not recorded; both give nil. If ctx has ended, before or during Before, nothing is recorded and its error returned.
func (r *Recorder) Export(ctx context.Context, batch loguro.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.Before != nil {
		if err := r.Before(batch); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(batch.Events) == 0 || r.seen[batch.ID] {
		return nil
	}
	if r.seen == nil {
		r.seen = make(map[string]bool)
	}
	r.seen[batch.ID] = true
	r.batches = append(r.batches, cloneBatch(batch))
	return nil
}

// Events returns copies of all recorded events, in the order in which they were exported.
func (r *Recorder) Events() []loguro.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []loguro.Event
	for _, batch := range r.batches {
		all = append(all, cloneEvents(batch.Events)...)
	}
	return all
}

// Batches returns copies of all recorded batches, in the order in which they were exported.
func (r *Recorder) Batches() []loguro.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]loguro.Batch, len(r.batches))
	for i, batch := range r.batches {
		all[i] = cloneBatch(batch)
	}
	return all
}

func cloneBatch(batch loguro.Batch) loguro.Batch {
	return loguro.Batch{ID: batch.ID, Events: cloneEvents(batch.Events)}
}

// cloneEvents copies the props too: they are the only part of an event that somebody could change later.
func cloneEvents(events []loguro.Event) []loguro.Event {
	out := slices.Clone(events)
	for i := range out {
		out[i].Props = bytes.Clone(out[i].Props)
	}
	return out
}
