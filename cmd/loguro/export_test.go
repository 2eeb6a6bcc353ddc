package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

// ids are the batches that Parquet files are named by, sorted.
func ids(t *testing.T, out string) []string {
	t.Helper()
	var all []string
	for _, path := range glob(t, out, "*", "*.parquet") {
		all = append(all, strings.TrimSuffix(filepath.Base(path), ".parquet"))
	}
	slices.Sort(all)
	return all
}

// batches are the ids that segments are named by, sorted.
func batches(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, path := range segments(t, dir) {
		all = append(all, anyUUID.FindString(filepath.Base(path)))
	}
	slices.Sort(all)
	return all
}

// same says whether nothing is left but an empty directory.
func emptied(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("%s is left in the spool", entry.Name())
	}
}

func ship(t *testing.T, dir, out string, flags ...string) result {
	t.Helper()
	return loguroRun(t, append([]string{"spool", "export", "--to", "parquet:" + out, dir}, flags...)...)
}

func TestExportDeliversWhatDeadProcessesLeft(t *testing.T) {
	dir, out := spoolOf(t, "e1", "e2", "e3"), filepath.Join(t.TempDir(), "out")
	leave(t, dir, "e4")
	want := batches(t, dir)
	ship(t, dir, out).check(t, 0, []string{"exported  3 batches with 4 events to parquet\n"}, nil)
	if got := exported(t, out); got != "e1 e2 e3 e4" {
		t.Errorf("exported %s", got)
	}
	if got := ids(t, out); !slices.Equal(got, want) {
		t.Errorf("files are named %v, want the batches' own ids, %v", got, want)
	}
	emptied(t, dir)
	ship(t, dir, out).check(t, 0, []string{"nothing waits\n"}, nil)
}

// A crash between the export and the removal brings the same batch again.
func TestExportTwiceGivesEachEventOnce(t *testing.T) {
	dir, out := spoolOf(t, "e1", "e2", "e3"), t.TempDir()
	crashed := filepath.Join(t.TempDir(), "spool")
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, crashed} {
		ship(t, dir, out).check(t, 0, []string{"exported  2 batches with 3 events"}, nil)
		emptied(t, dir)
		if got := exported(t, out); got != "e1 e2 e3" {
			t.Errorf("exported %s, want each event once", got)
		}
	}
}

func TestExportLeavesLivingProcessesAlone(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	living := start(t, dir, down{})
	track(t, living, "l1", "l2", "l3")
	before := segments(t, dir)
	leave(t, dir, "e1")
	name := filepath.Base(filepath.Dir(before[0]))
	stays := "stays     2 batches of " + name + ": in use by a living process, which delivers them\n"
	for _, flags := range [][]string{{"--keep"}, nil} {
		ship(t, dir, out, flags...).check(t, 1, []string{"exported  1 batch with 1 event to parquet\n", stays}, nil)
		if got := exported(t, out); got != "e1" {
			t.Errorf("%q: exported %s, want e1", flags, got)
		}
	}
	ship(t, dir, out).check(t, 1, []string{"exported  0 batches with 0 events to parquet\n", stays}, nil)
	if got := segments(t, dir); !slices.Equal(got, before) {
		t.Errorf("segments = %v, want those of the living process, %v", got, before)
	}
	stop(living)
	ship(t, dir, out).check(t, 0, nil, nil)
	if got := exported(t, out); got != "e1 l1 l2 l3" {
		t.Errorf("exported %s", got)
	}
}

// Between the look at the spool and the export, a process of the application starts and takes over.
func TestExportLeavesWhatAnotherProcessTakesOver(t *testing.T) {
	dir := spoolOf(t, "e1", "e2", "e3")
	before := batches(t, dir)
	know(t, "late", picky{})
	destinations[len(destinations)-1].open = func(string) (loguro.Exporter, error) {
		start(t, dir, down{})
		return picky{}, nil
	}
	name := filepath.Base(filepath.Dir(segments(t, dir)[0]))
	loguroRun(t, "spool", "export", "--to", "late:x", dir).check(t, 1, []string{"exported  0 batches with 0 events", "stays     2 batches of " + name + ": in use by a living process"}, nil)
	if got := batches(t, dir); !slices.Equal(got, before) {
		t.Errorf("batches = %v, want all of before, %v", got, before)
	}
}

func TestExportSkipsDamageAndSaysSo(t *testing.T) {
	dir, out := spoolOf(t, "e1", "e2", "e3", "e4", "e5", "e6"), t.TempDir()
	s := segments(t, dir)
	flip(t, s[0], 40)
	tear(t, s[1])
	fromTheFuture(t, s[2])
	r := ship(t, dir, out)
	r.check(t, 1, []string{
		"exported  2 batches with 2 events",
		"damaged   1 torn end skipped", "damaged   1 corrupt part skipped, and put aside in the folder corrupt",
		"stays     1 batch that cannot be taken over",
	}, []string{"loguro: part of the spool could not be taken over", "(version 9)"})
	if got := exported(t, out); got != "e2 e3" {
		t.Errorf("exported %s, want e2 e3", got)
	}
	if got := glob(t, dir, "corrupt", "*"); len(got) != 1 {
		t.Errorf("put aside: %v, want 1 file", got)
	}
	if got := segments(t, dir); !slices.Equal(got, s[2:]) {
		t.Errorf("segments = %v, want the one that this version does not know", got)
	}
}

func TestCorruptionAloneIsAFinding(t *testing.T) {
	dir := spoolOf(t, "e1", "e2")
	flip(t, segments(t, dir)[0], 40)
	ship(t, dir, t.TempDir()).check(t, 1, []string{"exported  1 batch with 1 event", "damaged   1 corrupt part"}, nil)
	ship(t, dir, t.TempDir()).check(t, 0, []string{"nothing waits"}, nil)
}

// What the store refuses goes to the dead letters, and does not hold back the others.
func TestExportSendsRefusedEventsToTheDeadLetters(t *testing.T) {
	know(t, "picky", picky{})
	dir := spoolOf(t, "e1", "bad1", "e3")
	loguroRun(t, "spool", "export", "--to", "picky:x", dir).check(t, 1, []string{
		"exported  2 batches with 2 events to picky\n",
		"refused   1 event by the destination; see the reasons with loguro spool ls " + dir,
	}, []string{"loguro: events refused for good (exporter main.picky, "})
	if len(segments(t, dir)) > 0 {
		t.Error("segments are left")
	}
	loguroRun(t, "spool", "ls", dir).check(t, 0, []string{"main.picky", "such events are not taken", "1 dead letter\n"}, nil)

	// Mended, they are redriven: for the exporter that refused them, and only on demand.
	out := t.TempDir()
	ship(t, dir, out).check(t, 0, []string{"exported  0 batches with 0 events to parquet\n", "stays     1 dead letter; --dead exports those of parquetexporter.Exporter too\n"}, nil)
	ship(t, dir, out, "--dead").check(t, 1, []string{"stays     1 dead letter of main.picky; --as main.picky exports them in its place\n"}, nil)
	loguroRun(t, "spool", "export", "--to", "picky:x", "--dead", dir).check(t, 1, []string{"refused   1 event by the destination"}, []string{"refused for good"})
	if got := exported(t, out); got != "" {
		t.Errorf("exported %s, want nothing yet", got)
	}
	ship(t, dir, out, "--dead", "--as", "main.picky").check(t, 0, []string{"redriven  1 dead letter\n"}, nil)
	if got := exported(t, out); got != "bad1" {
		t.Errorf("exported %s, want bad1", got)
	}
	loguroRun(t, "spool", "ls", dir).check(t, 0, []string{"nothing waits"}, nil)
}

// fussy refuses everything.
type fussy struct{}

func (fussy) Export(context.Context, loguro.Batch) error {
	return loguro.Permanent(errors.New("nothing is taken"))
}

// A single exporter would get all dead letters, those of others included, which it may have got as events.
func TestExportRedrivesTheDeadLettersOfOneExporter(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	bury(t, dir, "bad1", "ok")
	tracker := start(t, dir, fussy{})
	track(t, tracker, "e1", "e2")
	eventually(t, "all is refused", func() bool { return tracker.Stats().Exporters[0].Dead == 2 })
	// What a living process is redriving is its own business.
	living := start(t, dir, picky{})
	track(t, living, "late1", "late2")
	claimed := filepath.Join(filepath.Dir(segments(t, dir)[0]), "main.picky-0196cdf4-2b00-7000-8000-0123456789ab.jsonl")
	write(t, claimed, read(t, glob(t, dir, "dead", "main.picky-*")[0]))
	stop(tracker)

	loguroRun(t, "spool", "ls", dir).check(t, 0, []string{"such events are not taken (being redriven)\n", "4 dead letters"}, nil)
	ship(t, dir, out, "--dead", "--as", "main.picky").check(t, 1, []string{"redriven  1 dead letter\n", "stays     2 dead letters of main.fussy; --as main.fussy exports them in its place\n"}, nil)
	if got := exported(t, out); got != "bad1" {
		t.Errorf("exported %s, want bad1", got)
	}
	if left := glob(t, dir, "dead", "*"); len(left) != 2 || len(read(t, claimed)) == 0 {
		t.Errorf("dead letters = %v, want those of main.fussy", left)
	}
}

// Once it is a batch again, a dead letter waits as other batches do.
func TestExportGivesUpOnDeadLetters(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	bury(t, dir, "bad1", "ok")
	synctest.Test(t, func(t *testing.T) {
		know(t, "broken", down{})
		loguroRun(t, "spool", "export", "--to", "broken:x", "--dead", "--as", "main.picky", dir).check(t, 1,
			[]string{"stays     1 batch with 1 event, not exported yet; run it again\n"}, []string{"gave up after 8 failed attempts: the store is down\n"})
	})
	ship(t, dir, out, "--as", "main.picky").check(t, 0, []string{"exported  1 batch with 1 event"}, nil)
	if got := exported(t, out); got != "bad1" {
		t.Errorf("exported %s, want bad1", got)
	}
	emptied(t, filepath.Join(dir, "dead"))
}

// What dies while the export runs was not looked at: another exporter may need it.
func TestExportTakesOnlyWhatWasDeadAtItsStart(t *testing.T) {
	dir := spoolOf(t, "e1", "e2", "e3")
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		know(t, "slow", exporterFunc(func(context.Context, loguro.Batch) error {
			if calls++; calls == 1 {
				leave(t, dir, "x1")
				time.Sleep(2 * time.Minute) // the pipeline looks for dead processes every minute
			}
			return nil
		}))
		r := loguroRun(t, "spool", "export", "--to", "slow:x", dir)
		if r.code != 0 || !strings.HasPrefix(r.out, "exported  2 batches with 3 events to slow\n") {
			t.Errorf("export = %+v", r)
		}
	})
	if r := loguroRun(t, "spool", "cat", dir); names(t, r.out) != "x1" {
		t.Errorf("the spool has %s, want x1", names(t, r.out))
	}
}

// A file of dead letters with a bad line is not redriven, and does not hold back the others.
func TestExportLeavesDamagedDeadLetters(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	bury(t, dir, "bad1", "ok", "bad2", "ok")
	letters := glob(t, dir, "dead", "*")
	tear(t, letters[0])
	ship(t, dir, out, "--dead", "--as", "main.picky").check(t, 1, []string{"redriven  1 dead letter\n", "stays     1 file of dead letters that cannot be read\n"},
		[]string{letters[0] + ": dead letter: line 1: "})
	if got := glob(t, dir, "dead", "*"); !slices.Equal(got, letters[:1]) {
		t.Errorf("dead letters = %v, want the damaged file", got)
	}
}

// In the spool an exporter goes by its name: what it has is not exported again, whoever exports now.
func TestExportGoesByTheNameThatTheApplicationUses(t *testing.T) {
	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	tracker := start(t, filepath.Join(t.TempDir(), "spool"), exporter)
	if got, want := nameOf(exporter), tracker.Stats().Exporters[0].Name; got != want {
		t.Errorf("nameOf() = %q, want %q", got, want)
	}
	if !strings.Contains(exportHelp, nameOf(exporter)) {
		t.Error("the help does not tell the name")
	}
}

// half has delivered to Parquet what main.down still lacks.
func half(t *testing.T, dir, out string, names ...string) {
	t.Helper()
	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: out})
	if err != nil {
		t.Fatal(err)
	}
	tracker := start(t, dir, loguro.Tee(exporter, down{}))
	track(t, tracker, names...)
	eventually(t, "Parquet has all", func() bool { return tracker.Stats().Exporters[0].Pending == 0 })
	stop(tracker)
}

func TestExportDoesNotTakeWhatAnotherExporterNeeds(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	half(t, dir, t.TempDir(), "e1", "e2") // Parquet has them, elsewhere
	leave(t, dir, "e3")                   // nobody has it
	loguroRun(t, "spool", "ls", dir).check(t, 0, []string{"main.down (2 events)"}, nil)
	ship(t, dir, t.TempDir(), "--keep").check(t, 0, []string{"exported  1 batch with 1 event", "skipped   1 batch"}, nil)
	stays := "stays     1 batch that main.down may need yet; export as that one too (--as), or let the application do it\n"
	ship(t, dir, out).check(t, 1, []string{"exported  1 batch with 1 event", "skipped   1 batch that parquetexporter.Exporter got before\n", stays}, nil)
	if got := exported(t, out); got != "e3" {
		t.Errorf("exported %s, want e3", got)
	}
	ship(t, dir, out).check(t, 1, []string{"exported  0 batches with 0 events", "skipped   1 batch", stays}, nil) // and again
	// In the place of the other one everything goes.
	rest := t.TempDir()
	ship(t, dir, rest, "--as", "main.down").check(t, 0, []string{"exported  1 batch with 2 events"}, nil)
	if got := exported(t, rest); got != "e1 e2" {
		t.Errorf("exported %s as main.down, want all", got)
	}
	emptied(t, dir)
}

// Where the side file names the other exporter, so does the summary.
func TestExportNamesWhoNeedsABatch(t *testing.T) {
	dir, out := filepath.Join(t.TempDir(), "spool"), t.TempDir()
	bury(t, dir, "bad1", "late1")
	r := ship(t, dir, out, "--json")
	r.check(t, 1, nil, nil)
	var s summary
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		t.Fatal(err)
	}
	if s.Batches != 1 || s.Events != 2 || s.Held != 1 || fmt.Sprint(s.HeldFor) != "[main.picky]" || s.Left != 0 {
		t.Errorf("summary = %+v", s)
	}
	if got := exported(t, out); got != "bad1 late1" {
		t.Errorf("exported %s", got)
	}
	ship(t, dir, out, "--as", "main.picky").check(t, 0, []string{"exported  1 batch with 1 event"}, nil)
	if got := exported(t, out); got != "bad1 late1 late1" { // under the id of a part: it was split for main.picky
		t.Errorf("exported %s", got)
	}
}

func TestExportSummaryAsJSON(t *testing.T) {
	dir := spoolOf(t, "e1", "e2", "e3")
	r := ship(t, dir, t.TempDir(), "--json")
	r.check(t, 0, []string{`"dir":"` + dir + `","to":"parquet","exporter":"parquetexporter.Exporter"`, `"exported_batches":2,"exported_events":3,`}, nil)
	var v map[string]any
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, v, "batches_exported_before corrupt_parts damaged_dead_letter_files dead_letters_of_others dead_letters_staying dir "+
		"exported_batches exported_events exporter held_batches held_for interrupted keep left_batches left_events living_batches "+
		"living_processes lost_events redriven_events refused_events to torn_tails unreadable_folders", exportHelp)
	loguroRun(t, "spool", "export", "--json", "--to", "parquet:"+t.TempDir(), t.TempDir()).check(t, 0, []string{`"living_processes":[]`, `"held_for":[]`, `"dead_letters_of_others":{}`}, nil)
}

func TestDestinationsThatAreNone(t *testing.T) {
	dir := spoolOf(t, "e1")
	before := tree(t, dir)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	for to, want := range map[string]string{
		"parket:secret":   `--to "parket:…" is not a destination; known are: parquet:OUTDIR`,
		"parquet":         `--to "parquet:…" is not a destination; known are: parquet:OUTDIR`,
		"parquet:":        `known are: parquet:OUTDIR`,
		"parquet:" + file: "--to parquet: parquetexporter: Options.Dir \"" + file + "\": it or a parent of it is a file",
	} {
		r := loguroRun(t, "spool", "export", "--to", to, dir)
		r.check(t, 2, nil, []string{want})
		if strings.Contains(r.errors, "secret") { // a target may have a password in it
			t.Errorf("the error repeats the target: %s", r.errors)
		}
	}
	if got := tree(t, dir); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Error("the spool changed")
	}
}
