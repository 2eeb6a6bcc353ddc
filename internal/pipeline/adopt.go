package pipeline

import "time"

// lookEvery is how often a busy process looks for what dead ones left.
const lookEvery = time.Minute

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
	events := 0
	var done []*batch // their process died between the last export and the removal
	p.mu.Lock()
	p.looked = time.Now()
	last := p.live.Back() // at the start, and where the one under way is in the way, before it
	for _, s := range a.Segments {
		b := &batch{id: s.ID, segment: s.Segment, events: s.Events, since: time.Now(), sealed: true, away: true,
			rest: s.Rest, parted: s.Rest != nil, done: make(chan struct{})}
		if sec, nsec := s.ID.Time().UnixTime(); s.ID.Version() == 7 {
			b.since = time.Unix(sec, nsec)
		}
		if last == nil || last.Value.(*batch).sealed {
			b.place = p.live.PushBack(b)
		} else {
			b.place = p.live.InsertBefore(b, last)
		}
		events += s.Events
		p.enqueue(b)
		if b.lanes == 0 {
			done = append(done, b)
		}
	}
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
			"events", events, "batches", len(a.Segments), "torn", a.Torn, "corrupt", a.Corrupt)
	}
	for _, err := range a.Problems {
		p.config.Logger.Error("loguro: part of the spool could not be taken over", "spool", p.config.Spool, "error", err)
	}
	p.wakeLanes()
}
