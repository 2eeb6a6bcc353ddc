package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// grace is how long Shutdown waits, once its context is over, for an exporter to notice that its own is.
const grace = 250 * time.Millisecond

// Flush seals the batch under way and waits until everything accepted before the call is delivered, or until ctx ends;
// then the error says how many events still wait. They stay, and go on being tried.
func (p *Pipeline) Flush(ctx context.Context) error {
	p.intake.Lock()
	p.seal()
	p.intake.Unlock()
	return p.wait(ctx, "flush", p.waiting())
}

// waiting are the batches that are not done.
func (p *Pipeline) waiting() (batches []*batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for place := p.live.Front(); place != nil; place = place.Next() {
		if b := place.Value.(*batch); b.sealed {
			batches = append(batches, b)
		}
	}
	return batches
}

func (p *Pipeline) wait(ctx context.Context, call string, batches []*batch) error {
	p.hurry()
	for _, b := range batches {
		select {
		case <-b.done:
			continue
		default:
		}
		select {
		case <-b.done:
		case <-p.done: // Shutdown gave up, or ended just now
			return p.undelivered(call, true, nil)
		case <-ctx.Done():
			return p.undelivered(call, false, ctx.Err())
		}
	}
	return nil
}

// Shutdown takes no more events, delivers what waits, and ends the goroutines. When ctx ends before, it gives up, and the
// error says how many events are not delivered and what becomes of them. A second call waits for the first and returns
// the same.
func (p *Pipeline) Shutdown(ctx context.Context) error {
	p.intake.Lock()
	p.seal()
	p.mu.Lock()
	p.closed = true // after seal: a lane that sees an empty queue and this ends
	p.mu.Unlock()
	p.intake.Unlock()
	p.wakeLanes()
	p.hurry()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.cancel()
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-p.done:
		case <-t.C:
		}
	}
	return p.undelivered("shutdown", true, ctx.Err())
}

func (p *Pipeline) hurry() {
	for _, l := range p.lanes {
		signal(l.urgent)
	}
}

// undelivered says how many events wait, what becomes of them and why; nil if none does. Over is true if this process
// will not try again.
func (p *Pipeline) undelivered(call string, over bool, cause error) error {
	p.mu.Lock()
	onDisk, inMemory := 0, 0
	for place := p.live.Front(); place != nil; place = place.Next() {
		if b := place.Value.(*batch); b.segment != nil {
			onDisk += b.events
		} else {
			inMemory += b.events
		}
	}
	causes := []error{cause}
	for _, l := range p.lanes {
		switch err := l.counts.LastError; {
		case err == nil:
		case len(p.lanes) == 1:
			causes = append(causes, err)
		default:
			causes = append(causes, fmt.Errorf("%s: %w", l.counts.Name, err))
		}
	}
	p.mu.Unlock()
	var errs []error
	if n := onDisk + inMemory; n > 0 && !over {
		errs = append(errs, fmt.Errorf("%s not delivered yet", number(n)))
	} else {
		if onDisk > 0 {
			errs = append(errs, fmt.Errorf("%s not delivered; %s in the spool %s for the next process that uses it", number(onDisk), stay(onDisk), p.config.Spool))
		}
		if inMemory > 0 {
			errs = append(errs, fmt.Errorf("%s lost, having waited in memory", number(inMemory)))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	fate := errs[0]
	if len(errs) == 2 {
		fate = fmt.Errorf("%w; %w", errs[0], errs[1])
	}
	if why := errors.Join(causes...); why != nil {
		return fmt.Errorf("loguro: %s: %w: %w", call, fate, why)
	}
	return fmt.Errorf("loguro: %s: %w", call, fate)
}

func stay(events int) string {
	if events == 1 {
		return "it stays"
	}
	return "they stay"
}

func number(events int) string {
	if events == 1 {
		return "1 event is"
	}
	return fmt.Sprintf("%d events are", events)
}
