package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// delivery is a spool, the store behind it, and the program that uses both: it may be killed and started again at will.
// What must hold in the end is always the same, see check.
type delivery struct {
	t       *testing.T
	program string // built from ./worker
	spool   string
	data    string // of the Parquet files
	logs    string // of what the worker says that it did
	store   string // address that the worker asks before each export
	down    atomic.Bool
	asked   atomic.Int64 // how often, while it was down
	runs    int
}

func newDelivery(t *testing.T, build ...string) *delivery {
	t.Helper()
	d := &delivery{t: t, program: filepath.Join(t.TempDir(), "worker"), spool: filepath.Join(t.TempDir(), "spool"), data: t.TempDir(), logs: t.TempDir()}
	args := append(append([]string{"build", "-ldflags=-s -w", "-o", d.program}, build...), "./worker")
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.down.Load() || r.URL.Path == "/down" { // for a worker to whom it is down whatever it is to the others
			d.asked.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	d.store = server.URL
	return d
}

// run starts the worker with these flags on top of those that all have.
func (d *delivery) run(flags ...string) *worker {
	d.t.Helper()
	d.runs++ // numbers with as many digits make events of the same size
	all := append([]string{"-spool", d.spool, "-data", d.data, "-logs", d.logs, "-store", d.store, "-from", fmt.Sprint(d.runs * 10_000_000)}, flags...)
	return startWorker(d.t, d.program, all...)
}

// drain lets the store be up and a last process deliver what is left; then nothing may be left.
func (d *delivery) drain(flags ...string) {
	d.t.Helper()
	d.down.Store(false)
	w := d.run(flags...)
	w.ask("flush")
	w.stop()
	d.nothingLeft()
}

// nothingLeft wants a spool without anything in it, and no file in data that was not completed.
func (d *delivery) nothingLeft() {
	d.t.Helper()
	for _, left := range append(glob(d.t, d.spool, "*"), glob(d.t, d.data, "*", "*.tmp")...) {
		d.t.Errorf("%s is left", left)
	}
}

// segments are the files of the spool that hold batches.
func (d *delivery) segments() []string { return glob(d.t, d.spool, "*", "*.seg") }

// batchOf returns the id of a segment's batch.
func batchOf(segment string) string {
	_, id, _ := strings.Cut(strings.TrimSuffix(filepath.Base(segment), ".seg"), "-")
	return id
}

// call is one of an exporter, by any worker.
type call struct {
	pid, exporter, batch string
	events               int
}

func (d *delivery) calls() (all []call) {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(d.logs, "calls"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		var c call
		if _, err := fmt.Sscan(line, &c.pid, &c.exporter, &c.batch, &c.events); err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		all = append(all, c)
	}
	return all
}

func glob(t *testing.T, path ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// check has DuckDB compare the files with what the workers noted: each accepted event is there, none twice, none that
// nobody tracked, and none with a part missing. An event may be there that was not noted as accepted: the process was
// killed between the two. It returns how many events are in the files.
func (d *delivery) check() (events int) {
	d.t.Helper()
	w := openWarehouse(d.t, d.data)
	// A pageview has its number in the address, all others in the properties.
	w.exec(`CREATE TABLE numbered AS SELECT *,
		CASE event_type WHEN 'pageview' THEN path[4:] ELSE (custom_props->>'n') END::BIGINT AS n FROM events`)
	for _, log := range []string{"accepted", "attempted"} {
		w.exec(fmt.Sprintf("CREATE TABLE %s AS SELECT n FROM read_csv('%s', header = false, columns = {'n': 'BIGINT'})", log, filepath.Join(d.logs, log)))
	}
	events = w.count("SELECT count(*) FROM numbered")
	if n := w.count("SELECT count(DISTINCT event_id) FROM numbered"); n != events {
		d.t.Errorf("%d events are in the files with %d different ids", events, n)
	}
	if n := w.count("SELECT count(DISTINCT n) FROM numbered"); n != events {
		d.t.Errorf("%d events are in the files with %d different numbers", events, n)
	}
	accepted := w.count("SELECT count(*) FROM accepted")
	if accepted == 0 {
		d.t.Error("no event was accepted, so the test proves nothing")
	}
	if n := w.count("SELECT count(*) FROM accepted ANTI JOIN numbered USING (n)"); n != 0 {
		d.t.Errorf("%d of %d accepted events are lost, such as %v", n, accepted, w.rows("SELECT n FROM accepted ANTI JOIN numbered USING (n) LIMIT 5"))
	}
	if n := w.count("SELECT count(*) FROM numbered ANTI JOIN attempted ON attempted.n = numbered.n - numbered.n % 64"); n != 0 {
		d.t.Errorf("%d events are in the files that nobody tracked", n)
	}
	const whole = `CASE event_type
		WHEN 'pageview' THEN url LIKE 'http://127.0.0.1:%/p/' || n AND status = 200 AND session_id IS NOT NULL
		ELSE replace((custom_props->>'pad'), n::VARCHAR, '') = '' AND (custom_props->>'pad') <> '' AND CASE custom_event_name
			WHEN 'shown' THEN path = '/p/' || n - 1 AND session_id IS NOT NULL
			WHEN 'worked' THEN user_id = 'u' || n ELSE false END END AND visitor_id IS NOT NULL`
	if n := w.count("SELECT count(*) FROM numbered WHERE (" + whole + ") IS NOT TRUE"); n != 0 {
		d.t.Errorf("%d events have not all their parts, such as %v", n, w.rows("SELECT * FROM numbered WHERE ("+whole+") IS NOT TRUE LIMIT 3"))
	}
	d.t.Logf("%d events were accepted, %d are in the files", accepted, events)
	return events
}
