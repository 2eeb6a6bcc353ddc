package parquetexporter_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

const batchID = "0196cdf4-2b00-7000-8000-0123456789ab"

func TestExporterConforms(t *testing.T) {
	exportertest.Run(t, func(t *testing.T) exportertest.Store {
		dir := t.TempDir()
		return exportertest.Store{Exporter: newExporter(t, dir), Read: func(t *testing.T) []loguro.Event { return readDir(t, dir) }}
	})
}

func TestExporterAsksForLargeBatches(t *testing.T) {
	want := loguro.BatchLimits{Events: 100_000, Bytes: 64 << 20, Age: time.Minute}
	if got := newExporter(t, t.TempDir()).BatchLimits(); got != want {
		t.Errorf("BatchLimits() = %+v, want %+v", got, want)
	}
}

func TestOneFileForEachDay(t *testing.T) {
	dir := t.TempDir()
	midnight := time.Date(2026, 5, 15, 0, 0, 0, 0, time.UTC).UnixMilli()
	var events []loguro.Event
	for _, ms := range []int64{midnight, midnight - 1, -1, midnight + 1, 0} {
		events = append(events, loguro.Event{ID: uuid.New(), Type: event.Pageview, Time: ms})
	}
	mustExport(t, newExporter(t, dir), batchID, events...)

	rows := map[string]int{}
	for _, path := range paths(t, dir) {
		rows[path] = int(openFile(t, filepath.Join(dir, path)).NumRows())
	}
	want := map[string]int{
		"date=1969-12-31/" + batchID + ".parquet": 1,
		"date=1970-01-01/" + batchID + ".parquet": 1,
		"date=2026-05-14/" + batchID + ".parquet": 1,
		"date=2026-05-15/" + batchID + ".parquet": 2,
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("rows by file = %v, want %v", rows, want)
	}
}

func TestEmptyBatchMakesNoFile(t *testing.T) {
	dir := t.TempDir()
	mustExport(t, newExporter(t, dir), batchID)
	if got := paths(t, dir); len(got) != 0 {
		t.Errorf("files = %q, want none", got)
	}
}

func TestSameBatchGivesTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "date=2026-05-14", batchID+".parquet")
	events := exportertest.Events(3000)
	exporter := newExporter(t, dir)
	mustExport(t, exporter, batchID, events...)
	first := mustRead(t, path)

	mustExport(t, exporter, "another", exportertest.Events(500)[100:]...) // the encoder is kept from batch to batch
	mustExport(t, exporter, batchID, events...)
	if !bytes.Equal(mustRead(t, path), first) {
		t.Error("a second export by the same exporter gives other bytes")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustExport(t, newExporter(t, dir), batchID, events...)
	if !bytes.Equal(mustRead(t, path), first) {
		t.Error("an export by a new exporter gives other bytes")
	}
}

func TestBatchIDsThatAreNoFileNameArePermanentErrors(t *testing.T) {
	permanent := reflect.TypeOf(loguro.Permanent(errors.New("any")))
	for why, id := range map[string]string{
		"empty": "", "separator": "a/b", "Windows separator": `a\b`, "parent": "..", "leading dot": ".hidden",
		"climbs": "../../etc/passwd", "leading underscore": "_temporary", "null byte": "a\x00b", "line feed": "a\nb",
		"not UTF-8": "a\xffb", "drive": "c:a", "glob": "a*", "over 200 bytes": strings.Repeat("a", 201),
	} {
		t.Run(why, func(t *testing.T) {
			dir := t.TempDir()
			err := newExporter(t, dir).Export(t.Context(), loguro.Batch{ID: id, Events: exportertest.Events(1)})
			if err == nil || reflect.TypeOf(err) != permanent {
				t.Errorf("Export of batch %q = %v, want a permanent error", id, err)
			}
			if got := paths(t, dir); len(got) != 0 {
				t.Errorf("files = %q, want none", got)
			}
		})
	}
	for _, id := range []string{"a", batchID, "batch-1_v2.1", strings.Repeat("a", 200)} {
		mustExport(t, newExporter(t, t.TempDir()), id, exportertest.Events(1)...)
	}
}

// lateEnd is a context that ends the n-th time somebody asks.
type lateEnd struct {
	context.Context
	left int
}

func (c *lateEnd) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestEndedContextLeavesNoFileAtAll(t *testing.T) {
	dir := t.TempDir()
	exporter := newExporter(t, dir)
	events := exportertest.Events(2000)
	for i := range events[1000:] {
		events[1000+i].Time += 24 * time.Hour.Milliseconds() // two files, the first of them complete when the end comes
	}
	looks := 0
	for ; ; looks++ {
		err := exporter.Export(&lateEnd{t.Context(), looks}, loguro.Batch{ID: batchID, Events: events})
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("Export() = %v, want %v", err, context.Canceled)
		}
		if got := paths(t, dir); len(got) != 0 {
			t.Fatalf("a context that ended at look %d left %q", looks+1, got)
		}
	}
	if looks < 5 {
		t.Errorf("Export looked at the context %d times for 2000 events, want more", looks)
	}
	if got := readDir(t, dir); len(got) != len(events) {
		t.Errorf("%d events after all, want %d", len(got), len(events))
	}
}

func TestFailedExportLeavesNothingVisibleAndCanBeRepeated(t *testing.T) {
	const folder = "date=2026-05-14"
	for _, c := range []struct{ why, blocked string }{
		{"the day's folder is a file", folder},
		{"the temporary file cannot be made", folder + "/" + batchID + ".parquet.tmp/x"},
		{"the file cannot get its name", folder + "/" + batchID + ".parquet/x"},
	} {
		t.Run(c.why, func(t *testing.T) {
			dir := t.TempDir()
			exporter := newExporter(t, dir)
			blocker := filepath.Join(dir, filepath.FromSlash(c.blocked))
			if err := os.MkdirAll(filepath.Dir(blocker), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(blocker, nil, 0o640); err != nil {
				t.Fatal(err)
			}
			events := exportertest.Events(100)
			err := exporter.Export(t.Context(), loguro.Batch{ID: batchID, Events: events})
			if err == nil || !strings.HasPrefix(err.Error(), "parquetexporter: batch "+batchID+": ") {
				t.Errorf("Export() = %v, want an error that names the batch", err)
			}
			if got := paths(t, dir); !slices.Equal(got, []string{c.blocked}) {
				t.Errorf("files after the failure = %q, want %q alone", got, c.blocked)
			}
			if err := os.RemoveAll(filepath.Join(dir, strings.TrimSuffix(filepath.FromSlash(c.blocked), "x"))); err != nil {
				t.Fatal(err)
			}
			mustExport(t, exporter, batchID, events...)
			if got := readDir(t, dir); len(got) != len(events) {
				t.Errorf("%d events after the second export, want %d", len(got), len(events))
			}
		})
	}
}

func TestLeftoverOfAKilledProcessIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	exporter := newExporter(t, dir)
	folder := filepath.Join(dir, "date=2026-05-14")
	if err := os.Mkdir(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, batchID+".parquet.tmp"), bytes.Repeat([]byte("torn"), 10_000), 0o640); err != nil {
		t.Fatal(err)
	}
	mustExport(t, exporter, batchID, exportertest.Events(10)...)
	if got, want := paths(t, dir), []string{"date=2026-05-14/" + batchID + ".parquet"}; !slices.Equal(got, want) {
		t.Errorf("files = %q, want %q", got, want)
	}
	if got := readDir(t, dir); len(got) != 10 {
		t.Errorf("%d events, want 10", len(got))
	}
}

func TestDirectoryThatIsGoneIsAnErrorAndIsNotMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	exporter := newExporter(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := exporter.Export(t.Context(), loguro.Batch{ID: batchID, Events: exportertest.Events(1)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Export() = %v, want %v", err, os.ErrNotExist)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Stat(dir) = %v; events on a disk that is not mounted would be written beneath it", err)
	}
}

func TestFileNamesEndOnlyWhenComplete(t *testing.T) {
	dir := t.TempDir()
	var during []string
	exporter := newExporter(t, dir)
	ctx := &spy{t.Context(), func() { during = append(during, paths(t, dir)...) }}
	if err := exporter.Export(ctx, loguro.Batch{ID: batchID, Events: exportertest.Events(1000)}); err != nil {
		t.Fatal(err)
	}
	if len(during) == 0 {
		t.Fatal("no file was seen during Export")
	}
	for _, path := range during {
		if match, _ := filepath.Match("*.parquet", filepath.Base(path)); match {
			t.Errorf("%s was visible before it was complete", path)
		}
	}
}

// spy is a context that looks around whenever the exporter looks at it.
type spy struct {
	context.Context
	look func()
}

func (c *spy) Err() error {
	c.look()
	return c.Context.Err()
}

var _ loguro.BatchLimiter = (*parquetexporter.Exporter)(nil)
