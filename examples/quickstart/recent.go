package main

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

const (
	eventsPerVisitor = 50
	visitorsKept     = 1000
)

var _ loguro.Exporter = (*recent)(nil)

// recent is an Exporter in front of another: it keeps the latest events of each visitor in memory, for /events.
type recent struct {
	next loguro.Exporter

	mu       sync.Mutex
	events   map[uuid.UUID][]loguro.Event // oldest first
	visitors []uuid.UUID                  // the keys of events, in the order in which they came
}

func newRecent(next loguro.Exporter) *recent {
	return &recent{next: next, events: make(map[uuid.UUID][]loguro.Event)}
}

// Export hands the batch on first. What failed there comes again, and what succeeded never does, so that no event is
// kept twice.
func (x *recent) Export(ctx context.Context, batch loguro.Batch) error {
	if err := x.next.Export(ctx, batch); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range batch.Events {
		x.keep(e)
	}
	return nil
}

func (x *recent) keep(e loguro.Event) {
	e.Props = bytes.Clone(e.Props) // the batch belongs to the tracker
	events, known := x.events[e.Visitor]
	if !known {
		if len(x.visitors) == visitorsKept {
			delete(x.events, x.visitors[0])
			x.visitors = slices.Delete(x.visitors, 0, 1)
		}
		x.visitors = append(x.visitors, e.Visitor)
	}
	if len(events) == eventsPerVisitor {
		events = slices.Delete(events, 0, 1)
	}
	x.events[e.Visitor] = append(events, e)
}

// of returns the events of a visitor, oldest first.
func (x *recent) of(visitor uuid.UUID) []loguro.Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.events[visitor])
}
