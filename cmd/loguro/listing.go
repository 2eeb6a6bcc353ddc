package main

import (
	"errors"
	"io/fs"
	"time"

	"github.com/loguro/loguro/internal/spool"
)

// listing is what ls prints.
type listing struct {
	Dir       string    `json:"dir"`
	Processes []process `json:"processes"`
	Letters   []letters `json:"dead_letters"`
	Corrupt   []aside   `json:"corrupt"`
	Others    []string  `json:"others"`
	Totals    totals    `json:"totals"`
}

type process struct {
	Name     string    `json:"name"`
	Path     string    `json:"path"`
	State    string    `json:"state"` // living, dead or unknown
	Error    string    `json:"error,omitempty"`
	Segments []segment `json:"segments"`
}

type aside struct {
	Path       string    `json:"path"`
	BatchID    string    `json:"batch_id"`
	Offset     int64     `json:"offset"`
	Bytes      int64     `json:"bytes"`
	PutAsideAt time.Time `json:"put_aside_at"`
}

type totals struct {
	Processes       int   `json:"processes"`
	Living          int   `json:"living_processes"`
	Segments        int   `json:"segments"`
	DamagedSegments int   `json:"damaged_segments"`
	Events          int   `json:"events"`
	Bytes           int64 `json:"bytes"` // of segments and dead letters
	DeadEvents      int   `json:"dead_events"`
	CorruptFiles    int   `json:"corrupt_files"`
}

// list reads everything in the spool. The error is that of the context.
func (r *reader) list(dir string, contents spool.Contents) (listing, error) {
	l := listing{Dir: dir, Processes: []process{}, Letters: []letters{}, Corrupt: []aside{}, Others: append([]string{}, contents.Others...)}
	files := segmentsOf(contents)
	r.segments = len(files)
	for _, p := range contents.Processes {
		found := process{Name: p.Name, Path: p.Path, State: string(p.State), Segments: []segment{}}
		if p.Err != nil {
			found.Error = cause(p.Err).Error()
		}
		for _, f := range files[:len(p.Segments)] {
			s, err := r.examine(f)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return l, err
			}
			found.Segments = append(found.Segments, s)
			l.Totals.segment(s)
		}
		files = files[len(p.Segments):]
		l.Processes = append(l.Processes, found)
		l.Totals.Processes++
		if p.State == spool.StateLiving {
			l.Totals.Living++
		}
	}
	for _, f := range contents.Letters {
		found, err := r.letters(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return l, err
		}
		l.Letters = append(l.Letters, found)
		l.Totals.DeadEvents += found.Events
		l.Totals.Bytes += found.Bytes
	}
	for _, f := range contents.Corrupt {
		l.Corrupt = append(l.Corrupt, aside{f.Path, f.BatchID, f.Offset, f.Size, f.Since.UTC()})
	}
	l.Totals.CorruptFiles = len(l.Corrupt)
	return l, nil
}

func (t *totals) segment(s segment) {
	t.Segments++
	t.Events += s.Events
	t.Bytes += s.Bytes
	if len(s.Damage) > 0 {
		t.DamagedSegments++
	}
}

// unreadable is true if a part of the listing is missing because it could not be read.
func (l listing) unreadable() bool {
	var all []damage
	for _, p := range l.Processes {
		if p.Error != "" {
			return true
		}
		for _, s := range p.Segments {
			all = append(all, s.Damage...)
		}
	}
	for _, f := range l.Letters {
		all = append(all, f.Damage...)
	}
	return exitCode(all) == exitUnusable
}
