package spool

import (
	"cmp"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Contents is what lies in a spool directory. Paths begin with the directory as it was given to Browse.
type Contents struct {
	Processes []Process    // in the order in which they began
	Letters   []LetterFile // of the folder dead, and those that a process claimed
	Corrupt   []Aside
	Others    []string // paths of what is not complete, or not of a spool
}

// State says whether a process lives.
type State string

const (
	StateLiving State = "living"
	StateDead   State = "dead"
	// StateUnknown is for a lock that cannot be asked: it may not be read, or there are no locks on this system.
	StateUnknown State = "unknown"
)

// Process is the folder of one process.
type Process struct {
	Name     string // of the folder
	Path     string
	State    State
	For      []string      // the exporters that its batches are for, if they are several
	Segments []SegmentFile // in the order in which they were begun
	Err      error         // the folder cannot be read
}

// Aside is a file of damaged bytes that were cut out of a segment.
type Aside struct {
	Path    string
	BatchID string
	Offset  int64 // in the segment
	Size    int64
	Since   time.Time
}

// Browse lists what lies in a spool directory, and changes nothing. To see whether a process lives it shares the lock of
// its folder for an instant; should another process want to take the folder over in this instant, it passes over it and
// comes back later. What living processes add or deliver meanwhile may be there or not.
func Browse(dir string) (Contents, error) {
	var c Contents
	entries, err := os.ReadDir(dir)
	if err != nil {
		return c, err
	}
	for _, entry := range entries { // sorted by name, and so by the time when the process began
		name, path := entry.Name(), filepath.Join(dir, entry.Name())
		_, notProcess := uuid.Parse(name)
		var err error
		switch {
		case entry.IsDir() && notProcess == nil:
			c.browseProcess(Process{Name: name, Path: path})
		case entry.IsDir() && name == deadDir:
			err = c.browseDead(path)
		case entry.IsDir() && name == corruptDir:
			err = c.browseCorrupt(path)
		default:
			c.Others = append(c.Others, path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	slices.Sort(c.Others)
	return c, nil
}

func (c *Contents) browseProcess(p Process) {
	p.State = StateOf(p.Path)
	entries, err := os.ReadDir(p.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return // its last segment was delivered just now
	}
	p.Err = err
	if p.For, err = addressees(OS{}, p.Path); p.Err == nil {
		p.Err = err
	}
	sides := map[string]string{}
	for _, entry := range entries {
		name, path := entry.Name(), filepath.Join(p.Path, entry.Name())
		_, _, ok := parseName(name)
		base, isSide := strings.CutSuffix(path, restSuffix)
		switch {
		case ok:
			if f, err := SegmentAt(path); err == nil {
				p.Segments = append(p.Segments, f)
			}
		case strings.HasSuffix(name, deadSuffix):
			if l, err := letterFileAt(path); err == nil {
				l.Claimed = true
				c.Letters = append(c.Letters, l)
			}
		case isSide:
			sides[base] = path
		case name != lockName && name != forName:
			c.Others = append(c.Others, path)
		}
	}
	for _, f := range p.Segments {
		delete(sides, f.base())
	}
	for _, path := range sides {
		c.Others = append(c.Others, path)
	}
	slices.SortFunc(p.Segments, func(a, b SegmentFile) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Path, b.Path))
	})
	c.Processes = append(c.Processes, p)
}

// Rest reads what remains of a batch of the process for each exporter; nil if that is all of it for whoever there is.
func (p Process) Rest(f SegmentFile) (Rest, error) {
	rest, err := f.Rest()
	if rest == nil && err == nil {
		rest = allOf(p.For, math.MaxInt)
	}
	return rest, err
}

// StateOf says whether the process lives whose folder that is.
func StateOf(folder string) State {
	held, err := lockHeld(filepath.Join(folder, lockName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return StateDead // before it made the lock
	case err != nil:
		return StateUnknown
	case held:
		return StateLiving
	}
	return StateDead
}

func (c *Contents) browseDead(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if !strings.HasSuffix(path, deadSuffix) {
			c.Others = append(c.Others, path)
		} else if l, err := letterFileAt(path); err == nil {
			c.Letters = append(c.Letters, l)
		}
	}
	return err
}

func (c *Contents) browseCorrupt(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, err := entry.Info()
		if err != nil {
			continue // removed just now
		}
		base, ok := strings.CutSuffix(entry.Name(), ".bin")
		at := max(strings.LastIndexByte(base, '-'), 0)
		offset, err := strconv.ParseInt(strings.TrimPrefix(base[at:], "-"), 10, 64)
		if !ok || err != nil {
			c.Others = append(c.Others, path)
			continue
		}
		c.Corrupt = append(c.Corrupt, Aside{path, base[:at], offset, info.Size(), info.ModTime()})
	}
	return err
}
