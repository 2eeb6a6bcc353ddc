package spool_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

// left makes a process that stores a segment for each list of names, and lives until it is closed.
func left(t *testing.T, dir string, lists ...string) (s *spool.Spool) {
	t.Helper()
	s, err := spool.Open(dir, spool.OS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		var events []event.Event
		for name := range strings.FieldsSeq(list) {
			events = append(events, event.Event{Type: event.Custom, Name: name})
		}
		if _, err := s.Store(s.Next(), uuid.Must(uuid.NewV7()), events, nil, false); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func browsed(t *testing.T, dir string) spool.Contents {
	t.Helper()
	c, err := spool.Browse(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func eventNames(t *testing.T, f spool.SegmentFile) (string, spool.Report) {
	t.Helper()
	var all []string
	report, err := f.Events(func(e *event.Event) error {
		all = append(all, e.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " "), report
}

// files is every path below dir, with mode, time and content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			all[path] = fmt.Sprint(info.ModTime())
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = fmt.Sprint(info.Mode(), info.ModTime(), string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBrowseTellsTheLivingFromTheDead(t *testing.T) {
	dir := t.TempDir()
	left(t, dir, "a b", "c").Close(nil)
	living := left(t, dir, "d")
	before := files(t, dir)
	for range 2 { // who asks is not in the way of who asks again
		c := browsed(t, dir)
		var got []string
		for _, p := range c.Processes {
			for _, f := range p.Segments {
				names, report := eventNames(t, f)
				if report.Damaged() || report.ID != f.ID || f.Empty() {
					t.Errorf("%s: report %+v", f.Path, report)
				}
				got = append(got, fmt.Sprintf("%s %d %s", p.State, f.Number, names))
			}
			if spool.StateOf(p.Path) != p.State {
				t.Errorf("StateOf() = %s, and Browse says %s", spool.StateOf(p.Path), p.State)
			}
		}
		if want := []string{"dead 1 a b", "dead 2 c", "living 1 d"}; !slices.Equal(got, want) {
			t.Errorf("Browse() = %q, want %q", got, want)
		}
	}
	if !maps.Equal(files(t, dir), before) {
		t.Error("Browse changed something")
	}
	living.Close(nil)
	if state := browsed(t, dir).Processes[1].State; state != spool.StateDead {
		t.Errorf("its process is %s once it has ended", state)
	}
}

// Who only looks must not keep a process from taking over what a dead one left.
func TestBrowseLetsGoOfTheLocks(t *testing.T) {
	dir := t.TempDir()
	left(t, dir, "a").Close(nil)
	browsed(t, dir)
	next := left(t, dir)
	defer next.Close(nil)
	if a := next.Adopt(); len(a.Segments) != 1 || len(a.Problems) > 0 {
		t.Errorf("Adopt() after Browse = %+v, want the segment", a)
	}
	if state := browsed(t, dir).Processes[0].State; state != spool.StateLiving {
		t.Errorf("a folder that was taken over is %s, want living", state)
	}
}

func TestBrowseWithoutALock(t *testing.T) {
	dir := t.TempDir()
	left(t, dir, "a").Close(nil)
	p := browsed(t, dir).Processes[0]
	if err := os.Remove(filepath.Join(p.Path, "lock")); err != nil {
		t.Fatal(err)
	}
	if state := browsed(t, dir).Processes[0].State; state != spool.StateDead {
		t.Errorf("a folder whose lock is gone is %s, want dead, as for Adopt", state)
	}
}

func TestBrowseOrdersSegmentsByTheirNumbers(t *testing.T) {
	dir := t.TempDir()
	s := left(t, dir)
	for n := range 3 { // ids that do not ascend, as after a clock that was set back
		if _, err := s.Store(uint64(n)+9_999_999_998, uuid.UUID{byte(200 - n)}, []event.Event{{Name: "a"}}, nil, false); err != nil {
			t.Fatal(err)
		}
	}
	s.Close(nil)
	for n, f := range browsed(t, dir).Processes[0].Segments {
		if f.Number != uint64(n)+9_999_999_998 || f.ID != (uuid.UUID{byte(200 - n)}) {
			t.Errorf("segment %d is %d, %s", n, f.Number, f.ID)
		}
		if age := time.Since(f.Since); age < -time.Minute || age > time.Minute { // the id does not tell; the file does
			t.Errorf("it was begun at %v", f.Since)
		}
	}
}

func TestBrowseReadsWhatRemains(t *testing.T) {
	dir := t.TempDir()
	s := left(t, dir, "a")
	rest := spool.Rest{"x": {{1, 3}}, "y": {}}
	if _, err := s.Store(s.Next(), uuid.Must(uuid.NewV7()), make([]event.Event, 3), rest, true); err != nil {
		t.Fatal(err)
	}
	s.Close(nil)
	segments := browsed(t, dir).Processes[0].Segments
	if got, err := segments[0].Rest(); got != nil || err != nil {
		t.Errorf("Rest() = %v, %v, want nothing", got, err)
	}
	if got, err := segments[1].Rest(); fmt.Sprint(got) != fmt.Sprint(rest) || err != nil {
		t.Errorf("Rest() = %v, %v, want %v", got, err, rest)
	}
}

func TestBrowseFindsEverything(t *testing.T) {
	dir := t.TempDir()
	s := left(t, dir, "a")
	letter := spool.Dead{BatchID: uuid.NewString(), Exporter: "x", Reason: "no", FailedAt: time.Now(), Events: []event.Event{{Type: event.Custom, Name: "bad"}, {Type: event.Custom, Name: "bad too"}}}
	if err := s.Bury(letter); err != nil {
		t.Fatal(err)
	}
	process := browsed(t, dir).Processes[0].Path
	corrupt := filepath.Join(dir, "corrupt")
	if err := os.Mkdir(corrupt, 0o700); err != nil {
		t.Fatal(err)
	}
	others := []string{
		filepath.Join(process, "0000000009-"+uuid.NewString()+".json"), // of a segment that is gone
		filepath.Join(process, "x.seg.tmp"), filepath.Join(corrupt, "what.txt"), filepath.Join(corrupt, "what.bin"),
		filepath.Join(dir, "dead", "x.jsonl.tmp"), filepath.Join(dir, "notes"), filepath.Join(dir, uuid.NewString()),
	}
	aside := filepath.Join(corrupt, "0196-0000-24.bin")
	claimed := filepath.Join(process, "x-0197.jsonl")
	for _, name := range append(others, aside, claimed) {
		if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := browsed(t, dir)
	slices.Sort(others)
	if !slices.Equal(c.Others, others) {
		t.Errorf("Others = %q, want %q", c.Others, others)
	}
	if len(c.Corrupt) != 1 || c.Corrupt[0].Path != aside || c.Corrupt[0].BatchID != "0196-0000" || c.Corrupt[0].Offset != 24 || c.Corrupt[0].Size != 2 {
		t.Errorf("Corrupt = %+v", c.Corrupt)
	}
	if len(c.Letters) != 2 || !c.Letters[0].Claimed || c.Letters[0].Path != claimed || c.Letters[1].Claimed {
		t.Errorf("Letters = %+v", c.Letters)
	}
	var got []string
	bad, err := c.Letters[1].Each(func(d spool.Dead, line []byte) error {
		got = append(got, d.Exporter+" "+d.Reason+" "+d.Events[0].Name)
		return nil
	})
	if want := []string{"x no bad", "x no bad too"}; !slices.Equal(got, want) || len(bad) > 0 || err != nil {
		t.Errorf("letters are %q, want %q; %v, %v", got, want, bad, err)
	}
	s.Close(nil)
}

func TestLettersThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	id := uuid.NewString()
	event := `{"event_type":"custom","custom_event_name":"bad","timestamp":"2026-05-14T10:00:00.000Z"}`
	content := []string{
		`{}`, "", `half a line`, `{"batch_id":"` + id + `"}`, `{"batch_id":"0196","event":` + event + `}`,
		`{"batch_id":"` + id + `","event":{"event_type":"other"}}`, `{"batch_id":"` + id + `","event":` + event + `}`,
	}
	if err := os.WriteFile(path, []byte(strings.Join(content, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	read := 0
	bad, err := spool.LetterFile{Path: path}.Each(func(d spool.Dead, line []byte) error {
		read++
		if string(line) != content[6] || d.Events[0].Name != "bad" {
			t.Errorf("read %s, %+v", line, d)
		}
		return nil
	})
	if read != 1 || err != nil {
		t.Errorf("Each() read %d letters, %v", read, err)
	}
	for i, line := range []int{1, 3, 4, 5, 6} {
		if i >= len(bad) || !strings.HasPrefix(bad[i].Error(), fmt.Sprintf("line %d: ", line)) {
			t.Fatalf("bad lines are %q, want one for line %d", bad, line)
		}
	}
}

func TestSegmentsThatWereRenamedOrAreGone(t *testing.T) {
	dir := t.TempDir()
	left(t, dir, "a b").Close(nil)
	f := browsed(t, dir).Processes[0].Segments[0]
	renamed := filepath.Join(dir, "copy.seg")
	if err := os.Rename(f.Path, renamed); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Events(nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Events() of a segment that is gone = %v, want fs.ErrNotExist", err)
	}
	g, err := spool.SegmentAt(renamed)
	if err != nil {
		t.Fatal(err)
	}
	names, report := eventNames(t, g)
	if names != "a b" || report.ID != f.ID || g.ID != uuid.Nil {
		t.Errorf("a renamed segment has %q, of batch %s, want a b, of %s", names, report.ID, f.ID)
	}
	stop := errors.New("enough")
	if _, err := g.Events(func(*event.Event) error { return stop }); err != stop {
		t.Errorf("Events() = %v, want the error of yield", err)
	}
}
