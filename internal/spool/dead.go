package spool

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

const (
	deadDir    = "dead"
	deadSuffix = ".jsonl"
)

// Dead are events of one batch that an exporter refused for good.
type Dead struct {
	BatchID  string
	Exporter string
	Reason   string
	FailedAt time.Time
	// MayHaveArrived says that the exporter may have them nevertheless: they must not come again under other ids.
	MayHaveArrived bool
	Events         []event.Event
}

// deadLine is one event in a file of dead letters.
type deadLine struct {
	Reason   string      `json:"reason"`
	Exporter string      `json:"exporter"`
	BatchID  string      `json:"batch_id"`
	FailedAt time.Time   `json:"failed_at"`
	Unsure   bool        `json:"may_have_arrived,omitempty"`
	Event    event.Event `json:"event"`
}

// Bury makes dead letters durable. The same ones again replace them.
func (s *Spool) Bury(d Dead) error {
	var content bytes.Buffer
	lines := json.NewEncoder(&content)
	lines.SetEscapeHTML(false)
	for i := range d.Events {
		err := lines.Encode(deadLine{d.Reason, d.Exporter, d.BatchID, d.FailedAt.UTC(), d.MayHaveArrived, d.Events[i]})
		if err != nil {
			return fmt.Errorf("write dead letter: %w", err)
		}
	}
	dir := filepath.Join(s.dir, deadDir)
	if err := makeDir(s.fs, dir); err != nil {
		return fmt.Errorf("write dead letter: %w", err)
	}
	name := filepath.Join(dir, fileName(d.Exporter)+"-"+d.BatchID+deadSuffix)
	before := s.sizeOf(name)
	if err := writeFile(s.fs, name, content.Bytes()); err != nil {
		return fmt.Errorf("write dead letter: %w", err)
	}
	s.bytes.Add(blocks(int64(content.Len())) - blocks(before))
	return nil
}

// fileName keeps of a name what every file system takes.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		}
		return '_'
	}, name[:min(len(name), 100)])
}

// DeadFiles are the names of the files of dead letters, oldest first.
func (s *Spool) DeadFiles() ([]string, error) {
	entries, err := s.fs.ReadDir(filepath.Join(s.dir, deadDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for dead letters: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), deadSuffix) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Claim is a file of dead letters that this process took, so that no other one redrives it too. Done removes it for
// good; Undo puts it back. Should the process die in between, who adopts its folder puts it back.
type Claim struct {
	spool           *Spool
	home            *home
	letter, claimed string
}

// Claim takes a file of dead letters and reads it. The error is fs.ErrNotExist if another process was faster.
func (s *Spool) Claim(name string) (d Dead, c *Claim, err error) {
	s.mu.Lock()
	h, err := s.home()
	s.mu.Unlock()
	if err != nil {
		return d, nil, fmt.Errorf("claim dead letters: %w", err)
	}
	c = &Claim{s, h, filepath.Join(s.dir, deadDir, name), filepath.Join(h.dir, name)}
	if err := s.fs.Rename(c.letter, c.claimed); err != nil {
		return d, nil, fmt.Errorf("claim dead letters: %w", err)
	}
	h.add(1)
	content, err := readFile(s.fs, c.claimed)
	if err == nil {
		d, err = ParseDead(content)
	}
	if err != nil {
		return d, nil, errors.Join(fmt.Errorf("read dead letters %s: %w", name, err), c.Undo())
	}
	return d, c, nil
}

// Undo puts the letters back.
func (c *Claim) Undo() error {
	defer c.home.drop()
	return c.spool.fs.Rename(c.claimed, c.letter)
}

// Done removes the letters: they are in a segment.
func (c *Claim) Done() error {
	defer c.home.drop()
	size := c.spool.sizeOf(c.claimed)
	if err := c.spool.fs.Remove(c.claimed); err != nil {
		return fmt.Errorf("remove dead letters: %w", err)
	}
	c.spool.bytes.Add(-blocks(size))
	return nil
}

// ParseDead reads a file of dead letters.
func ParseDead(content []byte) (d Dead, err error) {
	err = eachLetter(bytes.NewReader(content), func(letter Dead, _ []byte, err error) error {
		letter.Events = append(d.Events, letter.Events...)
		d = letter
		return err
	})
	return d, err
}

// eachLetter calls yield with every line: a letter of one event, or why it is none. An error is one of reading or of yield.
func eachLetter(in io.Reader, yield func(letter Dead, line []byte, err error) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16*MaxRecord)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		letter, err := parseLetter(lines.Bytes())
		if err != nil {
			err = fmt.Errorf("line %d: %w", n, err)
		}
		if err := yield(letter, lines.Bytes(), err); err != nil {
			return err
		}
	}
	return lines.Err()
}

func parseLetter(text []byte) (Dead, error) {
	var line deadLine
	if err := json.Unmarshal(text, &line); err != nil {
		return Dead{}, err
	}
	if _, err := uuid.Parse(line.BatchID); err != nil {
		return Dead{}, err
	}
	if line.Event.Type == "" {
		return Dead{}, errors.New("the event is missing")
	}
	return Dead{line.BatchID, line.Exporter, line.Reason, line.FailedAt, line.Unsure, []event.Event{line.Event}}, nil
}

func (s *Spool) deadBytes() (n int64) {
	names, err := s.DeadFiles()
	if err != nil {
		return 0 // the count is a bound on the disk, not a promise
	}
	for _, name := range names {
		n += blocks(s.sizeOf(filepath.Join(s.dir, deadDir, name)))
	}
	return n
}

func (s *Spool) sizeOf(name string) int64 {
	info, err := s.fs.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
