package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

// worker is a process of the program in ./worker. It ends when its input does, and so with the test at the latest.
type worker struct {
	t       *testing.T
	cmd     *exec.Cmd
	command io.WriteCloser
	answers *bufio.Scanner

	mu  sync.Mutex
	log bytes.Buffer // what it said on standard error
}

func startWorker(t *testing.T, program string, flags ...string) *worker {
	t.Helper()
	w := &worker{t: t, cmd: exec.Command(program, flags...)}
	in, err := w.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.command, w.answers = in, bufio.NewScanner(out)
	w.answers.Buffer(nil, 1<<20)
	w.cmd.Stderr = w
	if err := w.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	t.Cleanup(func() {
		if w.cmd.ProcessState == nil {
			w.command.Close()
			_ = w.cmd.Wait()
		}
		if t.Failed() {
			for line := range strings.Lines(w.said()) {
				if !strings.Contains(line, "level=INFO") {
					t.Logf("worker %s said: %s", w.pid(), line)
				}
			}
		}
	})
	return w
}

// Write takes what the worker says.
func (w *worker) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *worker) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// logged is how often the worker logged what pattern matches.
func (w *worker) logged(pattern string) int {
	return len(regexp.MustCompile(pattern).FindAllString(w.said(), -1))
}

// find returns the group of the pattern in what the worker logged.
func (w *worker) find(pattern string) string {
	w.t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(w.said())
	if match == nil {
		w.t.Fatalf("the worker did not say %s, but\n%s", pattern, w.said())
	}
	return match[1]
}

// sum adds up the numbers that the worker logged under the name.
func (w *worker) sum(name string) (sum int) {
	for _, match := range regexp.MustCompile(` `+name+`=(\d+)`).FindAllStringSubmatch(w.said(), -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			w.t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// reply is what ./worker answers.
type reply struct {
	Address           string
	Accepted, Refused int
	Median, P99, Max  time.Duration
	Stats             loguro.Stats
	PeakPending       int
	Err               string
}

// ask has the worker do something that must work.
func (w *worker) ask(command string, args ...any) reply {
	w.t.Helper()
	if _, err := io.WriteString(w.command, fmt.Sprintln(append([]any{command}, args...)...)); err != nil {
		w.t.Fatalf("%s: %v; the worker said:\n%s", command, err, w.said())
	}
	defer w.within(patience)()
	if !w.answers.Scan() {
		w.t.Fatalf("%s: no answer (%v); the worker said:\n%s", command, w.answers.Err(), w.said())
	}
	var r reply
	if err := json.Unmarshal(w.answers.Bytes(), &r); err != nil {
		w.t.Fatalf("%s: %v", command, err)
	}
	if r.Err != "" {
		w.t.Fatalf("%s: %s", command, r.Err)
	}
	return r
}

// within ends the worker if it takes longer, so that nobody waits for it for ever. The function that it returns says that
// it is over, and answers if it was too late.
func (w *worker) within(d time.Duration) (late func() bool) {
	timer := time.AfterFunc(d, func() { _ = w.cmd.Process.Kill() })
	return func() bool { return !timer.Stop() }
}

// stop is Shutdown, and wants all delivered and the process to end well.
func (w *worker) stop() reply {
	w.t.Helper()
	r := w.ask("stop")
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("after Shutdown the worker ended with %v", err)
	}
	return r
}

// kill is kill -9.
func (w *worker) kill() {
	w.t.Helper()
	if err := w.cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	w.killed()
}

// killed waits for the worker to be killed. One that ended by itself before is a failure: it has nothing to end for.
func (w *worker) killed() {
	w.t.Helper()
	late := w.within(patience)
	_ = w.cmd.Wait()
	if late() {
		w.t.Fatalf("the worker lived on; it said:\n%s", w.said())
	}
	if state := w.cmd.ProcessState; state.Exited() || state.Success() {
		w.t.Fatalf("the worker ended by itself: %v\n%s", state, w.said())
	}
}

// pid is the worker's, as the log of calls has it.
func (w *worker) pid() string { return strconv.Itoa(w.cmd.Process.Pid) }

// scale is the number that an environment variable asks for, for who wants more than CI has time for.
func scale(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
