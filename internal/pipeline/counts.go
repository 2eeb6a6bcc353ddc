package pipeline

import "time"

// Counts are how often something happened since the start, and what waits now.
type Counts struct {
	Accepted, Delivered, Refused, Dead uint64 // events
	Lost                               uint64 // events whose segment was gone or damaged when it was read back
	Adopted                            uint64 // events that dead processes left
	Batches, Retries, Panics           uint64
	Torn, Corrupt                      uint64 // tails cut and damaged parts put aside in adopted segments
	SpoolErrors                        uint64 // the disk failed, and events waited in memory alone
	Pending                            int    // events
	PendingBytes                       int    // of them, in memory
	SpoolBytes                         int64  // on disk
	Oldest                             time.Time
	Lanes                              []LaneCounts
}

// LaneCounts are those of one exporter.
type LaneCounts struct {
	Name      string
	Delivered uint64 // events
	Dead      uint64 // events
	Retries   uint64 // failed attempts
	Pending   int    // events
	Failures  int    // attempts that failed in a row
	LastError error  // of them
}

// Counts reads the counters.
func (p *Pipeline) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.PendingBytes = p.memory
	if first := p.live.Front(); first != nil {
		c.Oldest = first.Value.(*batch).since
	}
	if p.spool != nil {
		c.SpoolBytes = p.spool.Bytes()
	}
	for _, l := range p.lanes {
		c.Lanes = append(c.Lanes, l.counts)
	}
	return c
}
