package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// crashBatch is the size of a batch in these tests.
const crashBatch = 40

// The moment that a retry cannot tell from a failure: the batch is durable in the store, and the process dies before the
// spool knows. The worker kills itself right there, at its first, second or third batch, and the next process begins with
// the same batch, under the same id.
func TestACrashBetweenExportAndRemovalRepeatsNoEventInParquet(t *testing.T) {
	d := newDelivery(t)
	for _, k := range []int{1, 2, 3, 1, 2, 3, 1, 1} {
		d.crash(k, "-parquet-script", fmt.Sprint("after=", k))
	}
	d.drain()
	d.check()
	d.resumed(8)
}

// The same with ClickHouse, that keeps an event once because the batch's id is the token of its insert.
func TestACrashBetweenInsertAndRemovalRepeatsNoEventInClickHouse(t *testing.T) {
	d := newDelivery(t)
	table := newTable(t)
	for _, k := range []int{1, 2, 3, 1, 2, 3, 1, 1} {
		d.crash(k, "-data", "", "-clickhouse", table.insert(), "-insert-script", fmt.Sprint("after=", k))
	}
	d.drain("-data", "", "-clickhouse", table.insert())
	table.check(d)
	d.resumed(8)
}

// With a Tee the process may die while one of the two has the batch and the other has not. Whoever has it may get it again,
// under the same id, but not once the spool remembers.
func TestACrashBetweenTheExportsOfATeeRepeatsNoEventInEither(t *testing.T) {
	d := newDelivery(t)
	table := newTable(t)
	insert := []string{"-clickhouse", table.insert()}
	for _, death := range []struct {
		why                   string
		parquetScript, script string
		file, row             bool   // what is there when the process is dead
		remembered            string // the exporter that must not get the batch again
	}{
		{"the file is there, the rows are not", "after=K", "hold=K", true, false, ""},
		{"the rows are there, the file is not", "hold=K", "after=K", false, true, ""},
		{"the file is there and the spool knows, the rows are not", "", "seen=K,before=K", true, false, "parquet"},
		{"the rows are there and the spool knows, the file is not", "seen=K,before=K", "", false, true, "clickhouse"},
		{"both are there, and the spool knows of the file", "", "seen=K,after=K", true, true, "parquet"},
		{"both are there, and the spool knows of the rows", "seen=K,after=K", "", true, true, "clickhouse"},
	} {
		for _, k := range []int{1, 2, 3} {
			script := strings.NewReplacer("K", fmt.Sprint(k))
			before := table.count()
			batch := d.crash(k, append(insert, "-parquet-script", script.Replace(death.parquetScript), "-insert-script", script.Replace(death.script))...)
			if got := len(glob(t, d.data, "*", batch+".parquet")) > 0; got != death.file {
				t.Errorf("%s: the file is there: %v", death.why, got)
			}
			if got := table.count()-before > (k-1)*crashBatch; got != death.row {
				t.Errorf("%s: the rows are there: %v", death.why, got)
			}
			calls := len(d.calls())
			d.drain(insert...)
			again := map[string]bool{}
			for _, c := range d.calls()[calls:] {
				again[c.exporter] = again[c.exporter] || c.batch == batch
			}
			for _, exporter := range []string{"parquet", "clickhouse"} {
				if want := exporter != death.remembered; again[exporter] != want {
					t.Errorf("%s: the next process offers the batch to %s: %v, want %v", death.why, exporter, again[exporter], want)
				}
			}
		}
	}
	d.check()
	table.check(d)
}

// crash runs a worker that kills itself when it exports its k-th batch, and returns the id of that. Each process leaves
// events behind that no exporter has seen.
func (d *delivery) crash(k int, flags ...string) (batch string) {
	d.t.Helper()
	w := d.run(append([]string{"-batch", fmt.Sprint(crashBatch), "-age", "1h"}, flags...)...)
	_, _ = fmt.Fprintln(w.command, "track", k*crashBatch+crashBatch/2, 100, 0) // what was left before may kill it before it can answer
	w.killed()
	return w.find(`dying at (\S+)`)
}

// resumed wants each process to have begun with the batch at which the one before it died.
func (d *delivery) resumed(deaths int) {
	d.t.Helper()
	var last call
	for _, c := range d.calls() {
		if last.pid != "" && c.pid != last.pid {
			deaths--
			if c.batch != last.batch {
				d.t.Errorf("a process died at batch %s, and the next begins with %s", last.batch, c.batch)
			}
		}
		last = c
	}
	if deaths != 0 {
		d.t.Errorf("%d deaths less than meant", deaths)
	}
}
