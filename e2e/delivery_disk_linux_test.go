package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a file system of its own, of one MiB, of which a file takes a half.
type smallDisk struct {
	t   *testing.T
	dir string
}

func mountSmallDisk(t *testing.T) smallDisk {
	t.Helper()
	disk := smallDisk{t, t.TempDir()}
	mount(t, "tmpfs", disk.dir, "tmpfs", 0, "size=1m")
	disk.write("ballast", 512<<10)
	return disk
}

func (disk smallDisk) write(name string, size int) {
	disk.t.Helper()
	if err := os.WriteFile(filepath.Join(disk.dir, name), make([]byte, size), 0o600); err != nil {
		disk.t.Fatal(err)
	}
}

// mount mounts until the test ends. Not everybody may; who cannot learns nothing from the test.
func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	err := syscall.Mount(source, target, kind, flags, data)
	if (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)) && os.Getenv("CI") != "true" {
		t.Skipf("mount: %v, so nothing is known about disks that are full or read-only; run it as root", err)
	}
	if err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) }) // an error: the test unmounted it
}

const cannotWrite, canWrite = "the spool cannot be written", "the spool can be written again"

func TestAFullDiskLosesNothingThatWasAccepted(t *testing.T) {
	d := newDelivery(t)
	disk := mountSmallDisk(t)
	d.spool = filepath.Join(disk.dir, "spool")
	d.down.Store(true)
	w := d.run("-memory", "2097152", "-batch", "300", "-age", "100ms")

	var r reply
	accepted, longest := 0, time.Duration(0)
	for r.Refused == 0 && accepted < 20_000 {
		r = w.ask("track", 300, 1<<10, 0) // anything but nil and ErrSpoolFull fails here
		accepted += r.Accepted
		longest = max(longest, r.Max)
	}
	if r.Refused == 0 || r.Stats.SpoolErrors == 0 || r.Stats.SpoolBytes > 512<<10 {
		t.Errorf("%d events were accepted and %d refused with %d bytes on disk and %d errors of the spool; want the disk and the memory full",
			accepted, r.Refused, r.Stats.SpoolBytes, r.Stats.SpoolErrors)
	}
	for range 3 { // over the times when it looks at the disk again
		before := r.Stats.SpoolErrors
		eventually(t, "the spool tries the disk again", func() bool {
			r = w.ask("track", 10, 1<<10, 1)
			accepted += r.Accepted
			longest = max(longest, r.Max)
			return r.Stats.SpoolErrors > before
		})
	}
	t.Logf("%d events were accepted, the last ones in memory; the disk failed %d times, and the longest Track took %v", accepted, r.Stats.SpoolErrors, longest)
	if n := w.logged(cannotWrite); n != 1 {
		t.Errorf("the full disk was logged %d times, want once:\n%s", n, w.said())
	}

	if err := os.Remove(filepath.Join(disk.dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	d.down.Store(false)
	eventually(t, "the spool is written again", func() bool {
		w.ask("track", 1, 100, 0)
		return w.logged(canWrite) > 0
	})
	w.ask("flush")
	d.durable(w)
	d.check()
}

// durable wants what is accepted from here on, while the disk works, to survive kill -9.
func (d *delivery) durable(w *worker) {
	d.t.Helper()
	d.down.Store(true)
	if r := w.ask("track", 200, 1<<10, 0); r.Accepted != 200 {
		d.t.Errorf("%d events were accepted, want 200", r.Accepted)
	}
	w.kill()
	d.drain()
}

// Nothing can be written, and yet what a dead process left is delivered, and so is what comes in.
func TestAProcessStartsOnAFullDisk(t *testing.T) {
	d := newDelivery(t)
	disk := mountSmallDisk(t)
	d.spool = filepath.Join(disk.dir, "spool")
	d.down.Store(true)
	w := d.run()
	w.ask("track", 100, 1<<10, 0)
	w.kill()
	for i := 0; ; i++ {
		if err := os.WriteFile(filepath.Join(disk.dir, fmt.Sprint("more", i)), make([]byte, 4<<10), 0o600); errors.Is(err, syscall.ENOSPC) {
			break
		}
	}
	d.down.Store(false)
	w = d.run()
	if r := w.ask("track", 100, 1<<10, 0); r.Stats.Adopted != 100 || r.Accepted != 100 || r.Stats.SpoolErrors == 0 {
		t.Errorf("%d events were taken over and %d accepted, want 100 each; the spool failed %d times, want once or more", r.Stats.Adopted, r.Accepted, r.Stats.SpoolErrors)
	}
	w.ask("flush")
	w.stop()
	d.nothingLeft()
	d.check()
}

// A disk turns read-only when its file system finds an error. A mount of the same folder over itself does that for
// everything that goes by a path, and leaves the files that are open, which is why the batch under way goes on.
func TestADiskThatIsReadOnlyForAWhileLosesNothing(t *testing.T) {
	d := newDelivery(t)
	d.down.Store(true)
	w := d.run("-batch", "100", "-age", "1h")
	w.ask("track", 250, 1<<10, 0)        // two whole segments, and one under way
	eventBytes := d.waitingBytes() / 250 // all are of the same size, and the headers are small

	mount(t, d.spool, d.spool, "", syscall.MS_BIND, "")
	mount(t, "", d.spool, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	r := w.ask("track", 1000, 1<<10, 0)
	if r.Accepted != 1000 || r.Stats.SpoolErrors == 0 {
		t.Errorf("%d events were accepted, want 1000; the spool failed %d times, want once or more", r.Accepted, r.Stats.SpoolErrors)
	}
	d.down.Store(false)
	w.ask("flush")
	stuck := d.waitingBytes() / eventBytes // events that are delivered, but not to be removed
	d.down.Store(true)
	r = w.ask("track", 1000, 1<<10, 0)
	if r.Accepted != 1000 || stuck == 0 || w.logged(cannotWrite) != 1 {
		t.Errorf("%d events were accepted, want 1000; %d are stuck, want some; the disk was logged %d times, want once:\n%s", r.Accepted, stuck, w.logged(cannotWrite), w.said())
	}
	if err := syscall.Unmount(d.spool, syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}

	waiting := 1000
	eventually(t, "what waited in memory is on disk as well", func() bool {
		waiting += w.ask("track", 1, 1<<10, 0).Accepted
		return d.waitingBytes()/eventBytes == stuck+waiting
	})
	d.durable(w)
	d.check()
}

// waitingBytes is the size of all segments.
func (d *delivery) waitingBytes() (sum int) {
	d.t.Helper()
	for _, info := range stat(d.t, d.segments()) {
		sum += int(info.Size())
	}
	return sum
}

// Somebody clears the folder away. What is in memory arrives, and what comes is on disk again from the next batch on.
func TestRemovingTheSpoolUnderLoadLosesNothingThatIsInMemory(t *testing.T) {
	d := newDelivery(t)
	w := d.run("-load", "-batch", "200", "-age", "8ms", "-sync", "20ms")
	for range 20 {
		batches := w.ask("stats").Stats.Batches
		eventually(t, "further batches are delivered", func() bool { return w.ask("stats").Stats.Batches > batches+2 })
		eventually(t, "the spool is removed", func() bool { return os.RemoveAll(d.spool) == nil }) // files come while it looks
	}
	w.ask("rest")
	r := w.ask("flush")
	if r.Stats.Dropped["lost"] != 0 || r.Stats.Pending != 0 {
		t.Errorf("%v are dropped and %d wait, want none", r.Stats.Dropped, r.Stats.Pending)
	}
	// A segment that was to be made just when its folder went counts as a failure of the disk: that is tried again soon.
	d.down.Store(true)
	eventually(t, "the spool is there again", func() bool {
		w.ask("track", 1, 100, 0)
		return len(d.segments()) > 0
	})
	d.down.Store(false)
	w.ask("flush")
	d.durable(w)
	d.check()
}
