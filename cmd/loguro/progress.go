package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	rewriteEvery = 200 * time.Millisecond // on a terminal
	reportEvery  = 5 * time.Second        // elsewhere
)

// progress says on stderr how far long work is. It is safe for concurrent use.
type progress struct {
	out      io.Writer
	terminal bool
	every    time.Duration

	mu    sync.Mutex
	last  time.Time
	shown bool // a line that is to be wiped
}

// progress puts one before the command's stderr.
func (c *call) progress() *progress {
	p := &progress{out: c.stderr, terminal: isTerminal(c.stderr), every: reportEvery, last: time.Now()}
	if p.terminal {
		p.every = rewriteEvery
	}
	c.stderr = p
	return p
}

func isTerminal(out any) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show calls text if it is time to say something.
func (p *progress) show(text func() string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	if p.terminal {
		p.shown = true
		fmt.Fprintf(p.out, "\r\x1b[K%s", text())
	} else {
		fmt.Fprintln(p.out, text())
	}
}

// Write lets other lines for stderr through, after the one that is rewritten is wiped.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
	return p.out.Write(b)
}

// end leaves nothing of the line that is rewritten.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
}

func (p *progress) wipe() {
	if p.shown {
		p.shown = false
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
