package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Two processes share the directory, as during a deploy, and one is killed. Two more start at once: what the dead one left
// goes to one of them, and what the living one has waiting stays its own, though it lies beside it.
func TestProcessesOnOneDirectoryAdoptTheDeadAndLeaveTheLivingAlone(t *testing.T) {
	d := newDelivery(t)
	load := []string{"-load", "-batch", "200", "-age", "8ms", "-sync", "20ms"}
	d.down.Store(true)
	living := d.run(load...)
	// Both have some batches on disk before anything happens.
	waiting := func(w *worker) func() bool {
		return func() bool { return w.ask("stats").Stats.Pending > 3000 }
	}
	eventually(t, "the one has batches waiting", waiting(living))
	its := glob(t, d.spool, "*")
	if len(its) != 1 {
		t.Fatalf("one process has %d folders", len(its))
	}
	dead := d.run(append(load, "-store", d.store+"/down")...)
	eventually(t, "the other has batches waiting", waiting(dead))
	left := dead.ask("rest").Stats.Accepted // Track calls after this line there are none, so that the number is exact
	dead.kill()

	before := living.ask("stats").Stats.Accepted
	sealed := stat(t, glob(t, its[0], "*.seg"))
	heirs := []*worker{d.run("-store", ""), d.run("-store", "")}
	adopted := uint64(0)
	for _, heir := range heirs {
		adopted += heir.ask("flush").Stats.Adopted
	}
	if adopted != left {
		t.Errorf("the heirs took over %d events, want the %d that the dead process left", adopted, left)
	}
	for path, was := range sealed {
		now, err := os.Stat(path)
		if err != nil || !os.SameFile(was, now) || now.Size() < was.Size() {
			t.Errorf("%s of the living process was touched: %v", filepath.Base(path), err)
		}
	}
	eventually(t, "the living process goes on", func() bool { return living.ask("stats").Stats.Accepted > before })

	d.down.Store(false)
	living.ask("rest")
	living.ask("flush")
	for _, w := range append(heirs, living) {
		w.stop()
	}
	d.nothingLeft()
	d.check()
	by := map[string]string{} // process that exported a batch
	for _, c := range d.calls() {
		if by[c.batch] != "" && by[c.batch] != c.pid {
			t.Errorf("batch %s was exported by two processes", c.batch)
		}
		by[c.batch] = c.pid
	}
	for path := range sealed {
		if by[batchOf(path)] != living.pid() {
			t.Errorf("batch %s of the living process was exported by %q", batchOf(path), by[batchOf(path)])
		}
	}
}

// Each start takes the same folders at the same time as others do; each batch has one taker.
func TestManyProcessesThatStartTogetherAdoptEachBatchOnce(t *testing.T) {
	d := newDelivery(t)
	d.down.Store(true)
	left := 0
	for range 8 {
		w := d.run("-batch", "20", "-age", "1h")
		left += w.ask("track", 110, 100, 0).Accepted
		w.kill()
	}
	d.down.Store(false)
	var heirs []*worker
	for range 4 {
		heirs = append(heirs, d.run())
	}
	adopted := []uint64{}
	for _, w := range heirs {
		adopted = append(adopted, w.ask("flush").Stats.Adopted)
		w.stop()
	}
	if sum := adopted[0] + adopted[1] + adopted[2] + adopted[3]; sum != uint64(left) {
		t.Errorf("%v events were taken over, want %d in all", adopted, left)
	}
	var batches []string
	for _, c := range d.calls() {
		if slices.ContainsFunc(heirs, func(w *worker) bool { return w.pid() == c.pid }) {
			batches = append(batches, c.batch)
		}
	}
	slices.Sort(batches)
	if n := len(slices.Compact(slices.Clone(batches))); n != len(batches) {
		t.Errorf("%d batches were exported %d times", n, len(batches))
	}
	d.nothingLeft()
	d.check()
	t.Logf("%v events were taken over", adopted)
}

func stat(t *testing.T, paths []string) map[string]os.FileInfo {
	t.Helper()
	all := map[string]os.FileInfo{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = info
	}
	return all
}
