package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/loguro/loguro/internal/spool"
)

var exportCommand = &command{name: "loguro spool export",
	usage: "--to KIND:TARGET [--as NAME] [--dead] [--keep] [--json] DIR",
	help:  exportHelp, run: export}

func export(c *call) int {
	flags := c.flagSet()
	to := flags.String("to", "", "")
	as := flags.String("as", "", "")
	dead := flags.Bool("dead", false, "")
	keep := flags.Bool("keep", false, "")
	asJSON := flags.Bool("json", false, "")
	if code, ok := c.parse(flags); !ok {
		return code
	}
	if len(c.args) != 1 {
		return c.misused("give one directory, not %d", len(c.args))
	}
	if *to == "" {
		return c.misused("--to is missing; it says where the events go")
	}
	dir := c.args[0]
	contents, err := browse(dir)
	if err != nil {
		c.complain("%v", err)
		return exitUnusable
	}
	kind, exporter, err := openDestination(*to)
	if err != nil {
		c.complain("%v", err)
		return exitUnusable
	}
	if closer, ok := exporter.(io.Closer); ok {
		defer closer.Close()
	}
	if *as == "" {
		*as = nameOf(exporter)
	}
	progress := c.progress()
	defer progress.end()
	plan := planExport(dir, *as, contents, *dead, c.complain)
	s := summary{Dir: dir, To: kind, Exporter: *as, Keep: *keep}
	s.planned(plan)
	if !plan.nothing() {
		shipment := shipment{plan: plan, dir: dir, fs: spool.OS{}, exporter: exporter, progress: progress}
		run := shipment.run
		if *keep {
			run = shipment.runOnCopy
		}
		o, err := run(c)
		switch {
		case err != nil && *keep:
			c.complain("%v", err)
			return exitUnusable
		case err != nil:
			c.complain("%v; if nothing may be written there, add --keep", err)
			return exitUnusable
		}
		s.happened(o)
	}
	progress.end()
	switch {
	case s.Interrupted:
		c.complain("interrupted; what is not exported stays")
	case s.err != nil:
		c.complain("%v", s.err)
	}
	if *asJSON {
		err = c.print(s)
	} else {
		err = s.write(c.stdout)
	}
	if err != nil {
		c.complain("write the result: %v", err)
		return exitUnusable
	}
	return s.exitCode()
}

// runOnCopy leaves the spool as it is, and works on links to it.
func (s *shipment) runOnCopy(ctx context.Context) (o outcome, err error) {
	scratch, err := os.MkdirTemp("", "loguro-")
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := s.plan.copyTo(scratch); err != nil {
		return o, err
	}
	s.dir, s.fs = scratch, linked{}
	return s.run(ctx)
}
