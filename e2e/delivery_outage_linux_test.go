package e2e

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

const (
	outageMemory = 4 << 20 // Config.MemoryMaxBytes
	outageBatch  = outageMemory / 4
	outagePad    = 1 << 10 // bytes of each event, at least
)

// An outage that is far longer than the memory for it: 100 MiB of events against 4 MiB.
//
// What the process may take is derived from the same program with the same events and a store that is up, which needs
// room for the encoder, the runtime and the program itself. While the store is down nothing is encoded, and it must not
// take more than that. When the backlog is read back, what waits in memory comes on top, MemoryMaxBytes and the batch that
// is exported: twice, because Go's collector lets the heap grow to twice of what is alive, and once more because peaks
// of the same program differ by several MiB from run to run.
func TestAnOutageLongerThanMemoryLosesNothingAndStaysBounded(t *testing.T) {
	const events = 100_000
	d := newDelivery(t)
	flags := []string{"-memory", fmt.Sprint(outageMemory), "-age", "200ms"}

	w := d.run(flags...)
	for range 10 { // some of it waits in this run, too: that is part of health
		w.ask("track", events/10, outagePad, 0)
	}
	w.ask("flush")
	healthy := w.peakRSS()
	if n := w.stop().Stats.Retries; n != 0 {
		t.Errorf("the healthy store failed %d times", n)
	}

	w = d.run(flags...)
	d.down.Store(true)
	var backlog int64
	for range 10 {
		backlog = w.ask("track", events/10, outagePad, 0).Stats.SpoolBytes
	}
	if backlog < 100<<20 || d.asked.Load() == 0 {
		t.Errorf("%d MiB wait after %d attempts, so that this was no outage longer than memory", backlog>>20, d.asked.Load())
	}
	outage := w.peakRSS()
	d.down.Store(false)
	w.ask("flush")
	after := w.peakRSS()
	r := w.stop()
	d.nothingLeft()
	if n := d.check(); n != 2*events {
		t.Errorf("%d events are in the files, want %d", n, 2*events)
	}

	if most := outageMemory + outageBatch + 8<<10; r.PeakPending > most { // a batch ends with the event that fills it
		t.Errorf("PendingBytes was up to %d, want at most MemoryMaxBytes and a batch, %d", r.PeakPending, most)
	}
	most := healthy + 3*(outageMemory+outageBatch)
	t.Logf("%d MiB waited; resident at most: %.1f MiB in health, %.1f in the outage, %.1f when it was over (allowed %.1f); pending at most %.1f MiB",
		backlog>>20, mib(healthy), mib(outage), mib(after), mib(most), mib(r.PeakPending))
	if outage > healthy || after > most {
		t.Errorf("the process took %.1f MiB, want at most %.1f; %.1f when it was over, want at most %.1f", mib(outage), mib(healthy), mib(after), mib(most))
	}
}

// What a request pays must not depend on the store. Health and outage take turns in one process, so that both see the
// same machine, each with more events than memory holds; the numbers are for who reads them, and fail nothing. Once the
// events come in bursts with pauses, as requests do, and once more than the processors can take, which measures how the
// callers stand in each other's way.
func TestAnOutageDoesNotSlowRequestsDown(t *testing.T) {
	d := newDelivery(t)
	w := d.run("-memory", fmt.Sprint(outageMemory), "-age", "200ms")
	for _, load := range []struct {
		name  string
		burst int
	}{{"under a site's load", 10}, {"at full speed", 0}} {
		var median, p99 [2][]time.Duration
		for range 7 {
			for i, down := range []bool{false, true} {
				d.down.Store(down)
				r := w.ask("track", 6000, outagePad, load.burst)
				median[i], p99[i] = append(median[i], r.Median), append(p99[i], r.P99)
				d.down.Store(false)
				w.ask("flush")
			}
		}
		middle := func(all []time.Duration) time.Duration { slices.Sort(all); return all[len(all)/2] }
		m, p := [2]time.Duration{middle(median[0]), middle(median[1])}, [2]time.Duration{middle(p99[0]), middle(p99[1])}
		t.Logf("%s Track takes %v in health and %v in an outage (%.2f times), 99 of 100 at most %v and %v (%.2f times)",
			load.name, m[0], m[1], float64(m[1])/float64(m[0]), p[0], p[1], float64(p[1])/float64(p[0]))
	}
	w.stop()
	d.nothingLeft()
	d.check()
}

func mib(bytes int) float64 { return float64(bytes) / (1 << 20) }

// peakRSS is the most memory that the worker ever had resident, in bytes.
func (w *worker) peakRSS() int {
	w.t.Helper()
	status, err := os.ReadFile("/proc/" + w.pid() + "/status")
	if err != nil {
		w.t.Fatal(err)
	}
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if match == nil {
		w.t.Fatalf("no VmHWM in\n%s", status)
	}
	kib, err := strconv.Atoi(string(match[1]))
	if err != nil {
		w.t.Fatal(err)
	}
	return kib << 10
}
