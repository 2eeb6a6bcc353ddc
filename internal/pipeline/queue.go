package pipeline

import (
	"slices"
	"time"

	"github.com/loguro/loguro/internal/spool"
)

// enqueue hands a sealed batch to the lanes that do not have all of it. It needs mu.
func (p *Pipeline) enqueue(b *batch) {
	for _, l := range p.lanes {
		ranges, whole := b.rest.Of(l.counts.Name, b.span)
		if len(ranges) > 0 {
			b.lanes++
		}
		for _, r := range ranges {
			t := &task{batch: b, part: r, whole: whole, unsure: b.unsure}
			l.queue = append(l.queue, t)
			l.counts.Pending += t.size()
		}
	}
}

// finish is for a batch that every lane has.
func (p *Pipeline) finish(b *batch) {
	p.mu.Lock()
	if b.place == nil {
		p.mu.Unlock()
		return
	}
	p.live.Remove(b.place)
	b.place = nil
	segment := b.segment
	delete(p.dirty, b)
	if i := slices.Index(p.held, b); i >= 0 {
		p.held = slices.Delete(p.held, i, i+1)
	}
	if !b.away {
		p.giveBack(b)
	}
	if segment == nil && p.spool != nil {
		p.inMemoryOnly--
	}
	p.counts.Pending -= b.events
	p.counts.Delivered += uint64(max(b.events-b.dead, 0))
	p.counts.Dead += uint64(b.dead)
	p.counts.Batches++
	p.mu.Unlock()
	if segment != nil && !b.owed {
		b.saving.Lock() // another lane may just be writing the side file
		err := segment.Remove()
		b.saving.Unlock()
		if err != nil {
			p.mu.Lock()
			p.counts.SpoolErrors++
			p.mu.Unlock()
			p.config.Logger.Warn("loguro: a delivered batch stays in the spool; it is delivered again after a restart, under the same id", "batch", b.id, "error", err)
		}
	}
	close(b.done)
}

// overdue is true if the batch under way is old enough to be sealed and the lane has nothing better to try. While the
// lane is busy or keeps away from a failing store the batch grows: one that waits anyway need not be small.
func (p *Pipeline) overdue(l *lane) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.openFor(now) >= 0 || len(l.queue) > 0 && l.breaker.openUntil.After(now) {
		return false
	}
	t, _ := l.ready(now)
	if t == nil || !t.suspect() {
		return t == nil
	}
	unproven := 0
	for _, t := range l.queue {
		if t.suspect() && t.since == l.breaker.successes {
			unproven++
		}
	}
	return unproven < outageAfter
}

// sealOld needs intake.
func (p *Pipeline) sealOld() {
	if p.open != nil && time.Since(p.open.since) >= p.config.BatchAge {
		p.seal()
	}
}

// openFor is how long until the batch under way is to be sealed: 0 if there is none, below 0 if that is overdue. It
// needs mu.
func (p *Pipeline) openFor(now time.Time) time.Duration {
	last := p.live.Back()
	if last == nil {
		return 0
	}
	b := last.Value.(*batch)
	if b.sealed {
		return 0
	}
	if wait := p.config.BatchAge - now.Sub(b.since); wait != 0 {
		return wait
	}
	return -1
}

func (p *Pipeline) segmentOf(b *batch) *spool.Segment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return b.segment
}

func (p *Pipeline) wakeLanes() {
	for _, l := range p.lanes {
		signal(l.wake)
	}
}
