package pipeline

import (
	"errors"
	"time"

	"github.com/loguro/loguro/event"
)

// Batch is a sealed, ordered list of events with an id. The ID is a UUID (RFC 9562) and stays the same through every
// repetition: version 7 for a batch as it was accepted, version 5 for a part of one that was split.
type Batch struct {
	ID     string
	Events []event.Event
}

var (
	// ErrFull means that the bound on waiting events is reached.
	ErrFull = errors.New("loguro: the spool is full, because the exporter does not keep up; the newest event is refused")
	// ErrShutdown means that the pipeline takes no more events.
	ErrShutdown = errors.New("loguro: the tracker is shut down")
)

// Permanent marks err as one that no retry can mend.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// IsPermanent is true for what Permanent marked.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}

// MayHaveArrived marks err as one after which the batch, or a part of it, may be in the store all the same.
func MayHaveArrived(err error) error {
	if err == nil {
		return nil
	}
	return &unsureError{err}
}

type unsureError struct{ err error }

func (e *unsureError) Error() string { return e.err.Error() }
func (e *unsureError) Unwrap() error { return e.err }

// RetryAfter marks err as one after which the store wants to be left alone for a while.
func RetryAfter(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryError{err, wait}
}

type retryError struct {
	err  error
	wait time.Duration
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// retryAfter is how long the store wants to be left alone; 0 if it does not say.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*retryError](err); ok {
		return e.wait
	}
	return 0
}
