package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/internal/pipeline"
)

// The server is killed in the middle of inserts, in all that it does for them, and comes back on the same data. What it
// had said to have stays, what it did not say comes again, and nothing is there twice.
func TestAServerThatIsKilledInTheMiddleOfInsertsHasEachEventOnce(t *testing.T) {
	const events = 60_000
	kills := scale(t, "STORE_KILLS", 9)
	seed := uint64(scale(t, "STORE_SEED", 1))
	s := startStore(t)
	s.ownDatabase()
	net := newBadNetwork(t, s.native, seed)
	var alive atomic.Bool
	killed := make(chan struct{}, 1)
	net.kill = func() bool {
		if !alive.CompareAndSwap(true, false) {
			return false
		}
		s.kill()
		killed <- struct{}{}
		return true
	}
	x := s.exporter(s.over("clickhouse", net.addr))
	p := ship(t, x, func(c *pipeline.Config) {
		c.BatchEvents, c.ExportTimeout = 20_000, 5*time.Second
	})
	net.misbehave(map[fault]int{pass: 3, killHalf: 1, killWork: 3, killAnswer: 1})

	random := rand.New(rand.NewPCG(seed, 0))
	sent := 0
	more := func() {
		rest := 500 + random.IntN(4000)
		stream(events, func(e *loguro.Event) {
			e.ID = uuidOf(random)
			p.put(e)
			sent++
			if rest--; rest == 0 {
				p.seal()
				rest = 500 + random.IntN(4000)
			}
		})
	}
	more()
	var down time.Duration
	killedInAllWays := func() bool { return net.times(killHalf) > 0 && net.times(killWork) > 0 && net.times(killAnswer) > 0 }
	times := 0
	for ; times < kills || !killedInAllWays(); times++ {
		alive.Store(true)
		hurried := time.Now()
		eventually(t, "the server is killed at an insert", func() bool {
			select {
			case <-killed:
				return true
			default:
			}
			if p.Counts().Pending < events/4 {
				more()
			}
			if time.Since(hurried) > 200*time.Millisecond {
				p.seal()
				hurried = time.Now()
			}
			return false
		})
		begun := time.Now()
		s.start()
		down += time.Since(begun)
		p.seal()
	}
	net.behave()
	p.drain()
	s.holds(sent)
	c := p.Counts()
	t.Logf("seed %d: %d events in %d batches, %d inserts of which %d failed, the server killed %d times: %v; it took %v to come back", seed,
		sent, c.Batches, net.inserts, c.Retries, times, net.happened, (down / time.Duration(times)).Round(time.Millisecond))
	if t.Failed() {
		t.Log(s.ask("SELECT name, active, rows, modification_time FROM system.parts WHERE database = currentDatabase() ORDER BY min_block_number"))
		for _, path := range glob(t, s.dir, "data", "store", "*", "*", "deduplication_logs", "*") { // what the table remembers
			content, err := os.ReadFile(path)
			t.Logf("%s: %v\n%s", filepath.Base(path), err, content)
		}
	}
}
