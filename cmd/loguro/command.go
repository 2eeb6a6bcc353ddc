package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes, the same for every command.
const (
	exitOK        = 0
	exitFindings  = 1   // there is damage, or something stays that was to go
	exitUnusable  = 2   // wrong usage, or something cannot be read or written
	exitInterrupt = 130 // SIGINT or SIGTERM
)

// command is one word of the command line, with the words that may follow.
type command struct {
	name  string // as it is typed, with the words before it
	usage string // its own arguments
	help  string // the whole text
	subs  []*command
	run   func(*call) int
}

// call is one run of a command.
type call struct {
	context.Context
	command *command
	args    []string
	stdout  io.Writer
	stderr  io.Writer
}

var program = &command{name: "loguro", usage: "spool|clickhouse …", help: programHelp, subs: []*command{spoolCommand, clickhouseCommand}}

var spoolCommand = &command{name: "loguro spool", usage: "ls|cat|verify|export …", help: spoolHelp,
	subs: []*command{lsCommand, catCommand, verifyCommand, exportCommand}}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &call{Context: ctx, command: program, args: args, stdout: stdout, stderr: stderr}
	for len(c.command.subs) > 0 {
		if len(c.args) == 0 {
			return c.misused("say what to do")
		}
		word := c.args[0]
		c.args = c.args[1:]
		switch word {
		case "-h", "-help", "--help", "help":
			return c.help()
		}
		next := c.command.sub(word)
		if next == nil {
			return c.misused("%q is none of %s", word, c.command.words())
		}
		c.command = next
	}
	return c.command.run(c)
}

func (c *command) sub(word string) *command {
	for _, s := range c.subs {
		if s.word() == word {
			return s
		}
	}
	return nil
}

func (c *command) word() string { return c.name[strings.LastIndexByte(c.name, ' ')+1:] }

func (c *command) words() string {
	var words []string
	for _, s := range c.subs {
		words = append(words, s.word())
	}
	return strings.Join(words, ", ")
}

// flagSet is for the flags of the command.
func (c *call) flagSet() *flag.FlagSet {
	flags := flag.NewFlagSet(c.command.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse takes the flags out of the arguments. Unlike package flag it finds them behind other arguments as well, where
// people write them who thought of them last. Unless ok, the command ends with the code.
func (c *call) parse(flags *flag.FlagSet) (code int, ok bool) {
	var others []string
	for rest := c.args; ; rest = rest[1:] {
		before := rest
		err := flags.Parse(before)
		if errors.Is(err, flag.ErrHelp) {
			return c.help(), false
		}
		if err != nil {
			return c.misused("%v", err), false
		}
		rest = flags.Args()
		if n := len(before) - len(rest); len(rest) == 0 || n > 0 && before[n-1] == "--" {
			c.args = append(others, rest...)
			return 0, true
		}
		others = append(others, rest[0])
	}
}

func (c *call) help() int {
	fmt.Fprint(c.stdout, c.command.help)
	return exitOK
}

func (c *call) misused(format string, args ...any) int {
	c.complain(format, args...)
	fmt.Fprintf(c.stderr, "usage: %s %s\n       %s -h says more\n", c.command.name, c.command.usage, c.command.name)
	return exitUnusable
}

// complain says on stderr what is wrong.
func (c *call) complain(format string, args ...any) {
	fmt.Fprintf(c.stderr, "loguro: "+format+"\n", args...)
}

// print writes a result as one line of JSON.
func (c *call) print(v any) error {
	w := json.NewEncoder(c.stdout)
	w.SetEscapeHTML(false)
	return w.Encode(v)
}
