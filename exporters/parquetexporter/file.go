package parquetexporter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
)

const (
	extension = ".parquet"
	// temporary comes after the extension, so that *.parquet does not match a file that is not complete.
	temporary = ".tmp"

	dirMode  = 0o750
	fileMode = 0o640
)

// pending are the files of a batch that are written but not visible yet.
type pending struct {
	files []pendingFile
}

type pendingFile struct {
	folder, name string
	published    bool
}

func (p pendingFile) temporary() string { return p.name + temporary }

// write makes a complete and durable temporary file in the folder.
func (p *pending) write(root *os.Root, folder, id string, encode func(*os.File) error) error {
	if err := root.Mkdir(folder, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	file := pendingFile{folder: folder, name: path.Join(folder, id+extension)}
	f, err := root.OpenFile(file.temporary(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	p.files = append(p.files, file)
	defer f.Close() // for the errors; the good end closes it below
	if err := encode(f); err != nil {
		return fmt.Errorf("encode %s: %w", file.name, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close file: %w", err)
	}
	return nil
}

// publish gives the files their names, and makes the names durable.
func (p *pending) publish(root *os.Root) error {
	for i := range p.files {
		file := &p.files[i]
		if err := root.Rename(file.temporary(), file.name); err != nil {
			return fmt.Errorf("rename file: %w", err)
		}
		file.published = true
		if err := syncFolder(root, file.folder); err != nil {
			return err
		}
	}
	// The day's folder may be new, or made by an earlier attempt that failed before this line.
	return syncFolder(root, ".")
}

// discard removes the temporary files that were not published. It is best effort: the error that led here counts,
// the next attempt writes over them, and New sweeps what stays.
func (p *pending) discard(root *os.Root) {
	for _, file := range p.files {
		if !file.published {
			_ = root.Remove(file.temporary())
		}
	}
}

// syncFolder makes the names in a folder durable. Windows cannot sync a folder, and does not need it.
func syncFolder(root *os.Root, name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
