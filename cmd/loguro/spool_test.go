package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/loguro/loguro"
)

// down is an exporter whose store is down. In the spool it goes by the name main.down.
type down struct{}

func (down) Export(context.Context, loguro.Batch) error { return errors.New("the store is down") }

// picky refuses events whose name begins with bad, and is down for those that begin with late.
type picky struct{}

func (picky) Export(_ context.Context, b loguro.Batch) error {
	for _, e := range b.Events {
		if strings.HasPrefix(e.Name, "bad") {
			return loguro.Permanent(errors.New("such events are not taken"))
		}
		if strings.HasPrefix(e.Name, "late") {
			return errors.New("the store is down")
		}
	}
	return nil
}

// start makes a Tracker on the spool, in batches of two events.
func start(t *testing.T, dir string, x loguro.Exporter) *loguro.Tracker {
	t.Helper()
	tracker, err := loguro.New(loguro.Config{Exporter: x, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)},
		Spool: dir, BatchSize: 2, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(tracker) })
	return tracker
}

// stop leaves in the spool what is not delivered, as a process that dies.
func stop(tracker *loguro.Tracker) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	tracker.Shutdown(over)
	tracker.Shutdown(context.Background()) // waits until the folder is let go
}

func track(t *testing.T, tracker *loguro.Tracker, names ...string) {
	t.Helper()
	ctx := loguro.WithIdentity(t.Context(), loguro.Identity{UserID: "user_42"})
	for _, name := range names {
		if err := tracker.Track(ctx, name, loguro.Props{"n": 1}); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for what the Tracker does in the background.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(until) {
			t.Fatalf("%s: not within half a minute", what)
		}
	}
}

// leave makes a process that dies with the events in the spool.
func leave(t *testing.T, dir string, names ...string) {
	t.Helper()
	tracker := start(t, dir, down{})
	track(t, tracker, names...)
	stop(tracker)
}

// bury makes a process that dies when the events named bad are dead letters of main.picky, and those named late wait.
func bury(t *testing.T, dir string, names ...string) {
	t.Helper()
	tracker := start(t, dir, picky{})
	track(t, tracker, names...)
	late := 0
	for _, name := range names {
		if strings.HasPrefix(name, "late") {
			late++
		}
	}
	eventually(t, "only those are left that wait", func() bool { return tracker.Stats().Exporters[0].Pending == late })
	stop(tracker)
}

// spoolOf makes a spool with a dead process that leaves the events.
func spoolOf(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	leave(t, dir, names...)
	return dir
}

func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func segments(t *testing.T, dir string) []string { return glob(t, dir, "*", "*.seg") }

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tear cuts the end off, as a power cut does.
func tear(t *testing.T, path string) {
	t.Helper()
	b := read(t, path)
	write(t, path, b[:len(b)-3])
}

// flip changes a byte.
func flip(t *testing.T, path string, at int) {
	t.Helper()
	b := read(t, path)
	b[at] ^= 0x40
	write(t, path, b)
}

// tree is every file below dir with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		all[path] = fmt.Sprint(info.Mode(), info.ModTime())
		if err == nil && !d.IsDir() {
			all[path] += string(read(t, filepath.Join(dir, path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// exported are the names of the events in Parquet files, sorted.
func exported(t *testing.T, out string) string {
	t.Helper()
	var names []string
	for _, path := range glob(t, out, "*", "*.parquet") {
		rows, err := parquet.ReadFile[struct {
			Name string `parquet:"custom_event_name,optional"`
		}](path)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			names = append(names, row.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// result is what a run of the program gave.
type result struct {
	code        int
	out, errors string
}

func loguroRun(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// check compares the exit code, and looks for parts of what was printed.
func (r result) check(t *testing.T, code int, out, errors []string) {
	t.Helper()
	var wrong []string
	if r.code != code {
		wrong = append(wrong, fmt.Sprintf("exit code %d, want %d", r.code, code))
	}
	for _, want := range out {
		if !strings.Contains(r.out, want) {
			wrong = append(wrong, fmt.Sprintf("stdout lacks %q", want))
		}
	}
	for _, want := range errors {
		if !strings.Contains(r.errors, want) {
			wrong = append(wrong, fmt.Sprintf("stderr lacks %q", want))
		}
	}
	if len(errors) == 0 && r.errors != "" {
		wrong = append(wrong, "something on stderr")
	}
	if len(wrong) > 0 {
		t.Errorf("%s; stdout:\n%s\nstderr:\n%s", strings.Join(wrong, "; "), r.out, r.errors)
	}
}
