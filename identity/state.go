package identity

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// maxUser keeps the cookie of a persisted user small, in bytes.
const maxUser = 512

// CleanUser trims a user id and mends text that is not UTF-8. An id over 512 bytes is an error.
func CleanUser(id string) (string, error) {
	clean := strings.ToValidUTF8(strings.TrimSpace(id), "\uFFFD")
	if len(clean) > maxUser {
		return "", fmt.Errorf("the user id has %d bytes, want %d or less; pass the id of the account", len(clean), maxUser)
	}
	return strings.Clone(clean), nil // a part would keep the whole in memory
}

// Mode says where the identity of a request may be kept.
type Mode int

const (
	// Stored: in cookies.
	Stored Mode = iota
	// Ephemeral: in this request alone; cookies are neither read nor written.
	Ephemeral
	// Withheld: the browser kept its cookies back, so the request looks like a fresh browser but is not. Visitor and
	// session are of this request alone; an Identify travels to the next request in a note.
	Withheld
)

// Snapshot is who an event belongs to.
type Snapshot struct {
	Visitor, Session uuid.UUID
	User             string
	Returning        bool // the request carried a valid visitor cookie
}

// State is who one request belongs to, and what its response must tell the browser. Cookies are verified only when
// somebody asks. It is not safe for concurrent use.
type State struct {
	issuer    *Issuer
	mode      Mode
	presented Presented
	ask       func() string // the application's own answer who this is; may be nil

	loaded   bool
	rejected bool // a presented cookie did not verify

	visitor   Visitor
	known     bool // visitor and session are set
	returning bool
	fresh     bool // the visitor is of this request, its cookie is not written yet
	session   Session
	proof     [8]byte

	said      bool // user was set in this request, or asked for
	user      string
	persisted string // user that the browser's cookie names, or will after this response
	userRead  bool   // the user cookie was verified
	userOld   bool   // with an older key, so that the first one must sign it anew
	personOf  string // user whose mark session.person is

	note      note // to take over, or (Withheld) to leave
	forgotten forgotten

	event     bool // something happened: visitor and session go out
	renewed   bool
	writeUser bool
	switched  bool
	forgot    bool
	withdraw  bool
}

// Open begins a request. ask, if not nil, is called at most once, and only if an event needs the user.
func (i *Issuer) Open(p Presented, mode Mode, ask func() string) *State {
	return &State{issuer: i, mode: mode, presented: p, ask: ask}
}

// Event says who an event at now (milliseconds since 1970) belongs to. It makes the visitor of a fresh browser, starts
// the next session if the last one ended, and refreshes when the session was last seen.
func (s *State) Event(now int64) Snapshot {
	s.load(now)
	s.ensureVisitor(now)
	before := s.session.ID
	user := s.currentUser()
	s.session = s.next(now, user)
	s.personOf = user
	if s.session.ID != before && s.issuer.policy.RenewVisitor && !s.fresh && s.mode == Stored {
		s.visitor.Made, s.visitor.key, s.renewed = now, 0, true
		s.session.Visitor = s.visitor
	}
	s.event = true
	return s.snapshot(s.session, user)
}

// Peek says who an event at now would belong to, without one happening.
func (s *State) Peek(now int64) Snapshot {
	s.load(now)
	s.ensureVisitor(now)
	user := s.currentUser()
	return s.snapshot(s.next(now, user), user)
}

func (s *State) snapshot(session Session, user string) Snapshot {
	return Snapshot{Visitor: s.visitor.ID, Session: session.ID, User: user, Returning: s.returning}
}

// next is the session of an event of user at now.
func (s *State) next(now int64, user string) Session {
	keys := s.issuer.keys
	session := keys[s.session.key].after(s.session, now, s.issuer.policy.SessionTimeout)
	if user == "" || user == s.personOf && session.person != [8]byte{} {
		return session
	}
	if session.person == ([8]byte{}) {
		session.person = keys[0].person(s.visitor, user)
		return session
	}
	for k := range keys { // the mark may be from before a rotation of the keys
		if keys[k].person(s.visitor, user) == session.person {
			session.person = keys[0].person(s.visitor, user)
			return session
		}
	}
	return keys[session.key].switched(session, keys[0].person(s.visitor, user), now) // two people never share a session
}

// Identify sets the user from here on. Over a different user that a cookie remembers, a new session begins.
func (s *State) Identify(user string, now int64) {
	s.load(now)
	if s.issuer.policy.PersistUser && s.mode == Stored {
		s.ensureVisitor(now)
		if before := s.persistedUser(); before != user {
			if before != "" {
				person := s.issuer.keys[0].person(s.visitor, user)
				if s.session.person != person {
					s.session = s.issuer.keys[s.session.key].switched(s.session, person, now)
					s.personOf, s.switched = user, true
				}
			}
			s.persisted, s.writeUser = user, true
		}
	}
	if s.mode == Withheld && s.note.user != user {
		s.note = note{kind: noteUser, user: user}
	}
	s.user, s.said = user, true
}

// Outlasts says whether an Identify is to hold beyond this request, for which it needs a cookie.
func (s *State) Outlasts() bool { return s.mode == Withheld || s.issuer.policy.PersistUser }

// Leave puts an identify event into the note that a Withheld request leaves for the next one. It answers false if the
// event does not belong there, or is too large for a cookie: then it must be recorded now.
func (s *State) Leave(event uuid.UUID, traits json.RawMessage) bool {
	if s.mode != Withheld || s.note.kind != noteUser { // a note holds one event
		return false
	}
	n := note{kind: noteIdentify, id: event, user: s.note.user, traits: traits}
	if value, err := s.issuer.encode(noteCookie, &n); err != nil || len(value) > maxNote {
		return false
	}
	s.note = n
	return true
}

// Keep takes an identify event back out of a note that cannot be sent after all: it must be recorded now.
func (s *State) Keep() (event uuid.UUID, traits json.RawMessage, ok bool) {
	if s.mode != Withheld || s.note.kind != noteIdentify {
		return uuid.Nil, nil, false
	}
	event, traits = s.note.id, s.note.traits
	s.note = note{kind: noteUser, user: s.note.user}
	return event, traits, true
}

// maxNote keeps the response's headers within the 4 KiB that nginx takes from an application by default.
const maxNote = 2800

// Pending says whether the request carries a note of ours that waits to be taken over.
func (s *State) Pending() bool {
	return s.mode == Stored && s.presented.values[noteCookie] != "" && !s.forgot
}

// Take takes the note over, and deletes it with this response. If an identify event waits in it, ok is true, and the
// event belongs to who; a note that comes twice gives its event once per process, and always under the same id. A note
// without one waits on until something happens that it can name the user of.
func (s *State) Take(now int64) (who Snapshot, event uuid.UUID, traits json.RawMessage, ok bool) {
	s.load(now)
	n := s.note
	switch {
	case s.mode != Stored:
	case n.kind == noteIdentify:
		s.note = note{}
		if s.issuer.taken.take(n.id) {
			return s.Event(now), n.id, n.traits, true
		}
	case n.kind == noteUser && s.Changed():
		s.note = note{}
	}
	return who, uuid.Nil, nil, false
}

// Reset forgets visitor, session and user. What happens next belongs to a new visitor that nothing links to the old.
func (s *State) Reset(now int64) {
	if s.issuer.policy.RenewVisitor && s.mode == Stored {
		if s.load(now); s.returning {
			s.forgotten = append(s.forgotten, s.issuer.keys[0].forgotten(s.visitor))
			s.forgotten = s.forgotten[max(0, len(s.forgotten)-maxForgotten):]
		}
	}
	*s = State{issuer: s.issuer, mode: s.mode, presented: s.presented, rejected: s.rejected, withdraw: s.withdraw,
		forgotten: s.forgotten, loaded: true, forgot: true, said: true}
}

// Withdraw deletes every cookie of ours that the browser presented: the visitor withdrew consent.
func (s *State) Withdraw() { s.withdraw = true }

// Rejected says whether a presented cookie was refused.
func (s *State) Rejected() bool { return s.rejected }

func (s *State) ensureVisitor(now int64) {
	if s.known {
		return
	}
	s.visitor = Visitor{ID: uuid.New(), Made: now}
	s.session = s.issuer.keys[0].firstSession(s.visitor)
	s.known, s.fresh = true, true
}

// currentUser holds the order of precedence: Identify in this request, the application's own answer, the cookie.
func (s *State) currentUser() string {
	if s.said {
		return s.user
	}
	switch {
	case s.ask != nil:
		s.user = s.ask()
		s.said = true
	case s.issuer.policy.PersistUser && s.mode == Stored:
		return s.persistedUser()
	}
	return s.user
}
