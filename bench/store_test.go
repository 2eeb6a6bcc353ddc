package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// events is how many events a program tracks.
const events = 1000

// delivery is one request, as the store reads it from a library's wire format. A store can drop what it has already by
// the ids that the library sends along: that of the whole request, or one per event. "" means that there is none.
type delivery struct {
	batch  string
	events []arrival
}

// arrival is one event: the property n that the script gave it, and its id.
type arrival struct {
	N  int
	ID string
}

type health int

const (
	healthy health = iota
	down           // answers 503, keeps nothing
	slow           // keeps the events but does not answer; healthy again once the first client has given up
)

// store is what the libraries deliver to: a real HTTP server that keeps each event once, if it can tell.
type store struct {
	decode func(http.Header, []byte) (delivery, error)
	server *httptest.Server

	mu      sync.Mutex
	health  health
	ids     map[string]bool
	sent    [events]int  // how often each event came
	kept    [events]int  // how often it came with no id to tell that it is known
	acked   [events]bool // whether the client was told
	err     error        // of the first request that the store could not read
	changed chan struct{}
}

func newStore(decode func(http.Header, []byte) (delivery, error), h health) *store {
	s := &store{decode: decode, health: h, ids: map[string]bool{}, changed: make(chan struct{})}
	s.server = httptest.NewServer(s)
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed half-way
	}
	h, d, err := s.receive(r.Header, body)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case h == down:
		http.Error(w, "the store is down", http.StatusServiceUnavailable)
	case h == slow:
		<-r.Context().Done()
		s.become(healthy)
	default:
		w.WriteHeader(http.StatusOK)
		s.acknowledged(d)
	}
}

// receive keeps the events of a request, unless the store is down.
func (s *store) receive(header http.Header, body []byte) (health, delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.health == down {
		return down, delivery{}, nil
	}
	d, err := s.decode(header, body)
	for _, e := range d.events {
		if err == nil && (e.N < 0 || e.N >= events) {
			err = fmt.Errorf("event %d was never tracked", e.N)
		}
	}
	if err != nil {
		if s.err == nil {
			s.err = fmt.Errorf("read %.200q: %w", body, err)
		}
		return s.health, delivery{}, err
	}
	known := s.has(d.batch)
	for _, e := range d.events {
		s.sent[e.N]++
		if !known && !s.has(e.ID) {
			s.kept[e.N]++
		}
	}
	return s.health, d, nil
}

// has says whether the store knows the id, and remembers it.
func (s *store) has(id string) bool {
	if id == "" {
		return false
	}
	known := s.ids[id]
	s.ids[id] = true
	return known
}

func (s *store) acknowledged(d delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range d.events {
		s.acked[e.N] = true
	}
	s.news()
}

func (s *store) become(h health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = h
	s.news()
}

func (s *store) news() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits for what may come, and for at most limit: a library that has lost events would be waited for in vain.
func (s *store) until(ctx context.Context, limit time.Duration, yes func(*store) bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		s.mu.Lock()
		done, changed := yes(s), s.changed
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func isHealthy(s *store) bool { return s.health == healthy }

func isComplete(s *store) bool {
	for _, acked := range s.acked {
		if !acked {
			return false
		}
	}
	return true
}

// count says how many events arrived, how many of them the store now has more than once, and how many were sent again.
func (s *store) count() (arrived, twice, again int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range events {
		if s.kept[n] > 0 {
			arrived++
		}
		if s.kept[n] > 1 {
			twice++
		}
		if s.sent[n] > 1 {
			again++
		}
	}
	return arrived, twice, again, s.err
}

func TestTheStoreDropsOnlyWhatHasAnIDThatItKnows(t *testing.T) {
	for _, tt := range []struct {
		why           string
		first, second delivery
		twice         int
	}{
		{"the batch is known", delivery{"b", []arrival{{1, ""}}}, delivery{"b", []arrival{{1, ""}}}, 0},
		{"the event is known", delivery{"", []arrival{{1, "e"}}}, delivery{"", []arrival{{1, "e"}}}, 0},
		{"the batch comes under another id", delivery{"b", []arrival{{1, ""}}}, delivery{"c", []arrival{{1, ""}}}, 1},
		{"the event comes under another id", delivery{"", []arrival{{1, "e"}}}, delivery{"", []arrival{{1, "f"}}}, 1},
		{"there are no ids", delivery{"", []arrival{{1, ""}}}, delivery{"", []arrival{{1, ""}}}, 1},
	} {
		d := tt.first
		s := newStore(func(http.Header, []byte) (delivery, error) { return d, nil }, healthy)
		defer s.server.Close()
		s.receive(nil, nil)
		d = tt.second
		s.receive(nil, nil)
		if arrived, twice, again, err := s.count(); arrived != 1 || twice != tt.twice || again != 1 || err != nil {
			t.Errorf("%s: count() = %d, %d, %d, %v, want 1, %d, 1, nil", tt.why, arrived, twice, again, err, tt.twice)
		}
	}
}
