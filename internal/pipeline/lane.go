package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loguro/loguro/event"
)

// lane brings batches to one exporter. Its goroutine owns the exporter; what others touch is covered by the
// pipeline's mu.
type lane struct {
	p      *Pipeline
	export func(context.Context, Batch) error
	queue  []*task // in order; mu
	counts LaneCounts
	wake   chan struct{} // there is something new to look at
	urgent chan struct{} // somebody waits: try now

	breaker breaker
	split   map[*batch]*parts
	logged  time.Time // a failure
	buried  time.Time // a dead letter
}

func newLane(p *Pipeline, x Exporter) *lane {
	return &lane{
		p: p, export: x.Export, counts: LaneCounts{Name: x.Name}, split: map[*batch]*parts{},
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
	}
}

// run ends when the pipeline is closed and the queue is empty, or when Shutdown gives up.
func (l *lane) run(ended func()) {
	over := false
	defer func() {
		if over {
			ended()
			return
		}
		// The exporter called runtime.Goexit, as a failed assertion of a test does.
		l.panicked()
		go func() {
			l.sleep(time.Second)
			l.run(ended)
		}()
	}()
	for l.p.ctx.Err() == nil {
		t, wait := l.next()
		if t != nil {
			l.deliver(t)
			l.p.lookForDead()
			continue
		}
		if wait < 0 {
			break
		}
		l.sleep(wait)
	}
	over = true
}

// next returns the task to try now; without one, how long to wait for the next (0: for news), or -1 if none will come.
func (l *lane) next() (*task, time.Duration) {
	p := l.p
	if p.overdue(l) {
		p.intake.Lock()
		p.sealOld()
		p.intake.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if len(l.queue) == 0 && p.closed {
		return nil, -1
	}
	if wait := l.breaker.openUntil.Sub(now); wait > 0 && len(l.queue) > 0 {
		return nil, wait
	}
	t, wait := l.ready(now)
	if old := p.openFor(now); t == nil && old != 0 && (wait == 0 || old < wait) {
		wait = max(old, time.Nanosecond)
	}
	return t, wait
}

// ready returns the first task that is not set aside, one that failed often only if there is no other; without one, how
// long until one is not, 0 if there is none. It needs mu.
func (l *lane) ready(now time.Time) (suspect *task, first time.Duration) {
	for _, t := range l.queue {
		wait := t.notBefore.Sub(now)
		switch {
		case wait <= 0 && !t.suspect():
			return t, 0
		case wait <= 0 && suspect == nil:
			suspect = t
		case wait > 0 && (first == 0 || wait < first):
			first = wait
		}
	}
	if suspect != nil {
		return suspect, 0
	}
	return nil, first
}

// sleep waits for news, and at most for d if that is not 0. News of further batches do not end a wait that is due to
// failures, but what somebody waits for does.
func (l *lane) sleep(d time.Duration) {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
	case <-l.wake:
	case <-l.urgent:
		l.p.mu.Lock()
		defer l.p.mu.Unlock()
		l.breaker.openUntil = time.Time{}
		for _, t := range l.queue { // all of them, in order
			t.notBefore, t.pardoned = time.Time{}, true
		}
	case <-l.p.ctx.Done():
	}
}

// deliver tries a task once.
func (l *lane) deliver(t *task) {
	b := t.batch
	all, numbers, err := l.p.take(b)
	if err == errGone {
		l.p.lose(b, b.events)
		l.finish(t)
		return
	}
	if err != nil {
		l.failed(t, nil, err)
		return
	}
	defer l.p.release(b)
	// Should the power go after the export, the segment that comes again must not be shorter than what was exported.
	if segment := l.p.segmentOf(b); segment != nil {
		if err := segment.Sync(); err != nil {
			l.p.unsynced(b)
		}
	}
	events := t.events(all, numbers)
	if len(events) == 0 {
		l.finish(t)
		return
	}
	switch err := l.attempt(Batch{ID: t.id(), Events: events}); {
	case err == nil:
		l.succeeded(t, len(events))
	case IsPermanent(err):
		l.p.mu.Lock()
		l.breaker.close() // the store answers
		l.counts.Failures = 0
		l.p.mu.Unlock()
		t.unsure = t.unsure || unsure(err)
		l.refused(t, events, err)
	default:
		l.failed(t, events, err)
	}
}

// attempt exports once. What the exporter panics with is an error like any other: it may be gone the next time.
func (l *lane) attempt(batch Batch) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l.panicked()
			err = fmt.Errorf("exporter panicked: %v", cause)
		}
	}()
	ctx, cancel := context.WithTimeout(l.p.ctx, l.p.config.ExportTimeout)
	defer cancel()
	return l.export(ctx, batch)
}

func (l *lane) panicked() {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.counts.Panics++
}

func (l *lane) succeeded(t *task, events int) {
	p := l.p
	p.mu.Lock()
	failures := l.counts.Failures
	l.counts.Delivered += uint64(events)
	l.counts.Failures, l.counts.LastError = 0, nil
	l.breaker.successes++
	l.breaker.close()
	if failures > 0 {
		for _, other := range l.queue { // it was not them: they go on in order
			if other.failures > 0 && other.passed == 0 {
				other.notBefore = time.Time{}
			}
		}
	}
	p.mu.Unlock()
	if progress := l.split[t.batch]; progress != nil {
		progress.delivered++
	}
	if failures > 0 {
		p.config.Logger.Info("loguro: export works again", "exporter", l.counts.Name, "batch", t.id(), "failures", failures)
	}
	l.finish(t)
}

// failed sets the task back for a while, or splits it if it is to blame.
func (l *lane) failed(t *task, events []event.Event, err error) {
	p := l.p
	p.mu.Lock()
	p.counts.Retries++
	l.counts.Retries++
	l.counts.Failures++
	l.counts.LastError = err
	now, pause := time.Now(), retryAfter(err)
	l.breaker.failure(now, pause)
	t.failed(l.breaker, now)
	t.unsure = t.unsure || unsure(err)
	pending := l.counts.Pending
	blame := len(events) > 0 && pause == 0 && t.toBlame(l.breaker.successes)
	p.mu.Unlock()
	if time.Since(l.logged) >= logEvery {
		l.logged = now
		p.config.Logger.Warn("loguro: export failed, will try again", "exporter", l.counts.Name, "batch", t.id(),
			"failures", t.failures, "waiting_events", pending, "error", err)
	}
	if blame {
		l.refused(t, events, err)
	}
}

// remove takes a task off the queue, and returns where it stood. It needs mu.
func (l *lane) remove(t *task) int {
	i := slices.Index(l.queue, t)
	if i == 0 { // the usual case, of perhaps a hundred thousand
		l.queue[0] = nil
		l.queue = l.queue[1:]
	} else {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
	return i
}

// finish takes a task off the queue. With the last one of its batch the lane has the batch.
func (l *lane) finish(t *task) {
	p := l.p
	p.mu.Lock()
	l.remove(t)
	l.counts.Pending -= t.size()
	last := t.whole || !slices.ContainsFunc(l.queue, func(other *task) bool { return other.batch == t.batch })
	p.mu.Unlock()
	if !last {
		l.saveRest(t.batch)
		return
	}
	delete(l.split, t.batch)
	p.mu.Lock()
	t.batch.lanes--
	over := t.batch.lanes == 0
	p.mu.Unlock()
	if !over || t.batch.owed {
		l.saveRest(t.batch)
	}
	if over {
		p.finish(t.batch)
	}
}
