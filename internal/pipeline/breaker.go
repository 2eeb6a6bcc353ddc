package pipeline

import (
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 30 * time.Second
	maxHint      = time.Hour // the longest time that an exporter may ask for
	logEvery     = time.Minute
)

// breaker keeps a lane away from a store that fails: after each failure in a row longer, up to half a minute. What is
// tried then is a single batch; when it works, the breaker is closed, and everything goes on.
type breaker struct {
	failures  int // in a row
	successes uint64
	openUntil time.Time
}

// backoff is exponential with full jitter, so that many processes do not come back to a store at once.
func backoff(failures int) time.Duration {
	return time.Millisecond + rand.N(min(maxBackoff, firstBackoff<<min(failures-1, 16)))
}

// failure opens the breaker, for the time that the store asked for if that is longer. It needs mu.
func (b *breaker) failure(now time.Time, hint time.Duration) {
	b.failures++
	b.openUntil = now.Add(max(backoff(b.failures), min(hint, maxHint)))
}

// close lets the lane go on at once. It needs mu.
func (b *breaker) close() { b.failures, b.openUntil = 0, time.Time{} }
