package exportertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
)

// newBatch gives the events an id like those that the Tracker gives.
func newBatch(events []loguro.Event) loguro.Batch {
	return loguro.Batch{ID: uuid.Must(uuid.NewV7()).String(), Events: events}
}

// export hands the batch over as the Tracker does, and says what went wrong.
func (s Store) export(ctx context.Context, batch loguro.Batch) error {
	if err := s.Exporter.Export(ctx, batch); err != nil {
		return fmt.Errorf("Export of %d events: %w", len(batch.Events), err)
	}
	return nil
}

func arrivesWhole(t *testing.T, s Store) error {
	events := Events(100)
	if err := s.export(t.Context(), newBatch(events)); err != nil {
		return err
	}
	return s.holds(t, events...)
}

// The Tracker delivers in order, but after a restart an adopted batch of an older process comes after newer ones.
func severalBatches(t *testing.T, s Store) error {
	events := Events(300)
	for _, part := range [][]loguro.Event{events[200:], events[:100], events[100:200]} {
		if err := s.export(t.Context(), newBatch(part)); err != nil {
			return err
		}
	}
	return s.holds(t, events...)
}

func exportedTwice(t *testing.T, s Store) error {
	batch := newBatch(Events(100))
	for range 2 {
		if err := s.export(t.Context(), batch); err != nil {
			return err
		}
	}
	return s.holds(t, batch.Events...)
}

func exportedAgainLater(t *testing.T, s Store) error {
	events := Events(300)
	a, b, c := newBatch(events[:100]), newBatch(events[100:200]), newBatch(events[200:])
	for _, batch := range []loguro.Batch{a, b, c, a} {
		if err := s.export(t.Context(), batch); err != nil {
			return err
		}
	}
	return s.holds(t, events...)
}

func emptyBatch(t *testing.T, s Store) error {
	if err := s.export(t.Context(), newBatch(nil)); err != nil {
		return err
	}
	return s.holds(t)
}

func endedContext(t *testing.T, s Store) error {
	batch := newBatch(Events(100))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Exporter.Export(ended, batch); err == nil {
		return errors.New("Export with an ended context = nil, want an error")
	}
	if err := s.holds(t); err != nil {
		return fmt.Errorf("after the failed export: %w", err)
	}
	if err := s.export(t.Context(), batch); err != nil {
		return err
	}
	return s.holds(t, batch.Events...)
}

// The batch is larger than what exporters write between two looks at the context, and of one day, so that a store
// with a part for each day can be atomic. An error after everything was written is allowed: that is what a lost
// acknowledgement looks like.
func endsMidway(t *testing.T, s Store) error {
	const size = 2500
	ends := []int{0, 1, 2, 4, 8}
	all := Events(size * len(ends))
	var before []loguro.Event
	for i, looks := range ends {
		batch := newBatch(all[i*size : (i+1)*size])
		ctx := newCountdown(t.Context(), looks)
		err := s.Exporter.Export(ctx, batch)
		ctx.cancel()

		after := slices.Concat(before, batch.Events)
		got := s.Read(t)
		whole := compare(got, after)
		if err == nil {
			if whole != nil {
				return fmt.Errorf("Export = nil with a context that ends at look %d: %w", looks+1, whole)
			}
			return nil
		}
		if whole != nil {
			if nothing := compare(got, before); nothing != nil {
				return fmt.Errorf("a context that ended at look %d left part of the batch: %w", looks+1, nothing)
			}
		}
		if err := s.export(t.Context(), batch); err != nil {
			return fmt.Errorf("after a context that ended at look %d: %w", looks+1, err)
		}
		if err := s.holds(t, after...); err != nil {
			return fmt.Errorf("after a context that ended at look %d, and a second export: %w", looks+1, err)
		}
		before = after
	}
	return nil
}

func concurrentBatches(t *testing.T, s Store) error {
	const goroutines, each, size = 8, 4, 50
	events := Events(goroutines * each * size)
	errs := make([]error, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				from := (g*each + i) * size
				if err := s.export(t.Context(), newBatch(events[from:from+size])); err != nil {
					errs[g] = err
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.holds(t, events...)
}

// The events belong to the Tracker, which may hand the same ones to another exporter.
func eventsNotChanged(t *testing.T, s Store) error {
	events := Events(500)
	slices.Reverse(events) // an exporter that sorts sorts a copy
	want := cloneEvents(events)
	if err := s.export(t.Context(), newBatch(events)); err != nil {
		return err
	}
	for i := range want {
		if g, w := string(events[i].AppendJSON(nil)), string(want[i].AppendJSON(nil)); g != w {
			return fmt.Errorf("Export changed event %d of the batch:\n got %s\nwant %s", i, g, w)
		}
	}
	return nil
}

// The Tracker reuses the memory of a delivered batch.
func eventsNotKept(t *testing.T, s Store) error {
	events := Events(500)
	want := cloneEvents(events)
	if err := s.export(t.Context(), newBatch(events)); err != nil {
		return err
	}
	for i := range events {
		for j := range events[i].Props {
			events[i].Props[j] = '!'
		}
		events[i] = loguro.Event{}
	}
	return s.holds(t, want...)
}

func largeBatch(t *testing.T, s Store) error {
	batch := newBatch(Events(20_000))
	if err := s.export(t.Context(), batch); err != nil {
		return err
	}
	return s.holds(t, batch.Events...)
}
