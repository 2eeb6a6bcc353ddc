package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

const (
	segmentSuffix = ".seg"
	restSuffix    = ".json"
	temporary     = ".tmp"
)

// Segment is one batch on disk. Append and Seal belong to one goroutine at a time; everything else is safe for
// concurrent use.
type Segment struct {
	ID uuid.UUID // of the batch

	spool  *Spool
	home   *home
	path   string // without the suffix
	salt   uint32
	size   atomic.Int64 // whole records, and the header
	sealed atomic.Bool
	buf    []byte // of Append
	next   uint32 // number of the next record; of Append

	mu     sync.Mutex
	file   File  // open until it is sealed and synced
	synced int64 // so much is durable
	failed bool  // a sync failed: what it was to make durable may be gone from the cache, so no later one can be trusted
	gone   bool
	parted bool // the side file says that the batch was split
}

// Began is when a batch was begun, as its id tells; other if it does not.
func Began(id uuid.UUID, other time.Time) time.Time {
	if id.Version() != 7 {
		return other
	}
	return time.Unix(id.Time().UnixTime())
}

// Append writes records behind the others, and returns how many are in the file: all, unless there is an error. They
// have reached the operating system, and survive the process.
func (g *Segment) Append(records []*Record) (int, error) {
	start := g.size.Load()
	buf := g.buf[:0]
	for _, r := range records {
		buf = r.appendAt(buf, g.salt, g.next, start+int64(len(buf)))
		g.next++
	}
	n, err := g.file.WriteAt(buf, start)
	if cap(buf) <= 1<<20 {
		g.buf = buf
	}
	if err == nil {
		g.grow(int64(len(buf)))
		return len(records), nil
	}
	whole, end := 0, 0
	for _, r := range records {
		if end+r.Size() > n {
			break
		}
		end += r.Size()
		whole++
	}
	g.grow(int64(end))
	g.next -= uint32(len(records) - whole)
	_ = g.file.Truncate(start + int64(end)) // best effort: what is left of a record is cut when it is read
	return whole, fmt.Errorf("append to spool: %w", err)
}

func (g *Segment) grow(n int64) {
	size := g.size.Add(n)
	g.spool.bytes.Add(blocks(size) - blocks(size-n))
}

// blocks is what a file of so many bytes takes on disk: thousands of small ones would else break the bound on it.
func blocks(size int64) int64 {
	const block = 4 << 10
	return (size + block - 1) / block * block
}

// Seal says that nothing more will be appended. It never waits.
func (g *Segment) Seal() {
	g.buf = nil
	g.sealed.Store(true)
}

// Sync makes what was appended before durable, and closes the file if it is sealed. After an error of the disk a sealed
// segment is written anew.
func (g *Segment) Sync() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone || g.file == nil {
		return nil
	}
	sealed := g.sealed.Load() // before the size, which then is the last one
	size := g.size.Load()
	if g.failed && sealed {
		if err := g.rewrite(); err != nil {
			return fmt.Errorf("write spool segment anew: %w", err)
		}
		g.failed, g.synced = false, size
	}
	if g.synced < size {
		if err := g.file.Sync(); err != nil {
			g.failed = true
			return fmt.Errorf("sync spool: %w", err)
		}
		if g.failed {
			return errors.New("sync spool: an earlier sync failed")
		}
		g.synced = size
	}
	if err := g.home.settle(); err != nil {
		return fmt.Errorf("sync spool folder: %w", err)
	}
	if sealed {
		err := g.file.Close()
		g.file = nil
		if err != nil {
			return fmt.Errorf("close spool segment: %w", err)
		}
	}
	return nil
}

// rewrite makes a new file of the same records, which are still in the page cache, and puts it in place of the old one.
func (g *Segment) rewrite() error {
	content, err := g.content()
	if err != nil {
		return err
	}
	return writeFile(g.spool.fs, g.path+segmentSuffix, content)
}

// content is the segment without what is damaged.
func (g *Segment) content() ([]byte, error) {
	w := writer{salt: g.salt, buf: appendHeader(nil, g.ID)}
	_, err := g.read(func(number int, payload []byte) error {
		w.raw(number, payload)
		return nil
	})
	return w.buf, err
}

// Events reads the batch back; some say how many there should be. What is damaged is left out, and then numbers has that
// of each event in the batch.
func (g *Segment) Events(some int) (events []event.Event, numbers []int, err error) {
	events = make([]event.Event, 0, some)
	_, err = g.read(func(number int, payload []byte) error {
		var e event.Event
		if e.UnmarshalBinary(payload) != nil {
			return errUnreadable
		}
		if number != len(events) && numbers == nil {
			numbers = make([]int, len(events), some)
			for i := range numbers {
				numbers[i] = i
			}
		}
		events = append(events, e)
		if numbers != nil {
			numbers = append(numbers, number)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read spool segment %s: %w", g.path+segmentSuffix, err)
	}
	return events, numbers, nil
}

func (g *Segment) read(yield func(int, []byte) error) (Report, error) {
	f, err := g.spool.fs.OpenFile(g.path+segmentSuffix, os.O_RDONLY, 0)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	return scan(f, g.ID, yield)
}

// Size is what the segment takes on disk, in bytes.
func (g *Segment) Size() int64 { return g.size.Load() }

// Remove deletes the segment: its batch is delivered. A segment that cannot be deleted comes again after a restart,
// under the same id.
func (g *Segment) Remove() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return nil
	}
	if g.file != nil {
		g.file.Close()
		g.file = nil
	}
	if err := g.spool.fs.Remove(g.path + segmentSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove spool segment: %w", err)
	}
	g.gone = true
	g.spool.bytes.Add(-blocks(g.size.Load()))
	if g.parted {
		// Should the segment reappear after a power cut without its side file, the whole would be exported beside parts.
		if err := g.spool.fs.SyncDir(g.home.dir); err != nil {
			return fmt.Errorf("sync spool folder: %w", err)
		}
	}
	if err := g.spool.fs.Remove(g.path + restSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove side file: %w", err)
	}
	g.home.drop()
	return nil
}

// abandon closes the file and leaves it to the next process.
func (g *Segment) abandon() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file != nil {
		g.file.Close()
		g.file = nil
	}
}

// writer puts a segment together in memory.
type writer struct {
	salt uint32
	buf  []byte
	r    Record
}

func (w *writer) raw(number int, payload []byte) {
	w.r.buf = append(append(w.r.buf[:0], make([]byte, frameSize)...), payload...)
	w.r.sum()
	w.buf = w.r.appendAt(w.buf, w.salt, uint32(number), int64(len(w.buf)))
}

func (w *writer) event(number int, e *event.Event) error {
	if err := w.r.Encode(e); err != nil {
		return err
	}
	w.buf = w.r.appendAt(w.buf, w.salt, uint32(number), int64(len(w.buf)))
	return nil
}
