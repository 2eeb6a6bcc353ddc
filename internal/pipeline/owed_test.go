package pipeline

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func one(name string, f *files) func(*Config) {
	return func(c *Config) { c.Exporters = []Exporter{{name, f.export}} }
}

// A process with one of two exporters delivers to that one, and keeps what the other lacks: some it never got, some that
// only the first one got.
func TestWhatAnotherExporterLacksStays(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, b := newFiles(), newFiles()
		b.down.Store(true)
		p := a.open(t, dir, both(a, b))
		putNamed(t, p, 0, 6)
		time.Sleep(time.Minute)
		a.down.Store(true)
		putNamed(t, p, 6, 12)
		time.Sleep(time.Minute)
		giveUp(p)
		a.down.Store(false)

		for range 2 { // the second time there is nothing to do
			p = a.open(t, dir, one("a", a))
			if err := p.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			wantEachOnce(t, a.counts(), 12)
		}
		b.down.Store(false)
		p = a.open(t, dir, both(a, b))
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, a.counts(), 12)
		wantEachOnce(t, b.counts(), 12)
	})
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
}

// One exporter may be replaced by another: the backlog goes to that.
func TestTheBacklogOfAReplacedExporterGoesToTheNewOne(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.down.Store(true)
		p := f.open(t, dir, one("before", f))
		putNamed(t, p, 0, 6)
		giveUp(p)
		f.down.Store(false)
		p = f.open(t, dir, one("after", f))
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 6)
	})
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
}

func TestRedriveIsForTheExporterThatRefused(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, b := newFiles(), newFiles()
		b.fail = refusing("1", Permanent(errDown))
		p := a.open(t, dir, both(a, b))
		putNamed(t, p, 0, 3)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		p = a.open(t, dir, one("a", a))
		if err := p.Redrive(t.Context()); err == nil {
			t.Error("Redrive() = nil, though the letter is of an exporter that is not configured")
		}
		if letters, _ := p.spool.DeadFiles(); len(letters) != 1 {
			t.Errorf("dead letters: %v, want the one", letters)
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, a.counts(), 3)

		// A redrive that is not delivered before the process ends is still for the one exporter.
		b.fail, a.fail = nil, nil
		b.down.Store(true)
		p = a.open(t, dir, one("b", b))
		go p.Redrive(t.Context())
		synctest.Wait()
		giveUp(p)
		b.down.Store(false)
		p = a.open(t, dir, both(a, b))
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, a.counts(), 3)
		wantEachOnce(t, b.counts(), 3)
	})
}

// The parts of a split batch stay what they were when the disk loses an event before them.
func TestDamageDoesNotShiftThePartsOfABatch(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.fail = refusing("3", Permanent(errDown))
		g := newFiles()
		g.down.Store(true)
		p := f.open(t, dir, func(c *Config) { both(f, g)(c); c.BatchEvents = 8 })
		// f has all but event 3; g has nothing, so that the segment stays.
		putNamed(t, p, 0, 8)
		time.Sleep(time.Minute)
		giveUp(p)
		names := segments(t, dir)
		if len(names) != 1 {
			t.Fatalf("segments %v", names)
		}
		side := names[0][:len(names[0])-len(".seg")] + ".json"
		if err := os.WriteFile(side, []byte(`{"files":[[4,6],[7,8]]}`), 0o600); err != nil { // as a crash midway leaves it
			t.Fatal(err)
		}
		content, _ := os.ReadFile(names[0])
		content[24+16+3] ^= 1 // event 0
		if err := os.WriteFile(names[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(filepath.Dir(names[0]), "exporters")); err != nil {
			t.Fatal(err)
		}
		h := newFiles()
		p = h.open(t, dir, one("files", h))
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := h.counts(); len(got) != 3 || got["4"] != 1 || got["5"] != 1 || got["7"] != 1 {
			t.Errorf("exported %v, want 4, 5 and 7", got)
		}
		if c := p.Counts(); c.Lost != 1 || c.Corrupt != 1 {
			t.Errorf("counts = %+v, want one event lost", c)
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
