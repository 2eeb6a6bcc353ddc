// Command quickstart is a small site of plain HTML pages, with sign-up, login, a paid plan and logout. What its visitors
// do becomes events in Parquet files. It needs no database and serves no JavaScript.
package main

import (
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
	"strings"
	"syscall"
	"time"

	"github.com/loguro/loguro/exporters/parquetexporter"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on")
	dir := flag.String("dir", "./loguro-data", "`directory` for the Parquet files")
	spool := flag.String("spool", "./loguro-spool", "`directory` for events that are not in a file yet")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Stdout, *addr, *dir, *spool); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run serves the site until ctx ends, and returns once every event is in a file.
func run(ctx context.Context, out io.Writer, addr, dir, spool string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		return err
	}
	site, err := newApp(exporter, spool, signingKey(out))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Events go to %s, as Parquet files.\nOpen http://%s/ and press Ctrl-C here when you are done.\n", dir, visible(listener.Addr()))

	server := &http.Server{Handler: site.handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		fmt.Fprintln(out, "\nStopping: the server answers what it has begun, then the last events are written.")
	}

	// First the server: the requests that it still answers are events too. Then the tracker, which takes no more of
	// them and writes those that wait. Each has its own time, so that a slow request does not cost the last events.
	err = errors.Join(err, within(10*time.Second, server.Shutdown), within(10*time.Second, site.tracker.Shutdown))
	fmt.Fprint(out, farewell(site.tracker.Stats().Delivered, dir))
	return err
}

func within(limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return f(ctx)
}

// signingKey is the secret that signs the visitors' cookies.
func signingKey(out io.Writer) []byte {
	if key := os.Getenv("LOGURO_KEY"); key != "" {
		return []byte(key)
	}
	fmt.Fprintln(out, "LOGURO_KEY is not set, so this run signs cookies with a random key: after a restart, every browser is a new visitor.")
	return []byte(rand.Text() + rand.Text())
}

// visible is the address as a browser on this machine can open it.
func visible(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

func farewell(events uint64, dir string) string {
	if events == 0 {
		return "No events were written.\n"
	}
	const query = `SELECT timestamp, event_type, coalesce(custom_event_name, path) AS what, user_id, visitor_id FROM '%s/*/*.parquet' ORDER BY timestamp`
	quoted := strings.ReplaceAll(strings.TrimRight(dir, "/"), "'", "''")
	return fmt.Sprintf("Events written: %d, to %s. Look at them with DuckDB:\n\n  duckdb -c \"%s\"\n", events, dir, fmt.Sprintf(query, quoted))
}
