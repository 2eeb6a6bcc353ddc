package loguro

import (
	"errors"
	"time"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/pipeline"
	"github.com/loguro/loguro/internal/spool"
	"github.com/loguro/loguro/middleware"
)

var (
	// ErrEmptyUserID means that Identify got no user id. Nothing changed.
	ErrEmptyUserID = middleware.ErrEmptyUserID
	// ErrHeadersSent means that the response's headers are gone, so that cookies cannot change any more.
	// Call Reset, and Identify with PersistUser, before the first write.
	ErrHeadersSent = middleware.ErrHeadersSent
	// ErrNoVisit means that the context carries neither a visit nor an identity.
	ErrNoVisit = errors.New("loguro: context carries no visit; is the handler wrapped by Tracker.Handler? Outside a request use WithIdentity")
	// ErrEmptyName means that the name of an event is empty or white space. Nothing was recorded.
	ErrEmptyName = event.ErrEmptyName
	// ErrPropsTooLarge means that props are over 4096 bytes of JSON. The event was not recorded.
	ErrPropsTooLarge = event.ErrPropsTooLarge
	// ErrSpoolFull means that as many events wait for delivery as Config allows. The event was not recorded.
	ErrSpoolFull = pipeline.ErrFull
	// ErrEventTooLarge means that an event takes over 1 MiB, which only a user id of WithIdentity can bring about. The
	// event was not recorded.
	ErrEventTooLarge = spool.ErrTooLarge
	// ErrShutdown means that the Tracker was shut down before. The event was not recorded.
	ErrShutdown = pipeline.ErrShutdown
)

// Permanent marks an Exporter's error as one that no retry can mend. The batch is split until the events that cause it
// are found, and the others are delivered. With Config.Spool the culprits go to its folder dead, as JSON lines with the
// reason, and [Tracker.Redrive] offers them again; without, they are given up. Permanent(nil) is nil.
func Permanent(err error) error { return pipeline.Permanent(err) }

// MayHaveArrived marks an Exporter's error as one after which the batch, or a part of it, may be in the store all the
// same: an answer that got lost, or that came from something in between. Such a batch is only ever tried as it is, under
// its own id, and never in parts; if it is [Permanent] too, it becomes dead letters as a whole. Errors that wrap
// context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF or a timeout, and errors of reading from and
// writing to a connection, count as such by themselves. MayHaveArrived(nil) is nil.
func MayHaveArrived(err error) error { return pipeline.MayHaveArrived(err) }

// RetryAfter marks an Exporter's error as one after which the store wants to be left alone for a while, such as HTTP's
// 429 and 503 with Retry-After (RFC 9110, section 10.2.3). The next attempt comes no earlier, unless Flush or Shutdown
// wait for one; over an hour counts as an hour. RetryAfter(nil, wait) is nil.
func RetryAfter(err error, wait time.Duration) error { return pipeline.RetryAfter(err, wait) }
