package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The worker of this test has a clock of its own: package time of the standard library, with a Now whose wall clock can be
// set. Ids of events, batches and folders, timestamps and everything else in the process follow it. The monotonic clock is
// left alone, as it is when somebody sets the clock of a machine.
const clockSource = `package time

import "sync/atomic"

var ahead atomic.Int64 // seconds

// Move puts the wall clock ahead of the machine's.
func Move(by Duration) { ahead.Store(int64(by / Second)) }

func Now() Time {
	t := machineNow()
	t.addSec(ahead.Load())
	return t
}
`

// clockOverlay are the arguments for go build.
func clockOverlay(t *testing.T) []string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder, dir := filepath.Join(strings.TrimSpace(string(root)), "src", "time"), t.TempDir()
	source, err := os.ReadFile(filepath.Join(folder, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	renamed := strings.Replace(string(source), "\nfunc Now() Time {\n", "\nfunc machineNow() Time {\n", 1)
	if renamed == string(source) {
		t.Fatal("package time has no Now where it was in Go 1.26; the test must learn of the new one")
	}
	replace := map[string]string{}
	for name, content := range map[string]string{"time.go": renamed, "move.go": clockSource} {
		replace[filepath.Join(folder, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"-tags=clock", "-overlay=" + file}
}

// The clock goes back by an hour and more while events come in, and between a process and the next, whose folder and ids
// then sort before those of the dead one. The order is kept within a process, as far as there is one: that in which a
// goroutine tracks.
func TestAClockThatGoesBackLosesNothingAndKeepsTheOrder(t *testing.T) {
	d := newDelivery(t, clockOverlay(t)...)
	load := []string{"-load", "-batch", "200", "-age", "8ms", "-sync", "20ms"}
	goOn := func(w *worker) {
		batches := w.ask("stats").Stats.Batches
		eventually(t, "further batches are delivered", func() bool { return w.ask("stats").Stats.Batches > batches+2 })
	}

	w := d.run(append(load, "-clock", "1h", "-age", "300ms")...)
	for _, ahead := range []string{"0s", "2h", "-1h", "0s"} {
		goOn(w)
		w.ask("clock", ahead)
	}
	w.ask("rest")
	w.ask("flush")
	w.ask("track", 10, 100, 0) // the age of this batch must not be what the clock says
	w.ask("clock", "-2h")
	eventually(t, "the batch is sealed in time", func() bool { return w.ask("stats").Stats.Pending == 0 })
	w.stop()
	d.nothingLeft()

	for _, ahead := range []string{"1h", "0s", "-1h", "1h", "-2h"} {
		w := d.run(append(load, "-clock", ahead)...)
		for _, step := range []string{"30m", "-30m", ahead} {
			goOn(w)
			w.ask("clock", step)
		}
		w.kill()
	}
	d.drain()
	d.check()
	d.ordered()
	if hours := openWarehouse(t, d.data).count("SELECT date_diff('minute', min(timestamp), max(timestamp)) FROM events") / 60; hours < 4 {
		t.Errorf("the events span %d hours, so the clock was not set", hours)
	}
}

// ordered wants the exporter to have got the events of each goroutine in the order in which it tracked them. What a crash
// repeats counts the first time.
func (d *delivery) ordered() {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(d.logs, "order"))
	if err != nil {
		d.t.Fatal(err)
	}
	seen, last, wrong := map[int]bool{}, map[string]int{}, 0
	for line := range strings.Lines(string(content)) {
		var n int
		var visitor string
		if _, err := fmt.Sscan(line, &n, &visitor); err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		if seen[n] {
			continue
		}
		seen[n] = true
		if n < last[visitor] {
			wrong++
		}
		last[visitor] = n
	}
	if wrong > 0 || len(seen) == 0 {
		d.t.Errorf("%d of %d events came out of order", wrong, len(seen))
	}
}
