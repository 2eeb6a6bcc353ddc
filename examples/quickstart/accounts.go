package main

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"unicode/utf8"
)

// What can be wrong with a sign-up.
var (
	errBadEmail      = errors.New("not an e-mail address")
	errShortPassword = errors.New("password under 8 characters")
	errEmailTaken    = errors.New("e-mail address has an account")
)

// account is somebody who signed up.
type account struct {
	ID    string
	Email string
	Plan  string

	salt, hash []byte
}

// accounts are kept in memory: they are gone after a restart.
type accounts struct {
	rounds int // of slowHash

	mu      sync.Mutex
	byEmail map[string]*account
	byID    map[string]*account
}

func newAccounts() *accounts {
	const rounds = 600_000 // what OWASP asks for with SHA-256
	return &accounts{rounds: rounds, byEmail: make(map[string]*account), byID: make(map[string]*account)}
}

// create signs somebody up on the smallest plan.
func (s *accounts) create(email, password string) (account, error) {
	email = normalEmail(email)
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email {
		return account{}, errBadEmail
	}
	if utf8.RuneCountInString(password) < 8 {
		return account{}, errShortPassword
	}
	salt := []byte(rand.Text())
	hash := s.slowHash(password, salt)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byEmail[email] != nil {
		return account{}, errEmailTaken
	}
	a := &account{ID: fmt.Sprintf("user_%d", len(s.byID)+1), Email: email, Plan: plans[0].Name, salt: salt, hash: hash}
	s.byEmail[email], s.byID[a.ID] = a, a
	return *a, nil
}

// check returns the account if the password is the right one.
func (s *accounts) check(email, password string) (account, bool) {
	s.mu.Lock()
	a := s.byEmail[normalEmail(email)]
	s.mu.Unlock()
	// Salt and hash never change, so the slow part needs no lock.
	if a == nil || subtle.ConstantTimeCompare(s.slowHash(password, a.salt), a.hash) != 1 {
		return account{}, false
	}
	return s.find(a.ID)
}

// find returns the account with that id.
func (s *accounts) find(id string) (account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.byID[id]
	if a == nil {
		return account{}, false
	}
	return *a, true
}

// upgrade moves the account to a larger plan, and returns the one before. A form that was sent twice upgrades once.
func (s *accounts) upgrade(id, plan string) (old string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.byID[id]
	if a == nil || planIndex(plan) <= planIndex(a.Plan) {
		return "", false
	}
	old, a.Plan = a.Plan, plan
	return old, true
}

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// slowHash is PBKDF2. It fails only for sizes that are not used here.
func (s *accounts) slowHash(password string, salt []byte) []byte {
	hash, err := pbkdf2.Key(sha256.New, password, salt, s.rounds, sha256.Size)
	if err != nil {
		panic(err)
	}
	return hash
}
