package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

// Spool is the part of a spool directory that belongs to this process. It is safe for concurrent use.
type Spool struct {
	fs     FS
	dir    string
	names  []string // of the exporters
	bytes  atomic.Int64
	number atomic.Uint64

	mu    sync.Mutex
	own   *home            // nil until the first segment
	homes map[string]*home // of dead processes, by the name of their folder
}

// Open checks that dir can hold a spool of batches for the named exporters, and makes it if it is missing. An error is one
// that somebody has to mend. A disk that is full or read-only at the moment is none: that may pass, and Create will tell.
func Open(dir string, fsys FS, exporters ...string) (*Spool, error) {
	dir, err := filepath.Abs(dir) // the application may change its working directory
	if err != nil {
		return nil, err
	}
	s := &Spool{fs: fsys, dir: dir, names: exporters, homes: map[string]*home{}}
	err = s.prepare()
	if err != nil && !passing(err) {
		return nil, err
	}
	s.bytes.Add(s.deadBytes())
	return s, nil
}

func (s *Spool) prepare() error {
	if err := makeDir(s.fs, s.dir); err != nil {
		if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("it or a parent of it is a file; name a directory, or move the file away: %w", err)
		}
		return fmt.Errorf("it cannot be made; make it yourself, owned by the user that runs this program: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.home(); err != nil {
		return fmt.Errorf("it cannot be used; it must be a directory on a local disk that the user who runs this program may write to: %w", err)
	}
	return nil
}

// passing is true for errors of a disk that mend without a change of the configuration.
func passing(err error) bool {
	for _, e := range passingErrors {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func makeDir(fsys FS, dir string) error {
	info, err := fsys.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(fsys, parent); err != nil {
		return err
	}
	if err := fsys.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(parent)
}

// home returns this process's folder, and makes one if there is none, or if somebody removed it. It needs the lock.
func (s *Spool) home() (*home, error) {
	if s.own != nil && s.own.holds(filepath.Join(s.own.dir, lockName)) {
		return s.own, nil
	}
	if err := makeDir(s.fs, s.dir); err != nil {
		return nil, err
	}
	own, err := newHome(s.fs, s.dir, s.names)
	if err != nil {
		return nil, err
	}
	if s.own != nil {
		s.own.unlock()
	}
	s.own = own
	return own, nil
}

// Dir is the spool directory.
func (s *Spool) Dir() string { return s.dir }

// Bytes is what segments and dead letters take on disk, in blocks of 4 KiB.
func (s *Spool) Bytes() int64 { return s.bytes.Load() }

// Next returns the number of the next batch. A batch gets its number when it is begun, whether or not it is on disk.
func (s *Spool) Next() uint64 { return s.number.Add(1) }

// Create begins a segment.
func (s *Spool) Create(number uint64, id uuid.UUID) (*Segment, error) {
	g, err := s.place(number, id)
	if err != nil {
		return nil, fmt.Errorf("create spool segment: %w", err)
	}
	name := g.path + segmentSuffix
	g.file, err = s.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, fmt.Errorf("create spool segment: %w", err)
	}
	if _, err := g.file.WriteAt(appendHeader(nil, id), 0); err != nil {
		g.file.Close()
		_ = s.fs.Remove(name) // without a record nothing is lost with it
		return nil, fmt.Errorf("create spool segment: %w", err)
	}
	g.grow(headerSize)
	g.home.add(1)
	return g, nil
}

// Store makes a whole segment durable at once, together with what remains of its batch if that is not all.
func (s *Spool) Store(number uint64, id uuid.UUID, events []event.Event, rest Rest, parted bool) (*Segment, error) {
	g, err := s.place(number, id)
	if err != nil {
		return nil, fmt.Errorf("store spool segment: %w", err)
	}
	w := writer{salt: g.salt, buf: appendHeader(nil, id)}
	for i := range events {
		if err := w.event(i, &events[i]); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 { // first: the segment must never be there without it
		if err := g.SaveRest(rest, parted); err != nil {
			return nil, err
		}
	}
	if err := writeFile(s.fs, g.path+segmentSuffix, w.buf); err != nil {
		return nil, fmt.Errorf("store spool segment: %w", err)
	}
	g.grow(int64(len(w.buf)))
	g.sealed.Store(true)
	g.home.add(1)
	if err := g.home.settle(); err != nil {
		return nil, errors.Join(fmt.Errorf("store spool segment: %w", err), g.Remove())
	}
	return g, nil
}

func (s *Spool) place(number uint64, id uuid.UUID) (*Segment, error) {
	s.mu.Lock()
	h, err := s.home()
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return &Segment{ID: id, spool: s, home: h, salt: saltOf(id), path: filepath.Join(h.dir, fmt.Sprintf("%010d-%s", number, id))}, nil
}

// parseName reads the name of a segment.
func parseName(name string) (number uint64, id uuid.UUID, ok bool) {
	base, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, id, false
	}
	digits, text, ok := strings.Cut(base, "-")
	if !ok {
		return 0, id, false
	}
	if _, err := fmt.Sscanf(digits, "%d", &number); err != nil {
		return 0, id, false
	}
	id, err := uuid.Parse(text)
	return number, id, err == nil
}

// Close lets go of all folders. Segments that are left belong to the next process.
func (s *Spool) Close(open []*Segment) {
	for _, g := range open {
		g.abandon()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own != nil {
		s.own.leave()
	}
	for _, h := range s.homes {
		h.leave()
	}
}
