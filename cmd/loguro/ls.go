package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

var lsCommand = &command{name: "loguro spool ls", usage: "[--json] DIR", help: lsHelp, run: ls}

func ls(c *call) int {
	flags := c.flagSet()
	asJSON := flags.Bool("json", false, "")
	if code, ok := c.parse(flags); !ok {
		return code
	}
	if len(c.args) != 1 {
		return c.misused("give one directory, not %d", len(c.args))
	}
	contents, err := browse(c.args[0])
	if err != nil {
		c.complain("%v", err)
		return exitUnusable
	}
	progress := c.progress()
	r := &reader{Context: c, progress: progress}
	l, err := r.list(c.args[0], contents)
	progress.end()
	if err != nil {
		c.complain("interrupted")
		return exitInterrupt
	}
	if *asJSON {
		err = c.print(l)
	} else {
		err = l.write(c.stdout, time.Now())
	}
	switch {
	case err != nil:
		c.complain("write the result: %v", err)
		return exitUnusable
	case l.unreadable():
		return exitUnusable
	}
	return exitOK
}

// write prints the listing for people.
func (l listing) write(out io.Writer, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range l.Processes {
		p.write(w, now)
	}
	l.writeLetters(w, now)
	l.writeCorrupt(w, now)
	if len(l.Others) > 0 {
		fmt.Fprintf(w, "%s: not complete, or not of a spool\n", l.Dir)
		for _, path := range l.Others {
			fmt.Fprintf(w, "  %s\n", l.within(path))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, l.Totals)
	return w.Flush()
}

// within is a path without the directory that everything is in.
func (l listing) within(path string) string {
	if rel, err := filepath.Rel(l.Dir, path); err == nil {
		path = rel
	}
	return line(path, 0)
}

func (p process) write(w io.Writer, now time.Time) {
	fate := map[string]string{
		"living":  "in use by a living process",
		"dead":    "left by a dead process; the next one takes over",
		"unknown": "whether a process uses it cannot be told",
	}[p.State]
	fmt.Fprintf(w, "%s: %s\n", p.Path, fate)
	switch {
	case p.Error != "":
		fmt.Fprintf(w, "  %s\n", p.Error)
	case len(p.Segments) == 0:
		fmt.Fprintln(w, "  nothing waits")
	default:
		fmt.Fprintln(w, "  SEGMENT\tEVENTS\tSIZE\tAGE\tWAITS FOR\tDAMAGE")
		for _, s := range p.Segments {
			fmt.Fprintf(w, "  %s\t%d\t%s\t%s\t%s\t%s\n", filepath.Base(s.Path), s.Events, size(s.Bytes), age(s.BeganAt, now),
				s.waitsFor(), damageLine(s.Damage))
		}
	}
	fmt.Fprintln(w)
}

// damageLine describes damage in a table.
func damageLine(all []damage) string {
	if len(all) == 0 {
		return "none"
	}
	var texts []string
	for _, d := range all[:min(len(all), 3)] {
		texts = append(texts, d.String())
	}
	if more := len(all) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return line(strings.Join(texts, "; "), 0)
}

func (l listing) writeLetters(w io.Writer, now time.Time) {
	if len(l.Letters) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: dead letters, which are events that an exporter refused for good\n", l.Dir)
	fmt.Fprintln(w, "  FILE\tEVENTS\tSIZE\tAGE\tEXPORTER\tREASON")
	for _, f := range l.Letters {
		reason := line(f.Reason, 80)
		if f.Claimed {
			reason += " (being redriven)"
		}
		if len(f.Damage) > 0 {
			reason += " (" + damageLine(f.Damage) + ")"
		}
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\t%s\t%s\n", l.within(f.Path), f.Events, size(f.Bytes), age(f.FailedAt, now), line(f.Exporter, 0), reason)
	}
	fmt.Fprintln(w)
}

func (l listing) writeCorrupt(w io.Writer, now time.Time) {
	if len(l.Corrupt) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: damaged parts that were cut out of segments\n", l.Dir)
	fmt.Fprintln(w, "  FILE\tOFFSET\tSIZE\tAGE")
	for _, f := range l.Corrupt {
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\n", l.within(f.Path), f.Offset, size(f.Bytes), age(f.PutAsideAt, now))
	}
	fmt.Fprintln(w)
}

func (t totals) String() string {
	if t.Segments+t.DeadEvents+t.CorruptFiles == 0 {
		return "nothing waits"
	}
	var s strings.Builder
	fmt.Fprintf(&s, "total: %s in %s of %s (%d living), %s", count(t.Events, "event"), count(t.Segments, "segment"),
		count(t.Processes, "process"), t.Living, size(t.Bytes))
	for _, extra := range []struct {
		n    int
		noun string
	}{{t.DamagedSegments, "damaged segment"}, {t.DeadEvents, "dead letter"}, {t.CorruptFiles, "damaged part"}} {
		if extra.n > 0 {
			s.WriteString("; " + count(extra.n, extra.noun))
		}
	}
	return s.String()
}
