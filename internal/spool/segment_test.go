package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

func open(t *testing.T, dir string) *Spool {
	t.Helper()
	s, err := Open(dir, OS{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write makes a segment with an event for each name, and leaves it as a dead process would.
func write(t *testing.T, dir string, names ...string) (file string) {
	t.Helper()
	s := open(t, dir)
	g, err := s.Create(s.Next(), uuid.Must(uuid.NewV7()))
	if err != nil {
		t.Fatal(err)
	}
	add(t, g, names...)
	s.Close([]*Segment{g})
	return g.path + segmentSuffix
}

func add(t *testing.T, g *Segment, names ...string) {
	t.Helper()
	var records []*Record
	for _, name := range names {
		r := new(Record)
		if err := r.Encode(&event.Event{Type: event.Custom, Name: name}); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if n, err := g.Append(records); err != nil || n != len(names) {
		t.Fatalf("Append() = %d, %v", n, err)
	}
}

// adopt reads what dead processes left.
func adopt(t *testing.T, dir string) (names []string, a Adoption) {
	t.Helper()
	s := open(t, dir)
	a = s.Adopt()
	for _, g := range a.Segments {
		events, _, err := g.Segment.Events(g.Events)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) != g.Events {
			t.Errorf("segment %s has %d events, was adopted with %d", g.ID, len(events), g.Events)
		}
		for _, e := range events {
			names = append(names, e.Name)
		}
	}
	s.Close(nil)
	return names, a
}

func damage(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamageCostsOnlyWhatIsDamaged(t *testing.T) {
	// Each record is 16 bytes of frame and 12 of payload; the first is at 24.
	const first, size = headerSize, 28
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 0x40; return b }
	}
	for _, tt := range []struct {
		why           string
		change        func([]byte) []byte
		want          string
		torn, corrupt int
		aside         int // bytes
	}{
		{"nothing", func(b []byte) []byte { return b }, "aa bb cc dd", 0, 0, 0},
		{"the last byte is missing", func(b []byte) []byte { return b[:len(b)-1] }, "aa bb cc", 1, 0, 0},
		{"the last payload is missing", func(b []byte) []byte { return b[:first+3*size+frameSize] }, "aa bb cc", 1, 0, 0},
		{"half a frame is left of the last record", func(b []byte) []byte { return b[:first+3*size+5] }, "aa bb cc", 1, 0, 0},
		{"zeros follow, as after a power cut", func(b []byte) []byte { return append(b, make([]byte, 5000)...) }, "aa bb cc dd", 1, 0, 0},
		{"another file's bytes follow", func(b []byte) []byte { return append(b, b[first:]...) }, "aa bb cc dd", 1, 0, 0},
		{"a payload in the middle is damaged", flip(first + size + frameSize + 3), "aa cc dd", 0, 1, size},
		{"a length in the middle is damaged", flip(first + size), "aa cc dd", 0, 1, size},
		{"a length is huge", func(b []byte) []byte { b[first+size+3] = 0xff; return b }, "aa cc dd", 0, 1, size},
		{"the first record is damaged", flip(first + frameSize), "bb cc dd", 0, 1, size},
		{"two records are damaged", func(b []byte) []byte { return flip(first + frameSize)(flip(first + 2*size + 9)(b)) }, "bb dd", 0, 2, 2 * size},
		{"the last payload is damaged", flip(first + 3*size + frameSize + 3), "aa bb cc", 1, 0, 0},
		{"bytes are missing in the middle", func(b []byte) []byte { return append(b[:first+size+7], b[first+size+9:]...) }, "aa", 1, 0, 0},
		{"the header is damaged", flip(9), "aa bb cc dd", 0, 1, headerSize},
		{"the version is damaged", flip(0), "aa bb cc dd", 0, 1, headerSize},
		{"only the header is there", func(b []byte) []byte { return b[:headerSize] }, "", 0, 0, 0},
		{"half the header is there", func(b []byte) []byte { return b[:headerSize/2] }, "", 1, 0, 0},
		{"the file is empty", func(b []byte) []byte { return nil }, "", 0, 0, 0},
		{"a block in the middle is zeros", func(b []byte) []byte { clear(b[first+size : first+3*size]); return b }, "aa dd", 0, 1, 2 * size},
	} {
		t.Run(tt.why, func(t *testing.T) {
			dir := t.TempDir()
			damage(t, write(t, dir, "aa", "bb", "cc", "dd"), tt.change)
			names, a := adopt(t, dir)
			if got := strings.Join(names, " "); got != tt.want || a.Torn != tt.torn || a.Corrupt != tt.corrupt || len(a.Problems) > 0 {
				t.Errorf("events %q, %d torn, %d corrupt, problems %v; want %q, %d, %d and none", got, a.Torn, a.Corrupt, a.Problems, tt.want, tt.torn, tt.corrupt)
			}
			aside := 0
			files, _ := filepath.Glob(filepath.Join(dir, corruptDir, "*.bin"))
			for _, file := range files {
				content, _ := os.ReadFile(file)
				aside += len(content)
			}
			if aside != tt.aside {
				t.Errorf("%d bytes are put aside, want %d", aside, tt.aside)
			}
			// What was mended once is whole, and the batch is the same from then on.
			again, b := adopt(t, dir)
			if !slices.Equal(again, names) || b.Torn+b.Corrupt > 0 {
				t.Errorf("the second time: events %q, %d torn, %d corrupt", again, b.Torn, b.Corrupt)
			}
			for i := range b.Segments {
				if b.Segments[i].ID != a.Segments[i].ID {
					t.Errorf("the batch was %s and is %s", a.Segments[i].ID, b.Segments[i].ID)
				}
			}
		})
	}
}

func TestASegmentOfALaterVersionIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "aa")
	damage(t, file, func(b []byte) []byte {
		b[0] = version + 1
		return append(withSum(b[:20]), b[headerSize:]...)
	})
	before, _ := os.ReadFile(file)
	names, a := adopt(t, dir)
	if len(names) > 0 || len(a.Problems) != 1 || !errors.Is(a.Problems[0], ErrVersion) {
		t.Errorf("events %q, problems %v; want none, and one of ErrVersion", names, a.Problems)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file is changed or gone: %v", err)
	}
}

func withSum(header []byte) []byte {
	id := uuid.UUID(header[4:20])
	full := appendHeader(nil, id)
	full[0] = header[0]
	sum := crc32.Checksum(full[:20], castagnoli)
	binary.LittleEndian.PutUint32(full[20:], sum)
	return full
}

func TestARenamedSegmentKeepsItsBatch(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "aa", "bb")
	other := filepath.Join(filepath.Dir(file), fmt.Sprintf("%010d-%s%s", 7, uuid.New(), segmentSuffix))
	if err := os.Rename(file, other); err != nil {
		t.Fatal(err)
	}
	names, a := adopt(t, dir)
	if strings.Join(names, " ") != "aa bb" || !strings.Contains(file, a.Segments[0].ID.String()) {
		t.Errorf("events %q of batch %s, want those of %s", names, a.Segments[0].ID, file)
	}
}

// model writes a segment and returns its bytes, and the payloads in it.
func model(events int, seed uint64) (content []byte, id uuid.UUID, written map[string]bool) {
	chance := rand.New(rand.NewPCG(seed, 1))
	id = uuid.UUID{1, 2, 3, byte(seed)}
	w := writer{salt: saltOf(id), buf: appendHeader(nil, id)}
	written = map[string]bool{}
	for number := range events {
		payload := make([]byte, 1+chance.IntN(60))
		for i := range payload {
			payload[i] = byte(chance.IntN(4)) // few values, so that damage looks like other parts
		}
		w.raw(number, payload)
		written[string(payload)] = true
	}
	return w.buf, id, written
}

// Whatever happens to a segment, what the reader returns was written.
func FuzzSegment(f *testing.F) {
	f.Add(uint64(1), uint16(30), []byte("x"), uint16(3), false)
	f.Add(uint64(2), uint16(0), []byte{}, uint16(500), true)
	f.Add(uint64(3), uint16(100), bytes.Repeat([]byte{0}, 600), uint16(0), false)
	f.Fuzz(func(t *testing.T, seed uint64, at uint16, patch []byte, drop uint16, insert bool) {
		content, id, written := model(int(seed%40), seed)
		from := int(at) % (len(content) + 1)
		to := from
		if !insert {
			to = min(from+int(drop), len(content))
		}
		damaged := slices.Concat(content[:from], patch, content[to:])
		check(t, damaged, id, written)
	})
}

// On bytes that no segment ever had, the reader returns nothing, and comes to an end.
func FuzzArbitraryBytes(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add(bytes.Repeat([]byte{1, 0, 0, 0}, 100), true)
	f.Add(appendHeader(nil, uuid.UUID{9}), false)
	f.Fuzz(func(t *testing.T, in []byte, headed bool) {
		id := uuid.UUID{7}
		if headed {
			in = append(appendHeader(nil, id), in...)
		}
		check(t, in, id, nil)
	})
}

func check(t *testing.T, content []byte, id uuid.UUID, written map[string]bool) {
	t.Helper()
	n := 0
	report, err := scan(bytes.NewReader(content), id, func(_ int, payload []byte) error {
		n++
		if !written[string(payload)] {
			t.Errorf("a record that was not written: %q", payload)
		}
		return nil
	})
	if err != nil {
		if !errors.Is(err, ErrVersion) {
			t.Errorf("scan() = %v", err)
		}
		return
	}
	if report.Records != n || report.Size != int64(len(content)) {
		t.Errorf("report %+v of %d records in %d bytes", report, n, len(content))
	}
	for _, span := range report.Corrupt {
		if span.From < 0 || span.From >= span.To || span.To > report.Size {
			t.Errorf("corrupt %+v in a file of %d bytes", span, report.Size)
		}
	}
	if report.Torn != nil && report.Torn.To != report.Size {
		t.Errorf("torn %+v in a file of %d bytes", *report.Torn, report.Size)
	}
}

// Each byte is read once: hostile bytes cannot make the reader slow.
func TestReadingTakesALinearNumberOfReads(t *testing.T) {
	content := append(appendHeader(nil, uuid.UUID{7}), bytes.Repeat([]byte{0xff, 0xff, 0x0f, 0}, 1<<18)...)
	in := &counter{bytes: content}
	if _, err := scan(in, uuid.UUID{7}, func(int, []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if in.read != len(content) {
		t.Errorf("%d bytes read of %d", in.read, len(content))
	}
}

type counter struct {
	bytes []byte
	read  int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := bytes.NewReader(c.bytes[c.read:]).Read(p)
	c.read += n
	return n, err
}
