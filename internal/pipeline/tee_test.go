package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/internal/spool"
)

func both(a, b *files) func(*Config) {
	return func(c *Config) { c.Exporters = []Exporter{{"a", a.export}, {"b", b.export}} }
}

func TestAFailingExporterDoesNotHoldBackTheOther(t *testing.T) {
	for why, dir := range map[string]string{"in memory": "", "on disk": t.TempDir()} {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newFiles(), newFiles()
				b.down.Store(true)
				p := a.open(t, dir, both(a, b))
				putNamed(t, p, 0, 10)
				time.Sleep(time.Minute)
				synctest.Wait()
				wantEachOnce(t, a.counts(), 10)
				c := p.Counts()
				if c.Pending != 10 || c.Lanes[0].Pending != 0 || c.Lanes[1].Pending != 10 || c.Lanes[1].Failures == 0 || c.Lanes[1].LastError == nil {
					t.Errorf("counts = %+v, want 10 that wait for b alone", c)
				}
				b.down.Store(false)
				if err := p.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				wantEachOnce(t, b.counts(), 10)
				if c := p.Counts(); c.Delivered != 10 || c.Pending != 0 {
					t.Errorf("counts = %+v", c)
				}
			})
		})
	}
}

func TestASlowExporterDoesNotHoldBackTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFiles()
		release := make(chan struct{})
		slow := func(ctx context.Context, _ Batch) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		p := a.open(t, "", func(c *Config) { c.Exporters = []Exporter{{"a", a.export}, {"slow", slow}} })
		putNamed(t, p, 0, 10)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		wantEachOnce(t, a.counts(), 10)
		close(release)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// After a restart an exporter gets only what it did not have.
func TestWhoHasABatchIsRememberedAcrossARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, b := newFiles(), newFiles()
		b.down.Store(true)
		p := a.open(t, dir, both(a, b))
		putNamed(t, p, 0, 10)
		time.Sleep(time.Minute)
		giveUp(p)

		again, rest := newFiles(), newFiles()
		q := again.open(t, dir, both(again, rest))
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := again.counts(); len(got) != 0 {
			t.Errorf("a gets %v a second time", got)
		}
		wantEachOnce(t, rest.counts(), 10)
		if c := q.Counts(); c.SpoolBytes != 0 || len(segments(t, dir)) != 0 {
			t.Errorf("%d bytes and %d segments are left", c.SpoolBytes, len(segments(t, dir)))
		}
	})
}

// The crash comes when all have the batch, but it is not removed yet.
func TestABatchThatAllHaveIsRemovedAfterARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, b := newFiles(), newFiles()
		a.down.Store(true)
		b.down.Store(true)
		p := a.open(t, dir, both(a, b))
		putNamed(t, p, 0, 3)
		batch := p.waiting()[0]
		if err := batch.segment.SaveRest(spool.Rest{"a": {}, "b": {}}, false); err != nil {
			t.Fatal(err)
		}
		giveUp(p)
		again := newFiles()
		q := again.open(t, dir, both(again, again))
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := again.counts(); len(got) != 0 || len(segments(t, dir)) != 0 {
			t.Errorf("%v are exported, %d segments left; want neither", got, len(segments(t, dir)))
		}
	})
}

func TestOneExporterMayRefuseWhatTheOtherTakes(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, b := newFiles(), newFiles()
		b.fail = refusing("4", Permanent(errDown))
		p := a.open(t, dir, both(a, b))
		putNamed(t, p, 0, 10)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, a.counts(), 10)
		if got := b.counts(); len(got) != 9 || got["4"] != 0 {
			t.Errorf("b has %v, want all but 4", got)
		}
		b.fail = nil
		if err := p.Redrive(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, a.counts(), 10)
		wantEachOnce(t, b.counts(), 10)
	})
}

// refusing gives err for batches that hold the event.
func refusing(name string, err error) func(Batch) error {
	return func(b Batch) error {
		for _, e := range b.Events {
			if e.Name == name {
				return err
			}
		}
		return nil
	}
}
