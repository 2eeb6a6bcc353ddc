package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

// kind says what a file is.
type kind int

const (
	neither kind = iota
	segmentKind
	lettersKind
)

// kindOf goes by the name, and for files that were renamed by their first bytes.
func kindOf(path string) (kind, error) {
	switch filepath.Ext(path) {
	case ".seg":
		return segmentKind, nil
	case ".jsonl":
		return lettersKind, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return neither, err
	}
	defer f.Close()
	start := make([]byte, 11)
	n, err := io.ReadFull(f, start)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return neither, err
	}
	switch start = start[:n]; {
	case n > 4 && string(start[1:4]) == "lgs":
		return segmentKind, nil
	case bytes.HasPrefix(start, []byte(`{"reason":`)):
		return lettersKind, nil
	}
	return neither, nil
}
