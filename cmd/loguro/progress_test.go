package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// On a terminal one line is rewritten, and wiped before anything else is said and at the end.
func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{out: &out, every: rewriteEvery, terminal: true, last: time.Now()}
		for i := range 50 {
			time.Sleep(10 * time.Millisecond)
			p.show(func() string { return fmt.Sprint("at ", i) })
		}
		fmt.Fprintln(p, "a warning")
		p.end()
		if want := "\r\x1b[Kat 19\r\x1b[Kat 39\r\x1b[Ka warning\n"; out.String() != want {
			t.Errorf("progress = %q, want %q", out.String(), want)
		}
	})
}

func TestATerminalIsAnOpenDevice(t *testing.T) {
	null, err := os.Open(os.DevNull) // as near to one as a test gets
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !isTerminal(null) || isTerminal(file) || isTerminal(new(bytes.Buffer)) {
		t.Errorf("isTerminal() = %v, %v, %v, want true for the device only", isTerminal(null), isTerminal(file), isTerminal(new(bytes.Buffer)))
	}
	if p := (&call{stderr: null}).progress(); p.every != rewriteEvery {
		t.Errorf("a terminal is written to every %v", p.every)
	}
}

func TestShortWorkSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		c := &call{stderr: &stderr}
		p := c.progress()
		time.Sleep(reportEvery - time.Nanosecond)
		p.show(func() string { return "too early" })
		time.Sleep(time.Nanosecond)
		p.show(func() string { return "now" })
		p.show(func() string { return "too early" })
		p.end()
		if stderr.String() != "now\n" {
			t.Errorf("progress = %q, want now", stderr.String())
		}
	})
}
