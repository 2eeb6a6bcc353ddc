package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/event"
)

// store is an exporter that fails on demand.
type store struct {
	mu      sync.Mutex
	batches []Batch
	calls   []string
	fail    func(ctx context.Context, call int) error
	refuse  func(Batch) error
}

func (s *store) export(ctx context.Context, b Batch) error {
	s.mu.Lock()
	s.calls = append(s.calls, b.ID)
	n := len(s.calls)
	s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(ctx, n); err != nil {
			return err
		}
	}
	if s.refuse != nil {
		if err := s.refuse(b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.Events = slices.Clone(b.Events)
	s.batches = append(s.batches, b)
	return nil
}

func (s *store) names() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		for _, e := range b.Events {
			names = append(names, e.Name)
		}
	}
	return names
}

func (s *store) open(t *testing.T, mutate func(*Config)) *Pipeline {
	t.Helper()
	c := Config{Exporters: []Exporter{{"store", s.export}}, BatchEvents: 3, BatchBytes: 1 << 20, BatchAge: 10 * time.Second, MemoryBytes: 1 << 20,
		ExportTimeout: time.Second, SyncInterval: time.Second, Logger: slog.New(slog.DiscardHandler)}
	if mutate != nil {
		mutate(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Shutdown(ctx)
	})
	return p
}

func put(t *testing.T, p *Pipeline, n int) {
	t.Helper()
	for i := range n {
		if err := p.Put(&event.Event{Name: strconv.Itoa(i)}); err != nil {
			t.Fatalf("Put(%d) = %v", i, err)
		}
	}
}

var errDown = errors.New("the store is down")

func TestABatchIsSealedByCountBytesOrAge(t *testing.T) {
	for _, tt := range []struct {
		why    string
		mutate func(*Config)
		events int
		wait   time.Duration
		sizes  []int
	}{
		{"by count", nil, 7, time.Second, []int{3, 3}},
		{"by age", nil, 7, 10 * time.Second, []int{3, 3, 1}},
		{"by bytes", func(c *Config) { c.BatchBytes = 2 * (&event.Event{}).Size() }, 4, time.Second, []int{2, 2}},
		{"not before", nil, 2, 10*time.Second - 1, nil},
	} {
		t.Run(tt.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(store)
				p := s.open(t, tt.mutate)
				put(t, p, tt.events)
				time.Sleep(tt.wait)
				synctest.Wait()
				if len(s.batches) != len(tt.sizes) {
					t.Fatalf("%d batches, want %v", len(s.batches), tt.sizes)
				}
				for i, b := range s.batches {
					if len(b.Events) != tt.sizes[i] || b.ID == "" || i > 0 && b.ID <= s.batches[i-1].ID {
						t.Errorf("batch %d: id %s with %d events, want %d, and ids that ascend", i, b.ID, len(b.Events), tt.sizes[i])
					}
				}
			})
		})
	}
}

func TestAFailingBatchComesAgainWithItsIDAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: func(_ context.Context, call int) error {
			switch {
			case call == 2:
				panic("exporter bug")
			case call <= 7:
				return errDown
			}
			return nil
		}}
		p := s.open(t, nil)
		put(t, p, 9)
		time.Sleep(10 * time.Minute)
		if got := strings.Join(s.names(), ""); got != "012345678" {
			t.Errorf("events arrived as %s, want each once, in order", got)
		}
		for _, id := range s.calls[:8] {
			if id != s.batches[0].ID {
				t.Errorf("a retry came with the id %s, want %s", id, s.batches[0].ID)
			}
		}
		c := p.Counts()
		if c.Retries != 7 || c.Panics != 1 || c.Delivered != 9 || c.Pending != 0 || c.PendingBytes != 0 || c.Batches != 3 {
			t.Errorf("counts = %+v", c)
		}
	})
}

func TestRetriesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: func(context.Context, int) error { return errDown }}
		p := s.open(t, nil)
		put(t, p, 3)
		time.Sleep(time.Hour)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := len(s.calls); n < 60 || n > 1000 { // an hour of 15 s in the mean is 240
			t.Errorf("%d attempts in an hour of outage, want some 240", n)
		}
	})
}

func TestAnAttemptIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: func(ctx context.Context, call int) error {
			if call > 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		p := s.open(t, nil)
		put(t, p, 3)
		time.Sleep(2 * time.Second)
		if c := p.Counts(); c.Delivered != 3 || c.Retries != 1 {
			t.Errorf("counts = %+v, want delivery after one attempt that timed out", c)
		}
	})
}

func TestAPermanentErrorCostsOnlyTheEventsThatCauseIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(store)
		s.refuse = func(b Batch) error {
			if slices.ContainsFunc(b.Events, func(e event.Event) bool { return e.Name == "1" }) {
				return Permanent(errDown)
			}
			return nil
		}
		p := s.open(t, nil)
		put(t, p, 6)
		if err := p.Flush(t.Context()); err != nil {
			t.Errorf("Flush() = %v", err)
		}
		if got := sorted(s.names()); got != "02345" || p.Counts().Dead != 1 || p.Counts().Delivered != 5 || p.Counts().Pending != 0 {
			t.Errorf("events %s, counts %+v; want all but the bad one", got, p.Counts())
		}
	})
	if Permanent(nil) != nil || !errors.Is(Permanent(errDown), errDown) {
		t.Error("Permanent hides the error")
	}
}

func sorted(names []string) string {
	slices.Sort(names)
	return strings.Join(names, "")
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := &store{fail: func(context.Context, int) error {
			if down {
				return errDown
			}
			return nil
		}}
		size := (&event.Event{Name: "0"}).Size()
		p := s.open(t, func(c *Config) { c.MemoryBytes = 10 * size })
		put(t, p, 10)
		for range 5 {
			if err := p.Put(&event.Event{Name: "x"}); !errors.Is(err, ErrFull) {
				t.Errorf("Put() = %v, want ErrFull", err)
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		down = false
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(s.names(), ""); got != "0123456789" || p.Counts().Refused != 5 {
			t.Errorf("events %s, refused %d; want all that were accepted, once", got, p.Counts().Refused)
		}
		put(t, p, 3) // there is room again
	})
}

func TestFlushDeliversWhatWasAcceptedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: func(_ context.Context, call int) error {
			if call == 1 {
				return errDown
			}
			return nil
		}}
		p := s.open(t, nil)
		if err := p.Flush(t.Context()); err != nil {
			t.Errorf("Flush() of nothing = %v", err)
		}
		put(t, p, 4)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := p.Flush(t.Context()); err != nil {
					t.Errorf("Flush() = %v", err)
				}
				if n := len(s.names()); n != 4 {
					t.Errorf("after Flush %d events are durable, want 4", n)
				}
			})
		}
		wg.Wait()
	})
}

func TestFlushIsBoundedAndSaysWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: func(context.Context, int) error { return errDown }}
		p := s.open(t, nil)
		put(t, p, 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := p.Flush(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errDown) || !strings.Contains(err.Error(), "4 events are not delivered yet") {
			t.Errorf("Flush() = %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("Flush took %v of 1s", took)
		}
	})
}

func TestShutdownDeliversEverythingAndEndsTheGoroutines(t *testing.T) {
	for why, dir := range map[string]string{"in memory": "", "on disk": t.TempDir()} {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(store)
				p := s.open(t, func(c *Config) { c.Spool, c.SpoolBytes = dir, 1<<20 })
				put(t, p, 4)
				for range 3 {
					if err := p.Shutdown(t.Context()); err != nil {
						t.Errorf("Shutdown() = %v", err)
					}
				}
				if n := len(s.names()); n != 4 {
					t.Errorf("%d events, want 4", n)
				}
				if err := p.Put(&event.Event{}); !errors.Is(err, ErrShutdown) {
					t.Errorf("Put() after Shutdown = %v", err)
				}
				if err := p.Flush(t.Context()); err != nil {
					t.Errorf("Flush() after Shutdown = %v", err)
				}
				select {
				case <-p.done: // closed by the last of them; one that stayed would keep the bubble from ending
				default:
					t.Error("after Shutdown the goroutines have not ended")
				}
			})
		})
	}
}

func TestShutdownIsBoundedAndSaysWhatIsLost(t *testing.T) {
	for why, fail := range map[string]func(context.Context, int) error{
		"the store is down": func(context.Context, int) error { return errDown },
		"the store hangs":   func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{fail: fail}
				p := s.open(t, func(c *Config) { c.ExportTimeout = time.Hour })
				put(t, p, 5)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				err := p.Shutdown(ctx)
				if err == nil || !strings.Contains(err.Error(), "5 events are lost") {
					t.Errorf("Shutdown() = %v, want how many events are lost", err)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("Shutdown took %v of 1s", took)
				}
				if again := p.Shutdown(t.Context()); again == nil || !strings.Contains(again.Error(), "5 events are lost") {
					t.Errorf("second Shutdown() = %v", again)
				}
				if err := p.Flush(t.Context()); err == nil {
					t.Error("Flush() after a lossy Shutdown = nil")
				}
			})
		})
	}
}

func TestAnExporterThatIgnoresItsContextDelaysShutdownBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &store{fail: func(context.Context, int) error { <-release; return nil }}
		p := s.open(t, nil)
		put(t, p, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := p.Shutdown(ctx); err == nil {
			t.Error("Shutdown() = nil though the exporter did not answer")
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Shutdown took %v of 1s", took)
		}
		close(release)
	})
}

func TestPutFlushAndShutdownConcurrentSafe(t *testing.T) {
	s := new(store)
	p := s.open(t, func(c *Config) { c.MemoryBytes = 1 << 30 })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				p.Put(&event.Event{Name: "x"})
			}
			p.Flush(t.Context())
		})
	}
	wg.Wait()
	p.Shutdown(t.Context())
	if n := len(s.names()); n != 4000 {
		t.Errorf("%d events arrived, want 4000", n)
	}
}

func TestAnExporterThatEndsItsGoroutineIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{fail: func(_ context.Context, call int) error {
			if call == 1 {
				runtime.Goexit()
			}
			return nil
		}}
		p := s.open(t, nil)
		put(t, p, 4)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown() = %v", err)
		}
		if got := strings.Join(s.names(), ""); got != "0123" || p.Counts().Panics != 1 {
			t.Errorf("events %s, counts %+v; want each once", got, p.Counts())
		}
	})
}

// Many small batches of an outage take the memory that they are counted with.
func TestSmallBatchesTakeLittleMemory(t *testing.T) {
	s := &store{fail: func(context.Context, int) error { return errDown }}
	p := s.open(t, func(c *Config) { c.BatchEvents, c.MemoryBytes = 1, 1<<30 })
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	put(t, p, 5000)
	if grown, counted := heap()-before, p.Counts().PendingBytes; grown > 3*counted {
		t.Errorf("5000 batches counted with %d KiB take %d KiB", counted>>10, grown>>10)
	}
	giveUp(p)
}
