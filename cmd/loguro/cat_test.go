package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loguro/loguro/event"
)

// names are the events' of JSON lines; those of dead letters stand in brackets.
func names(t *testing.T, out string) string {
	t.Helper()
	var all []string
	for text := range strings.Lines(out) {
		var v struct {
			Name   string          `json:"custom_event_name"`
			Event  json.RawMessage `json:"event"`
			Reason string          `json:"reason"`
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		raw, format := []byte(text), "%"
		if v.Reason != "" {
			raw, format = v.Event, "[%]"
		}
		var e event.Event
		if err := e.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		if line := string(e.AppendJSON(nil)); line != strings.TrimSpace(string(raw)) {
			t.Errorf("the line is %s, want the documented form, %s", raw, line)
		}
		all = append(all, strings.ReplaceAll(format, "%", e.Name))
	}
	return strings.Join(all, " ")
}

func TestCatPrintsTheEventsInOrder(t *testing.T) {
	dir := variety(t)
	files := segments(t, dir)
	letters := glob(t, dir, "dead", "*")[0]
	torn := files[4] + ": torn: the last 68 bytes, from byte 95 on; skipped"
	before := tree(t, dir)
	for _, test := range []struct {
		args   []string
		want   string
		code   int
		errors []string
	}{
		{[]string{dir}, "l1 bad1 late1 b1 c1 d1", 1, []string{torn}},
		{[]string{"--dead", dir}, "l1 bad1 late1 b1 c1 d1 [bad1]", 1, []string{torn}},
		{[]string{files[3], files[2]}, "c1 b1", 0, nil},
		{[]string{letters}, "bad1", 0, nil},
		{[]string{"--dead", files[3], letters}, "c1 [bad1]", 0, nil},
		{[]string{filepath.Join(dir, "none"), files[3]}, "c1", 2, []string{"none does not exist"}}, // the others are printed
	} {
		r := loguroRun(t, append([]string{"spool", "cat"}, test.args...)...)
		r.check(t, test.code, nil, test.errors)
		if got := names(t, r.out); got != test.want {
			t.Errorf("cat %q prints %s, want %s", test.args, got, test.want)
		}
	}
	if !maps.Equal(tree(t, dir), before) {
		t.Error("cat changed the spool")
	}
}

func TestCatPrintsDeadLettersAsTheyAre(t *testing.T) {
	dir := variety(t)
	letters := glob(t, dir, "dead", "*")[0]
	r := loguroRun(t, "spool", "cat", "--dead", letters)
	if r.out != string(read(t, letters)) {
		t.Errorf("cat --dead prints %s, want the file as it is", r.out)
	}
	whole := read(t, letters)
	write(t, letters, append([]byte("{\"reason\":\"half a line\"\n\n"), whole...))
	r = loguroRun(t, "spool", "cat", "--dead", letters)
	r.check(t, 1, []string{string(whole)}, []string{letters + ": dead letter: line 1: "})
}

// A disk that dies must not look like the end of the events.
func TestCatSaysThatItCannotWrite(t *testing.T) {
	dir := spoolOf(t, "aa", "bb")
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"spool", "cat", dir}, broken{}, &stderr); code != 2 || !strings.Contains(stderr.String(), "write events: the pipe is broken") {
		t.Errorf("cat into a broken pipe = %d, %s", code, stderr.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the pipe is broken") }

func TestReadingCanBeInterrupted(t *testing.T) {
	dir := spoolOf(t, "aa", "bb")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, word := range []string{"ls", "cat", "verify"} {
		var stdout, stderr bytes.Buffer
		code := run(ctx, []string{"spool", word, dir}, &stdout, &stderr)
		result{code, stdout.String(), stderr.String()}.check(t, 130, nil, []string{"interrupted"})
		if stdout.Len() > 0 {
			t.Errorf("%s prints %s, want nothing", word, stdout.String())
		}
	}
}

// The end of what a living process writes is not damage, but not written yet.
func TestWhatIsBeingWrittenIsNotDamaged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	living := start(t, dir, down{})
	track(t, living, "l1")
	segment := segments(t, dir)[0]
	write(t, segment, append(read(t, segment), 1, 2, 3))
	for _, path := range []string{dir, segment} {
		r := loguroRun(t, "spool", "cat", path)
		r.check(t, 0, []string{`"l1"`}, nil)
		loguroRun(t, "spool", "verify", path).check(t, 0, []string{"all whole"}, nil)
	}
	stop(living)
	loguroRun(t, "spool", "verify", dir).check(t, 1, []string{"torn: the last 3 bytes"}, nil)
}
