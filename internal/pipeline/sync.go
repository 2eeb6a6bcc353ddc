package pipeline

import (
	"maps"
	"time"

	"github.com/loguro/loguro/internal/spool"
)

// soil says that a segment is to be synced. It needs mu.
func (p *Pipeline) soil(b *batch) {
	if !p.dirty[b] {
		p.dirty[b] = true
		signal(p.dirtied)
	}
}

// syncLoop syncs what was written, at the latest so long after it was. It ends, after a last time, when stop is closed.
func (p *Pipeline) syncLoop(stop <-chan struct{}) {
	var logged time.Time
	for ended := false; !ended; {
		select {
		case <-p.dirtied:
			t := time.NewTimer(p.config.SyncInterval)
			select {
			case <-t.C:
			case <-stop:
				ended = true
			}
			t.Stop()
		case <-stop:
			ended = true
		}
		if p.spill(ended) {
			signal(p.dirtied) // later again
		}
		if err := p.syncAll(); err != nil && time.Since(logged) >= logEvery {
			logged = time.Now()
			p.config.Logger.Error("loguro: the spool cannot be synced; a power cut would take its latest events", "spool", p.config.Spool, "error", err)
		}
	}
}

func (p *Pipeline) syncAll() (err error) {
	p.mu.Lock()
	dirty := p.dirty
	p.dirty = map[*batch]bool{}
	p.mu.Unlock()
	for b := range dirty {
		if e := b.segment.Sync(); e != nil {
			err = e
			p.unsynced(b)
		}
	}
	return err
}

// unsynced is for a segment that could not be synced. What follows goes to a new one, so that it can be written anew.
func (p *Pipeline) unsynced(b *batch) {
	p.intake.Lock()
	if p.open == b {
		p.seal()
	}
	p.intake.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.SpoolErrors++
	if b.place != nil {
		p.soil(b)
	}
}

// spill writes the batches to disk that were accepted while that failed, if it works again. It returns true if some are
// left.
func (p *Pipeline) spill(last bool) bool {
	p.intake.Lock()
	p.mu.Lock()
	waiting := p.inMemoryOnly > 0 || p.open != nil && p.open.segment == nil
	p.mu.Unlock()
	if waiting {
		p.tryDisk()
	}
	works := p.onDisk() || last
	p.intake.Unlock()
	if !waiting || !works {
		return waiting
	}
	for _, b := range p.waiting() {
		if p.segmentOf(b) == nil && !p.store(b) {
			return true
		}
	}
	return false
}

// store writes a batch to disk that was in memory only. An error needs no word: the batch stays where it is.
func (p *Pipeline) store(b *batch) bool {
	events, _, err := p.take(b)
	if err != nil {
		return false
	}
	defer p.release(b)
	p.mu.Lock()
	rest, parted := maps.Clone(b.rest), b.parted
	p.mu.Unlock()
	segment, err := p.spool.Store(b.number, b.id, events, rest, parted)
	if err != nil {
		return false
	}
	p.mu.Lock()
	over := b.place == nil // delivered meanwhile
	if !over {
		b.segment = segment
		p.inMemoryOnly--
		p.held = append(p.held, b)
	}
	p.mu.Unlock()
	if over {
		_ = segment.Remove()
	}
	return true
}

// leave closes the files and folders. What is left belongs to the next process.
func (p *Pipeline) leave() {
	if p.spool == nil {
		return
	}
	p.mu.Lock()
	var segments []*spool.Segment
	for place := p.live.Front(); place != nil; place = place.Next() {
		if b := place.Value.(*batch); b.segment != nil {
			segments = append(segments, b.segment)
		}
	}
	p.mu.Unlock()
	p.spool.Close(segments)
}
