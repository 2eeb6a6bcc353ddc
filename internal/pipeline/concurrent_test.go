package pipeline

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/event"
)

// Many callers write together. Each one's events keep their order, in memory as in the segment.
func TestPutOnDiskConcurrentSafe(t *testing.T) {
	const callers, each = 16, 400
	for why, down := range map[string]bool{"from memory": false, "from the segments of a dead process": true} {
		t.Run(why, func(t *testing.T) {
			dir := t.TempDir()
			s := new(store)
			f := newFiles()
			f.down.Store(down)
			limits := func(c *Config) {
				onDisk(dir)(c)
				c.BatchEvents, c.BatchBytes, c.MemoryBytes = 97, 1<<20, 1<<30
				if down {
					c.Exporters = []Exporter{{"files", f.export}}
				}
			}
			p := s.open(t, limits)
			var wg sync.WaitGroup
			for caller := range callers {
				wg.Go(func() {
					for i := range each {
						if err := p.Put(&event.Event{Type: event.Custom, Name: fmt.Sprint(i), User: fmt.Sprint(caller)}); err != nil {
							t.Errorf("Put() = %v", err)
						}
					}
				})
			}
			wg.Wait()
			if down {
				giveUp(p)
				down = false
				p = s.open(t, limits)
			}
			if err := p.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			next := map[string]int{}
			for _, b := range s.batches {
				if len(b.Events) > 97 {
					t.Errorf("a batch of %d events, want at most 97", len(b.Events))
				}
				for _, e := range b.Events {
					if want := fmt.Sprint(next[e.User]); e.Name != want {
						t.Fatalf("the next event of caller %s is %s, want %s", e.User, e.Name, want)
					}
					next[e.User]++
				}
			}
			for caller := range callers {
				if n := next[fmt.Sprint(caller)]; n != each {
					t.Errorf("%d events of caller %d, want %d", n, caller, each)
				}
			}
		})
	}
}

// Two trackers on one directory; one ends without delivering. The other takes over what it left, without a restart.
func TestALivingProcessAdoptsFromADeadOne(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f, g := newFiles(), newFiles()
		g.down.Store(true)
		alive, dying := f.open(t, dir, nil), g.open(t, dir, nil)
		putNamed(t, alive, 0, 5)
		putNamed(t, dying, 5, 10)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		giveUp(dying)
		putNamed(t, alive, 10, 15)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if err := alive.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 15)
		if len(g.counts()) != 0 || alive.Counts().Adopted != 5 {
			t.Errorf("adopted %d, want 5", alive.Counts().Adopted)
		}
		if err := alive.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What an exporter does to a context of Shutdown that is over must not let go of a batch that it still works on.
func TestTheFolderIsHeldWhileAnExporterHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f, next := newFiles(), newFiles()
		f.fail = func(Batch) error { <-release; return nil }
		p := f.open(t, dir, nil)
		putNamed(t, p, 0, 3)
		synctest.Wait()
		if err := giveUp(p); err == nil || !strings.Contains(err.Error(), "3 events are not delivered") {
			t.Errorf("Shutdown() = %v", err)
		}
		q := next.open(t, dir, nil)
		if c := q.Counts(); c.Adopted != 0 {
			t.Errorf("%d events are adopted while they are being exported", c.Adopted)
		}
		close(release)
		synctest.Wait()
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 3)
	})
}
