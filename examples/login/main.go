// Command login shows how loguro follows an application's own login and logout, here with sessions by scs, and how to
// stop a server without losing events.
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

	"github.com/loguro/loguro/exporters/parquetexporter"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	dir := flag.String("dir", "./loguro-data", "`directory` for the Parquet files")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Stdout, *addr, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "login:", err)
		os.Exit(1)
	}
}

// run serves the site until ctx ends, and returns once every event is in a file.
func run(ctx context.Context, out io.Writer, addr, dir string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		return err
	}
	// Without LOGURO_KEY the visitors' cookies are signed for this run only.
	site, tracker, err := newSite(exporter, []byte(cmp.Or(os.Getenv("LOGURO_KEY"), rand.Text()+rand.Text())))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Open http://%s/ and log in as ada@example.com, password lovelace. Events go to %s.\n", listener.Addr(), dir)

	server := &http.Server{Handler: site, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}

	// First the server: as long as it answers requests, there are new events, which a tracker that is shut down refuses.
	// Then the tracker, which writes those that wait: without this call they would be lost with the process. Each has
	// its own time, so that a slow request does not cost the last events.
	err = errors.Join(err, within(10*time.Second, server.Shutdown), within(10*time.Second, tracker.Shutdown))
	fmt.Fprintf(out, "Events written: %d, to %s.\n", tracker.Stats().Delivered, dir)
	return err
}

func within(limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return f(ctx)
}
