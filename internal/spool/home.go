package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/google/uuid"
)

const (
	lockName = "lock"
	// forName holds the names of the exporters that the folder's batches are for, if they are several.
	forName = "exporters"
)

// errLocked means that a living process holds the folder.
var errLocked = errors.New("the folder belongs to a living process")

// home is the folder of one process, living or dead, that this one holds the lock of.
type home struct {
	fs   FS
	dir  string
	lock *os.File // the lock is on the real file system, whatever fs is

	mu      sync.Mutex
	files   int  // segments that are not removed yet
	own     bool // of this process: more segments will come
	named   bool // the folder's own name is durable
	unnamed bool // names in the folder were made that are not durable
}

// newHome makes a folder for this process below dir and locks it.
func newHome(fsys FS, dir string, exporters []string) (*home, error) {
	for {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		h := &home{fs: fsys, dir: filepath.Join(dir, id.String()), own: true}
		if err := fsys.Mkdir(h.dir, dirMode); err != nil {
			return nil, err
		}
		path := filepath.Join(h.dir, lockName)
		h.lock, err = openLocked(path, os.O_RDWR|os.O_CREATE)
		if err == nil && h.holds(path) {
			return h, h.address(exporters)
		}
		h.unlock()
		// Between Mkdir and the lock, the folder looks like a dead process's. Whoever cleared it away leaves us another try.
		if err != nil && !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist) {
			_ = fsys.Remove(path)
			_ = fsys.Remove(h.dir)
			return nil, err
		}
	}
}

// address says whom the folder's batches are for: a process that knows one of several exporters only must not take them
// for done. One exporter may be replaced by another.
func (h *home) address(exporters []string) error {
	if len(exporters) < 2 {
		return nil
	}
	content, err := json.Marshal(exporters)
	if err == nil {
		err = writeFile(h.fs, filepath.Join(h.dir, forName), content)
	}
	if err != nil {
		h.clear()
	}
	return err
}

// addressees reads what address wrote.
func addressees(fsys FS, dir string) (exporters []string, err error) {
	content, err := readFile(fsys, filepath.Join(dir, forName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &exporters)
	}
	if err != nil {
		return nil, fmt.Errorf("read whom the batches of %s are for: %w", dir, err)
	}
	return exporters, nil
}

// holds is true if the locked file is the one that others find under the path.
func (h *home) holds(path string) bool {
	ours, err := h.lock.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(path)
	return err == nil && os.SameFile(ours, theirs)
}

// adoptHome takes the lock of a dead process's folder; errLocked if it lives.
func adoptHome(fsys FS, dir string) (*home, error) {
	path := filepath.Join(dir, lockName)
	lock, err := openLocked(path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		// It died before it made the lock, or someone else is clearing the folder away. In a folder with segments the
		// lock was lost, to a power cut or a careless hand, and is made again.
		entries, err := fsys.ReadDir(dir)
		if err != nil || len(entries) == 0 {
			_ = fsys.Remove(dir) // whoever is just making it makes another one
			return nil, errLocked
		}
		lock, err = openLocked(path, os.O_RDWR|os.O_CREATE)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errLocked // cleared away just now
		}
		if err != nil {
			return nil, err
		}
		return &home{fs: fsys, dir: dir, lock: lock, named: true}, nil
	}
	if err != nil {
		return nil, err
	}
	h := &home{fs: fsys, dir: dir, lock: lock, named: true}
	if !h.holds(path) {
		h.unlock()
		return nil, errLocked
	}
	return h, nil
}

func (h *home) unlock() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lock != nil {
		h.lock.Close()
		h.lock = nil
	}
}

// settle makes the names in the folder durable, and the folder's own.
func (h *home) settle() error {
	h.mu.Lock()
	named, unnamed := h.named, h.unnamed
	h.unnamed = false
	h.mu.Unlock()
	if unnamed {
		if err := h.fs.SyncDir(h.dir); err != nil {
			h.mu.Lock()
			h.unnamed = true
			h.mu.Unlock()
			return err
		}
	}
	if !named {
		if err := h.fs.SyncDir(filepath.Dir(h.dir)); err != nil {
			return err
		}
		h.mu.Lock()
		h.named = true
		h.mu.Unlock()
	}
	return nil
}

// add and drop count the segments; the folder of a dead process goes with its last one.
func (h *home) add(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files += n
	h.unnamed = true
}

func (h *home) drop() {
	h.mu.Lock()
	h.files--
	last := h.files == 0 && !h.own
	h.mu.Unlock()
	if last {
		h.clear()
	}
}

// leave gives the folder up: it goes if it is empty, and else waits for the next process.
func (h *home) leave() {
	h.mu.Lock()
	empty := h.files == 0
	h.own = false
	h.mu.Unlock()
	if empty {
		h.clear()
	} else {
		h.unlock()
	}
}

// clear removes the folder, best effort: an empty one does no harm, and is tried again by the next process.
func (h *home) clear() {
	h.mu.Lock()
	held := h.lock != nil
	h.mu.Unlock()
	if !held {
		return // given up before; it may be somebody else's by now
	}
	entries, err := h.fs.ReadDir(h.dir)
	empty := !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != lockName && e.Name() != forName })
	if err == nil && empty {
		_ = h.fs.Remove(filepath.Join(h.dir, forName))
		_ = h.fs.Remove(filepath.Join(h.dir, lockName))
		_ = h.fs.Remove(h.dir)
	}
	h.unlock()
}
