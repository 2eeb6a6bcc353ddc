package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

const (
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

// task is a batch, or a part of one, that the exporter does not have yet.
type task struct {
	batch     *batch
	part      spool.Range
	whole     bool
	heir      bool      // of a task that failed: since is that one's
	unsure    bool      // an attempt may have arrived though it failed
	pardoned  bool      // somebody waits for it: no suspect until it fails again
	failures  int       // attempts that failed
	since     uint64    // the lane's successes at the first of them,
	seen      uint64    // and at the last
	passed    int       // failures with a success of another task since the one before
	notBefore time.Time // it is set aside until then
}

// id is the batch's own, or one that follows from it and the part, so that each repetition gives the same.
func (t *task) id() string {
	if t.whole {
		return t.batch.id.String()
	}
	return uuid.NewSHA1(t.batch.id, fmt.Appendf(nil, "%d-%d", t.part[0], t.part[1])).String()
}

// events are the task's of the batch's. Numbers are theirs in the batch where the disk lost some, else nil.
func (t *task) events(of []event.Event, numbers []int) []event.Event {
	if t.whole {
		return of
	}
	from, to := t.part[0], t.part[1]
	if numbers != nil {
		from, _ = slices.BinarySearch(numbers, from)
		to, _ = slices.BinarySearch(numbers, to)
	}
	return of[min(from, len(of)):min(to, len(of))]
}

func (t *task) size() int { return t.part[1] - t.part[0] }

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

// unsure is true for errors after which the batch may have arrived: the exporter says so, or they are no answer of the
// store.
func unsure(err error) bool {
	if _, ok := errors.AsType[*unsureError](err); ok {
		return true
	}
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
