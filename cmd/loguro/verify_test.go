package main

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fromTheFuture gives a segment the header of a later version.
func fromTheFuture(t *testing.T, path string) {
	t.Helper()
	b := read(t, path)
	b[0] = 9
	binary.LittleEndian.PutUint32(b[20:], crc32.Checksum(b[:20], crc32.MakeTable(crc32.Castagnoli)))
	write(t, path, b)
}

func TestVerifyFindsDamage(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, segment string)
		want   string
	}{
		{"the power went", tear, "torn: the last 68 bytes, from byte 95 on"},
		{"a block of zeros at the end", func(t *testing.T, s string) { write(t, s, append(read(t, s), make([]byte, 512)...)) }, "torn: the last 512 bytes, from byte 166 on"},
		{"a bit of a payload", func(t *testing.T, s string) { flip(t, s, 40) }, "corrupt: 71 bytes, from byte 24 on"},
		{"a bit of the header", func(t *testing.T, s string) { flip(t, s, 3) }, "corrupt: 24 bytes, from byte 0 on"},
		{"a bit of the last record", func(t *testing.T, s string) { flip(t, s, 100) }, "torn: the last 71 bytes, from byte 95 on"},
		{"a later version", fromTheFuture, "unknown version: the segment is of a version that this program does not know; use a newer one (version 9)"},
		{"a side file", func(t *testing.T, s string) { write(t, strings.TrimSuffix(s, ".seg")+".json", []byte("{")) }, "side file: read what remains of a batch: "},
	} {
		dir := spoolOf(t, "aa", "bb", "cc")
		segment := segments(t, dir)[0]
		loguroRun(t, "spool", "verify", dir).check(t, 0, []string{"2 segments with 3 events: all whole\n"}, nil)
		test.damage(t, segment)
		before := tree(t, dir)
		for _, path := range []string{dir, segment} {
			r := loguroRun(t, "spool", "verify", path)
			r.check(t, 1, []string{segment + "  " + test.want, ": 1 damaged\n"}, nil)
		}
		loguroRun(t, "spool", "verify", segments(t, dir)[1]).check(t, 0, []string{"1 segment with 1 event: all whole"}, nil)
		if !maps.Equal(tree(t, dir), before) {
			t.Errorf("%s: verify changed the spool", test.name)
		}
	}
}

// Not with chmod: root may read everything.
func TestWhatCannotBeReadIsNoDamage(t *testing.T) {
	dir := spoolOf(t, "aa", "bb", "cc")
	segment := segments(t, dir)[0]
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(segment, 0o700); err != nil {
		t.Fatal(err)
	}
	loguroRun(t, "spool", "verify", dir).check(t, 2, []string{segment + "  cannot be read: is a directory\n", "2 segments with 1 event: 1 damaged\n"}, nil)
	loguroRun(t, "spool", "ls", dir).check(t, 2, []string{"cannot be read: is a directory\n"}, nil)
	loguroRun(t, "spool", "cat", dir).check(t, 2, []string{`"cc"`}, []string{segment + ": cannot be read: is a directory; skipped"})
	r := ship(t, dir, t.TempDir(), "--keep")
	r.check(t, 1, []string{"stays     1 batch that cannot be taken over\n"}, []string{"read " + segment + ": is a directory"}) // not the path of the copy
	ship(t, dir, t.TempDir()).check(t, 1, []string{"exported  1 batch with 1 event", "stays     1 batch that cannot be taken over"}, []string{"is a directory"})
}

func TestVerifyReadsDeadLetters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	bury(t, dir, "bad1", "ok")
	letters := glob(t, dir, "dead", "*")[0]
	for _, path := range []string{dir, letters} {
		loguroRun(t, "spool", "verify", path).check(t, 0, []string{"0 segments with 0 events and 1 file of dead letters: all whole"}, nil)
	}
	tear(t, letters)
	for _, path := range []string{dir, letters} {
		loguroRun(t, "spool", "verify", path).check(t, 1, []string{letters + "  dead letter: line 1: "}, nil)
	}
}

// What was put aside by an earlier process is told, and is no damage any more.
func TestVerifyTellsWhatWasPutAside(t *testing.T) {
	dir := variety(t)
	loguroRun(t, "spool", "verify", dir).check(t, 1, []string{"5 segments with 6 events and 1 file of dead letters: 1 damaged; 1 damaged part put aside earlier\n"}, nil)
	leave(t, dir) // mends
	loguroRun(t, "spool", "verify", dir).check(t, 0, []string{"all whole; 1 damaged part put aside earlier\n"}, nil)
}

func TestVerifyAsJSON(t *testing.T) {
	dir := variety(t)
	r := loguroRun(t, "spool", "verify", "--json", dir)
	r.check(t, 1, nil, nil)
	var v map[string]any
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, v, "batch_id bytes corrupt_files damage damaged dead_letter_files events from kind path segments to whole", verifyHelp)
	damaged := v["damaged"].([]any)[0].(map[string]any)
	if v["whole"] != false || damaged["path"] != segments(t, dir)[4] || damaged["events"] != 1.0 {
		t.Errorf("verify --json = %s", r.out)
	}
	empty := loguroRun(t, "spool", "verify", "--json", t.TempDir())
	empty.check(t, 0, []string{`"whole":true`, `"damaged":[]`}, nil)
}
