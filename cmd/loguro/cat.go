package main

import (
	"bufio"
	"errors"
	"io/fs"
	"math"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

var catCommand = &command{name: "loguro spool cat", usage: "[--dead] DIR|FILE…", help: catHelp, run: cat}

// printer prints events. It is the only part of the program that does: what people did is nobody else's business.
type printer struct {
	*call
	reader *reader
	out    *bufio.Writer
	line   []byte
	dead   bool
	code   int
}

func cat(c *call) int {
	flags := c.flagSet()
	dead := flags.Bool("dead", false, "")
	if code, ok := c.parse(flags); !ok {
		return code
	}
	if len(c.args) == 0 {
		return c.misused("give a directory or files")
	}
	progress := c.progress()
	if isTerminal(c.stdout) {
		progress.every = math.MaxInt64 // it would run through the events
	}
	defer progress.end()
	p := &printer{call: c, reader: &reader{Context: c, progress: progress}, out: bufio.NewWriterSize(c.stdout, 64<<10), dead: *dead}
	for _, arg := range c.args {
		t, err := targetOf(arg)
		if err != nil {
			c.complain("%v", err)
			p.code = exitUnusable
			continue
		}
		p.reader.segments += len(segmentsOf(t.Contents))
		if !p.print(t) {
			break
		}
	}
	if err := p.out.Flush(); err != nil {
		c.complain("write events: %v", err)
		return exitUnusable
	}
	if c.Err() != nil {
		c.complain("interrupted")
		return exitInterrupt
	}
	return p.code
}

// print is false if there is no point in going on.
func (p *printer) print(t target) bool {
	for _, process := range t.Processes {
		if process.Err != nil {
			p.damaged(process.Path, damage{Kind: unreadableFile, Error: cause(process.Err).Error()})
		}
	}
	for _, f := range segmentsOf(t.Contents) {
		report, err := p.reader.events(f, p.event)
		if errors.Is(err, fs.ErrNotExist) {
			continue // delivered meanwhile
		}
		if p.stopped() {
			return false
		}
		p.damaged(f.Path, damages(report, err, f.grows)...)
	}
	// A file that was named is printed in any case; of a directory, only what still waits, unless more is asked for.
	if p.dead || t.single {
		for _, f := range t.Letters {
			bad, err := f.Each(p.letter)
			if errors.Is(err, fs.ErrNotExist) {
				continue // redriven meanwhile
			}
			if p.stopped() {
				return false
			}
			p.damaged(f.Path, letterDamages(bad, err)...)
		}
	}
	return true
}

func (p *printer) event(e *event.Event) error {
	p.line = append(e.AppendJSON(p.line[:0]), '\n')
	_, err := p.out.Write(p.line)
	return err
}

// letter prints a dead letter as it is, or the event in it.
func (p *printer) letter(d spool.Dead, line []byte) error {
	if !p.dead {
		return errors.Join(p.event(&d.Events[0]), p.Err())
	}
	p.line = append(append(p.line[:0], line...), '\n')
	_, err := p.out.Write(p.line)
	return errors.Join(err, p.Err())
}

// stopped is true after an interrupt, or if nobody reads on.
func (p *printer) stopped() bool {
	_, err := p.out.Write(nil)
	return err != nil || p.Err() != nil
}

func (p *printer) damaged(path string, all ...damage) {
	for _, d := range all {
		p.complain("%s: %s; skipped", path, line(d.String(), 0))
	}
	p.code = max(p.code, exitCode(all))
}
