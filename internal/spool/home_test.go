package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

func TestALivingProcessKeepsItsSegments(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	g, err := a.Create(a.Next(), uuid.Must(uuid.NewV7()))
	if err != nil {
		t.Fatal(err)
	}
	add(t, g, "aa")
	if names, got := adopt(t, dir); len(names) > 0 || len(got.Problems) > 0 {
		t.Errorf("adopted %q of a living process; problems %v", names, got.Problems)
	}
	add(t, g, "bb")
	a.Close([]*Segment{g})
	if names, _ := adopt(t, dir); strings.Join(names, " ") != "aa bb" {
		t.Errorf("adopted %q once it is dead, want aa bb", names)
	}
}

func TestSegmentsAreAdoptedInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for process := range 3 {
		s := open(t, dir)
		var open []*Segment
		for n := range 12 { // ids that do not ascend, as after a clock that was set back
			g, err := s.Create(s.Next(), uuid.UUID{byte(200 - n), byte(process)})
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%d-%d", process, n)
			add(t, g, name)
			want = append(want, name)
			open = append(open, g)
		}
		s.Close(open)
	}
	if names, _ := adopt(t, dir); !slices.Equal(names, want) {
		t.Errorf("adopted %q, want %q", names, want)
	}
}

// Whoever gets a dead process's folder is the only one.
func TestAdoptionConcurrentSafe(t *testing.T) {
	dir := t.TempDir()
	const dead, events, heirs = 20, 3, 8
	for range dead {
		write(t, dir, "aa", "bb", "cc")
	}
	var mu sync.Mutex
	adopted := map[uuid.UUID]int{}
	var wg sync.WaitGroup
	for range heirs {
		wg.Go(func() {
			for range 5 {
				s, err := Open(dir, OS{})
				if err != nil {
					t.Error(err)
					return
				}
				a := s.Adopt()
				for _, err := range a.Problems {
					t.Error(err)
				}
				for _, g := range a.Segments {
					mu.Lock()
					adopted[g.ID] += g.Events
					mu.Unlock()
					if err := g.Remove(); err != nil {
						t.Error(err)
					}
				}
				g, err := s.Create(s.Next(), uuid.Must(uuid.NewV7()))
				if err != nil {
					t.Error(err)
					return
				}
				if err := g.Remove(); err != nil {
					t.Error(err)
				}
				s.Close(nil)
			}
		})
	}
	wg.Wait()
	if len(adopted) != dead {
		t.Errorf("%d batches adopted, want %d", len(adopted), dead)
	}
	for id, n := range adopted {
		if n != events {
			t.Errorf("batch %s was adopted with %d events in all, want %d", id, n, events)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "aa")
	for _, name := range []string{"notes.txt", "lost+found/x", uuid.NewString(), filepath.Base(filepath.Dir(file)) + "/notes.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir)
	a := s.Adopt()
	if len(a.Segments) != 1 || len(a.Problems) > 0 {
		t.Fatalf("adopted %+v", a)
	}
	if err := a.Segments[0].Remove(); err != nil {
		t.Fatal(err)
	}
	s.Close(nil)
	var files []string
	filepath.WalkDir(dir, func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() && filepath.Base(path) != lockName {
			content, _ := os.ReadFile(path)
			files = append(files, string(content))
		}
		return nil
	})
	if len(files) != 4 || strings.Join(files, "") != "minemineminemine" {
		t.Errorf("files after an adoption: %q, want the four that were there", files)
	}
}

func TestTheLockThatWasLostIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "aa")
	if err := os.Remove(filepath.Join(filepath.Dir(file), lockName)); err != nil {
		t.Fatal(err)
	}
	if names, a := adopt(t, dir); strings.Join(names, " ") != "aa" || len(a.Problems) > 0 {
		t.Errorf("adopted %q, problems %v", names, a.Problems)
	}
}

func TestOnlyItsUserReadsTheSpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "spool")
	s := open(t, dir)
	if err := s.Bury(Dead{BatchID: uuid.NewString(), Exporter: "x"}); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "aa")
	filepath.WalkDir(filepath.Dir(dir), func(path string, d os.DirEntry, err error) error {
		info, _ := d.Info()
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
}
