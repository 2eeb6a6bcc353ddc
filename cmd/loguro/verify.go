package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"

	"github.com/loguro/loguro/internal/spool"
)

var verifyCommand = &command{name: "loguro spool verify", usage: "[--json] DIR|FILE…", help: verifyHelp, run: verify}

// verdict is what verify prints.
type verdict struct {
	Whole    bool      `json:"whole"`
	Segments int       `json:"segments"`
	Events   int       `json:"events"`
	Bytes    int64     `json:"bytes"`
	Letters  int       `json:"dead_letter_files"`
	Corrupt  int       `json:"corrupt_files"` // put aside earlier, which is no damage any more
	Damaged  []finding `json:"damaged"`
}

// finding is a damaged file.
type finding struct {
	Path    string   `json:"path"`
	BatchID string   `json:"batch_id"`
	Events  int      `json:"events"` // that can be read
	Damage  []damage `json:"damage"`
}

func verify(c *call) int {
	flags := c.flagSet()
	asJSON := flags.Bool("json", false, "")
	if code, ok := c.parse(flags); !ok {
		return code
	}
	if len(c.args) == 0 {
		return c.misused("give a directory or files")
	}
	var all []target
	for _, arg := range c.args {
		t, err := targetOf(arg)
		if err != nil {
			c.complain("%v", err)
			return exitUnusable
		}
		all = append(all, t)
	}
	progress := c.progress()
	r := &reader{Context: c, progress: progress}
	for _, t := range all {
		r.segments += len(segmentsOf(t.Contents))
	}
	v := verdict{Damaged: []finding{}}
	for _, t := range all {
		if err := v.read(r, t.Contents); err != nil {
			c.complain("interrupted")
			return exitInterrupt
		}
	}
	progress.end()
	var err error
	if *asJSON {
		err = c.print(v)
	} else {
		err = v.write(c.stdout)
	}
	if err != nil {
		c.complain("write the result: %v", err)
		return exitUnusable
	}
	return v.exitCode()
}

// read adds what is in the contents. The error is that of the context.
func (v *verdict) read(r *reader, contents spool.Contents) error {
	for _, p := range contents.Processes {
		if p.Err != nil {
			v.add(finding{Path: p.Path, Damage: []damage{{Kind: unreadableFile, Error: cause(p.Err).Error()}}})
		}
	}
	for _, f := range segmentsOf(contents) {
		s, err := r.examine(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		v.Segments++
		v.Events += s.Events
		v.Bytes += s.Bytes
		v.add(finding{s.Path, s.BatchID, s.Events, s.Damage})
	}
	for _, f := range contents.Letters {
		l, err := r.letters(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		v.Letters++
		v.add(finding{l.Path, l.BatchID, l.Events, l.Damage})
	}
	v.Corrupt += len(contents.Corrupt)
	v.Whole = len(v.Damaged) == 0
	return nil
}

func (v *verdict) add(f finding) {
	if len(f.Damage) > 0 {
		v.Damaged = append(v.Damaged, f)
	}
}

func (v *verdict) exitCode() int {
	code := exitOK
	for _, f := range v.Damaged {
		code = max(code, exitCode(f.Damage))
	}
	return code
}

func (v *verdict) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range v.Damaged {
		for _, d := range f.Damage {
			fmt.Fprintf(w, "%s\t%s\n", f.Path, line(d.String(), 0))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	what := count(v.Segments, "segment") + " with " + count(v.Events, "event")
	if v.Letters > 0 {
		what += " and " + count(v.Letters, "file") + " of dead letters"
	}
	fate := "all whole"
	if !v.Whole {
		fate = fmt.Sprintf("%d damaged", len(v.Damaged))
	}
	if v.Corrupt > 0 {
		fate += fmt.Sprintf("; %s put aside earlier", count(v.Corrupt, "damaged part"))
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", what, fate)
	return err
}
