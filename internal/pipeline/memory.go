package pipeline

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/loguro/loguro/event"
)

// makeRoom gives memory back until so many bytes fit: of batches that are on disk as well, the newest first, because
// the oldest is exported next. It needs mu.
func (p *Pipeline) makeRoom(bytes int) bool {
	for i := len(p.held) - 1; i >= 0 && p.memory+bytes > p.config.MemoryBytes; i-- {
		if b := p.held[i]; b.users == 0 {
			p.held = slices.Delete(p.held, i, i+1)
			p.giveBack(b)
		}
	}
	return p.memory+bytes <= p.config.MemoryBytes
}

// giveBack forgets the events of a batch that is on disk, or done. It needs mu.
func (p *Pipeline) giveBack(b *batch) {
	p.memory -= b.bytes
	b.chunks, b.joined, b.away = nil, nil, true
}

// shrink puts the few events of a small batch into a slice of their own: a chunk has room for many more, and an outage may
// leave many small batches. It needs mu.
func (p *Pipeline) shrink(b *batch) {
	b.joined = b.chunks.join()
	p.reuse(b.chunks.emptied())
	b.chunks = nil
}

// reuse keeps empty chunks, but no more than are worth it. It needs mu.
func (p *Pipeline) reuse(empty chunks) {
	p.spare = append(p.spare, empty[:min(len(empty), maxSpare-len(p.spare))]...)
}

// take returns the events of a sealed batch for a lane, from memory or from the segment, and their numbers in the batch
// where the disk lost some, else nil. Release follows.
func (p *Pipeline) take(b *batch) (events []event.Event, numbers []int, err error) {
	p.mu.Lock()
	b.users++ // from here on its memory is not given back
	p.mu.Unlock()
	b.load.Lock() // one lane fetches them for all
	defer b.load.Unlock()
	p.mu.Lock()
	events, numbers, parts, segment, some := b.joined, b.numbers, b.chunks, b.segment, b.events
	p.mu.Unlock()
	switch {
	case events != nil:
		return events, numbers, nil
	case len(parts) > 0:
		events = parts.join()
		empty := parts.emptied()
		p.mu.Lock()
		defer p.mu.Unlock()
		b.joined, b.chunks = events, nil
		p.reuse(empty)
		return events, nil, nil
	case segment == nil:
		return nil, nil, nil
	}
	events, numbers, err = segment.Events(some)
	if errors.Is(err, fs.ErrNotExist) {
		err = errGone
	}
	if err != nil {
		p.release(b)
		return nil, nil, err
	}
	bytes := 0
	for i := range events {
		bytes += events[i].Size()
	}
	p.mu.Lock()
	p.makeRoom(bytes)
	b.bytes, b.joined, b.numbers, b.away = bytes, events, numbers, false
	p.memory += bytes
	p.held = append(p.held, b)
	lost := b.events - len(events)
	p.mu.Unlock()
	p.lose(b, lost)
	return events, numbers, nil
}

// errGone means that somebody removed the segment.
var errGone = errors.New("the segment is gone")

// lose counts events that were accepted and cannot be read any more.
func (p *Pipeline) lose(b *batch, events int) {
	if events <= 0 {
		return
	}
	p.mu.Lock()
	b.events -= events
	p.counts.Lost += uint64(events)
	p.counts.Pending -= events
	p.mu.Unlock()
	p.config.Logger.Error("loguro: events are lost, because their spool segment was damaged or removed", "batch", b.id, "events", events)
}

// release says that a lane needs the events no longer.
func (p *Pipeline) release(b *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.users--
	p.makeRoom(0)
}
