package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Range is a part of a batch: the events from the first number up to, not including, the second.
type Range [2]int

// Rest says what of a batch an exporter still has to get, by the exporter's name: nothing if the list is empty, and all
// of it if the name is missing.
type Rest map[string][]Range

// SaveRest makes durable what remains of the batch. Parted says that an exporter got parts of it under ids of their
// own, so that the batch as a whole must never be offered to it again.
func (g *Segment) SaveRest(rest Rest, parted bool) error {
	content, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.parted = g.parted || parted
	if err := writeFile(g.spool.fs, g.path+restSuffix, content); err != nil {
		return fmt.Errorf("save what remains of a batch: %w", err)
	}
	return nil
}

// Rest reads what SaveRest saved; nil if that never happened.
func (g *Segment) Rest() (Rest, error) {
	content, err := readFile(g.spool.fs, g.path+restSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what remains of a batch: %w", err)
	}
	var rest Rest
	if err := json.Unmarshal(content, &rest); err != nil {
		return nil, fmt.Errorf("read what remains of a batch: %s: %w", g.path+restSuffix, err)
	}
	g.mu.Lock()
	g.parted = true // perhaps not, but it does no harm
	g.mu.Unlock()
	return rest, nil
}

func readFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
