package main

import (
	"crypto/rand"
	"net/http"
	"sync"
)

// sessionCookie is the site's own login cookie; loguro has its own beside it and never reads this one.
const sessionCookie = "session"

// sessions remember who is logged in, until logout or the end of the process.
type sessions struct {
	mu    sync.Mutex
	users map[string]string // token to account id
}

func newSessions() *sessions { return &sessions{users: make(map[string]string)} }

// user returns the id of the account that the request is logged in as, or "". It is also what loguro asks.
func (s *sessions) user(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[cookie.Value]
}

// begin logs the browser in. The token is new at every login: one that somebody planted before is worth nothing.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, user string) {
	s.forget(r)
	token := rand.Text()
	s.mu.Lock()
	s.users[token] = user
	s.mu.Unlock()
	setSession(w, token, 0)
}

// end logs the browser out.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) {
	s.forget(r)
	setSession(w, "", -1)
}

func (s *sessions) forget(r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.users, cookie.Value)
		s.mu.Unlock()
	}
}

// setSession leaves Secure out for the reason that Config.AllowHTTP is set: add it on a real site.
func setSession(w http.ResponseWriter, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
