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
		done, changed, waiting, lastErr := p.doneN >= target, p.changed, p.counts.Pending, p.lastErr
		p.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-p.done: // Shutdown gave up, or ended just now
			if p.Counts().Pending == 0 {
				return nil
			}
			return undelivered("flush", p.Counts().Pending, "lost, because the tracker is shut down", lastErr)
		case <-ctx.Done():
			return undelivered("flush", waiting, "not delivered yet", errors.Join(ctx.Err(), lastErr))
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
	p.mu.Lock()
	lost, lastErr := p.counts.Pending, p.lastErr
	p.mu.Unlock()
	if lost == 0 {
		return nil
	}
	return undelivered("shutdown", lost, "lost, because they waited in memory", errors.Join(ctx.Err(), lastErr))
}

func (p *Pipeline) hurry() {
	signal(p.wake)
	signal(p.urgent)
}

func undelivered(call string, n int, fate string, cause error) error {
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
