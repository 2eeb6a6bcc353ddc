package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// library is one that an application tracks events with.
type library struct {
	name, module string
	// open makes a client with the library's defaults, apart from where the store is. What should outlive the process
	// may lie in dir.
	open func(store, dir string) (client, error)
	// decode reads a request of the library, as its own server would.
	decode func(header http.Header, body []byte) (delivery, error)
}

// client is what the script needs of a library.
type client interface {
	track(n int) error // the event "clicked" with the property n
	close(ctx context.Context) error
}

var libraries = []library{posthogLibrary, segmentLibrary, loguroLibrary}

// job is what a child process is to do. It gets it in the environment variable jobVariable.
type job struct {
	Library, Store, Dir string
	Events              int
	Kill                bool // as kill -9 does, at once after the last event was accepted
}

const jobVariable = "LOGURO_BENCH_JOB"

// tracked is what a child says first.
type tracked struct{ Refused int }

// closed is what a child says last.
type closed struct {
	Err  string // "nil" for nil
	Took time.Duration
}

// TestMain is also the program that the scenarios run: the test binary starts itself again.
func TestMain(m *testing.M) {
	work, isChild := os.LookupEnv(jobVariable)
	if !isChild {
		os.Exit(m.Run())
	}
	if err := child([]byte(work)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(work []byte) error {
	var j job
	if err := json.Unmarshal(work, &j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	c, err := open(j)
	if err != nil {
		return fmt.Errorf("open %s: %w", j.Library, err)
	}
	var t tracked
	for n := range j.Events {
		if err := c.track(n); err != nil {
			t.Refused++
			fmt.Fprintln(os.Stderr, err)
		}
	}
	say := json.NewEncoder(os.Stdout)
	say.Encode(t)
	if j.Kill {
		return killMyself()
	}
	var grace time.Duration
	if err := json.NewDecoder(os.Stdin).Decode(&grace); err != nil {
		return fmt.Errorf("wait for the word to close: %w", err) // the test is gone
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	start := time.Now()
	err = c.close(ctx)
	end := closed{Err: "nil", Took: time.Since(start)}
	if err != nil {
		end.Err = err.Error()
	}
	return say.Encode(end)
}

func open(j job) (client, error) {
	for _, l := range libraries {
		if l.name == j.Library {
			return l.open(j.Store, j.Dir)
		}
	}
	return nil, fmt.Errorf("nobody knows it")
}

func killMyself() error {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	select {} // the signal is on its way
}
