package pipeline

import (
	"sync"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

// item is an event on its way in.
type item struct {
	event  event.Event  // a copy: a pointer would send every caller's event to the heap
	record spool.Record // with a spool only
	size   int          // in memory
	err    error
	alone  [1]*item // itself, for who comes alone
}

var items = sync.Pool{New: func() any { return new(item) }}

// Put accepts an event, or says why not: ErrFull, ErrShutdown, spool.ErrTooLarge. It does not keep the pointer. With a
// spool the event has reached the operating system when Put returns nil, unless the disk fails: then it waits in memory.
func (p *Pipeline) Put(e *event.Event) error {
	it := items.Get().(*item)
	it.event, it.size = *e, e.Size()
	switch {
	case it.size > spool.MaxRecord:
		it.err = spool.ErrTooLarge
	case p.spool != nil:
		// Here and not under the lock: the processor's work of one request does not keep the others waiting.
		it.err = it.record.Encode(&it.event)
	}
	if it.err == nil {
		p.put(it)
	} else {
		p.mu.Lock()
		p.counts.Refused++
		p.mu.Unlock()
	}
	err := it.err
	it.event, it.err = event.Event{}, nil // lets the strings go
	items.Put(it)
	return err
}

// groups bring callers together that come while another one writes: the first of them writes for all.
type groups struct {
	mu   sync.Mutex
	next *group
}

type group struct {
	items []*item
	done  chan struct{}
}

func (p *Pipeline) put(it *item) {
	if p.spool == nil {
		p.intake.Lock()
	} else if !p.intake.TryLock() {
		p.putTogether(it)
		return
	}
	defer p.intake.Unlock()
	it.alone[0] = it
	p.accept(it.alone[:])
}

func (p *Pipeline) putTogether(it *item) {
	p.groups.mu.Lock()
	g := p.groups.next
	first := g == nil
	if first {
		g = &group{done: make(chan struct{})}
		p.groups.next = g
	}
	g.items = append(g.items, it)
	p.groups.mu.Unlock()
	if !first {
		<-g.done
		return
	}
	p.intake.Lock()
	p.groups.mu.Lock()
	p.groups.next = nil // nobody joins any more
	p.groups.mu.Unlock()
	p.accept(g.items)
	p.intake.Unlock()
	close(g.done)
}
