package exportertest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/loguro/loguro"
)

const (
	trackers  = 4   // goroutines that track
	perPerson = 100 // events of each
)

// throughTracker is the whole way: several goroutines track and flush at the same time, the batches are small, and the
// exporter's batches are the Tracker's own. Time and event id restore the order in which a person's events happened.
func throughTracker(t *testing.T, s Store) error {
	tracker, err := loguro.New(loguro.Config{Exporter: s.Exporter, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, BatchSize: 64})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, trackers)
	for i := range trackers {
		wg.Go(func() { errs[i] = trackAndFlush(t.Context(), tracker, "person "+strconv.Itoa(i)) })
	}
	wg.Wait()
	if err := errors.Join(append(errs, tracker.Shutdown(t.Context()))...); err != nil {
		return err
	}
	events := s.Read(t)
	slices.SortStableFunc(events, func(a, b loguro.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), bytes.Compare(a.ID[:], b.ID[:]))
	})
	next := map[string]int{}
	for _, e := range events {
		if want := strconv.Itoa(next[e.User]); e.Name != want {
			return fmt.Errorf("the next event of %s is %q, want %q", e.User, e.Name, want)
		}
		next[e.User]++
	}
	for i := range trackers {
		if who := "person " + strconv.Itoa(i); next[who] != perPerson {
			return fmt.Errorf("%s has %d events in the store, want %d", who, next[who], perPerson)
		}
	}
	return nil
}

func trackAndFlush(ctx context.Context, tracker *loguro.Tracker, who string) error {
	as := loguro.WithIdentity(ctx, loguro.Identity{UserID: who})
	for n := range perPerson {
		if err := tracker.Track(as, strconv.Itoa(n), nil); err != nil {
			return fmt.Errorf("track event %d of %s: %w", n, who, err)
		}
		if n%25 == 24 {
			if err := tracker.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
