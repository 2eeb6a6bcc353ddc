package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Batches are small and short-lived, so that at any moment some are sealed, exported, removed and, after a restart, taken
// over. The kills come at any time from the start of the process on. What they met is logged: each kind must be there for
// the test to mean much, and none is certain.
//
// LOGURO_KILLS says how many kills, LOGURO_SEED where the times of the kills begin.
func TestKill9LosesAndRepeatsNoEvent(t *testing.T) {
	d := newDelivery(t)
	d.killAtAnyTime(scale(t, "LOGURO_KILLS", 200))
	d.drain()
	d.check()
}

// With two exporters a batch is also, at any time, with one of them and not with the other.
func TestKill9LosesAndRepeatsNoEventInEitherOfATee(t *testing.T) {
	d := newDelivery(t)
	table := newTable(t)
	d.killAtAnyTime(scale(t, "LOGURO_KILLS", 200)/5, "-clickhouse", table.insert())
	d.drain("-clickhouse", table.insert())
	d.check()
	table.check(d)
}

func (d *delivery) killAtAnyTime(kills int, flags ...string) {
	d.t.Helper()
	seed := uint64(scale(d.t, "LOGURO_SEED", int(time.Now().Unix())))
	random := rand.New(rand.NewPCG(seed, 0))
	var met struct{ nothing, segments, exported, unfinished, adopted, torn int }
	begun := time.Now()
	for range kills {
		w := d.run(append([]string{"-load", "-batch", "500", "-age", "8ms", "-sync", "20ms"}, flags...)...)
		time.Sleep(time.Duration(random.IntN(140_000)) * time.Microsecond) // not a wait: the moment is to be any
		w.kill()
		d.survey(&met.segments, &met.exported, &met.unfinished)
		adopted := w.sum("batches")
		met.adopted += adopted
		met.torn += w.sum("torn")
		if adopted == 0 {
			met.nothing++
		}
		if w.logged("level=(WARN|ERROR)") > 0 {
			d.t.Fatalf("the worker complained:\n%s", w.said())
		}
	}
	d.t.Logf("seed %d: %d kills in %v left %d segments, %d of them of batches that were exported already, and %d unfinished files; "+
		"%d batches were taken over, with %d torn tails, and %d times there was none", seed, kills, time.Since(begun).Round(time.Millisecond),
		met.segments, met.exported, met.unfinished, met.adopted, met.torn, met.nothing)
	if met.segments == 0 || met.adopted == 0 {
		d.t.Error("no kill met anything, so the test proves nothing")
	}
}

// survey counts what a kill left: segments, those of batches that are exported already, and files that are not complete.
func (d *delivery) survey(segments, exported, unfinished *int) {
	d.t.Helper()
	for _, segment := range d.segments() {
		*segments++
		for _, day := range glob(d.t, d.data, "date=*") {
			if _, err := os.Stat(filepath.Join(day, batchOf(segment)+".parquet")); err == nil {
				*exported++
			}
		}
	}
	*unfinished += len(glob(d.t, d.spool, "*", "*.tmp")) + len(glob(d.t, d.data, "*", "*.tmp"))
}
