package spool

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

// SegmentFile is a segment as it lies on the disk.
type SegmentFile struct {
	Path   string
	Number uint64
	ID     uuid.UUID // of the batch, as the name says; zero if the file was renamed
	Size   int64
	Since  time.Time // when the batch was begun, as far as its id or the file tell
}

// SegmentAt describes a segment. It does not open the file.
func SegmentAt(path string) (SegmentFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return SegmentFile{}, err
	}
	f := SegmentFile{Path: path, Size: info.Size(), Since: info.ModTime()}
	if number, id, ok := parseName(filepath.Base(path)); ok {
		f.Number, f.ID = number, id
	}
	f.Since = Began(f.ID, f.Since)
	return f, nil
}

// Empty is true if there is no record in the segment, for which it would have to be longer.
func (f SegmentFile) Empty() bool { return f.Size <= headerSize }

// base is the path without the suffix.
func (f SegmentFile) base() string { return strings.TrimSuffix(f.Path, segmentSuffix) }

// Events calls yield with every event that can be read, in order; the event is valid during the call only. Damage is no
// error but stands in the report. An error is one of reading, of yield, or ErrVersion.
func (f SegmentFile) Events(yield func(*event.Event) error) (Report, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return Report{}, err
	}
	defer file.Close()
	var e event.Event
	return scan(file, f.ID, func(_ int, payload []byte) error {
		if e.UnmarshalBinary(payload) != nil {
			return errUnreadable
		}
		return yield(&e)
	})
}

// Rest reads what remains of the batch for each exporter; nil if that is all of it for all.
func (f SegmentFile) Rest() (Rest, error) {
	g := Segment{spool: &Spool{fs: OS{}}, path: f.base()}
	return g.Rest()
}

// LetterFile is a file of dead letters.
type LetterFile struct {
	Path    string
	Size    int64
	Claimed bool // by a process that redrives them, or died over it
}

func letterFileAt(path string) (LetterFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return LetterFile{}, err
	}
	return LetterFile{Path: path, Size: info.Size()}, nil
}

// Each calls yield with every dead letter that can be read, in order, and the line that it stands on; both are valid
// during the call only. The letter has one event. Lines that cannot be read are in bad. An error is one of reading or
// of yield.
func (l LetterFile) Each(yield func(letter Dead, line []byte) error) (bad []error, err error) {
	file, err := os.Open(l.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = eachLetter(file, func(letter Dead, line []byte, err error) error {
		if err != nil {
			bad = append(bad, err)
			return nil
		}
		return yield(letter, line)
	})
	return bad, err
}
