package e2e

import (
	"fmt"
	"testing"
)

// A container that is restarted has the same host name and the same process id, 1, as the one before: whoever tells
// processes apart by these takes the dead one's folder for its own, or for a living one's.
func TestARestartedContainerTakesOverFromTheOneBefore(t *testing.T) {
	unshare := need(t, "unshare", "util-linux")
	d := newDelivery(t)
	d.down.Store(true)
	contained := func(flags ...string) *worker {
		d.runs++
		all := append([]string{"--pid", "--fork", "--kill-child=KILL", "--", d.program, "-spool", d.spool, "-data", d.data, "-logs", d.logs,
			"-store", d.store, "-from", fmt.Sprint(d.runs * 10_000_000)}, flags...)
		return startWorker(t, unshare, all...)
	}
	for range 3 {
		w := contained()
		w.ask("track", 100, 100, 0)
		w.kill()
	}
	d.down.Store(false)
	w := contained()
	if adopted := w.ask("flush").Stats.Adopted; adopted != 300 {
		t.Errorf("%d events of the containers before were taken over, want 300", adopted)
	}
	w.stop()
	d.nothingLeft()
	d.check()
	for _, c := range d.calls() {
		if c.pid != "1" {
			t.Fatalf("a worker's process id is %s, want 1: the test shows nothing", c.pid)
		}
	}
}
