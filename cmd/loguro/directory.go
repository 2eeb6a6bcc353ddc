package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"

	"github.com/loguro/loguro/internal/spool"
)

// looksLike is part of the errors about directories that are no spools.
const looksLike = "in a spool there is a folder for each process, such as 0196cdf4-2b00-7000-8000-0123456789ab, " +
	"with the .seg files of its batches"

// browse lists a spool directory. The errors say what to do instead.
func browse(dir string) (spool.Contents, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return spool.Contents{}, fmt.Errorf("%s is a file; "+
			"name the directory that the application has as Config.Spool (cat and verify take single files, too)", dir)
	}
	var contents spool.Contents
	if err == nil {
		contents, err = spool.Browse(dir)
	}
	if err != nil {
		return contents, unreadable(dir, err)
	}
	if len(contents.Processes)+len(contents.Letters)+len(contents.Corrupt) > 0 {
		return contents, nil
	}
	if strangers := strangers(dir); len(strangers) > 0 {
		if _, err := uuid.Parse(filepath.Base(filepath.Clean(dir))); err == nil {
			return contents, fmt.Errorf("%s is the folder of one process; name the directory above it, %s", dir, filepath.Dir(filepath.Clean(dir)))
		}
		return contents, fmt.Errorf("%s is not a spool: %s. It holds %s", dir, looksLike, strings.Join(strangers, ", "))
	}
	return contents, nil
}

// strangers are names in the directory that no spool has: some of them, and not those that a file system makes.
func strangers(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		switch name := entry.Name(); {
		case name == "dead" || name == "corrupt" || name == "lost+found" || strings.HasPrefix(name, "."):
		case len(names) == 3:
			return append(names, "…")
		default:
			names = append(names, fmt.Sprintf("%q", name))
		}
	}
	return names
}

// unreadable is an error of reading the path, or something below it, with how to mend it.
func unreadable(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok && strings.HasPrefix(e.Path, path) {
		path = e.Path
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s does not exist; name the directory that the application has as Config.Spool", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s %w; run loguro as the user that runs the application, such as with sudo -u USER", path, cause(err))
	}
	return fmt.Errorf("%s %w", path, cause(err))
}

// cause says why something cannot be read, where its path stands beside it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// target is what an argument names: a spool directory, or a single file of one.
type target struct {
	spool.Contents
	single bool
}

func targetOf(path string) (t target, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return t, unreadable(path, err)
	}
	if info.IsDir() {
		t.Contents, err = browse(path)
		return t, err
	}
	t.single = true
	switch kind, err := kindOf(path); {
	case err != nil:
		return t, unreadable(path, err)
	case kind == segmentKind:
		f, err := spool.SegmentAt(path)
		if err != nil {
			return t, unreadable(path, err)
		}
		folder := filepath.Dir(path)
		t.Processes = []spool.Process{{Path: folder, State: spool.StateOf(folder), Segments: []spool.SegmentFile{f}}}
	case kind == lettersKind:
		t.Letters = []spool.LetterFile{{Path: path, Size: info.Size()}}
	default:
		return t, fmt.Errorf("%s is neither a segment (.seg) nor a file of dead letters (.jsonl)", path)
	}
	return t, nil
}
