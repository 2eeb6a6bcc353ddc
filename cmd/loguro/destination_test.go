package main

import (
	"testing"

	"github.com/loguro/loguro"
)

// know adds a destination that gives the exporter, as a file and a line of the table would.
func know(t *testing.T, kind string, x loguro.Exporter) {
	t.Helper()
	before := destinations
	destinations = append(before[:len(before):len(before)], destination{kind, kind + ":TARGET", func(string) (loguro.Exporter, error) { return x, nil }})
	t.Cleanup(func() { destinations = before })
}

func TestTheHelpNamesEveryDestination(t *testing.T) {
	for _, d := range destinations {
		loguroRun(t, "spool", "export", "-h").check(t, 0, []string{d.example}, nil)
		loguroRun(t, "spool", "export", "--to", "nowhere:x", spoolOf(t, "e1")).check(t, 2, nil, []string{d.example})
	}
}

// closing is a destination that keeps a connection.
type closing struct {
	picky
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestADestinationIsClosed(t *testing.T) {
	x := new(closing)
	know(t, "closing", x)
	loguroRun(t, "spool", "export", "--to", "closing:x", spoolOf(t, "e1")).check(t, 0, nil, nil)
	if !x.closed {
		t.Error("the destination was not closed")
	}
}
