package pipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

const (
	// maxRefusals bounds the attempts that a batch with many bad events costs: then the parts go as they are.
	maxRefusals = 1024
	// hopeless is how many refusals without a success mean that it is not single events that are bad.
	hopeless = 64
)

// parts are how those of a split batch fare in a lane.
type parts struct{ refused, delivered int }

// refused splits a task, so that one bad event does not hold back the others; a single event goes to the dead letters. So
// does, as a whole, what may have arrived before: parts of it would come a second time, under other ids.
func (l *lane) refused(t *task, events []event.Event, err error) {
	progress := l.split[t.batch]
	if progress == nil {
		progress = &parts{}
		l.split[t.batch] = progress
	}
	progress.refused++
	if t.unsure || t.size() == 1 || progress.refused >= maxRefusals || progress.refused >= hopeless && progress.delivered == 0 {
		l.bury(t, events, err)
		return
	}
	half := t.part[0] + t.size()/2
	p := l.p
	p.mu.Lock()
	at := l.remove(t)
	// Behind the other parts: the larger ones first, so that most events arrive soon.
	for at < len(l.queue) && l.queue[at].batch == t.batch {
		at++
	}
	l.queue = slices.Insert(l.queue, at, t.child(t.part[0], half), t.child(half, t.part[1]))
	t.batch.parted = true
	p.mu.Unlock()
	l.saveRest(t.batch)
}

func (t *task) child(from, to int) *task {
	return &task{batch: t.batch, part: spool.Range{from, to}, heir: t.heir || t.failures > 0, since: t.since}
}

// bury brings events to the dead letters; without a spool there is no place for them.
func (l *lane) bury(t *task, events []event.Event, cause error) {
	p := l.p
	if p.spool != nil {
		err := p.spool.Bury(spool.Dead{BatchID: t.id(), Exporter: l.counts.Name, Reason: cause.Error(), FailedAt: time.Now(),
			MayHaveArrived: t.unsure, Events: events})
		if err != nil {
			l.failed(t, nil, err)
			return
		}
	}
	p.mu.Lock()
	l.counts.Dead += uint64(len(events))
	t.batch.dead += len(events)
	p.mu.Unlock()
	if time.Since(l.buried) >= logEvery {
		l.buried = time.Now()
		p.config.Logger.Error("loguro: events refused for good", "exporter", l.counts.Name, "batch", t.id(),
			"events", len(events), "kept", p.spool != nil, "error", cause)
	}
	l.finish(t)
}

// saveRest makes durable what remains of the batch, for this lane and the others: a crash must neither offer a split
// batch as a whole again, nor a batch to a lane that has it. An error is not the end: exporters are idempotent, and only
// a crash before the batch is done, of a batch that was split, would repeat events.
func (l *lane) saveRest(b *batch) {
	p := l.p
	b.saving.Lock()
	defer b.saving.Unlock()
	p.mu.Lock()
	if b.rest == nil {
		b.rest = spool.Rest{}
		for _, other := range p.lanes { // by name: a process that knows one of them only must not take it for done
			b.rest[other.counts.Name] = []spool.Range{{0, b.span}}
		}
	}
	ranges := []spool.Range{}
	for _, t := range l.queue {
		if t.batch == b {
			ranges = append(ranges, t.part)
		}
	}
	b.rest[l.counts.Name] = ranges
	rest, parted, segment := maps.Clone(b.rest), b.parted, b.segment
	if b.place == nil {
		segment = nil // done meanwhile
	}
	p.mu.Unlock()
	if segment == nil {
		return
	}
	if err := segment.SaveRest(rest, parted); err != nil {
		p.config.Logger.Warn("loguro: a batch may be exported twice if the process dies now", "batch", b.id, "error", err)
	}
}
