package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	anyUUID  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anySize  = regexp.MustCompile(`\d+ B\b`)
	anyAge   = regexp.MustCompile(`B +\d+[smh]`)
	anySpace = regexp.MustCompile(` +`)
)

// plain is output without what differs from run to run.
func plain(out, dir string) string {
	out = strings.ReplaceAll(out, dir, "DIR")
	out = anyAge.ReplaceAllString(anySize.ReplaceAllString(anyUUID.ReplaceAllString(out, "ID"), "N B"), "B AGE")
	return anySpace.ReplaceAllString(out, " ")
}

// variety is a spool with one of everything: a process that lives, two that died, dead letters, damage of today and
// of before, and files that do not belong there.
func variety(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	track(t, start(t, dir, down{}), "l1")
	bury(t, dir, "bad1", "late1")
	leave(t, dir, "a1", "b1", "c1")
	flip(t, segments(t, dir)[2], 40) // in the first record
	leave(t, dir, "d1", "e1")        // puts that aside
	last := segments(t, dir)[4]
	tear(t, last)
	write(t, filepath.Join(dir, "notes.txt"), nil)
	write(t, last+".tmp", nil)
	return dir
}

func TestListSaysWhatIsInASpool(t *testing.T) {
	dir := variety(t)
	before := tree(t, dir)
	r := loguroRun(t, "spool", "ls", dir)
	r.check(t, 0, nil, nil)
	want := `DIR/ID: in use by a living process
 SEGMENT EVENTS SIZE AGE WAITS FOR DAMAGE
 0000000001-ID.seg 1 95 B AGE all none

DIR/ID: left by a dead process; the next one takes over
 SEGMENT EVENTS SIZE AGE WAITS FOR DAMAGE
 0000000001-ID.seg 2 163 B AGE main.picky (1 event) none

DIR/ID: left by a dead process; the next one takes over
 SEGMENT EVENTS SIZE AGE WAITS FOR DAMAGE
 0000000001-ID.seg 1 95 B AGE all none
 0000000002-ID.seg 1 95 B AGE all none

DIR/ID: left by a dead process; the next one takes over
 SEGMENT EVENTS SIZE AGE WAITS FOR DAMAGE
 0000000001-ID.seg 1 163 B AGE all torn: the last 68 bytes, from byte 95 on

DIR: dead letters, which are events that an exporter refused for good
 FILE EVENTS SIZE AGE EXPORTER REASON
 dead/main.picky-ID.jsonl 1 349 B AGE main.picky such events are not taken

DIR: damaged parts that were cut out of segments
 FILE OFFSET SIZE AGE
 corrupt/ID-24.bin 24 71 B AGE

DIR: not complete, or not of a spool
 ID/0000000001-ID.seg.tmp
 notes.txt

total: 6 events in 5 segments of 4 processes (1 living), 940 B; 1 damaged segment; 1 dead letter; 1 damaged part
`
	want = anySize.ReplaceAllString(want, "N B")
	if got := plain(r.out, dir); got != want {
		t.Errorf("ls =\n%s\nwant\n%s", got, want)
	}
	if !maps.Equal(tree(t, dir), before) {
		t.Error("ls changed the spool")
	}
}

func TestListIsAligned(t *testing.T) {
	now := time.Date(2026, 5, 14, 10, 0, 0, 0, time.UTC)
	l := listing{Dir: "/s", Processes: []process{{Path: "/s/0196", State: "unknown", Segments: []segment{
		{Path: "/s/0196/1-a.seg", Events: 12000, Bytes: 3 << 20, BeganAt: now.Add(-3 * time.Minute), Exporters: []exporter{{"p", 0}, {"q", 0}}},
		{Path: "/s/0196/2-b.seg", Events: 1, Bytes: 90, BeganAt: now.Add(-50 * time.Hour), Exporters: []exporter{{"p", 0}, {"q", 7}},
			Damage: []damage{{Kind: corrupt, From: 24, To: 25}, {Kind: corrupt, From: 30, To: 40}, {Kind: sideFile, Error: "bad"}, {Kind: version, Error: "2"}, {Kind: torn}}},
	}}, {Path: "/s/0197", State: "living"}, {Path: "/s/0198", State: "dead", Error: "may not be read"}}}
	var out bytes.Buffer
	if err := l.write(&out, now); err != nil {
		t.Fatal(err)
	}
	want := `/s/0196: whether a process uses it cannot be told
  SEGMENT  EVENTS  SIZE     AGE  WAITS FOR     DAMAGE
  1-a.seg  12000   3.0 MiB  3m   all but p, q  none
  2-b.seg  1       90 B     2d   q (7 events)  corrupt: 1 byte, from byte 24 on; corrupt: 10 bytes, from byte 30 on; side file: bad; and 2 more

/s/0197: in use by a living process
  nothing waits

/s/0198: left by a dead process; the next one takes over
  may not be read

nothing waits
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// keys are the keys of all objects in a JSON value, sorted.
func keys(v any) []string {
	found := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, v := range v {
				walk(v)
			}
		case map[string]any:
			for k, v := range v {
				found[k] = true
				walk(v)
			}
		}
	}
	walk(v)
	return slices.Sorted(maps.Keys(found))
}

// checkKeys makes sure that the keys stay as they are, and that the help names them all.
func checkKeys(t *testing.T, v any, want, help string) {
	t.Helper()
	got := keys(v)
	if strings.Join(got, " ") != want {
		t.Errorf("keys are %v, want %s", got, want)
	}
	for _, key := range got {
		if !regexp.MustCompile(`\b` + key + `\b`).MatchString(help) {
			t.Errorf("the help does not name %s", key)
		}
	}
}

func TestListAsJSON(t *testing.T) {
	dir := variety(t)
	r := loguroRun(t, "spool", "ls", "--json", dir)
	r.check(t, 0, nil, nil)
	var v map[string]any
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, v, "batch_id began_at bytes claimed corrupt corrupt_files damage damaged_segments dead_events dead_letters dir "+
		"events exporter exporters failed_at from kind lacks_events living_processes name number offset others path processes "+
		"put_aside_at reason segments state to totals", lsHelp)
	var l listing
	if err := json.Unmarshal([]byte(r.out), &l); err != nil {
		t.Fatal(err)
	}
	bytes := 95 + 171 + 95 + 95 + 163 + l.Letters[0].Bytes
	if want := (totals{Processes: 4, Living: 1, Segments: 5, DamagedSegments: 1, Events: 6, Bytes: bytes, DeadEvents: 1, CorruptFiles: 1}); l.Totals != want {
		t.Errorf("totals = %+v, want %+v", l.Totals, want)
	}
	s := l.Processes[1].Segments[0]
	if l.Processes[1].State != "dead" || s.Number != 1 || s.Events != 2 || len(s.Exporters) != 1 || s.Exporters[0] != (exporter{"main.picky", 1}) {
		t.Errorf("the second process = %+v", l.Processes[1])
	}
	if name := filepath.Base(s.Path); name != "0000000001-"+s.BatchID+".seg" {
		t.Errorf("path %s and batch id %s do not fit", s.Path, s.BatchID)
	}
	if since := time.Since(s.BeganAt); since < 0 || since > time.Minute || s.BeganAt.Location() != time.UTC {
		t.Errorf("began_at = %v, want a moment ago, in UTC", s.BeganAt)
	}
}

// What people did may be read in the output of cat only.
func TestOnlyCatPrintsEvents(t *testing.T) {
	dir := variety(t)
	for _, args := range [][]string{{"ls"}, {"ls", "--json"}, {"verify"}, {"verify", "--json"},
		{"export", "--keep", "--dead", "--to", "parquet:" + t.TempDir()}, {"export", "--json", "--dead", "--as", "main.picky", "--to", "parquet:" + t.TempDir()}} {
		r := loguroRun(t, append(append([]string{"spool"}, args...), dir)...)
		for _, word := range []string{"user_42", "a1", "late1", "bad1"} {
			if text := anyUUID.ReplaceAllString(r.out+r.errors, ""); strings.Contains(text, word) {
				t.Errorf("%v prints %q:\n%s", args, word, text)
			}
		}
	}
}
