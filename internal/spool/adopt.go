package spool

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Adopted is a segment of a dead process.
type Adopted struct {
	*Segment
	Events int // that can be read
	Span   int // that there were
	Rest   Rest
}

// Adoption is what dead processes left.
type Adoption struct {
	Segments []Adopted // in the order in which they were begun
	Torn     int       // tails that were cut
	Corrupt  int       // damaged parts that were put aside
	Problems []error   // what could not be taken over or mended, and stays where it is
}

// Adopt takes over what dead processes left, and mends what is damaged. Folders of living processes are passed over.
func (s *Spool) Adopt() Adoption {
	var a Adoption
	entries, err := s.fs.ReadDir(s.dir)
	if err != nil {
		a.Problems = append(a.Problems, fmt.Errorf("look for segments of dead processes: %w", err))
		return a
	}
	for _, entry := range entries { // sorted by name, and so by the time when the process began
		name := entry.Name()
		if _, err := uuid.Parse(name); err != nil || !entry.IsDir() {
			continue
		}
		if h := s.take(name, &a); h != nil {
			s.adopt(h, &a)
		}
	}
	return a
}

func (s *Spool) take(name string, a *Adoption) *home {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := filepath.Join(s.dir, name)
	if h := s.homes[name]; h != nil || s.own != nil && s.own.dir == dir {
		return nil
	}
	h, err := adoptHome(s.fs, dir)
	if err != nil {
		if !errors.Is(err, errLocked) {
			a.Problems = append(a.Problems, fmt.Errorf("take over the spool folder of a dead process: %w", err))
		}
		return nil
	}
	s.homes[name] = h
	return h
}

func (s *Spool) adopt(h *home, a *Adoption) {
	entries, err := s.fs.ReadDir(h.dir)
	if err != nil {
		a.Problems = append(a.Problems, fmt.Errorf("read the spool folder of a dead process: %w", err))
		s.release(h)
		return
	}
	exporters, err := addressees(s.fs, h.dir)
	if err != nil {
		a.Problems = append(a.Problems, err)
	}
	h.add(1) // so that the folder does not go while we look
	type found struct {
		number uint64
		id     uuid.UUID
		base   string
	}
	var segments []found
	bases := map[string]bool{}
	for _, entry := range entries {
		if number, id, ok := parseName(entry.Name()); ok {
			base := strings.TrimSuffix(entry.Name(), segmentSuffix)
			segments = append(segments, found{number, id, base})
			bases[base] = true
		}
	}
	for _, entry := range entries {
		name := entry.Name()
		side, isSide := strings.CutSuffix(name, restSuffix)
		if strings.HasSuffix(name, temporary) || isSide && !bases[side] {
			_ = s.fs.Remove(filepath.Join(h.dir, name)) // not complete, or of a segment that is delivered
		}
		if strings.HasSuffix(name, deadSuffix) { // a redrive that was cut short
			_ = s.fs.Rename(filepath.Join(h.dir, name), filepath.Join(s.dir, deadDir, name))
		}
	}
	slices.SortFunc(segments, func(a, b found) int { return cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.base, b.base)) })
	for _, f := range segments {
		g := &Segment{ID: f.id, spool: s, home: h, salt: saltOf(f.id), path: filepath.Join(h.dir, f.base)}
		g.sealed.Store(true)
		h.add(1)
		if err := s.inspect(g, exporters, a); err != nil {
			a.Problems = append(a.Problems, err)
		}
	}
	h.drop() // a folder without segments that we can read goes, or waits for a process that can
}

// release forgets a folder that could not be read, so that it is looked at again.
func (s *Spool) release(h *home) {
	h.unlock()
	s.mu.Lock()
	delete(s.homes, filepath.Base(h.dir))
	s.mu.Unlock()
}

// inspect reads a segment through, mends it and adds it to a.
func (s *Spool) inspect(g *Segment, exporters []string, a *Adoption) error {
	report, err := g.read(func(int, []byte) error { return nil })
	if err != nil {
		g.home.drop() // it stays, for a process that can read it
		return fmt.Errorf("read spool segment %s: %w", g.path+segmentSuffix, err)
	}
	if report.ID != uuid.Nil && report.ID != g.ID {
		g.ID, g.salt = report.ID, saltOf(report.ID)
	}
	g.grow(report.Size)
	if report.Torn != nil {
		a.Torn++
	}
	a.Corrupt += len(report.Corrupt)
	if report.Damaged() {
		if err := s.mend(g, report); err != nil {
			a.Problems = append(a.Problems, fmt.Errorf("mend spool segment %s: %w", g.path+segmentSuffix, err))
		}
	}
	if report.Records == 0 {
		return g.Remove()
	}
	rest, err := g.Rest()
	if err != nil {
		a.Problems = append(a.Problems, err) // all of it for all: exporters are idempotent
	}
	if rest == nil {
		rest = allOf(exporters, report.Span)
	}
	a.Segments = append(a.Segments, Adopted{Segment: g, Events: report.Records, Span: report.Span, Rest: rest})
	return nil
}

// mend puts damaged bytes aside and leaves a segment of whole records.
func (s *Spool) mend(g *Segment, report Report) error {
	name := g.path + segmentSuffix
	if len(report.Corrupt) == 0 && !report.Disorder {
		f, err := s.fs.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Truncate(report.Torn.From); err != nil {
			return err
		}
		g.grow(report.Torn.From - report.Size)
		return f.Sync()
	}
	raw, err := readFile(s.fs, name)
	if err != nil {
		return err
	}
	if err := makeDir(s.fs, filepath.Join(s.dir, corruptDir)); err != nil {
		return err
	}
	for _, span := range report.Corrupt {
		aside := filepath.Join(s.dir, corruptDir, fmt.Sprintf("%s-%d.bin", g.ID, span.From))
		if err := writeFile(s.fs, aside, raw[span.From:min(span.To, int64(len(raw)))]); err != nil {
			return err
		}
	}
	content, err := g.content()
	if err != nil {
		return err
	}
	if err := writeFile(s.fs, name, content); err != nil {
		return err
	}
	g.grow(int64(len(content)) - report.Size)
	return nil
}

const corruptDir = "corrupt"
