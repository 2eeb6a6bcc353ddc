package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/internal/pipeline"
)

// faults are a deck: what is done to 22 inserts. What waits until the client gives up is rare, because it takes the time
// that the client is given.
var faults = map[fault]int{pass: 8, refuse: 1, drop: 1, reset: 3, half: 2, lost: 2, torn: 1, delay: 1, stall: 1, late: 1, later: 1}

// The network between exporter and server does all that networks do, and while it does the answers to some inserts get
// lost: each event arrives all the same, and once.
func TestANetworkThatDropsResetsAndLosesAnswersRepeatsNoEvent(t *testing.T) {
	const events = 100_000
	for i, scheme := range []string{"clickhouse", "http"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			s := openStore(t)
			seed := uint64(scale(t, "STORE_SEED", 1)*2 + i)
			server := map[string]string{"clickhouse": s.native, "http": s.http}[scheme]
			net := newBadNetwork(t, server, seed)
			x := s.exporter(s.over(scheme, net.addr))
			// A view sees what comes again; it is its own table that must know it.
			s.ask("CREATE TABLE seen (event_id UUID) ENGINE = MergeTree ORDER BY event_id SETTINGS non_replicated_deduplication_window = 10000")
			s.ask("CREATE MATERIALIZED VIEW seeing TO seen AS SELECT event_id FROM " + storeTable)
			net.misbehave(faults)

			p := ship(t, x, func(c *pipeline.Config) {
				c.BatchEvents, c.ExportTimeout = 20_000, 500*time.Millisecond
			})
			// Batches of all sizes: some are one block of an insert, some several.
			random := rand.New(rand.NewPCG(seed, 0))
			size := func() int {
				if random.IntN(5) == 0 {
					return 8000 + random.IntN(5000)
				}
				return 200 + random.IntN(2000)
			}
			rest := size()
			begun := time.Now()
			stream(events, func(e *loguro.Event) {
				p.put(e)
				if rest--; rest == 0 {
					p.seal()
					rest = size()
				}
			})
			hurried := time.Now()
			for f := range faults {
				eventually(t, "the network does this twice: "+string(f), func() bool {
					if time.Since(hurried) > 200*time.Millisecond { // the pauses after failures in a row are not what this is about
						p.seal()
						hurried = time.Now()
					}
					return f == pass || net.times(f) > 1 || p.Counts().Pending == 0
				})
			}
			left := p.Counts().Pending
			net.behave()
			p.drain()
			took := time.Since(begun)

			s.holds(events)
			if got, want := s.ask("SELECT count(), uniqExact(event_id) FROM seen"), fmt.Sprintf("%d\t%[1]d", events); got != want {
				t.Errorf("events and different ones in the table of a materialized view: %s, want %s", got, want)
			}
			for f, n := range faults {
				if f != pass && n > 0 && net.times(f) == 0 {
					t.Errorf("the network did not once do this: %s", f)
				}
			}
			c := p.Counts()
			t.Logf("seed %d: %d events in %d batches, %d inserts of which %d failed, in %v, the last %d events over a good network; %v", seed,
				events, c.Batches, net.inserts, c.Retries, took.Round(time.Millisecond), left, net.happened)
		})
	}
}
