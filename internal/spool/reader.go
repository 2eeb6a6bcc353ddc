package spool

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/google/uuid"
)

// ErrVersion means that a segment was written by a later version of this package.
var ErrVersion = errors.New("the segment is of a version that this program does not know; use a newer one")

// Span is a range of bytes in a file.
type Span struct{ From, To int64 }

// Report says what is in a segment.
type Report struct {
	ID       uuid.UUID // as its header says; zero if that is damaged
	Records  int       // whole ones
	Span     int       // records that there were before the last whole one, and that one
	Size     int64     // of the file, in bytes
	Corrupt  []Span    // damaged parts with whole records behind them, or the header
	Torn     *Span     // what is not a whole record at the end
	Disorder bool      // the header is damaged
}

// Damaged is true if anything but whole records is in the segment.
func (r *Report) Damaged() bool { return r.Torn != nil || len(r.Corrupt) > 0 || r.Disorder }

// scan calls yield with every whole record, in order: its number in the batch, and its payload, which is valid during
// the call only. An error is one of reading, of yield, or ErrVersion: damage is no error, but stands in the report. The
// id is the one of the file's name, which counts if the header is damaged.
//
// It reads each byte once, whatever is in the file.
func scan(in io.Reader, id uuid.UUID, yield func(number int, payload []byte) error) (Report, error) {
	s := scanner{in: bufio.NewReaderSize(in, 64<<10), yield: yield}
	if err := s.header(id); err != nil {
		return s.report, err
	}
	for {
		more, err := s.next()
		if err != nil {
			return s.report, err
		}
		if !more {
			break
		}
	}
	s.end()
	return s.report, nil
}

type scanner struct {
	in      *bufio.Reader
	yield   func(int, []byte) error
	report  Report
	salt    uint32
	offset  int64
	payload []byte
	place   place
	damage  []Span // not followed by a whole record yet
}

func (s *scanner) header(id uuid.UUID) error {
	h, err := s.in.Peek(headerSize)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read header: %w", err)
	}
	v, found, ok := parseHeader(h)
	switch {
	case len(h) == 0:
		return nil // the process died between making the file and its first write
	case ok && v != version:
		return fmt.Errorf("%w (version %d)", ErrVersion, v)
	case ok: // whatever the name says: somebody may have renamed the file
		s.report.ID, s.salt = found, saltOf(found)
		s.skip(headerSize)
		return nil
	}
	// Records prove by themselves that they belong to the batch that the name tells.
	s.report.Disorder = true
	s.salt = saltOf(id)
	if len(h) == headerSize {
		s.skip(headerSize)
		s.damage = append(s.damage, Span{0, headerSize})
	}
	return nil
}

func (s *scanner) skip(n int) {
	_, _ = s.in.Discard(n) // of what Peek just showed
	s.offset += int64(n)
}

// next reads one record, or passes over one byte that begins none.
func (s *scanner) next() (more bool, err error) {
	frame, err := s.in.Peek(frameSize)
	if err == io.EOF {
		if len(frame) > 0 {
			s.damaged(s.offset, s.offset+int64(len(frame)))
			s.skip(len(frame))
		}
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read record: %w", err)
	}
	length, number, sum, ok := s.place.parse(frame, s.salt, s.offset)
	if !ok {
		s.damaged(s.offset, s.offset+1)
		s.skip(1)
		return true, nil
	}
	from := s.offset
	s.skip(frameSize)
	if cap(s.payload) < length {
		s.payload = make([]byte, max(length, 4<<10))
	}
	n, err := io.ReadFull(s.in, s.payload[:length])
	s.offset += int64(n)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		s.damaged(from, s.offset)
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read record: %w", err)
	}
	if crc32.Checksum(s.payload[:length], castagnoli) == sum {
		err = s.yield(int(number), s.payload[:length])
	} else {
		err = errUnreadable
	}
	if err == errUnreadable {
		s.damage = append(s.damage, Span{from, s.offset}) // one record, by itself
		return true, nil
	}
	if err != nil {
		return false, err
	}
	s.report.Corrupt = append(s.report.Corrupt, s.damage...)
	s.damage = s.damage[:0]
	s.report.Records++
	s.report.Span = int(number) + 1
	return true, nil
}

// errUnreadable is what yield returns for a payload that it cannot take: it counts as damaged.
var errUnreadable = errors.New("unreadable payload")

// damaged notes bytes that are no record, together with those just before.
func (s *scanner) damaged(from, to int64) {
	if n := len(s.damage); n > 0 && s.damage[n-1].To == from {
		s.damage[n-1].To = to
		return
	}
	s.damage = append(s.damage, Span{from, to})
}

// end makes a torn tail of the damage that reaches the end of the file.
func (s *scanner) end() {
	s.report.Size = s.offset
	tail := s.offset
	n := len(s.damage)
	for n > 0 && s.damage[n-1].To == tail {
		n--
		tail = s.damage[n].From
	}
	s.report.Corrupt = append(s.report.Corrupt, s.damage[:n]...)
	if tail < s.offset || s.report.Disorder && s.offset < headerSize {
		s.report.Torn = &Span{tail, s.offset}
	}
}
