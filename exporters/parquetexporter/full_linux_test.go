package parquetexporter_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

// A limit on the size of files makes writes fail in the middle as a full disk does, with EFBIG for ENOSPC. It holds for
// a whole process, the test's own log included, so the test runs in one of its own.
func TestFullDiskIsAnErrorLeavesNothingAndCanBeRepeated(t *testing.T) {
	const child = "LOGURO_TEST_FULL_DISK"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.count", "1")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dir, reference := t.TempDir(), t.TempDir()
	events := exportertest.Events(20_000)
	exporter := newExporter(t, dir)
	mustExport(t, newExporter(t, reference), batchID, events...)

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	small := limit
	small.Cur = 64 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := exporter.Export(t.Context(), loguro.Batch{ID: batchID, Events: events})
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}

	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Export() = %v, want %v", err, syscall.EFBIG)
	}
	if got := paths(t, dir); len(got) != 0 {
		t.Errorf("files after the failure = %q, want none", got)
	}
	mustExport(t, exporter, batchID, events...)
	name := filepath.Join("date=2026-05-14", batchID+".parquet")
	if string(mustRead(t, filepath.Join(dir, name))) != string(mustRead(t, filepath.Join(reference, name))) {
		t.Error("the second export gives other bytes than an export that never failed")
	}
}
