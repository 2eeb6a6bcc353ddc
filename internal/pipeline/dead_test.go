package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

func readDead(p *Pipeline, letter string) (spool.Dead, error) {
	content, err := os.ReadFile(filepath.Join(p.config.Spool, "dead", letter))
	if err != nil {
		return spool.Dead{}, err
	}
	return spool.ParseDead(content)
}

func TestAPoisonEventGoesToTheDeadLettersWithItsReason(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.fail = refusing("417", Permanent(errors.New("column price: 12,5 is no number")))
		p := f.open(t, dir, func(c *Config) { c.BatchEvents, c.BatchBytes = 1000, 1<<30 })
		p.config.MemoryBytes = 1 << 30
		putNamed(t, p, 0, 1000)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		counts := f.counts()
		if len(counts) != 999 || counts["417"] != 0 {
			t.Errorf("%d events arrived, 417 %d times; want all the others", len(counts), counts["417"])
		}
		letters, _ := p.spool.DeadFiles()
		if len(letters) != 1 {
			t.Fatalf("dead letters: %v", letters)
		}
		raw, _ := os.ReadFile(filepath.Join(dir, "dead", letters[0]))
		if !strings.Contains(string(raw), `"reason":"column price: 12,5 is no number"`) || !strings.Contains(string(raw), `"custom_event_name":"417"`) {
			t.Errorf("the dead letter reads %s", raw)
		}
		if c := p.Counts(); c.Dead != 1 || c.Delivered != 999 || c.Pending != 0 || c.SpoolBytes != 4096 {
			t.Errorf("counts = %+v", c)
		}

		// As long as it is refused, Redrive says so, and the letter stays.
		if err := p.Redrive(t.Context()); err == nil || !strings.Contains(err.Error(), "1 event is refused again") {
			t.Errorf("Redrive() = %v", err)
		}
		f.fail = nil
		if err := p.Redrive(t.Context()); err != nil {
			t.Errorf("Redrive() = %v", err)
		}
		wantEachOnce(t, f.counts(), 1000)
		if letters, _ := p.spool.DeadFiles(); len(letters) != 0 || p.Counts().SpoolBytes != 0 {
			t.Errorf("letters %v and %d bytes are left", letters, p.Counts().SpoolBytes)
		}
		if err := p.Redrive(t.Context()); err != nil {
			t.Errorf("Redrive() of nothing = %v", err)
		}
	})
}

// An exporter that does not know Permanent fails for good all the same: the others are not held back, the bad event is
// found, and what a mere outage does is none of that.
func TestABatchThatIsRefusedOverAndOverIsSplit(t *testing.T) {
	for why, name := range map[string]string{"the first batch": "1", "a later batch": "7"} {
		t.Run(why, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				f := newFiles()
				f.fail = refusing(name, errors.New("bad row"))
				p := f.open(t, dir, func(c *Config) { c.BatchEvents = 5 })
				putNamed(t, p, 0, 20)
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if got := f.counts(); len(got) != 19 {
					t.Errorf("%d events arrived after five minutes, want 19", len(got))
				}
				for i := 20; i < 200; i++ { // traffic that shows that the store is well
					putNamed(t, p, i, i+1)
					time.Sleep(30 * time.Second)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := f.counts(); len(got) != 199 || got[name] != 0 {
					t.Errorf("%d events arrived, want all but the bad one", len(got))
				}
				if got := deadNames(t, p); !slices.Equal(got, []string{name}) {
					t.Errorf("dead letters: %v, want %s", got, name)
				}
			})
		})
	}
}

func TestAnOutageMakesNoDeadLetters(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		p := f.open(t, dir, nil)
		for i := range 300 { // ten hours of a store that is mostly down
			f.down.Store(i%7 != 0)
			putNamed(t, p, i, i+1)
			time.Sleep(2 * time.Minute)
		}
		f.down.Store(false)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 300)
		if c := p.Counts(); c.Dead != 0 {
			t.Errorf("%d events are dead letters, want none", c.Dead)
		}
	})
}

// If everything is refused, trying each event by itself would take for ever.
func TestWhenEverythingIsRefusedTheCostIsBounded(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		f := newFiles()
		f.fail = func(Batch) error { calls++; return Permanent(errors.New("no such table")) }
		p := f.open(t, dir, func(c *Config) { c.BatchEvents, c.BatchBytes, c.MemoryBytes = 10_000, 1<<30, 1<<30 })
		putNamed(t, p, 0, 10_000)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if calls > 300 {
			t.Errorf("%d attempts", calls)
		}
		if n := len(deadNames(t, p)); n != 10_000 {
			t.Errorf("%d dead letters, want 10000", n)
		}
		f.fail = nil
		if err := p.Redrive(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 10_000)
	})
}

// Redrive that dies midway, and one without a spool.
func TestDeadLettersSurviveARedriveThatDies(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.fail = refusing("1", Permanent(errDown))
		p := f.open(t, dir, nil)
		putNamed(t, p, 0, 3)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		letters, _ := p.spool.DeadFiles()
		if _, _, err := p.spool.Claim(letters[0]); err != nil { // and here it dies
			t.Fatal(err)
		}
		giveUp(p)
		f.fail = nil
		q := f.open(t, dir, nil)
		if err := q.Redrive(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 3)
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}

		m := f.open(t, "", nil)
		if err := m.Redrive(t.Context()); !errors.Is(err, ErrNoSpool) {
			t.Errorf("Redrive() without a spool = %v", err)
		}
	})
}

func TestTheStoreMayAskForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		var attempts []time.Time
		f.fail = func(Batch) error {
			if attempts = append(attempts, time.Now()); len(attempts) == 1 {
				return fmt.Errorf("store: %w", RetryAfter(errDown, 5*time.Minute))
			}
			return nil
		}
		p := f.open(t, "", nil)
		putNamed(t, p, 0, 3)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if pause := attempts[1].Sub(attempts[0]); len(attempts) != 2 || pause != 5*time.Minute {
			t.Errorf("%d attempts, %v between them; want 2, and 5m", len(attempts), pause)
		}
	})
	if RetryAfter(nil, time.Second) != nil || !errors.Is(RetryAfter(errDown, time.Second), errDown) {
		t.Error("RetryAfter hides the error")
	}
}

// A batch that sits out its pause does not keep new events from being sealed and delivered.
func TestASuspectDoesNotKeepNewEventsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.fail = refusing("0", errors.New("bad row"))
		p := f.open(t, "", func(c *Config) { c.BatchEvents, c.BatchAge = 1000, time.Second })
		putNamed(t, p, 0, 1)
		time.Sleep(time.Hour)
		for i := 1; i < 50; i++ {
			putNamed(t, p, i, i+1)
			start := time.Now()
			for f.counts()[fmt.Sprint(i)] == 0 {
				time.Sleep(time.Second)
			}
			if took := time.Since(start); took > 35*time.Second || i > 2 && took > 5*time.Second {
				t.Errorf("event %d took %v", i, took)
			}
		}
	})
}

func TestAnEventThatIsTooLargeIsRefused(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		p := newFiles().open(t, dir, nil)
		if err := p.Put(&event.Event{Type: event.Custom, User: strings.Repeat("x", 1<<20)}); !errors.Is(err, spool.ErrTooLarge) {
			t.Errorf("Put() = %v, want ErrTooLarge", err)
		}
		if c := p.Counts(); c.Refused != 1 || c.Accepted != 0 {
			t.Errorf("counts = %+v", c)
		}
	}
}

// An attempt without an answer may have arrived: parts of it under other ids would come a second time.
func TestABatchThatMayHaveArrivedIsNeverSplit(t *testing.T) {
	for _, lost := range []error{context.DeadlineExceeded, fmt.Errorf("read answer: %w", io.ErrUnexpectedEOF), &net.OpError{Op: "read", Err: syscall.ECONNRESET}} {
		t.Run(lost.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFiles()
				var mended atomic.Bool
				answer := func(ctx context.Context, b Batch) error {
					err := f.export(ctx, b) // it arrives all the same
					if b.Events[0].Name == "0" && !mended.Load() {
						return lost
					}
					return err
				}
				p := f.open(t, t.TempDir(), func(c *Config) { c.Exporters = []Exporter{{"files", answer}} })
				for i := range 100 {
					putNamed(t, p, i*3, i*3+3)
					time.Sleep(time.Minute)
				}
				mended.Store(true)
				if err := p.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				wantEachOnce(t, f.counts(), 300)
			})
		})
	}
}

// A store that asks for a pause has no quarrel with the batch: to split it would only be more work for it.
func TestAPauseIsNoReasonToSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.fail = refusing("0", RetryAfter(errDown, time.Second))
		p := f.open(t, t.TempDir(), nil)
		for i := range 100 {
			putNamed(t, p, i*3, i*3+3)
			time.Sleep(time.Minute)
		}
		f.mu.Lock()
		f.fail = nil
		f.mu.Unlock()
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 300)
		if len(f.byBatch) != 100 || p.Counts().Dead != 0 {
			t.Errorf("%d batches and %d dead letters, want 100 and none", len(f.byBatch), p.Counts().Dead)
		}
	})
}

// A batch that may have arrived and is refused for good is not split either: it goes to the dead letters as it is, stays
// whole when it comes from there, and arrives under its own id.
func TestARefusedBatchThatMayHaveArrivedStaysWhole(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		partial := Permanent(MayHaveArrived(errDown))
		answer := func(ctx context.Context, b Batch) error {
			if err := f.export(ctx, b); err != nil || b.Events[0].Name != "0" {
				return err
			}
			return partial // it is there all the same
		}
		p := f.open(t, dir, func(c *Config) { c.Exporters = []Exporter{{"files", answer}} })
		putNamed(t, p, 0, 6)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := deadNames(t, p); !slices.Equal(got, []string{"0", "1", "2"}) {
			t.Errorf("dead letters: %v, want the batch", got)
		}
		partial = Permanent(errDown) // says nothing of the first attempt
		if err := p.Redrive(t.Context()); err == nil {
			t.Error("Redrive() = nil")
		}
		wantEachOnce(t, f.counts(), 6)
		partial = nil
		if err := p.Redrive(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 6)
	})
	if MayHaveArrived(nil) != nil || !errors.Is(MayHaveArrived(errDown), errDown) {
		t.Error("MayHaveArrived hides the error")
	}
}
