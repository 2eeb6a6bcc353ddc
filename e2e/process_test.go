package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

// process is a program that runs beside the test, and ends with it.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of the program, once ended is closed

	mu     sync.Mutex
	output bytes.Buffer
}

// start runs a program. It is interrupted when the test ends, and killed if it takes no notice.
func start(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan struct{}), cmd: exec.CommandContext(t.Context(), path, args...)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 5 * time.Second
	endWithTest(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		<-p.ended // the test's context has ended by now
		if t.Failed() {
			t.Logf("output of %s:\n%s", path, p.said())
		}
	})
	return p
}

// Write takes what the program prints.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// find waits until the program has printed what pattern matches, and returns the match.
func (p *process) find(pattern string) []string {
	p.t.Helper()
	var match []string
	re := regexp.MustCompile(pattern)
	eventually(p.t, "the program prints "+pattern, func() bool {
		match = re.FindStringSubmatch(p.said())
		return match != nil || p.over()
	})
	if match == nil {
		p.t.Fatalf("the program ended (%v) before it printed %s", p.err, pattern)
	}
	return match
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// interrupt is Ctrl-C. It waits for the program to end, and wants it to end well.
func (p *process) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatalf("interrupt: %v", err)
	}
	eventually(p.t, "the program ends after Ctrl-C", p.over)
	if p.err != nil {
		p.t.Errorf("after Ctrl-C the program ended with %v, want exit status 0", p.err)
	}
}
