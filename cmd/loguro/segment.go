package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool"
)

// segment is what ls and verify say of one.
type segment struct {
	Path      string     `json:"path"`
	Number    uint64     `json:"number"`
	BatchID   string     `json:"batch_id"`
	Events    int        `json:"events"`
	Bytes     int64      `json:"bytes"`
	BeganAt   time.Time  `json:"began_at"`
	Exporters []exporter `json:"exporters"`
	Damage    []damage   `json:"damage"`
}

// exporter is one of which a side file says what it lacks. Those that it does not name lack the whole batch.
type exporter struct {
	Name  string `json:"name"`
	Lacks int    `json:"lacks_events"`
}

// reader reads segments, and says how far it is.
type reader struct {
	context.Context
	progress *progress
	segments int // in all
	done     int
	read     int // events
}

// segmentsOf lists the segments of all processes, in order.
func segmentsOf(contents spool.Contents) (files []file) {
	for _, p := range contents.Processes {
		for i, f := range p.Segments {
			files = append(files, file{f, p.State == spool.StateLiving && i == len(p.Segments)-1})
		}
	}
	return files
}

// file is a segment's, and whether a process may just be writing to it.
type file struct {
	spool.SegmentFile
	grows bool
}

// events calls yield with each event of the segment. It ends early if the context does.
func (r *reader) events(f file, yield func(*event.Event) error) (spool.Report, error) {
	report, err := f.Events(func(e *event.Event) error {
		if err := r.Err(); err != nil {
			return err
		}
		r.read++
		r.progress.show(func() string {
			return fmt.Sprintf("read %d of %s, %s so far", r.done, count(r.segments, "segment"), count(r.read, "event"))
		})
		return yield(e)
	})
	r.done++
	return report, err
}

// examine reads a segment through. The error is that of the context, or fs.ErrNotExist if its batch was delivered
// meanwhile.
func (r *reader) examine(f file) (s segment, err error) {
	report, err := r.events(f, func(*event.Event) error { return nil })
	if errors.Is(err, fs.ErrNotExist) || r.Err() != nil {
		return s, errors.Join(r.Err(), err)
	}
	s = segment{Path: f.Path, Number: f.Number, BatchID: f.ID.String(), Events: report.Records, Bytes: f.Size,
		BeganAt: f.Since.UTC(), Exporters: []exporter{}, Damage: damages(report, err, f.grows)}
	if report.ID != uuid.Nil { // whatever the name says: that is how it is exported
		s.BatchID = report.ID.String()
	}
	rest, err := f.Rest()
	if err != nil {
		s.Damage = append(s.Damage, damage{Kind: sideFile, Error: err.Error()})
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		lacks := 0
		for _, part := range rest[name] {
			lacks += max(part[1]-part[0], 0)
		}
		s.Exporters = append(s.Exporters, exporter{name, lacks})
	}
	return s, nil
}

// waitsFor says which exporters lack the batch.
func (s segment) waitsFor() string {
	var lacking, having []string
	for _, x := range s.Exporters {
		name := line(x.Name, 0)
		if x.Lacks > 0 {
			lacking = append(lacking, fmt.Sprintf("%s (%s)", name, count(x.Lacks, "event")))
		} else {
			having = append(having, name)
		}
	}
	switch {
	case len(lacking) > 0:
		return strings.Join(lacking, ", ")
	case len(having) > 0:
		return "all but " + strings.Join(having, ", ")
	}
	return "all"
}
