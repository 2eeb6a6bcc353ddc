// Package pipeline takes events from requests and brings them to an exporter in batches. Taking an event is an append
// under a mutex, and never waits for the exporter; one goroutine owns the exporter, and tries a batch until it is
// durable. What waits is bounded by the memory it takes.
package pipeline

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

// Config is checked by the caller; every field is set.
type Config struct {
	Export        func(context.Context, Batch) error
	BatchEvents   int           // a batch is sealed at so many events,
	BatchBytes    int           // so many bytes in memory,
	BatchAge      time.Duration // or so long after its first event
	MemoryBytes   int           // all that waits, the batch under way included
	ExportTimeout time.Duration // of one attempt
	Logger        *slog.Logger
}

// Pipeline is safe for concurrent use.
type Pipeline struct {
	config Config

	mu     sync.Mutex
	open   chunks
	bytes  int       // of open
	since  time.Time // first event of open
	sealed []sealedBatch
	spare  chunks // emptied ones, to be used again
	closed bool
	counts Counts
	// sealedN and doneN count batches; the queue is first in, first out, so a batch is done when doneN reaches it.
	sealedN, doneN uint64
	changed        chan struct{} // closed and replaced when doneN grows
	lastErr        error

	wake   chan struct{} // there is something new to look at
	urgent chan struct{} // somebody waits: try now
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

// sealedBatch is a batch whose events still lie in chunks; they are put together when it is its turn.
type sealedBatch struct {
	id     string
	chunks chunks
	joined []event.Event // instead of chunks, once it was its turn
	events int
	bytes  int
}

// Counts are how often something happened since the start, and what waits now.
type Counts struct {
	Accepted, Delivered, Refused, GivenUp uint64
	Batches, Retries, Panics              uint64
	Pending                               int // events
	PendingBytes                          int
}

// New starts the goroutine; Shutdown ends it.
func New(config Config) *Pipeline {
	p := &Pipeline{
		config:  config,
		changed: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		urgent:  make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	go p.run()
	return p
}

// Put accepts an event, or says why not: ErrFull, ErrShutdown. It does not keep the pointer.
func (p *Pipeline) Put(e *event.Event) error {
	size := e.Size()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.counts.Refused++
		return ErrShutdown
	}
	if p.counts.PendingBytes+size > p.config.MemoryBytes {
		p.counts.Refused++
		return ErrFull
	}
	if len(p.open) == 0 {
		p.since = time.Now()
		signal(p.wake) // arms the timer; no ticker runs while nothing waits
	}
	p.open = p.open.add(e, &p.spare)
	p.bytes += size
	p.counts.Accepted++
	p.counts.Pending++
	p.counts.PendingBytes += size
	if p.open.len() >= p.config.BatchEvents || p.bytes >= p.config.BatchBytes {
		p.seal()
		signal(p.wake)
	}
	return nil
}

// seal closes the batch under way. It needs the lock.
func (p *Pipeline) seal() {
	if len(p.open) == 0 {
		return
	}
	id := uuid.Must(uuid.NewV7()).String()
	p.sealed = append(p.sealed, sealedBatch{id: id, chunks: p.open, events: p.open.len(), bytes: p.bytes})
	p.sealedN++
	p.open = nil
	p.bytes = 0
}

// Counts reads the counters.
func (p *Pipeline) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one signal is as good as two
	}
}
