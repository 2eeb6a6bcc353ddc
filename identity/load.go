package identity

import "slices"

// load verifies what the browser presented, once, and only if something needs it.
func (s *State) load(now int64) {
	if s.loaded {
		return
	}
	s.loaded = true
	if s.mode != Stored {
		return
	}
	for _, spoiled := range s.presented.spoiled {
		s.rejected = s.rejected || spoiled
	}
	s.loadNote()
	s.loadForgotten()
	session, hasSession := s.loadSession()
	visitor, ok := s.loadVisitor(session, hasSession)
	if ok && now-visitor.Made >= s.issuer.policy.VisitorMaxAge.Milliseconds() {
		ok, s.rejected = false, true
	}
	if ok && !s.wasForgotten(visitor) {
		s.recognise(visitor, session, hasSession)
	}
	if s.note.kind == noteUser || s.note.kind == noteIdentify {
		s.Identify(s.note.user, now)
	}
}

func (s *State) recognise(visitor Visitor, session Session, hasSession bool) {
	s.visitor, s.known, s.returning = visitor, true, true
	// A session is valid only beside the visitor it was issued for. That is what makes Reset win: the session cookie
	// of a response that was under way during the logout stands beside no visitor, or beside a new one.
	if hasSession && session.Visitor.ID == visitor.ID {
		s.session = session
		s.session.Visitor = visitor
	} else {
		s.session = s.issuer.keys[visitor.key].firstSession(visitor)
	}
}

func (s *State) loadSession() (Session, bool) {
	value := s.presented.values[sessionCookie]
	if value == "" {
		return Session{}, false
	}
	if session, ok := s.issuer.verified.get(value); ok {
		return session, true
	}
	var session Session
	key, ok := s.issuer.decode(sessionCookie, value, &session)
	if !ok {
		s.reject(sessionCookie)
		return Session{}, false
	}
	session.key, session.Visitor.key = key, key
	s.issuer.verified.add(value, session)
	return session, true
}

// loadVisitor takes the session's word for the visitor cookie that it was issued beside; another one is verified.
func (s *State) loadVisitor(session Session, hasSession bool) (Visitor, bool) {
	value := s.presented.values[visitorCookie]
	if value == "" {
		return Visitor{}, false
	}
	s.proof = digest(value)
	if hasSession && session.proof == s.proof {
		return session.Visitor, true
	}
	var visitor Visitor
	key, ok := s.issuer.decode(visitorCookie, value, &visitor)
	if !ok {
		s.reject(visitorCookie)
		return Visitor{}, false
	}
	visitor.key = key
	return visitor, true
}

// persistedUser is the user of the cookie, if it was issued for this visitor.
func (s *State) persistedUser() string {
	value := s.presented.values[userCookie]
	if s.userRead || value == "" || !s.returning {
		return s.persisted
	}
	s.userRead = true
	var user User
	key, ok := s.issuer.decode(userCookie, value, &user)
	if !ok {
		s.reject(userCookie)
		return ""
	}
	if user.Visitor == s.visitor.ID {
		s.persisted, s.userOld = user.ID, key > 0
	}
	return s.persisted
}

func (s *State) loadNote() {
	value := s.presented.values[noteCookie]
	if value == "" {
		return
	}
	if _, ok := s.issuer.decode(noteCookie, value, &s.note); !ok {
		s.note = note{}
		s.reject(noteCookie)
	}
}

func (s *State) loadForgotten() {
	value := s.presented.values[forgottenCookie]
	if value == "" || !s.issuer.policy.RenewVisitor {
		return
	}
	if _, ok := s.issuer.decode(forgottenCookie, value, &s.forgotten); !ok {
		s.forgotten = nil
		s.reject(forgottenCookie)
	}
}

// wasForgotten holds Reset against a late response that renewed the visitor's cookie.
func (s *State) wasForgotten(v Visitor) bool {
	for k := range s.issuer.keys {
		if len(s.forgotten) > 0 && slices.Contains(s.forgotten, s.issuer.keys[k].forgotten(v)) {
			return true
		}
	}
	return false
}

func (s *State) reject(cookie int) {
	s.presented.spoil(cookie)
	s.rejected = true
}
