package pipeline

import (
	"time"

	"github.com/loguro/loguro/internal/spool"
)

// lookEvery is how often a busy process looks for what dead ones left.
const lookEvery = time.Minute

// OwedMessage is what is logged of batches that wait for an exporter of an earlier configuration.
const OwedMessage = "loguro: batches in the spool are owed to an exporter that is not configured; they stay there until it is, or until somebody ships them with loguro spool export"

// lookForDead takes over what dead processes left since we last looked.
func (p *Pipeline) lookForDead() {
	if p.spool == nil {
		return
	}
	p.mu.Lock()
	due := !p.closed && time.Since(p.looked) >= lookEvery
	if due {
		p.looked = time.Now()
	}
	p.mu.Unlock()
	if due {
		p.adopt()
	}
}

func (p *Pipeline) adopt() {
	a := p.spool.Adopt()
	events, lost := 0, 0
	var done []*batch // their process died between the last export and the removal
	owed := map[string]int{}
	p.mu.Lock()
	p.looked = time.Now()
	last := p.live.Back() // at the start, and where the one under way is in the way, before it
	for _, s := range a.Segments {
		b := &batch{id: s.ID, segment: s.Segment, events: s.Events, span: s.Span, since: spool.Began(s.ID, time.Now()), sealed: true, away: true,
			rest: s.Rest, parted: s.Rest != nil, done: make(chan struct{})}
		for _, name := range s.Rest.Debts(p.names) {
			b.owed = true
			owed[name]++
		}
		p.enqueue(b)
		if b.lanes == 0 && b.owed {
			continue // nothing for us to do
		}
		if last == nil || last.Value.(*batch).sealed {
			b.place = p.live.PushBack(b)
		} else {
			b.place = p.live.InsertBefore(b, last)
		}
		events += s.Events
		lost += s.Span - s.Events
		if b.lanes == 0 {
			done = append(done, b)
		}
	}
	p.counts.Lost += uint64(lost)
	p.counts.Adopted += uint64(events)
	p.counts.Pending += events
	p.counts.Torn += uint64(a.Torn)
	p.counts.Corrupt += uint64(a.Corrupt)
	p.counts.SpoolErrors += uint64(len(a.Problems))
	p.mu.Unlock()
	for _, b := range done {
		p.finish(b)
	}
	if events > 0 || a.Torn+a.Corrupt > 0 {
		p.config.Logger.Info("loguro: took over what a process that ended left in the spool", "spool", p.config.Spool,
			"events", events, "batches", len(a.Segments), "torn", a.Torn, "corrupt", a.Corrupt, "lost_events", lost)
	}
	for name, batches := range owed {
		p.config.Logger.Warn(OwedMessage, "spool", p.config.Spool, "exporter", name, "batches", batches)
	}
	for _, err := range a.Problems {
		p.config.Logger.Error("loguro: part of the spool could not be taken over", "spool", p.config.Spool, "error", err)
	}
	p.wakeLanes()
}
