package pipeline

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 30 * time.Second
	maxHint      = time.Hour // the longest time that an exporter may ask for
	logEvery     = time.Minute

	// suspectAfter is how many failures make it worth while to try another batch: some six seconds. If that one works,
	// the store is well, and the first is to blame; if not, it is the store.
	suspectAfter = 8
	// outageAfter is how many suspects, with no success since the first failure of each, mean that it is the store.
	outageAfter = 4
	// blameAlone is how many failures split a batch when there was no other to compare it with: some two minutes.
	blameAlone = 14
	// blamePart is how many failures split a part while other parts work.
	blamePart = 2
	// buryAfter is how many failures a single event is good for, each with successes of others in between.
	buryAfter = 10
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

// failed notes a failure. A task that failed often, or in a time when everything does, is set aside, so that another is
// tried before it. It needs mu.
func (t *task) failed(b breaker, now time.Time) {
	t.failures++
	t.pardoned = false
	switch {
	case t.failures == 1 && !t.heir:
		t.since = b.successes
	case t.failures > 1 && b.successes > t.seen:
		t.passed++
	}
	t.seen = b.successes
	if t.failures >= suspectAfter || b.failures >= suspectAfter || t.passed > 0 {
		t.notBefore = now.Add(backoff(t.failures))
	}
}

// suspect is true for a task that failed so often that others are tried before it.
func (t *task) suspect() bool { return t.failures >= suspectAfter && !t.pardoned }

// toBlame is true if the failures are the task's own fault, as far as can be told: it is split then, and a single event
// goes to the dead letters. Splitting does no harm where the store is to blame; burying needs better reasons.
//
// An attempt that ended without an answer may have arrived. Parts of it under other ids would then come a second time,
// so such a task is only ever tried as it is.
func (t *task) toBlame(successes uint64) bool {
	if t.unsure {
		return false
	}
	othersWork := successes > t.since
	switch {
	case t.size() == 1:
		return t.passed >= buryAfter
	case !t.whole:
		return othersWork && t.failures >= blamePart
	}
	return othersWork && t.failures > suspectAfter || t.failures >= blameAlone
}

// unsure is true for errors that are no answer of the store.
func unsure(err error) bool {
	// An operation on a connection that is open; to dial is to try and know.
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op != "dial" {
		return true
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return true
	}
	for _, e := range []error{
		context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
