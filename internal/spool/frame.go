package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

const (
	version    = 1
	headerSize = 24
	frameSize  = 16
	// MaxRecord bounds the payload of a record, in bytes. An event is far below it: its props take at most 4 KiB, its
	// addresses 8 KiB each.
	MaxRecord = 1 << 20
)

// ErrTooLarge means that an event takes over MaxRecord bytes.
var ErrTooLarge = errors.New("loguro: the event takes over 1 MiB and is not recorded; is the user id what it should be?")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Record is an event ready to be appended, but for its place.
type Record struct {
	buf   []byte // a frame with length and payload's sum in place, and the payload
	place place
}

// place is room for what the last number of a frame is the sum of, so that none is allocated for each.
type place [20]byte

// Encode makes a record of the event, in the memory of an older one if that is given.
func (r *Record) Encode(e *event.Event) error {
	if r.buf == nil {
		r.buf = make([]byte, frameSize, 512)
	}
	buf, err := e.AppendBinary(r.buf[:frameSize])
	if err != nil {
		return err
	}
	r.buf = buf
	if len(buf) > frameSize+MaxRecord {
		r.buf = nil // not to be kept
		return ErrTooLarge
	}
	r.sum()
	return nil
}

// sum puts the numbers in place that do not depend on where the record will be.
func (r *Record) sum() {
	payload := r.buf[frameSize:]
	binary.LittleEndian.PutUint32(r.buf[0:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(r.buf[8:], crc32.Checksum(payload, castagnoli))
}

// Size is what the record takes in the file, in bytes.
func (r *Record) Size() int { return len(r.buf) }

// appendAt appends the record to b, for its place in the batch and the file.
func (r *Record) appendAt(b []byte, salt, number uint32, offset int64) []byte {
	binary.LittleEndian.PutUint32(r.buf[4:], number)
	binary.LittleEndian.PutUint32(r.buf[12:], r.place.sum(salt, offset, r.buf))
	return append(b, r.buf...)
}

// saltOf starts the sum of every frame in the batch's segment.
func saltOf(id uuid.UUID) uint32 { return crc32.Checksum(id[:], castagnoli) }

// sum is the last number of a frame.
func (p *place) sum(salt uint32, offset int64, frame []byte) uint32 {
	binary.LittleEndian.PutUint64(p[:], uint64(offset))
	copy(p[8:], frame[:12])
	return crc32.Update(salt, castagnoli, p[:])
}

// parse returns what the frame at the offset says; ok is false if there is no frame.
func (p *place) parse(frame []byte, salt uint32, offset int64) (length int, number, sum uint32, ok bool) {
	n := binary.LittleEndian.Uint32(frame)
	if n == 0 || n > MaxRecord || binary.LittleEndian.Uint32(frame[12:]) != p.sum(salt, offset, frame) {
		return 0, 0, 0, false
	}
	return int(n), binary.LittleEndian.Uint32(frame[4:]), binary.LittleEndian.Uint32(frame[8:]), true
}

func appendHeader(b []byte, id uuid.UUID) []byte {
	from := len(b)
	b = append(append(b, version, 'l', 'g', 's'), id[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// parseHeader returns the version and the batch id; ok is false if the header is damaged.
func parseHeader(h []byte) (v byte, id uuid.UUID, ok bool) {
	if len(h) < headerSize || string(h[1:4]) != "lgs" {
		return 0, id, false
	}
	copy(id[:], h[4:20])
	return h[0], id, binary.LittleEndian.Uint32(h[20:]) == crc32.Checksum(h[:20], castagnoli)
}
