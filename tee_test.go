package loguro_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

func TestTeeGivesEachExporterEachEventOnce(t *testing.T) {
	dir := t.TempDir()
	healthy, failing := new(exportertest.Recorder), &exportertest.Recorder{Before: down}
	tracker := spooled(t, dir, loguro.Tee(healthy, loguro.Tee(failing)))
	if err := tracker.Track(someone(), "exported", nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := tracker.Flush(ctx); !errors.Is(err, errStore) {
		t.Errorf("Flush() = %v, want the error of the failing exporter", err)
	}
	s := tracker.Stats()
	if len(s.Exporters) != 2 || s.Exporters[0].Delivered != 1 || s.Exporters[1].Pending != 1 || s.Exporters[1].Failures == 0 ||
		s.Exporters[1].Name != "exportertest.Recorder-2" || s.Delivered != 0 || s.Pending != 1 {
		t.Errorf("Stats() = %+v", s)
	}
	tracker.Shutdown(ended())

	again, recovered := new(exportertest.Recorder), new(exportertest.Recorder)
	next := spooled(t, dir, loguro.Tee(again, recovered))
	if err := next.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if len(again.Events()) != 0 || len(recovered.Events()) != 1 || len(healthy.Events()) != 1 {
		t.Errorf("after a restart the first got %d events again, and the second %d; want 0 and 1", len(again.Events()), len(recovered.Events()))
	}
}

type wishful struct {
	exportertest.Recorder
	wish loguro.BatchLimits
}

func (w *wishful) BatchLimits() loguro.BatchLimits { return w.wish }

func TestTeeAsksForTheSmallestBatchAndTheLongestTime(t *testing.T) {
	tee := loguro.Tee(
		&wishful{wish: loguro.BatchLimits{Events: 100_000, Bytes: 64 << 20, Age: time.Minute}},
		&wishful{wish: loguro.BatchLimits{Events: 50_000, Age: time.Second}},
		new(exportertest.Recorder),
	)
	if got, want := tee.(loguro.BatchLimiter).BatchLimits(), (loguro.BatchLimits{Events: 50_000, Bytes: 64 << 20, Age: time.Minute}); got != want {
		t.Errorf("BatchLimits() = %+v, want %+v", got, want)
	}
}

// wrapper is an exporter in front of another, as applications write them.
type wrapper struct{ loguro.Exporter }

func TestTeeInsideAnotherExporterFailsIfOneFails(t *testing.T) {
	calls := 0
	healthy := new(exportertest.Recorder)
	flaky := &exportertest.Recorder{Before: func(loguro.Batch) error {
		if calls++; calls == 1 {
			return errStore
		}
		return nil
	}}
	tracker := spooled(t, "", wrapper{loguro.Tee(healthy, flaky)})
	if err := tracker.Track(someone(), "exported", nil); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if len(healthy.Events()) != 1 || len(flaky.Events()) != 1 {
		t.Errorf("%d and %d events arrived, want 1 each", len(healthy.Events()), len(flaky.Events()))
	}
	permanent := loguro.Tee(&exportertest.Recorder{Before: down}, &exportertest.Recorder{Before: func(loguro.Batch) error { return loguro.Permanent(errStore) }})
	if err := permanent.Export(t.Context(), loguro.Batch{ID: "x", Events: make([]loguro.Event, 1)}); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Export() = %v", err)
	}
}
