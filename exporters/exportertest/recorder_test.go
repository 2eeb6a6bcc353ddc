package exportertest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

func TestRecorderConforms(t *testing.T) {
	exportertest.Run(t, func(t *testing.T) exportertest.Store {
		r := new(exportertest.Recorder)
		return exportertest.Store{Exporter: r, Read: func(*testing.T) []loguro.Event { return r.Events() }}
	})
}

func TestRecorderKeepsBatchesAndEventsInOrder(t *testing.T) {
	var r exportertest.Recorder
	events := exportertest.Events(30)
	for i, id := range []string{"a", "b", "c"} {
		if err := r.Export(t.Context(), loguro.Batch{ID: id, Events: events[i*10 : (i+1)*10]}); err != nil {
			t.Fatal(err)
		}
	}
	got := r.Events()
	if len(got) != len(events) {
		t.Fatalf("len(Events()) = %d, want %d", len(got), len(events))
	}
	for i := range events {
		if got[i].ID != events[i].ID {
			t.Errorf("Events()[%d].ID = %s, want %s", i, got[i].ID, events[i].ID)
		}
	}
	for i, batch := range r.Batches() {
		if want := string(rune('a' + i)); batch.ID != want || len(batch.Events) != 10 || batch.Events[0].ID != events[i*10].ID {
			t.Errorf("Batches()[%d] = %q with %d events, want %q with events %d to %d", i, batch.ID, len(batch.Events), want, i*10, i*10+9)
		}
	}
}

func TestRecorderHandsOutCopies(t *testing.T) {
	var r exportertest.Recorder
	batch := loguro.Batch{ID: "a", Events: []loguro.Event{{Name: "signup", Props: []byte(`{"plan":"pro"}`)}}}
	if err := r.Export(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	r.Events()[0].Props[2] = 'X'
	r.Batches()[0].Events[0].Props[2] = 'X'
	r.Batches()[0].Events[0].Name = "changed"
	if got := r.Events()[0]; got.Name != "signup" || string(got.Props) != `{"plan":"pro"}` {
		t.Errorf("Events()[0] = %s %s, want what was exported", got.Name, got.Props)
	}
}

func TestRecorderFailsOnPurposeAndRecordsNothing(t *testing.T) {
	down := errors.New("the store is down")
	attempts := 0
	r := exportertest.Recorder{Before: func(loguro.Batch) error {
		if attempts++; attempts < 3 {
			return down
		}
		return nil
	}}
	batch := loguro.Batch{ID: "a", Events: exportertest.Events(5)}
	for range 2 {
		if err := r.Export(t.Context(), batch); !errors.Is(err, down) {
			t.Errorf("Export() = %v, want %v", err, down)
		}
		if n := len(r.Batches()); n != 0 {
			t.Errorf("len(Batches()) = %d after a failure, want 0", n)
		}
	}
	for range 2 {
		if err := r.Export(t.Context(), batch); err != nil {
			t.Errorf("Export() = %v, want nil", err)
		}
	}
	if n := len(r.Events()); n != 5 || attempts != 4 {
		t.Errorf("%d events after %d attempts, want 5 after 4", n, attempts)
	}
}

func TestRecorderReturnsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := exportertest.Recorder{Before: func(loguro.Batch) error { cancel(); return nil }}
	err := r.Export(ctx, loguro.Batch{ID: "a", Events: exportertest.Events(1)})
	if err != context.Canceled || len(r.Events()) != 0 {
		t.Errorf("Export() = %v and %d events, want %v and none", err, len(r.Events()), context.Canceled)
	}
}
