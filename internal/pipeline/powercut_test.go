package pipeline

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool/spooltest"
)

// files is a store of Parquet's shape: a batch is a file named by its id, and the same id again replaces it. What it
// has said to be durable survives the power cut.
type files struct {
	down    atomic.Bool
	fail    func(Batch) error
	mu      sync.Mutex
	byBatch map[string][]string
}

func newFiles() *files { return &files{byBatch: map[string][]string{}} }

func (f *files) export(_ context.Context, b Batch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down.Load() {
		return errDown
	}
	if f.fail != nil {
		if err := f.fail(b); err != nil {
			return err
		}
	}
	names := make([]string, len(b.Events))
	for i, e := range b.Events {
		names[i] = e.Name
	}
	f.byBatch[b.ID] = names
	return nil
}

func (f *files) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := map[string]int{}
	for _, names := range f.byBatch {
		for _, name := range names {
			counts[name]++
		}
	}
	return counts
}

func (f *files) open(t *testing.T, dir string, mutate func(*Config)) *Pipeline {
	return (&store{}).open(t, func(c *Config) {
		onDisk(dir)(c)
		c.Exporters = []Exporter{{"files", f.export}}
		if mutate != nil {
			mutate(c)
		}
	})
}

// The power goes at a random moment of a run with a store that works, fails and refuses by turns. Nothing that was
// accepted longer ago than the sync interval may be missing, and nothing may be there twice.
func TestAPowerCutTakesAtMostTheSyncInterval(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir, after := filepath.Join(t.TempDir(), "spool"), filepath.Join(t.TempDir(), "spool")
			synctest.Test(t, func(t *testing.T) { powerCut(t, seed, dir, after) })
		})
	}
}

func powerCut(t *testing.T, seed uint64, dir, after string) {
	chance := rand.New(rand.NewPCG(seed, 1))
	disk := &spooltest.Disk{Dir: dir}
	mood := seed % 3
	f := newFiles()
	whim := rand.New(rand.NewPCG(seed, 2)) // of the store, in its own goroutine
	f.fail = func(Batch) error {
		switch {
		case mood == 1 && whim.IntN(2) == 0:
			return errDown
		case mood == 2 && whim.IntN(3) == 0:
			return Permanent(errDown)
		}
		return nil
	}
	const interval = time.Second
	p := f.open(t, dir, func(c *Config) {
		c.FS, c.SyncInterval, c.BatchEvents, c.BatchAge = disk, interval, 1+chance.IntN(20), time.Duration(1+chance.IntN(3000))*time.Millisecond
	})
	accepted := map[string]time.Time{}
	for i := range 1 + chance.IntN(200) {
		name := strconv.Itoa(i)
		if err := p.Put(&event.Event{Type: event.Custom, Name: name}); err != nil {
			t.Fatal(err)
		}
		accepted[name] = time.Now()
		if chance.IntN(3) == 0 {
			time.Sleep(time.Duration(chance.IntN(400)) * time.Millisecond)
		}
	}
	time.Sleep(time.Duration(chance.IntN(1500)) * time.Millisecond)
	synctest.Wait()
	f.mu.Lock() // no export ends while the power goes
	at := time.Now()
	if err := disk.Cut(after, chance); err != nil {
		t.Fatal(err)
	}
	next := &files{byBatch: maps.Clone(f.byBatch)}
	f.mu.Unlock()
	giveUp(p)

	q := next.open(t, after, nil)
	if err := q.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	counts := next.counts()
	dead := deadNames(t, q)
	for name, when := range accepted {
		n := counts[name]
		old := at.Sub(when) > interval
		switch {
		case n > 1:
			t.Errorf("event %s is there %d times", name, n)
		case n == 0 && old && !slices.Contains(dead, name):
			t.Errorf("event %s, accepted %v before the cut, is lost", name, at.Sub(when))
		}
		delete(counts, name)
	}
	if len(counts) > 0 {
		t.Errorf("events that were never accepted: %v", slices.Collect(maps.Keys(counts)))
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// deadNames are the names of the events in the dead letters.
func deadNames(t *testing.T, p *Pipeline) (names []string) {
	t.Helper()
	letters, err := p.spool.DeadFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, letter := range letters {
		d, err := readDead(p, letter)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range d.Events {
			names = append(names, e.Name)
		}
	}
	return names
}
