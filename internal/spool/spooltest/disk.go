// Package spooltest has a disk for tests that fails on demand and loses power: what was not synced may be gone.
package spooltest

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/loguro/loguro/internal/spool"
)

// Disk is the machine's file system below a directory, together with a model of what a power cut leaves: the content
// that File.Sync saw, under the names that SyncDir saw. The zero value with a Dir is ready.
type Disk struct {
	Dir string // everything happens below it

	mu      sync.Mutex
	broken  func(op, name string) error
	full    bool
	room    int64
	files   map[string]*inode            // by path, as the running system sees them
	durable map[string]map[string]*inode // names in folders, as the last SyncDir saw them
}

// inode is a file, whatever its names are.
type inode struct {
	synced []byte // content
	latest []byte // content, but for what happened since the last look
	path   string // where it can be read now
}

var _ spool.FS = (*Disk)(nil)

// Fill leaves so many bytes of room; writes beyond are cut and give ENOSPC.
func (d *Disk) Fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.room = true, room
}

// Free ends what Fill began.
func (d *Disk) Free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = false
}

// Break makes operations fail: each asks fail first, and returns its error. The operations are open, create, mkdir,
// readdir, rename, remove, syncdir, read, write, sync, truncate and close. Nil ends it.
func (d *Disk) Break(fail func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = fail
}

func (d *Disk) before(op, name string) error {
	d.mu.Lock()
	fail := d.broken
	d.mu.Unlock()
	if fail == nil {
		return nil
	}
	if err := fail(op, name); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// OpenFile opens a real file.
func (d *Disk) OpenFile(name string, flag int, perm fs.FileMode) (spool.File, error) {
	op := "open"
	if flag&os.O_CREATE != 0 {
		op = "create"
	}
	if err := d.before(op, name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	if d.files == nil {
		d.files, d.durable = map[string]*inode{}, map[string]map[string]*inode{}
	}
	node := d.files[name]
	if node == nil {
		node = &inode{path: name}
		d.files[name] = node
	}
	return &file{File: f, disk: d, node: node}, nil
}

// Mkdir makes a real folder.
func (d *Disk) Mkdir(name string, perm fs.FileMode) error {
	if err := d.before("mkdir", name); err != nil {
		return err
	}
	return os.Mkdir(name, perm)
}

// ReadDir reads a real folder.
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := d.before("readdir", name); err != nil {
		return nil, err
	}
	return os.ReadDir(name)
}

// Stat never fails on demand.
func (d *Disk) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Rename is durable with the next SyncDir of the folder.
func (d *Disk) Rename(from, to string) error {
	if err := d.before("rename", from); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if node := d.files[from]; node != nil {
		d.look(d.files[to]) // it is replaced, and cannot be read any more
		node.path = to
		d.files[to] = node
		delete(d.files, from)
	}
	return nil
}

// Remove is durable with the next SyncDir of the folder.
func (d *Disk) Remove(name string) error {
	if err := d.before("remove", name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.look(d.files[name])
	if err := os.Remove(name); err != nil {
		return err
	}
	if node := d.files[name]; node != nil {
		node.path = ""
		delete(d.files, name)
	}
	return nil
}

// SyncDir makes the names in a folder durable.
func (d *Disk) SyncDir(name string) error {
	if err := d.before("syncdir", name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	names := map[string]*inode{}
	for path, node := range d.files {
		if filepath.Dir(path) == name {
			names[filepath.Base(path)] = node
		}
	}
	if d.durable == nil {
		d.durable = map[string]map[string]*inode{}
	}
	d.durable[name] = names
	return nil
}

// look keeps the content of a file that is about to lose its name.
func (d *Disk) look(node *inode) {
	if node != nil && node.path != "" {
		if content, err := os.ReadFile(node.path); err == nil {
			node.latest = content
		}
	}
}

type file struct {
	*os.File
	disk *Disk
	node *inode
}

func (f *file) Read(p []byte) (int, error) {
	if err := f.disk.before("read", f.Name()); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *file) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.before("write", f.Name()); err != nil {
		return 0, err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.full && int64(len(p)) > f.disk.room {
		n, _ := f.File.WriteAt(p[:f.disk.room], at)
		f.disk.room -= int64(n)
		return n, &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	n, err := f.File.WriteAt(p, at)
	f.disk.room -= int64(n)
	return n, err
}

func (f *file) Sync() error {
	if err := f.disk.before("sync", f.Name()); err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	content := make([]byte, info.Size())
	if _, err := f.File.ReadAt(content, 0); err != nil && len(content) > 0 {
		// A file that was opened for writing only is read by its name.
		if content, err = os.ReadFile(f.node.path); err != nil {
			return err
		}
	}
	f.node.synced = content
	return nil
}

func (f *file) Truncate(size int64) error {
	if err := f.disk.before("truncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *file) Close() error {
	if err := f.disk.before("close", f.Name()); err != nil {
		return err
	}
	return f.File.Close()
}
