package bench

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestOutage puts every library through every scenario and prints what came out. It holds loguro to its promise; what
// the others do is theirs to change, as long as they run, and deliver when nothing goes wrong.
func TestOutage(t *testing.T) {
	outcomes := play(t, control)
	for _, o := range outcomes {
		if o.arrived != events {
			t.Errorf("%s: %d of %d events arrived though nothing went wrong; it said:\n%s", o.library, o.arrived, events, o.log)
		}
	}
	if !t.Failed() {
		outcomes = append(outcomes, play(t, outages...)...)
	}
	writeTable(t.Output(), outcomes)
	for _, o := range outcomes {
		if o.library == loguroLibrary.name && (o.accepted != events || o.arrived != events || o.twice != 0) {
			t.Errorf("%s: of %d events loguro accepted %d, %d arrived, %d of them twice; want all, once; it said:\n%s",
				o.scenario, events, o.accepted, o.arrived, o.twice, o.log)
		}
	}
}

// outcome is what became of a library's events in a scenario.
type outcome struct {
	scenario, library     string
	accepted              int // by the library, without an error
	arrived, twice, again int // in the store
	closed                []closed
	log                   string
}

// play runs the scenarios with all libraries at once: each mostly waits.
func play(t *testing.T, scenarios ...scenario) []outcome {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // ends what hangs
	defer cancel()
	outcomes := make([]outcome, len(scenarios)*len(libraries))
	var wg sync.WaitGroup
	for i, s := range scenarios {
		for j, l := range libraries {
			dir := t.TempDir()
			wg.Go(func() {
				o, err := s.play(ctx, l, dir)
				if err != nil {
					t.Errorf("%s: %s: %v", s.name, l.name, err)
				}
				outcomes[i*len(libraries)+j] = o
			})
		}
	}
	wg.Wait()
	return outcomes
}
