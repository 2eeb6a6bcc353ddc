package main

import (
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"github.com/loguro/loguro/internal/spool"
)

// plan is what an export takes out of a spool, and what it must leave.
type plan struct {
	dir      string
	exporter string // by its name in the spool

	folders map[string]bool // of the processes that do not live
	batches int
	already int             // of them, that the exporter has
	living  []spool.Process // that have batches, which stay
	broken  []spool.Process // that cannot be read

	letters []spool.LetterFile // that are redriven,
	revived map[string]bool    // and the batches that they become
	staying int                // events in those that are not
	damaged int                // files of dead letters that cannot be read
	foreign map[string]int     // events that other exporters refused
}

// planExport looks into side files and dead letters, and says what to do. With redrive, dead letters go too.
func planExport(dir, exporter string, contents spool.Contents, redrive bool, complain func(string, ...any)) *plan {
	p := &plan{dir: dir, exporter: exporter, folders: map[string]bool{}, revived: map[string]bool{}, foreign: map[string]int{}}
	for _, process := range contents.Processes {
		if process.State == spool.StateLiving {
			if len(process.Segments) > 0 {
				p.living = append(p.living, process)
			}
			continue
		}
		p.folders[process.Name] = true
		if process.Err != nil {
			p.broken = append(p.broken, process)
			complain("%v", unreadable(process.Path, process.Err))
		}
		for _, f := range process.Segments {
			if f.Empty() {
				continue
			}
			p.batches++
			rest, err := process.Rest(f)
			if err != nil { // the pipeline takes it for what nobody has
				complain("%v", err)
			}
			if parts, _ := rest.Of(exporter, math.MaxInt); len(parts) == 0 {
				p.already++
			}
		}
	}
	for _, f := range contents.Letters {
		p.considerLetters(f, redrive, complain)
	}
	return p
}

func (p *plan) considerLetters(f spool.LetterFile, redrive bool, complain func(string, ...any)) {
	if folder := filepath.Base(filepath.Dir(f.Path)); f.Claimed && !p.folders[folder] {
		return // a living process redrives them
	}
	exporter, batch, events := "", "", 0
	bad, err := f.Each(func(d spool.Dead, _ []byte) error {
		exporter, batch = d.Exporter, d.BatchID
		events++
		return nil
	})
	switch {
	case !redrive:
		p.staying += events
	case len(bad) > 0 || err != nil:
		p.damaged++
		for _, d := range letterDamages(bad, err) {
			complain("%s: %s; the file stays", f.Path, line(d.String(), 0))
		}
	case events > 0 && exporter != p.exporter:
		p.foreign[exporter] += events
	case events > 0:
		p.letters = append(p.letters, f)
		p.revived[batch] = true
	}
}

// nothing is true if there is nothing to export.
func (p *plan) nothing() bool { return p.batches+len(p.letters) == 0 }

// view shows the pipeline those folders and dead letters only that the plan names: not what dies or is refused while it
// runs, and not what another exporter refused.
type view struct {
	spool.FS
	plan *plan
	dir  string // where the pipeline has the spool
}

func (v view) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := v.FS.ReadDir(name)
	switch filepath.Clean(name) {
	case filepath.Clean(v.dir):
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !v.plan.folders[e.Name()] })
	case filepath.Join(v.dir, "dead"):
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
			return !slices.ContainsFunc(v.plan.letters, func(f spool.LetterFile) bool { return filepath.Base(f.Path) == e.Name() })
		})
	}
	return entries, err
}
