package identity

import (
	"encoding/binary"
	"time"
)

// firstSession is the session that a visitor starts with. It follows from the visitor, so that requests which present
// the visitor cookie alone (the session cookie was lost, or a late response of an older visitor overwrote it) agree.
func (k *key) firstSession(v Visitor) Session {
	sum := k.mac("first session", v.ID[:], bytes64(v.Made))
	return Session{ID: derivedID(sum), LastSeen: v.Made, Visitor: v, key: v.key}
}

// after is the session that an event at now belongs to, given that s was the last one: s itself while the gap is under
// the timeout, else a new one.
//
// The new id is derived, not drawn: the eight tabs of a restored browser present the same expired cookie at about the
// same time, perhaps to several processes, and all must get the same answer. It stands on the visitor, the old session,
// the moment that session was last seen and the window in which it is presented again: a cookie that comes back much
// later, because a browser could not store the answer, is not the same visit any more. The first window lasts at least
// as long as the timeout; where the windows begin differs from session to session, so that round times of day or of
// waiting never fall on a boundary.
func (k *key) after(s Session, now int64, timeout time.Duration) Session {
	if gap := now - s.LastSeen; gap >= timeout.Milliseconds() {
		s = k.expired(s, gap, timeout.Milliseconds())
	}
	s.LastSeen = now
	return s
}

func (k *key) expired(s Session, gap, timeout int64) Session {
	sum := k.mac("next session", s.Visitor.ID[:], s.ID[:], bytes64(s.LastSeen))
	phase := int64(binary.BigEndian.Uint64(sum[24:]) % uint64(timeout))
	if window := (gap - timeout - phase) / timeout; window > 0 {
		sum = k.mac("later session", sum[:], bytes64(window))
	}
	return Session{ID: derivedID(sum), Visitor: s.Visitor, proof: s.proof, key: s.key}
}

// switched is the session that begins when another person takes over the browser. It is derived as well, so that
// parallel requests of the new person agree.
func (k *key) switched(s Session, person [8]byte, now int64) Session {
	sum := k.mac("switched session", s.Visitor.ID[:], s.ID[:], person[:])
	return Session{ID: derivedID(sum), LastSeen: now, Visitor: s.Visitor, proof: s.proof, person: person, key: s.key}
}

// person tells the users of one visitor apart without naming them.
func (k *key) person(v Visitor, user string) [8]byte {
	sum := k.mac("person", v.ID[:], []byte(user))
	return [8]byte(sum[:8])
}
