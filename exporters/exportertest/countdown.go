package exportertest

import (
	"context"
	"sync/atomic"
)

// countdown is a context that ends by itself when it has been asked n times whether it has: it puts the end at every
// place where an exporter looks, without a clock.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func newCountdown(parent context.Context, n int) *countdown {
	ctx, cancel := context.WithCancel(parent)
	c := &countdown{Context: ctx, cancel: cancel}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) Err() error {
	c.tick()
	return c.Context.Err()
}

func (c *countdown) Done() <-chan struct{} {
	c.tick()
	return c.Context.Done()
}

func (c *countdown) tick() {
	if c.left.Add(-1) < 0 {
		c.cancel()
	}
}
