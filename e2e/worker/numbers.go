package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// Every event carries a number that no other one has, and that the files tell of: "attempted" has the first number of
// each block before an event of the block is tracked, "accepted" each number after Track returned nil for it. So what is
// in accepted must be exported, and what is exported must be of a block in attempted.
type numbers struct {
	next                atomic.Int64
	attempted, accepted *os.File
}

const block = 64 // numbers; the test knows it too

func openNumbers(dir string, from int64) (*numbers, error) {
	n := new(numbers)
	n.next.Store(from)
	var err error
	if n.attempted, err = openLog(dir, "attempted"); err != nil {
		return nil, err
	}
	n.accepted, err = openLog(dir, "accepted")
	return n, err
}

func (n *numbers) accept(number int64) { writeLine(n.accepted, 16, number) }

// openLog opens a file that several processes append to.
func openLog(dir, name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// writeLine appends a line in one write. All lines of a file are of one length, a power of two, so that none lies across
// two pages of memory: there a kill could tear it.
func writeLine(f *os.File, length int, words ...any) {
	text := strings.TrimSuffix(fmt.Sprintln(words...), "\n")
	if _, err := fmt.Fprintf(f, "%-*s\n", length-1, text); err != nil {
		panic(err) // without the log the test would prove nothing
	}
}

// counter hands out numbers to one goroutine.
type counter struct {
	*numbers
	at, end int64
}

// take returns the first of so many numbers of one block.
func (c *counter) take(n int64) int64 {
	if c.at+n > c.end {
		c.end = c.next.Add(block)
		c.at = c.end - block
		writeLine(c.attempted, 16, c.at)
	}
	c.at += n
	return c.at - n
}

// fresh is true if the next number begins a block.
func (c *counter) fresh() bool { return c.at == c.end }
