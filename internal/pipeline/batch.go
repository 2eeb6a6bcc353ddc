package pipeline

import (
	"errors"

	"github.com/loguro/loguro/event"
)

// Batch is a sealed, ordered list of events. Its ID is a version 7 UUID (RFC 9562) and stays the same through every
// repetition.
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

func isPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}
