// Package pipeline takes events from requests and brings them to exporters in batches. Taking an event is an append to
// memory and, with a spool, to a file; it never waits for an exporter or for a disk to be in sync. Each exporter has a
// lane: a goroutine that owns it and tries each batch until it is durable there. What waits is bounded, in memory and
// on disk.
//
// Two locks: intake covers the batch under way, and is held for the append to the file; mu covers the queue and the
// counters, and is never held for anything slow. Who needs both takes intake first.
package pipeline

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

// Exporter is one destination of all events.
type Exporter struct {
	Name   string // the same after a restart, and different from those of the others
	Export func(context.Context, Batch) error
}

// Config is checked by the caller; every field is set but Spool and FS.
type Config struct {
	Exporters     []Exporter
	BatchEvents   int           // a batch is sealed at so many events,
	BatchBytes    int           // so many bytes in memory,
	BatchAge      time.Duration // or so long after its first event
	MemoryBytes   int           // all that waits in memory, the batch under way included
	ExportTimeout time.Duration // of one attempt
	Spool         string        // directory; "" keeps everything in memory
	SpoolBytes    int64         // all that waits on disk, and the dead letters
	SyncInterval  time.Duration // the longest time that a record is not in sync
	FS            spool.FS      // nil: the machine's
	Logger        *slog.Logger
}

// Pipeline is safe for concurrent use.
type Pipeline struct {
	config Config
	spool  *spool.Spool // nil: memory only
	lanes  []*lane
	names  []string // of the lanes
	groups groups

	intake  sync.Mutex
	open    *batch          // the batch under way; nil: none
	retry   time.Time       // when to try the disk again; zero while it works
	failing bool            // the disk failed, and no append went well since
	records []*spool.Record // room for those that are written together

	mu           sync.Mutex
	live         list.List // of *batch: all that are not done, the one under way included, in order
	held         []*batch  // sealed, and both on disk and in memory, in order
	inMemoryOnly int       // batches that are sealed and not on disk, though there is a spool
	dirty        map[*batch]bool
	spare        chunks // emptied ones, to be used again
	memory       int    // bytes of events in memory
	closed       bool
	counts       Counts
	looked       time.Time // for what dead processes left

	dirtied chan struct{} // something is to be synced
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{} // closed when everything has ended
}

// batch is one batch on its way. What changes is covered by mu; until it is sealed also by intake.
type batch struct {
	id      uuid.UUID
	number  uint64
	since   time.Time      // its first event
	segment *spool.Segment // nil: in memory only
	sealed  bool
	place   *list.Element // nil: it is done
	events  int
	span    int           // events that there were when it was sealed; fewer are left where the disk lost some
	bytes   int           // that its events take in memory
	lanes   int           // that do not have it yet
	dead    int           // events that went to the dead letters
	done    chan struct{} // closed once every lane has it

	rest   spool.Rest // what remains of it for each lane, once one has some of it
	owed   bool       // to an exporter that is not configured: its segment stays
	unsure bool       // dead letters that may have arrived nevertheless
	parted bool       // a lane got parts of it under ids of their own
	saving sync.Mutex // of the side file

	// Its events in memory: chunks until the first lane takes it, joined from then on.
	chunks  chunks
	joined  []event.Event
	numbers []int      // of joined in the batch, where the disk lost some; nil: one after the other
	away    bool       // neither: they are read from the segment
	users   int        // lanes that use joined now
	load    sync.Mutex // held while they are fetched
}

// New opens the spool, takes over what dead processes left there, and starts the goroutines; Shutdown ends them.
func New(config Config) (*Pipeline, error) {
	p := &Pipeline{
		config:  config,
		dirty:   map[*batch]bool{},
		dirtied: make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	for _, x := range config.Exporters {
		p.lanes = append(p.lanes, newLane(p, x))
		p.names = append(p.names, x.Name)
	}
	if config.Spool != "" {
		var fsys spool.FS = spool.OS{}
		if config.FS != nil {
			fsys = config.FS
		}
		var err error
		if p.spool, err = spool.Open(config.Spool, fsys, p.names...); err != nil {
			return nil, fmt.Errorf("Spool %q: %w", config.Spool, err)
		}
		p.config.Spool = p.spool.Dir()
		p.adopt()
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, l := range p.lanes {
		running.Add(1)
		go l.run(running.Done)
	}
	stop := make(chan struct{})
	syncing := make(chan struct{})
	go func() {
		defer close(syncing)
		if p.spool != nil {
			p.syncLoop(stop)
		}
	}()
	go func() {
		running.Wait()
		close(stop)
		<-syncing
		p.leave()
		p.cancel()
		close(p.done)
	}()
	return p, nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one signal is as good as two
	}
}
