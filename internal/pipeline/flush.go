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
	p.mu.Lock()
	p.seal()
	target := p.sealedN
	p.mu.Unlock()
	p.hurry()
	for {
		p.mu.Lock()
		done, changed := p.doneN >= target, p.changed
		p.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-p.done: // Shutdown gave up, or ended just now
			return p.undelivered("flush", "lost, because the tracker is shut down", nil)
		case <-ctx.Done():
			return p.undelivered("flush", "not delivered yet", ctx.Err())
		}
	}
}

// Shutdown takes no more events, delivers what waits, and ends the goroutine. When ctx ends before, it gives up, and the
// error says how many events are lost. A second call waits for the first and returns the same.
func (p *Pipeline) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.seal()
	p.mu.Unlock()
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
	return p.undelivered("shutdown", "lost, because they waited in memory", ctx.Err())
}

func (p *Pipeline) hurry() {
	signal(p.wake)
	signal(p.urgent)
}

// undelivered says how many events wait, what becomes of them and why; nil if none does.
func (p *Pipeline) undelivered(call, fate string, over error) error {
	p.mu.Lock()
	n, cause := p.counts.Pending, errors.Join(over, p.lastErr)
	p.mu.Unlock()
	if n == 0 {
		return nil
	}
	noun := "events are"
	if n == 1 {
		noun = "event is"
	}
	err := fmt.Errorf("loguro: %s: %d %s %s", call, n, noun, fate)
	if cause == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
