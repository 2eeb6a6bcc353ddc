package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Range is a part of a batch: the events from the first number up to, not including, the second.
type Range [2]int

// Rest says what of a batch an exporter still has to get, by the exporter's name: nothing if the list is empty.
type Rest map[string][]Range

// Others in a Rest stands for every exporter that it does not name. Without it, these get all of the batch.
const Others = "*"

// Of returns what an exporter still has to get of a batch of so many events, and whether that is the whole of it.
func (r Rest) Of(exporter string, events int) (ranges []Range, whole bool) {
	ranges, some := r[exporter]
	if !some {
		ranges, some = r[Others]
	}
	all := Range{0, events}
	if !some || len(ranges) == 1 && ranges[0] == all {
		return []Range{all}, true
	}
	return ranges, false
}

// allOf is what a batch that no exporter has is owed.
func allOf(exporters []string, events int) Rest {
	if len(exporters) == 0 {
		return nil
	}
	rest := Rest{}
	for _, name := range exporters {
		rest[name] = []Range{{0, events}}
	}
	return rest
}

// Debts are the exporters that still have to get something and are not among those given, sorted.
func (r Rest) Debts(known []string) (names []string) {
	for name, ranges := range r {
		if len(ranges) > 0 && name != Others && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

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
