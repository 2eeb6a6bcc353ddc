package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Everything that an export would change is in this spool: torn and corrupt segments, side files, dead letters.
func TestKeepLeavesEveryByteOfTheSpool(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	t.Setenv("TMP", scratch) // Windows
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	bury(t, dir, "bad1", "late1", "late2", "late3")
	leave(t, dir, "e1", "e2", "e3", "e4", "e5", "bad2")
	s := segments(t, dir)
	flip(t, s[2], 40)
	tear(t, s[3])
	before := tree(t, dir)

	r := ship(t, dir, out, "--keep", "--dead", "--as", "main.picky")
	r.check(t, 1, []string{"exported  5 batches with 7 events", "redriven  1 dead letter", "damaged   1 torn end skipped", "damaged   1 corrupt part skipped\n"}, nil)
	if got := exported(t, out); got != "bad1 bad2 e2 e3 e5 late1 late2 late3" {
		t.Errorf("exported %s", got)
	}
	if after := tree(t, dir); !maps.Equal(after, before) {
		t.Errorf("the spool changed: it has %d files, and had %d", len(after), len(before))
	}
	if left, _ := os.ReadDir(scratch); len(left) > 0 {
		t.Errorf("%v is left among the temporary files", left)
	}

	// What the store refuses is told, and stays where it is.
	know(t, "picky", picky{})
	over := loguroRun(t, "spool", "export", "--keep", "--to", "picky:x", "--json", spoolOf(t, "bad1"))
	over.check(t, 1, []string{`"keep":true`, `"refused_events":1`}, []string{"such events are not taken"})

	// Exported for good afterwards, each event is there once: the parts of split batches too have their ids for good.
	files := ids(t, out)
	ship(t, dir, out, "--dead", "--as", "main.picky").check(t, 1, []string{"exported  5 batches with 7 events"}, nil)
	if got := ids(t, out); !slices.Equal(got, files) {
		t.Errorf("the batches are %v, want those of the copy, %v", got, files)
	}
	if len(segments(t, dir))+len(glob(t, dir, "dead", "*")) > 0 {
		t.Error("something is left in the spool")
	}
}

// Where nobody may make links, files are copied.
func TestACopyIsAFileOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	write(t, from, []byte("content"))
	if err := copyFile(from, to); err != nil {
		t.Fatal(err)
	}
	write(t, to, []byte("changed"))
	if got := string(read(t, from)); got != "content" {
		t.Errorf("the original is %q", got)
	}
	if err := copyFile(filepath.Join(dir, "gone"), to); err != nil || string(read(t, to)) != "changed" {
		t.Errorf("copyFile() of a batch that was delivered meanwhile = %v, want nothing to happen", err)
	}
}
