package exportertest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
)

// faulty is a store in memory whose Export is one of the mistakes that the suite is there to find.
type faulty struct {
	Recorder
	export func(s *faulty, ctx context.Context, batch loguro.Batch) error

	mu     sync.Mutex
	stored []loguro.Event
	ids    map[string]bool
	last   string
}

func (s *faulty) Export(ctx context.Context, batch loguro.Batch) error {
	return s.export(s, ctx, batch)
}

func (s *faulty) read(*testing.T) []loguro.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(s.Events(), s.stored...)
}

// put stores events without any of the Recorder's care.
func (s *faulty) put(events ...loguro.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored = append(s.stored, events...)
}

// altered stores every event as alter leaves it, and otherwise does everything right.
func altered(alter func(e *loguro.Event)) func(*faulty, context.Context, loguro.Batch) error {
	return filtered(func(e *loguro.Event) bool { alter(e); return true })
}

// filtered stores the events that keep approves of, and otherwise does everything right.
func filtered(keep func(e *loguro.Event) bool) func(*faulty, context.Context, loguro.Batch) error {
	return func(s *faulty, ctx context.Context, batch loguro.Batch) error {
		kept := loguro.Batch{ID: batch.ID}
		for _, e := range cloneEvents(batch.Events) {
			if keep(&e) {
				kept.Events = append(kept.Events, e)
			}
		}
		return s.Recorder.Export(ctx, kept)
	}
}

func TestEveryRuleOfTheSuiteCanFail(t *testing.T) {
	mistakes := []struct {
		mistake string
		breaks  string
		export  func(s *faulty, ctx context.Context, batch loguro.Batch) error
	}{
		{"says nil and stores nothing", "a batch arrives whole",
			func(*faulty, context.Context, loguro.Batch) error { return nil }},
		{"takes a batch older than the last one for a repetition", "several batches arrive, whichever comes first",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				if first := batch.Events[0].ID.String(); first > s.last {
					s.last = first
					return s.Recorder.Export(ctx, batch)
				}
				return nil
			}},
		{"does not look at the id", "a batch exported twice gives each event once",
			func(s *faulty, _ context.Context, batch loguro.Batch) error { s.put(batch.Events...); return nil }},
		{"remembers the last id only", "a batch exported again after newer ones gives each event once",
			func(s *faulty, _ context.Context, batch loguro.Batch) error {
				if s.last != batch.ID {
					s.last = batch.ID
					s.put(batch.Events...)
				}
				return nil
			}},
		{"refuses an empty batch", "an empty batch is no error and writes nothing",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				if len(batch.Events) == 0 {
					return errors.New("nothing to write")
				}
				return s.Recorder.Export(ctx, batch)
			}},
		{"does not look at the context", "an ended context is an error and writes nothing, and the next export is whole",
			func(s *faulty, _ context.Context, batch loguro.Batch) error {
				return s.Recorder.Export(context.Background(), batch)
			}},
		{"writes half and looks at the context then", "a context that ends midway leaves all or nothing, and the next export is whole",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				half := len(batch.Events) / 2
				s.put(batch.Events[:half]...)
				if err := ctx.Err(); err != nil {
					return err
				}
				s.put(batch.Events[half:]...)
				return nil
			}},
		{"remembers the id before the batch is durable", "a context that ends midway leaves all or nothing, and the next export is whole",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				if s.last == batch.ID {
					return nil
				}
				s.last = batch.ID
				return s.Recorder.Export(ctx, batch)
			}},
		{"loses one batch of many", "batches exported at the same time all arrive, ConcurrentSafe",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				s.mu.Lock()
				lost := len(s.ids) == 7
				if s.ids == nil {
					s.ids = make(map[string]bool)
				}
				s.ids[batch.ID] = true
				s.mu.Unlock()
				if lost {
					return nil
				}
				return s.Recorder.Export(ctx, batch)
			}},
		{"sorts the caller's slice", "the caller's events are not changed",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				slices.SortFunc(batch.Events, func(a, b loguro.Event) int { return bytes.Compare(a.ID[:], b.ID[:]) })
				return s.Recorder.Export(ctx, batch)
			}},
		{"keeps the caller's slice", "the caller's events are not kept",
			func(s *faulty, _ context.Context, batch loguro.Batch) error { s.stored = batch.Events; return nil }},
		{"keeps the caller's props", "the caller's events are not kept",
			func(s *faulty, _ context.Context, batch loguro.Batch) error { s.put(batch.Events...); return nil }},
		{"cuts a batch after 10,000 events", "twenty thousand events arrive in one batch",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				batch.Events = batch.Events[:min(len(batch.Events), 10_000)]
				return s.Recorder.Export(ctx, batch)
			}},
		{"forgets the last field", "every field comes back", altered(func(e *loguro.Event) { e.Site = "" })},
		{"cannot store an empty user", "every optional field may be empty",
			altered(func(e *loguro.Event) { e.User = strings.TrimSpace(e.User + " -")[:1] })},
		{"drops events without a visitor", "a background event has a user but neither visitor nor session",
			filtered(func(e *loguro.Event) bool { return e.Visitor != uuid.Nil })},
		{"merges events of the same content", "events alike in all but their id are all kept",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				batch.Events = slices.CompactFunc(slices.Clone(batch.Events), func(a, b loguro.Event) bool { return a.Time == b.Time })
				return s.Recorder.Export(ctx, batch)
			}},
		{"stores whole seconds", "time keeps its milliseconds", altered(func(e *loguro.Event) { e.Time -= e.Time % 1000 })},
		{"writes the first day only", "a batch across midnight UTC arrives whole",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				first := batch.Events[0].Time / 86_400_000
				batch.Events = slices.DeleteFunc(slices.Clone(batch.Events), func(e loguro.Event) bool { return e.Time/86_400_000 != first })
				return s.Recorder.Export(ctx, batch)
			}},
		{"ends text at a null byte", "text in any script comes back",
			altered(func(e *loguro.Event) { e.Title, _, _ = strings.Cut(e.Title, "\x00") })},
		{"reads numbers in props as floats", "props come back, from none to 4096 bytes",
			altered(func(e *loguro.Event) {
				e.Props = bytes.ReplaceAll(e.Props, []byte("9007199254740993"), []byte("9007199254740992"))
			})},
		{"loses the batches that a Flush sealed early", "events tracked and flushed at the same time arrive once and in order, ConcurrentSafe",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				if len(batch.Events) < 64 {
					return nil
				}
				return s.Recorder.Export(ctx, batch)
			}},
		{"stores the events of a person newest first", "events tracked and flushed at the same time arrive once and in order, ConcurrentSafe",
			func(s *faulty, ctx context.Context, batch loguro.Batch) error {
				batch.Events = cloneEvents(batch.Events)
				for i := range batch.Events {
					e := &batch.Events[i]
					e.Time = -e.Time
					for j := range e.ID { // those of one millisecond as well
						e.ID[j] ^= 0xff
					}
				}
				return s.Recorder.Export(ctx, batch)
			}},
	}

	caught := map[string]bool{}
	for _, m := range mistakes {
		caught[m.breaks] = true
		t.Run(m.mistake, func(t *testing.T) {
			i := slices.IndexFunc(cases, func(c conformanceCase) bool { return c.name == m.breaks })
			if i < 0 {
				t.Fatalf("the suite has no rule %q", m.breaks)
			}
			s := &faulty{export: m.export}
			if err := cases[i].check(t, Store{Exporter: s, Read: s.read}); err == nil {
				t.Errorf("rule %q passes an exporter that %s", m.breaks, m.mistake)
			}
		})
	}
	for _, c := range cases {
		if !caught[c.name] {
			t.Errorf("no mistake shows that rule %q can fail", c.name)
		}
	}
}

func TestEventsAreVariedAndTheSameEveryTime(t *testing.T) {
	long, short := Events(5000), Events(1000)
	if err := compare(long[:1000], short); err != nil {
		t.Errorf("the first events of a longer list differ: %v", err)
	}
	ids, visitors, urls := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}, map[string]bool{}
	for i, e := range long {
		ids[e.ID], visitors[e.Visitor], urls[e.URL] = true, true, true
		if i > 0 && (e.Time < long[i-1].Time || bytes.Compare(e.ID[:], long[i-1].ID[:]) <= 0) && e.Time != long[i-1].Time {
			t.Fatalf("event %d is before event %d", i, i-1)
		}
	}
	if len(ids) != 5000 || len(visitors) < 500 || len(urls) < 500 {
		t.Errorf("5000 events have %d ids, %d visitors and %d addresses; want 5000 ids and over 500 of the others", len(ids), len(visitors), len(urls))
	}
}
