package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loguro/loguro/internal/spool"
)

// copyTo makes a spool of its own of what the plan takes: links to the segments, and copies of what the pipeline changes.
func (p *plan) copyTo(scratch string) error {
	for name := range p.folders {
		folder := filepath.Join(scratch, name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, "lock"), nil, 0o600); err != nil {
			return err
		}
		entries, err := os.ReadDir(filepath.Join(p.dir, name))
		if err != nil {
			continue // in the plan as broken, or delivered just now
		}
		for _, entry := range entries {
			from, to := filepath.Join(p.dir, name, entry.Name()), filepath.Join(folder, entry.Name())
			switch filepath.Ext(from) {
			case ".seg":
				err = link(from, to)
			case ".json":
				err = copyFile(from, to)
			}
			if err != nil {
				return err
			}
		}
	}
	if len(p.letters) == 0 {
		return nil
	}
	dead := filepath.Join(scratch, "dead")
	if err := os.Mkdir(dead, 0o700); err != nil {
		return err
	}
	for _, f := range p.letters {
		if err := link(f.Path, filepath.Join(dead, filepath.Base(f.Path))); err != nil {
			return err
		}
	}
	return nil
}

// link saves copying what may be a gigabyte. Not every user of Windows may make links.
func link(from, to string) error {
	target, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	if os.Symlink(target, to) == nil {
		return nil
	}
	return copyFile(from, to)
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // delivered just now
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// linked is a file system in which a link becomes a file of its own before somebody writes to it.
type linked struct{ spool.OS }

func (l linked) OpenFile(name string, flag int, perm fs.FileMode) (spool.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			own := name + ".tmp"
			if err := copyFile(name, own); err != nil {
				return nil, err
			}
			if err := os.Rename(own, name); err != nil {
				return nil, err
			}
		}
	}
	return l.OS.OpenFile(name, flag, perm)
}
