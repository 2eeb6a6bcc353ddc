package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/loguro/loguro/event"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 30 * time.Second
	logEvery     = time.Minute
)

// run owns the exporter. It ends when the pipeline is closed and empty, or when Shutdown gives up.
func (p *Pipeline) run() {
	ended := false
	defer func() {
		if !ended { // the exporter called runtime.Goexit, as a failed assertion of a test does
			p.mu.Lock()
			p.counts.Panics++
			p.mu.Unlock()
			go func() {
				p.sleep(time.Second)
				p.run()
			}()
			return
		}
		p.cancel()
		close(p.done)
	}()
	for p.ctx.Err() == nil {
		sealed, wait, ok := p.next()
		if ok {
			p.deliver(sealed)
			continue
		}
		if wait < 0 {
			break
		}
		p.sleep(wait)
	}
	ended = true
}

// next returns the oldest sealed batch; without one, how long until the batch under way is old enough (0: no batch is
// under way), or -1 if nothing will come any more.
func (p *Pipeline) next() (batch sealedBatch, wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) > 0 {
		if wait = p.config.BatchAge - time.Since(p.since); wait <= 0 || p.closed {
			p.seal()
		}
	}
	switch {
	case len(p.sealed) > 0:
		return p.sealed[0], 0, true
	case p.closed:
		return batch, -1, false
	}
	return batch, wait, false
}

// sleep waits for news, and at most for d if that is not 0.
func (p *Pipeline) sleep(d time.Duration) {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
	case <-p.wake:
	case <-p.ctx.Done():
	}
}

// deliver tries a batch until it is durable, given up, or the pipeline is stopped.
func (p *Pipeline) deliver(sealed sealedBatch) {
	batch := Batch{ID: sealed.id, Events: p.take(sealed)}
	var logged time.Time
	for attempt := 0; ; attempt++ {
		err := p.attempt(batch)
		if err == nil {
			p.finish(sealed, nil)
			if attempt > 0 {
				p.config.Logger.Info("loguro: export works again", "batch", batch.ID, "attempts", attempt+1)
			}
			return
		}
		if isPermanent(err) {
			p.config.Logger.Error("loguro: batch given up", "batch", batch.ID, "events", len(batch.Events), "error", err)
			p.finish(sealed, err)
			return
		}
		if time.Since(logged) >= logEvery {
			logged = time.Now()
			p.config.Logger.Warn("loguro: export failed, will try again", "batch", batch.ID, "attempt", attempt+1,
				"waiting_events", p.Counts().Pending, slog.Any("error", err))
		}
		if !p.retry(attempt, err) {
			return
		}
	}
}

// take puts the events of a batch together for the exporter, and gives its chunks back to the requests.
func (p *Pipeline) take(sealed sealedBatch) []event.Event {
	if sealed.joined != nil {
		return sealed.joined
	}
	events := sealed.chunks.join()
	p.mu.Lock()
	defer p.mu.Unlock()
	sealed.chunks.recycle(&p.spare)
	p.sealed[0].chunks, p.sealed[0].joined = nil, events
	return events
}

// attempt exports once. What the exporter panics with is an error like any other: it may be gone the next time.
func (p *Pipeline) attempt(batch Batch) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			p.mu.Lock()
			p.counts.Panics++
			p.mu.Unlock()
			err = fmt.Errorf("exporter panicked: %v", cause)
		}
	}()
	ctx, cancel := context.WithTimeout(p.ctx, p.config.ExportTimeout)
	defer cancel()
	return p.config.Export(ctx, batch)
}

// retry waits before the next attempt: exponential backoff with full jitter, so that many processes do not come back to
// a store at once. Somebody who waits in Flush or Shutdown gets an attempt at once.
func (p *Pipeline) retry(attempt int, err error) bool {
	p.mu.Lock()
	p.counts.Retries++
	p.lastErr = err
	p.mu.Unlock()
	limit := min(maxBackoff, firstBackoff<<min(attempt, 16))
	t := time.NewTimer(time.Millisecond + rand.N(limit))
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.urgent:
	case <-p.ctx.Done():
		return false
	}
	return true
}

// finish takes the batch off the queue: delivered if err is nil, else given up.
func (p *Pipeline) finish(batch sealedBatch, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := batch.events
	p.sealed = p.sealed[1:]
	p.counts.Pending -= n
	p.counts.PendingBytes -= batch.bytes
	if p.lastErr = err; err == nil {
		p.counts.Delivered += uint64(n)
		p.counts.Batches++
	} else {
		p.counts.GivenUp += uint64(n)
	}
	p.doneN++
	close(p.changed)
	p.changed = make(chan struct{})
}
