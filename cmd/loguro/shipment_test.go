package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

// exporterFunc is an exporter of one function.
type exporterFunc func(context.Context, loguro.Batch) error

func (f exporterFunc) Export(ctx context.Context, b loguro.Batch) error { return f(ctx, b) }

func TestExportCanBeInterrupted(t *testing.T) {
	t.Run("the spool", func(t *testing.T) { interruptExport(t) })
	t.Run("a copy", func(t *testing.T) { interruptExport(t, "--keep") })
}

func interruptExport(t *testing.T, flags ...string) {
	dir, out := spoolOf(t, "e1", "e2", "e3", "e4", "e5"), t.TempDir()
	before := tree(t, dir)
	inner, err := parquetexporter.New(parquetexporter.Options{Dir: out})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	know(t, "slow", exporterFunc(func(ctx context.Context, b loguro.Batch) error {
		if calls++; calls == 2 {
			cancel() // Ctrl-C in the middle of a batch
			<-ctx.Done()
			return ctx.Err()
		}
		return inner.Export(ctx, b)
	}))
	var stdout, stderr bytes.Buffer
	code := run(ctx, append([]string{"spool", "export", "--to", "slow:x", dir}, flags...), &stdout, &stderr)
	result{code, stdout.String(), stderr.String()}.check(t, 130,
		[]string{"exported  1 batch with 2 events to slow\n", "stays     2 batches with 3 events, not exported yet; run it again\n"},
		[]string{"loguro: interrupted; what is not exported stays\n"})
	if n := strings.Count(stderr.String(), "\n"); n != 1 {
		t.Errorf("stderr has %d lines, want the one:\n%s", n, stderr.String())
	}
	if flags != nil && !maps.Equal(tree(t, dir), before) {
		t.Error("the spool changed")
	}
	ship(t, dir, out).check(t, 0, nil, nil)
	if got := exported(t, out); got != "e1 e2 e3 e4 e5" {
		t.Errorf("exported %s in the end, want each event once", got)
	}
}

func TestExportGivesUp(t *testing.T) {
	dir := spoolOf(t, "e1", "e2", "e3")
	before := tree(t, dir)
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		know(t, "broken", exporterFunc(func(context.Context, loguro.Batch) error {
			attempts++
			return errors.New("no space left")
		}))
		r := loguroRun(t, "spool", "export", "--to", "broken:x", "--json", dir)
		r.check(t, 1, []string{`"error":"gave up after 8 failed attempts: no space left"`, `"left_batches":2,"left_events":3,`},
			[]string{"loguro: export failed, will try again (exporter main.exporterFunc, ", "loguro: gave up after 8 failed attempts: no space left\n"})
		if attempts != patience {
			t.Errorf("%d attempts, want %d", attempts, patience)
		}
	})
	after := tree(t, dir)
	for _, path := range segments(t, dir) {
		path = path[len(dir)+1:]
		if after[path] != before[path] {
			t.Errorf("%s changed", path)
		}
	}
	if len(segments(t, dir)) != 2 {
		t.Error("segments are gone")
	}
}

// A failing store that comes back is waited for.
func TestExportTriesAgain(t *testing.T) {
	dir := spoolOf(t, "e1", "e2", "e3")
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		know(t, "shaky", exporterFunc(func(context.Context, loguro.Batch) error {
			if attempts++; attempts < patience {
				return errors.New("not now")
			}
			return nil
		}))
		loguroRun(t, "spool", "export", "--to", "shaky:x", dir).check(t, 0, []string{"exported  2 batches with 3 events"}, []string{"not now"})
	})
	emptied(t, dir)
}

func TestLongExportsSayHowFarTheyAre(t *testing.T) {
	dir := spoolOf(t, "e1", "e2", "e3", "e4", "e5")
	synctest.Test(t, func(t *testing.T) {
		know(t, "slow", exporterFunc(func(context.Context, loguro.Batch) error {
			time.Sleep(4 * time.Second)
			return nil
		}))
		r := loguroRun(t, "spool", "export", "--keep", "--to", "slow:x", dir)
		if want := "exported 2 of 5 events\nexported 4 of 5 events\n"; r.errors != want {
			t.Errorf("stderr = %q, want %q", r.errors, want)
		}
	})
}
