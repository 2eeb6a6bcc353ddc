package loguro

import "maps"

// Stats are counts since the Tracker was made, and what waits now.
type Stats struct {
	Accepted  uint64 // events taken
	Delivered uint64 // events that the exporter made durable
	Pending   int    // events that wait, in memory
	// PendingBytes estimates the memory that they take.
	PendingBytes int
	Batches      uint64 // batches delivered
	Retries      uint64 // failed attempts of the exporter
	Panics       uint64 // panics of the exporter, and failures of User, Consent and Skip in Config

	// Dropped counts events that were not or are not going to be delivered, by reason: props_too_large,
	// refused (ErrSpoolFull or ErrShutdown), permanent (the exporter's word).
	Dropped map[string]uint64

	// Excluded counts the requests that were not pageviews, by reason: method, asset, fragment, status, content_type,
	// download, prefetch, skipped, consent, dnt, gpc.
	Excluded map[string]uint64

	CookiesRejected   uint64 // requests with a cookie that was expired, malformed, forged, foreign or double
	CookiesSuppressed uint64 // responses that a shared cache may store, so that they got no cookie
	NamesCut          uint64 // events whose name was too long
}

// Stats reads the counters.
func (t *Tracker) Stats() Stats {
	p, m := t.pipeline.Counts(), t.middleware.Counts()
	dropped := map[string]uint64{"props_too_large": t.propsTooLarge.Load(), "refused": p.Refused, "permanent": p.GivenUp}
	maps.DeleteFunc(dropped, func(_ string, n uint64) bool { return n == 0 })
	return Stats{
		Accepted: p.Accepted, Delivered: p.Delivered, Pending: p.Pending, PendingBytes: p.PendingBytes,
		Batches: p.Batches, Retries: p.Retries, Panics: p.Panics + t.hookFailures.Load(), Dropped: dropped, Excluded: m.Excluded,
		CookiesRejected: m.CookiesRejected, CookiesSuppressed: m.CookiesSuppressed, NamesCut: t.namesCut.Load(),
	}
}
