package pipeline

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/internal/spool/spooltest"
)

func putNamed(t *testing.T, p *Pipeline, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := p.Put(&event.Event{Type: event.Custom, Name: strconv.Itoa(i)}); err != nil {
			t.Fatalf("Put(%d) = %v", i, err)
		}
	}
}

func wantEachOnce(t *testing.T, counts map[string]int, events int) {
	t.Helper()
	for i := range events {
		if n := counts[strconv.Itoa(i)]; n != 1 {
			t.Errorf("event %d arrived %d times", i, n)
		}
	}
	if len(counts) != events {
		t.Errorf("%d different events arrived, want %d", len(counts), events)
	}
}

// While the disk fails, events wait in memory; once it works, new ones and those that waited are on disk again.
func TestAFailingDiskIsBridgedByMemory(t *testing.T) {
	for why, break_ := range map[string]func(*spooltest.Disk) (mend func()){
		"full": func(d *spooltest.Disk) func() { d.Fill(50); return d.Free },
		"read-only": func(d *spooltest.Disk) func() {
			d.Break(func(op, _ string) error {
				if op == "create" || op == "write" || op == "mkdir" {
					return syscall.EROFS
				}
				return nil
			})
			return func() { d.Break(nil) }
		},
		"for all but headers full": func(d *spooltest.Disk) func() {
			d.Break(func(op, name string) error {
				if info, err := os.Stat(name); op == "write" && (err != nil || info.Size() > 0) {
					return syscall.ENOSPC
				}
				return nil
			})
			return func() { d.Break(nil) }
		},
		"no permission for new files": func(d *spooltest.Disk) func() {
			d.Break(func(op, _ string) error {
				if op == "create" {
					return fs.ErrPermission
				}
				return nil
			})
			return func() { d.Break(nil) }
		},
	} {
		t.Run(why, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				disk := &spooltest.Disk{Dir: dir}
				f := newFiles()
				f.down.Store(true)
				var log bytes.Buffer
				p := f.open(t, dir, func(c *Config) { c.FS, c.Logger = disk, slog.New(slog.NewTextHandler(&log, nil)) })
				putNamed(t, p, 0, 4)
				mend := break_(disk)
				putNamed(t, p, 4, 20)
				time.Sleep(10 * time.Second)
				putNamed(t, p, 20, 30)
				if n := strings.Count(log.String(), "the spool cannot be written"); n != 1 {
					t.Errorf("%d log lines, want one:\n%s", n, &log)
				}
				if p.Counts().SpoolErrors == 0 {
					t.Error("nothing is counted")
				}
				mend()
				time.Sleep(10 * time.Second)
				putNamed(t, p, 30, 40)
				time.Sleep(10 * time.Second) // what waited in memory goes to the disk
				synctest.Wait()
				if err := giveUp(p); !strings.Contains(err.Error(), "40 events are not delivered; they stay in the spool") {
					t.Errorf("Shutdown() = %v, want all events on disk", err)
				}
				f.down.Store(false)
				q := f.open(t, dir, nil)
				if err := q.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				wantEachOnce(t, f.counts(), 40)
				if err := q.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestMemoryStaysBoundedWhileTheDiskFails(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		disk := &spooltest.Disk{Dir: dir}
		f := newFiles()
		f.down.Store(true)
		size := (&event.Event{Type: event.Custom, Name: "0"}).Size()
		p := f.open(t, dir, func(c *Config) { c.FS, c.MemoryBytes = disk, 10*size })
		putNamed(t, p, 0, 5)
		disk.Fill(0)
		accepted := 5
		for range 100 {
			if err := p.Put(&event.Event{Type: event.Custom, Name: strconv.Itoa(accepted)}); err == nil {
				accepted++
			} else if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
		}
		if c := p.Counts(); c.PendingBytes > 10*size || accepted < 10 || accepted > 16 || c.Refused != uint64(105-accepted) {
			t.Errorf("%d accepted, counts %+v; want some 10 in memory", accepted, c)
		}
		disk.Free()
		time.Sleep(2 * time.Second)
		putNamed(t, p, accepted, accepted+50) // the disk has room for more than memory
		f.down.Store(false)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), accepted+50)
	})
}

func TestAFullDiskAtTheStartIsNoReasonNotToStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	synctest.Test(t, func(t *testing.T) {
		disk := &spooltest.Disk{Dir: dir}
		disk.Break(func(op, _ string) error {
			if op == "mkdir" || op == "create" {
				return syscall.ENOSPC
			}
			return nil
		})
		f := newFiles()
		p := f.open(t, dir, func(c *Config) { c.FS = disk })
		putNamed(t, p, 0, 2)
		disk.Break(nil)
		time.Sleep(2 * time.Second)
		putNamed(t, p, 2, 4)
		if len(segments(t, dir)) == 0 {
			t.Error("the spool is not used, though the disk has space again")
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 4)
	})
}

func TestABadDirectoryIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "\x00"} {
		_, err := New(Config{Spool: dir})
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(dir)) {
			t.Errorf("New with Spool %q = %v, want an error that names it", dir, err)
		}
	}
}

// After a sync that failed, the kernel may have dropped what it could not write, and a second sync says that all is
// well. The segment must be written anew, else a power cut after the export would bring a shorter batch.
func TestAFailedSyncIsMendedByANewFile(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		disk := &spooltest.Disk{Dir: dir}
		f := newFiles()
		f.down.Store(true)
		p := f.open(t, dir, func(c *Config) { c.FS, c.BatchEvents = disk, 100 })
		putNamed(t, p, 0, 3)
		var mended, renamed atomic.Bool
		disk.Break(func(op, name string) error {
			if op == "sync" && !mended.Load() {
				return syscall.EIO
			}
			if op == "rename" && strings.HasSuffix(name, ".seg.tmp") {
				renamed.Store(true)
			}
			return nil
		})
		time.Sleep(3 * time.Second)
		synctest.Wait()
		mended.Store(true)
		putNamed(t, p, 3, 5)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if !renamed.Load() {
			t.Error("the segment was not written anew")
		}
		if p.Counts().SpoolErrors == 0 {
			t.Error("nothing is counted")
		}
		giveUp(p)
		f.down.Store(false)
		q := f.open(t, dir, nil)
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 5)
	})
}

// Somebody removes the spool under a running process: what is in memory arrives, and what comes later is safe again.
func TestARemovedDirectoryIsMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.down.Store(true)
		p := f.open(t, dir, nil)
		putNamed(t, p, 0, 4)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		putNamed(t, p, 4, 12)
		time.Sleep(time.Minute)
		if n := len(segments(t, dir)); n == 0 {
			t.Error("no new segments")
		}
		f.down.Store(false)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), 12)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A segment that is gone before it could be read back is counted and said, and holds nothing up.
func TestALostSegmentIsSaid(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.down.Store(true)
		size := (&event.Event{Type: event.Custom, Name: "0"}).Size()
		p := f.open(t, dir, func(c *Config) { c.MemoryBytes = 4 * size })
		putNamed(t, p, 0, 12)
		time.Sleep(time.Second)
		for _, name := range segments(t, dir) {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
		f.down.Store(false)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		c := p.Counts()
		if c.Lost == 0 || int(c.Lost)+len(f.counts()) != 12 || c.Pending != 0 {
			t.Errorf("%d arrived, counts %+v; want the others counted as lost", len(f.counts()), c)
		}
	})
}

func TestASpoolIsBounded(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles()
		f.down.Store(true)
		const bound = 64 << 10
		p := f.open(t, dir, func(c *Config) { c.SpoolBytes = bound })
		accepted := 0
		for {
			err := p.Put(&event.Event{Type: event.Custom, Name: strconv.Itoa(accepted)})
			if errors.Is(err, ErrFull) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			accepted++
		}
		total := int64(len(segments(t, dir))) * 4096 // each is smaller, and takes a block
		if c := p.Counts(); total > bound || c.SpoolBytes != total || c.Refused != 1 || accepted < 30 {
			t.Errorf("%d accepted in %d bytes, counts %+v; want at most %d bytes", accepted, total, c, bound)
		}
		f.down.Store(false)
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantEachOnce(t, f.counts(), accepted)
		putNamed(t, p, accepted, accepted+1) // there is room again
	})
}
