package pipeline

import (
	"time"

	"github.com/google/uuid"
)

// accept takes the items in order and sets their errors. It needs intake, as everything in this file does.
func (p *Pipeline) accept(items []*item) {
	for len(items) > 0 {
		p.tryDisk()
		if items = p.admit(items); len(items) == 0 {
			return
		}
		if p.open == nil {
			p.begin()
		}
		b := p.open
		n := min(len(items), p.config.BatchEvents-b.events)
		full := false
		if b.segment != nil {
			n, full = p.write(b, items[:n])
		}
		p.keep(b, items[:n])
		items = items[n:]
		if full || b.events >= p.config.BatchEvents || b.bytes >= p.config.BatchBytes {
			p.seal()
		}
	}
}

// admit refuses the items for which there is no room, and returns the others.
func (p *Pipeline) admit(items []*item) []*item {
	p.mu.Lock()
	defer p.mu.Unlock()
	memory, disk := 0, int64(0)
	admitted := items[:0]
	for _, it := range items {
		switch {
		case p.closed:
			it.err = ErrShutdown
		case p.spool != nil && p.spool.Bytes()+disk+int64(it.record.Size()) > p.config.SpoolBytes:
			it.err = ErrFull
		case !p.onDisk() && !p.makeRoom(memory+it.size):
			it.err = ErrFull
		default:
			memory += it.size
			disk += int64(it.record.Size())
			admitted = append(admitted, it)
			continue
		}
		p.counts.Refused++
	}
	return admitted
}

func (p *Pipeline) newBatch() *batch {
	b := &batch{id: uuid.Must(uuid.NewV7()), since: time.Now(), done: make(chan struct{})}
	if p.spool != nil {
		b.number = p.spool.Next()
	}
	return b
}

// begin opens a batch: on disk, or in memory while the disk fails.
func (p *Pipeline) begin() {
	b := p.newBatch()
	if p.onDisk() {
		segment, err := p.spool.Create(b.number, b.id)
		if err != nil {
			p.diskFailed(err)
		}
		b.segment = segment
	}
	p.enter(b)
}

func (p *Pipeline) enter(b *batch) {
	p.open = b
	p.mu.Lock()
	b.place = p.live.PushBack(b)
	p.mu.Unlock()
	p.wakeLanes() // arms their timers; none runs while nothing waits
}

// write appends to the segment. It returns how many of the items are on disk; full is true if the others need another
// batch.
func (p *Pipeline) write(b *batch, items []*item) (n int, full bool) {
	records := p.records[:0]
	for _, it := range items {
		records = append(records, &it.record)
	}
	p.records = records
	n, err := b.segment.Append(records)
	switch {
	case err != nil:
		p.diskFailed(err)
	case p.failing:
		p.failing = false
		p.config.Logger.Info("loguro: the spool can be written again", "spool", p.config.Spool)
	}
	return n, err != nil
}

// keep counts the items as accepted, and holds their events in memory. What is on disk gives way when that is full.
func (p *Pipeline) keep(b *batch, items []*item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range items {
		if b.segment != nil && !b.away && p.memory+it.size > p.config.MemoryBytes {
			p.giveBack(b)
		}
		b.events++
		b.bytes += it.size
		if !b.away {
			b.chunks = b.chunks.add(&it.event, &p.spare)
			p.memory += it.size
		}
	}
	p.counts.Accepted += uint64(len(items))
	p.counts.Pending += len(items)
	if b.segment != nil && len(items) > 0 {
		p.soil(b)
	}
}

// seal closes the batch under way and hands it to the lanes.
func (p *Pipeline) seal() {
	b := p.open
	if b == nil {
		return
	}
	p.open = nil
	if b.segment != nil {
		b.segment.Seal()
	}
	if b.events == 0 {
		p.discard(b)
		return
	}
	p.mu.Lock()
	b.sealed, b.span = true, b.events
	if b.events <= chunkEvents/2 && !b.away {
		p.shrink(b)
	}
	switch {
	case b.segment != nil && !b.away:
		p.held = append(p.held, b)
	case b.segment == nil && p.spool != nil:
		p.inMemoryOnly++
	}
	p.enqueue(b)
	p.mu.Unlock()
	p.wakeLanes()
}

// discard is for a batch that got no event, because the disk failed first.
func (p *Pipeline) discard(b *batch) {
	p.mu.Lock()
	p.live.Remove(b.place)
	b.place = nil
	p.mu.Unlock()
	if b.segment != nil {
		_ = b.segment.Remove() // an empty segment does no harm
	}
	close(b.done)
}

// onDisk is true while events go to the spool.
func (p *Pipeline) onDisk() bool { return p.spool != nil && p.retry.IsZero() }

// tryDiskEvery is how long the spool is left alone after the disk failed.
const tryDiskEvery = time.Second

// diskFailed lets events wait in memory until the disk works again.
func (p *Pipeline) diskFailed(err error) {
	if !p.failing {
		p.failing = true
		p.config.Logger.Error("loguro: the spool cannot be written; events wait in memory until it can", "spool", p.config.Spool, "error", err)
	}
	p.retry = time.Now().Add(tryDiskEvery)
	p.mu.Lock()
	p.counts.SpoolErrors++
	p.mu.Unlock()
	signal(p.dirtied) // goes on trying
}

// tryDisk goes back to the disk if it works again.
func (p *Pipeline) tryDisk() {
	if p.spool == nil || p.retry.IsZero() || time.Now().Before(p.retry) || p.isClosed() {
		return
	}
	b := p.newBatch()
	segment, err := p.spool.Create(b.number, b.id)
	if err != nil {
		p.diskFailed(err)
		return
	}
	p.retry = time.Time{}
	p.seal()
	b.segment = segment
	p.enter(b)
	signal(p.dirtied) // what waits in memory alone goes to the disk too
}

func (p *Pipeline) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}
