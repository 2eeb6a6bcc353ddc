package loguro

import (
	"maps"
	"time"
)

// Stats are counts since the Tracker was made, and what waits now.
type Stats struct {
	Accepted  uint64 // events taken
	Adopted   uint64 // events that dead processes left in the spool
	Delivered uint64 // events that every exporter made durable
	Pending   int    // events that wait
	// PendingBytes estimates the memory that they take, in bytes.
	PendingBytes int
	// SpoolBytes is what segments and dead letters take on disk, in bytes.
	SpoolBytes int64
	// OldestPending is when the oldest event that waits was accepted; zero if none waits.
	OldestPending time.Time
	Batches       uint64 // batches delivered
	Retries       uint64 // failed attempts of exporters
	Panics        uint64 // panics of exporters, and failures of User, Consent and Skip in Config

	// SpoolErrors counts failures of the spool's disk. While it cannot be written, events wait in memory.
	SpoolErrors uint64
	// SpoolTorn and SpoolCorrupt count records of dead processes that were cut off at the end of a segment, and damaged
	// parts that were put aside.
	SpoolTorn, SpoolCorrupt uint64

	// Exporters are the counts of each.
	Exporters []ExporterStats

	// Dropped counts events that were not or are not going to be delivered, by reason: props_too_large,
	// refused (ErrSpoolFull or ErrShutdown), permanent (an exporter's word: with Config.Spool they are dead letters),
	// lost (their segment was damaged or removed).
	Dropped map[string]uint64

	// Excluded counts the requests that were not pageviews, by reason: method, asset, fragment, status, content_type,
	// download, prefetch, skipped, consent, dnt, gpc.
	Excluded map[string]uint64

	CookiesRejected   uint64 // requests with a cookie that was expired, malformed, forged, foreign or double
	CookiesSuppressed uint64 // responses that a shared cache may store, so that they got no cookie
	NamesCut          uint64 // events whose name was too long
}

// ExporterStats are the counts of one exporter since the Tracker was made, and how it fares now.
type ExporterStats struct {
	Name      string // as in the dead letters: the type, with a number from the second of a type on
	Delivered uint64 // events
	Dead      uint64 // events that it refused for good
	Retries   uint64 // failed attempts
	Pending   int    // events that it does not have yet
	Failures  int    // attempts that failed in a row until now
	LastError error  // of the last of them; nil if there are none
}

// Stats reads the counters.
func (t *Tracker) Stats() Stats {
	p, m := t.pipeline.Counts(), t.middleware.Counts()
	dropped := map[string]uint64{"props_too_large": t.propsTooLarge.Load(), "refused": p.Refused, "permanent": p.Dead, "lost": p.Lost}
	maps.DeleteFunc(dropped, func(_ string, n uint64) bool { return n == 0 })
	s := Stats{
		Accepted: p.Accepted, Adopted: p.Adopted, Delivered: p.Delivered, Pending: p.Pending, PendingBytes: p.PendingBytes,
		SpoolBytes: p.SpoolBytes, OldestPending: p.Oldest, Batches: p.Batches, Retries: p.Retries,
		Panics: p.Panics + t.hookFailures.Load(), SpoolErrors: p.SpoolErrors, SpoolTorn: p.Torn, SpoolCorrupt: p.Corrupt,
		Dropped: dropped, Excluded: m.Excluded,
		CookiesRejected: m.CookiesRejected, CookiesSuppressed: m.CookiesSuppressed, NamesCut: t.namesCut.Load(),
	}
	for _, l := range p.Lanes {
		s.Exporters = append(s.Exporters, ExporterStats(l))
	}
	return s
}
