// Command clickhouse is a small site of plain HTML pages whose events go to ClickHouse. It starts and serves whether
// ClickHouse is there or not: until it is, events wait on disk.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	dsn := flag.String("dsn", "clickhouse://default:@127.0.0.1:9000/default", "`address` of ClickHouse")
	spool := flag.String("spool", "./loguro-spool-clickhouse", "`directory` for events that are not in ClickHouse yet")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Stdout, *addr, *dsn, *spool); err != nil {
		fmt.Fprintln(os.Stderr, "clickhouse:", err)
		os.Exit(1)
	}
}

// run serves the site until ctx ends, and returns once every event is in ClickHouse or safe in the spool.
func run(ctx context.Context, out io.Writer, addr, dsn, spool string) (err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	// A DSN that is malformed and a table that does not fit are errors, a server that does not answer is none.
	exporter, err := clickhouseexporter.New(ctx, clickhouseexporter.Options{DSN: dsn, CreateTable: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, exporter.Close()) }()
	report, err := newReport(dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, report.close()) }()
	// Without LOGURO_KEY the visitors' cookies are signed for this run only.
	site, tracker, err := newSite(exporter, report, spool, []byte(cmp.Or(os.Getenv("LOGURO_KEY"), rand.Text()+rand.Text())))
	if err != nil {
		return err
	}

	server := &http.Server{Handler: site, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "Open http://%s/, then http://%[1]s/report.\n", listener.Addr())
	if err := within(2*time.Second, exporter.Check); err != nil {
		fmt.Fprintf(out, "ClickHouse is not there, so events wait in %s: %v\n", spool, err)
	}
	select {
	case err = <-served:
	case <-ctx.Done():
	}

	// First the server: the requests that it still answers are events too. Then the tracker, and not for long: what
	// ClickHouse does not take now stays in the spool for the next run, so that an outage never holds up a deploy.
	err = errors.Join(err, within(10*time.Second, server.Shutdown))
	if late := within(3*time.Second, tracker.Shutdown); late != nil {
		fmt.Fprintln(out, late)
	}
	fmt.Fprintf(out, "Events written: %d.\n", tracker.Stats().Delivered)
	return err
}

func within(limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return f(ctx)
}
