package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/event"
)

func onDisk(dir string) func(*Config) {
	return func(c *Config) { c.Spool, c.SpoolBytes = dir, 1<<30 }
}

func giveUp(p *Pipeline) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return p.Shutdown(ctx)
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*", "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWhatWasNotDeliveredIsDeliveredByTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		down := &store{fail: func(context.Context, int) error { return errDown }}
		p := down.open(t, onDisk(dir))
		put(t, p, 7)
		synctest.Wait() // the lane has tried once
		err := giveUp(p)
		if err == nil || !strings.Contains(err.Error(), "7 events are not delivered; they stay in the spool "+dir) || !errors.Is(err, errDown) {
			t.Errorf("Shutdown() = %v", err)
		}
		up := new(store)
		p = up.open(t, onDisk(dir))
		if c := p.Counts(); c.Adopted != 7 {
			t.Errorf("counts = %+v, want 7 adopted", c)
		}
		for i := 7; i < 10; i++ {
			if err := p.Put(&event.Event{Name: strconv.Itoa(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(up.names(), ""); got != "0123456789" {
			t.Errorf("events arrived as %s, want each once and in order", got)
		}
		if up.batches[0].ID != down.calls[0] {
			t.Errorf("the next process exports batch %s, want the id of before, %s", up.batches[0].ID, down.calls[0])
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d entries are left in the spool, want none: %v", len(left), left)
	}
}

func TestMemoryIsGivenBackToTheDisk(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := &store{fail: func(context.Context, int) error {
			if down {
				return errDown
			}
			return nil
		}}
		size := (&event.Event{Name: "0"}).Size()
		p := s.open(t, func(c *Config) {
			onDisk(dir)(c)
			c.MemoryBytes = 12 * size
		})
		put(t, p, 200)
		time.Sleep(time.Minute)
		if c := p.Counts(); c.PendingBytes > 12*size || c.Pending != 200 {
			t.Errorf("counts = %+v, want all events, and at most %d bytes of them in memory", c, 12*size)
		}
		down = false
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		names := s.names()
		if len(names) != 200 {
			t.Errorf("%d events arrived, want 200", len(names))
		}
		if c := p.Counts(); c.PendingBytes != 0 || c.Pending != 0 || len(segments(t, dir)) != 0 || c.SpoolBytes != 0 {
			t.Errorf("counts = %+v and %d segments, want none", c, len(segments(t, dir)))
		}
	})
}
