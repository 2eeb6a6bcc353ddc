// Command worker is the application of the delivery tests: it tracks events, and is killed for it. It is a program of its
// own, small and without the test's tools, so that it starts in milliseconds and its memory is loguro's.
//
// It takes commands from its standard input, a line each, and answers each with a line of JSON; when the input ends, it
// does too, so that it never outlives the test. What it was about to track, what Track accepted, and which batches an
// exporter was given, it writes to files in -logs that outlive it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/loguro/loguro"
)

type options struct {
	data, logs, store, clickhouse string
	parquetScript, insertScript   string
	from                          int64
	load                          bool
	clock                         time.Duration
	config                        loguro.Config
}

func main() {
	o := options{config: loguro.Config{
		Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, AllowHTTP: true,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:         slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}}
	flag.StringVar(&o.data, "data", "", "directory of the Parquet files; \"\": none are written")
	flag.StringVar(&o.clickhouse, "clickhouse", "", "address of an INSERT over HTTP; \"\": there is none")
	flag.StringVar(&o.parquetScript, "parquet-script", "", "what befalls the Parquet exporter, see script")
	flag.StringVar(&o.insertScript, "insert-script", "", "what befalls the inserts, see script")
	flag.StringVar(&o.logs, "logs", "", "directory of the files that tell what was tracked")
	flag.StringVar(&o.store, "store", "", "address that answers 200 while the store is up; \"\": it always is")
	flag.Int64Var(&o.from, "from", 0, "number of the first event")
	flag.DurationVar(&o.clock, "clock", 0, "how far the clock goes ahead of the machine's, see setClock")
	flag.BoolVar(&o.load, "load", false, "track events from the start on")
	flag.StringVar(&o.config.Spool, "spool", "", "Config.Spool")
	flag.DurationVar(&o.config.SpoolSyncInterval, "sync", 0, "Config.SpoolSyncInterval")
	flag.IntVar(&o.config.BatchSize, "batch", 0, "Config.BatchSize")
	flag.DurationVar(&o.config.FlushInterval, "age", 0, "Config.FlushInterval")
	flag.IntVar(&o.config.MemoryMaxBytes, "memory", 0, "Config.MemoryMaxBytes")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.clock != 0 {
		if err := setClock(o.clock); err != nil {
			return err
		}
	}
	n, err := openNumbers(o.logs, o.from)
	if err != nil {
		return err
	}
	exporter, err := newExporter(o)
	if err != nil {
		return err
	}
	o.config.Exporter = exporter
	tracker, err := loguro.New(o.config)
	if err != nil {
		return err
	}
	a := &application{tracker: tracker, numbers: n}
	if err := a.serve(); err != nil {
		return err
	}
	go a.watchMemory()
	if o.load {
		a.startLoad()
	}
	return a.obey()
}

// reply is the answer to a command.
type reply struct {
	Address           string // of the HTTP server
	Accepted, Refused int    // by the command; refused with ErrSpoolFull
	Median, P99, Max  time.Duration
	Stats             loguro.Stats
	PeakPending       int // the most that Stats().PendingBytes ever was
	Err               string
}

func (a *application) obey() error {
	out := json.NewEncoder(os.Stdout)
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		words := strings.Fields(commands.Text())
		r, err := a.command(words[0], words[1:])
		if err != nil {
			r.Err = err.Error()
		}
		r.Address, r.PeakPending, r.Stats = a.address, int(a.peak.Load()), a.tracker.Stats()
		r.Stats.Exporters = nil // errors do not travel as JSON
		if err := out.Encode(r); err != nil {
			return err
		}
		if words[0] == "stop" {
			return nil
		}
	}
	os.Exit(3) // the test is over, or gone
	return nil
}

func (a *application) command(name string, args []string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	switch name {
	case "stats":
		return reply{}, nil
	case "track": // so many events, padded with so many bytes, in bursts of so many
		return a.track(number(args[0]), number(args[1]), number(args[2]))
	case "rest": // stop the load
		a.stopLoad()
		return reply{}, nil
	case "flush":
		return reply{}, a.tracker.Flush(ctx)
	case "stop":
		a.stopLoad()
		return reply{}, a.tracker.Shutdown(ctx)
	case "clock": // goes ahead so far from now on
		by, err := time.ParseDuration(args[0])
		if err != nil {
			return reply{}, err
		}
		return reply{}, setClock(by)
	}
	return reply{}, fmt.Errorf("no command %q", name)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // the test is wrong
	}
	return n
}
