package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Each command says of a directory that is none of a spool what to do instead.
func TestADirectoryThatIsNoSpool(t *testing.T) {
	dir := spoolOf(t, "aa")
	segment := segments(t, dir)[0]
	elsewhere := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		write(t, filepath.Join(elsewhere, name), nil)
	}
	for _, test := range []struct {
		path, want string
		single     bool // cat and verify take it
	}{
		{filepath.Join(dir, "none"), "none does not exist; name the directory that the application has as Config.Spool", false},
		{filepath.Join(segment, "none"), "none does not exist", false},
		{elsewhere, `is not a spool: in a spool there is a folder for each process, such as 0196cdf4-2b00-7000-8000-0123456789ab, with the .seg files of its batches. It holds "a", "b", "c", …`, false},
		{filepath.Dir(segment), "is the folder of one process; name the directory above it, " + dir, false},
		{segment, "is a file; name the directory", true},
		{filepath.Join(elsewhere, "a"), "a is ", false},
	} {
		for _, args := range [][]string{{"ls"}, {"cat"}, {"verify"}, {"export", "--to", "parquet:" + t.TempDir()}} {
			r := loguroRun(t, append(append([]string{"spool"}, args...), test.path)...)
			if test.single && (args[0] == "cat" || args[0] == "verify") {
				r.check(t, 0, nil, nil)
				continue
			}
			r.check(t, 2, nil, []string{"loguro: " + test.path[:4], test.want})
			if r.out != "" {
				t.Errorf("%s %s: stdout has %q", args, test.path, r.out)
			}
		}
	}
}

func TestAnEmptyDirectoryIsFine(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".gitkeep"), nil)
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	loguroRun(t, "spool", "ls", dir).check(t, 0, []string{"nothing waits\n"}, nil)
	loguroRun(t, "spool", "verify", dir).check(t, 0, []string{"0 segments with 0 events: all whole\n"}, nil)
	loguroRun(t, "spool", "export", "--to", "parquet:"+t.TempDir(), dir).check(t, 0, []string{"nothing waits\n"}, nil)
	if r := loguroRun(t, "spool", "cat", dir); r != (result{}) {
		t.Errorf("cat of an empty directory = %+v, want nothing", r)
	}
}

// Not with chmod: root may read everything.
func TestWhoMayNotReadIsToldHow(t *testing.T) {
	err := unreadable("/spool", &fs.PathError{Op: "open", Path: "/spool/0196", Err: syscall.EACCES})
	want := "/spool/0196 cannot be read: permission denied; run loguro as the user that runs the application, such as with sudo -u USER"
	if err.Error() != want {
		t.Errorf("unreadable() = %q, want %q", err, want)
	}
}

func TestAFileIsKnownByItsContentToo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	bury(t, dir, "bad", "late")
	copies := t.TempDir()
	write(t, filepath.Join(copies, "a"), read(t, segments(t, dir)[0]))
	write(t, filepath.Join(copies, "b"), read(t, glob(t, dir, "dead", "*")[0]))
	r := loguroRun(t, "spool", "cat", filepath.Join(copies, "a"), filepath.Join(copies, "b"))
	r.check(t, 0, []string{`"late"`, `"bad"`}, nil)
	if n := strings.Count(r.out, "\n"); n != 3 { // the segment has both, and the letter is the second of one
		t.Errorf("%d events, want 3", n)
	}
}
