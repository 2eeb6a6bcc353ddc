package main

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

func TestRecentKeepsABoundedNumberOfEvents(t *testing.T) {
	x := newRecent(new(exportertest.Recorder))
	busy, late := uuid.New(), uuid.New()
	var events []loguro.Event
	for i := range eventsPerVisitor + 10 {
		events = append(events, loguro.Event{Visitor: busy, Time: int64(i)})
	}
	if err := x.Export(t.Context(), loguro.Batch{ID: "a", Events: events}); err != nil {
		t.Fatal(err)
	}
	got := x.of(busy)
	if len(got) != eventsPerVisitor || got[0].Time != 10 {
		t.Errorf("got %d events from %d on, want the latest %d", len(got), got[0].Time, eventsPerVisitor)
	}

	events = events[:0]
	for range visitorsKept - 1 {
		events = append(events, loguro.Event{Visitor: uuid.New()})
	}
	events = append(events, loguro.Event{Visitor: late})
	if err := x.Export(t.Context(), loguro.Batch{ID: "b", Events: events}); err != nil {
		t.Fatal(err)
	}
	if len(x.events) != visitorsKept || len(x.visitors) != visitorsKept {
		t.Errorf("kept %d visitors (%d in order), want %d", len(x.events), len(x.visitors), visitorsKept)
	}
	if len(x.of(busy)) != 0 || len(x.of(late)) != 1 {
		t.Errorf("kept %d events of the first visitor and %d of the last, want 0 and 1", len(x.of(busy)), len(x.of(late)))
	}
}

func TestRecentKeepsOnlyWhatIsDurable(t *testing.T) {
	down := errors.New("disk full")
	recorder := &exportertest.Recorder{Before: func(loguro.Batch) error { return down }}
	x := newRecent(recorder)
	visitor := uuid.New()
	batch := loguro.Batch{ID: "a", Events: []loguro.Event{{Visitor: visitor}}}
	if err := x.Export(t.Context(), batch); !errors.Is(err, down) {
		t.Errorf("Export() = %v, want %v", err, down)
	}
	if n := len(x.of(visitor)); n != 0 {
		t.Errorf("kept %d events of a batch that failed, want 0", n)
	}
	down = nil
	if err := x.Export(t.Context(), batch); err != nil {
		t.Errorf("Export() = %v", err)
	}
	if n := len(x.of(visitor)); n != 1 {
		t.Errorf("kept %d events after the retry, want 1", n)
	}
}
