package loguro

import (
	"context"
	"time"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/pipeline"
)

// Event is one thing that happened: a pageview or a custom event. Its JSON is documented in the README.
type Event = event.Event

// Props are the properties of a custom event or the traits of a user: anything that encoding/json can write,
// up to 4096 bytes of it.
type Props = event.Props

// Batch is a sealed, ordered list of events with an id; it is delivered whole or not at all.
type Batch = pipeline.Batch

// Exporter makes a batch durable in one store.
//
// Export returns nil only once the batch is durable: it is then never offered again. After an error, a panic or a
// crash the same batch comes again with the same id, so Export must be idempotent per Batch.ID: what arrives is each
// event once. It may come many batches later, and from another process.
//
// After an error of which the store's answer is the cause, nothing of the batch may be in the store. Wrap it with
// [Permanent] if no retry can help, and with [RetryAfter] if the store asks for a pause. A batch that is refused for
// good, or over and over while others are not, comes again in parts with ids of their own. An attempt that ended without
// an answer may have arrived: return its error wrapped, or mark it with [MayHaveArrived], and that batch is only ever
// tried as it is.
//
// Calls never overlap. The events belong to the Tracker, and other exporters may read them at the same time: do not
// change or keep them. The context ends after Config.ExportTimeout, and at the latest when Shutdown gives up; an Export
// that ignores it delays Shutdown.
type Exporter interface {
	Export(ctx context.Context, batch Batch) error
}

// BatchLimits say when a batch is sealed: at the first of the three. A zero field means no wish.
type BatchLimits struct {
	Events int           // number of events
	Bytes  int           // memory the events take, in bytes
	Age    time.Duration // time since the first event of the batch
}

// BatchLimiter is an Exporter that asks for batches of its own size, because a file and an insert have different best
// sizes. What the application sets in Config wins. An exporter that wraps another one should pass its wish on.
type BatchLimiter interface {
	Exporter
	BatchLimits() BatchLimits
}
