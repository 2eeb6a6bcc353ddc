package parquetexporter_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

func TestNewSaysWhatIsWrongWithTheDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ why, dir, says string }{
		{"no directory", "", "Options.Dir is empty; name the directory"},
		{"a file", file, "is a file; name a directory"},
		{"below a file", filepath.Join(file, "data"), "is a file; name a directory"},
		{"a name that cannot be", filepath.Join(filepath.Dir(file), strings.Repeat("a", 300)), "cannot be made; make it yourself"},
	} {
		t.Run(c.why, func(t *testing.T) {
			exporter, err := parquetexporter.New(parquetexporter.Options{Dir: c.dir})
			if err == nil || exporter != nil {
				t.Fatalf("New() = %v, %v, want an error", exporter, err)
			}
			if !strings.HasPrefix(err.Error(), "parquetexporter: ") || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.dir) {
				t.Errorf("New() = %v, want it to name the directory and to say %q", err, c.says)
			}
		})
	}
}

func TestNewMakesTheDirectoryAndLeavesNothingInIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "data")
	newExporter(t, dir)
	if got := paths(t, dir); len(got) != 0 {
		t.Errorf("New left %q", got)
	}
	newExporter(t, dir) // one that is there already
}

func TestFilesAreNotForEverybody(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has other rights
	}
	dir := filepath.Join(t.TempDir(), "data")
	mustExport(t, newExporter(t, dir), batchID, exportertest.Events(1)...)
	for _, c := range []struct {
		path  string
		allow os.FileMode
	}{
		{".", 0o750}, {"date=2026-05-14", 0o750}, {"date=2026-05-14/" + batchID + ".parquet", 0o640},
	} {
		info, err := os.Stat(filepath.Join(dir, c.path))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&^c.allow != 0 || mode&0o600 != 0o600 {
			t.Errorf("%s has mode %o, want at most %o and the owner's own rights", c.path, mode, c.allow)
		}
	}
}

func TestNewSweepsOldTemporaryFilesOnly(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o640); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	const year = 365 * 24 * time.Hour
	keep := []string{
		"date=2026-05-13/young.parquet.tmp", // another live process may be writing it
		"date=2026-05-13/other.tmp",
		"date=2026-05-13/visible.parquet",
		"date=2026-05-13/visible.parquet.tmp.bak",
		"elsewhere/old.parquet.tmp",
		"old.parquet.tmp",
	}
	for _, name := range keep {
		put(name, year)
	}
	put(keep[0], 23*time.Hour)
	put("date=2026-05-13/old.parquet.tmp", 25*time.Hour)
	put("date=2026-05-14/old.parquet.tmp", year)
	put(".loguro-123.tmp", year) // New was killed
	if err := os.MkdirAll(filepath.Join(dir, "date=2026-05-14", "folder.parquet.tmp"), 0o750); err != nil {
		t.Fatal(err)
	}

	newExporter(t, dir)
	if got := paths(t, dir); !slices.Equal(got, slices.Sorted(slices.Values(keep))) {
		t.Errorf("files after New = %q, want %q", got, keep)
	}
}
