package parquetexporter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// staleAfter is how old a temporary file must be before it counts as left by a dead process. Other live processes may
// be writing to the same directory; none of them writes one file for a day.
const staleAfter = 24 * time.Hour

// probePrefix begins the names of the files that show whether the directory is writable.
const probePrefix = ".loguro-"

// prepare makes the directory if it is missing, and makes sure that files can be written in it.
func prepare(dir string) error {
	if err := makeDir(filepath.Clean(dir)); err != nil {
		if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("it or a parent of it is a file; name a directory, or move the file away: %w", err)
		}
		return fmt.Errorf("it cannot be made; make it yourself, owned by the user that runs this program: %w", err)
	}
	probe, err := os.CreateTemp(dir, probePrefix+"*"+temporary)
	if err != nil {
		return fmt.Errorf("it is not writable; give the user that runs this program the right to write there: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// makeDir is os.MkdirAll that makes the new names durable too.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	root, err := os.OpenRoot(parent)
	if err != nil {
		return err
	}
	defer root.Close()
	return syncFolder(root, ".")
}

// sweep removes temporary files that nobody has written to since the given time: of days, and what prepare left when it
// was killed.
func sweep(dir string, before time.Time) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, probePrefix) && strings.HasSuffix(name, temporary):
			err = removeStale(root, name, entry, before)
		case entry.IsDir() && strings.HasPrefix(name, "date="):
			err = sweepFolder(root, name, before)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sweepFolder(root *os.Root, folder string, before time.Time) error {
	files, err := fs.ReadDir(root.FS(), folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), extension+temporary) {
			if err := removeStale(root, folder+"/"+file.Name(), file, before); err != nil {
				return err
			}
		}
	}
	return nil
}

func removeStale(root *os.Root, name string, file fs.DirEntry, before time.Time) error {
	info, err := file.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process renamed or swept it just now
	}
	if err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(before) {
		return err
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
