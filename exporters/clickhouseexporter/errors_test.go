package clickhouseexporter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

func tracker(t *testing.T, x loguro.Exporter, spool string) *loguro.Tracker {
	t.Helper()
	tracker, err := loguro.New(loguro.Config{Exporter: x, Keys: [][]byte{[]byte(strings.Repeat("k", 32))}, Spool: spool, BatchSize: 100,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

func track(t *testing.T, tracker *loguro.Tracker, names ...string) {
	t.Helper()
	ctx := loguro.WithIdentity(t.Context(), loguro.Identity{UserID: "ada"})
	for _, name := range names {
		if err := tracker.Track(ctx, name, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A constraint of the table refuses one event of a batch: the others arrive, and it is a dead letter with the server's reason.
func TestARowThatTheServerRefusesGoesToTheDeadLetters(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
		if err := conn.Exec(t.Context(), "ALTER TABLE loguro_events ADD CONSTRAINT no_tests CHECK custom_event_name != 'test'"); err != nil {
			t.Fatal(err)
		}
		tracker := tracker(t, x, t.TempDir())
		for i := range 40 {
			track(t, tracker, fmt.Sprint(i))
		}
		track(t, tracker, "test")
		for i := range 40 {
			track(t, tracker, fmt.Sprint(40+i))
		}
		if err := tracker.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := ask(t, conn, "SELECT (count(), uniqExact(event_id)) FROM loguro_events"); n != "(80,80)" {
			t.Errorf("rows and different ones: %s, want (80,80)", n)
		}
		if dead := tracker.Stats().Exporters[0].Dead; dead != 1 {
			t.Errorf("%d dead letters, want 1", dead)
		}
		if err := tracker.Redrive(t.Context()); err == nil {
			t.Error("Redrive() = nil, though the constraint is there")
		}
		if err := conn.Exec(t.Context(), "ALTER TABLE loguro_events DROP CONSTRAINT no_tests"); err != nil {
			t.Fatal(err)
		}
		if err := tracker.Redrive(t.Context()); err != nil {
			t.Error(err)
		}
		if n := ask(t, conn, "SELECT (count(), uniqExact(event_id)) FROM loguro_events"); n != "(81,81)" {
			t.Errorf("after Redrive, rows and different ones: %s, want (81,81)", n)
		}
		if err := tracker.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What an operator mends is an error that says so, and no dead letter.
func TestWhatAnOperatorMendsStaysInTheSpool(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
		x := open(t, clickhouseexporter.Options{DSN: s.dsn(database)})
		for _, tt := range []struct{ breaks, mends, want string }{
			{"RENAME TABLE loguro_events TO gone", "RENAME TABLE gone TO loguro_events", "exist"},
			{"ALTER TABLE loguro_events RENAME COLUMN path TO route_path", "ALTER TABLE loguro_events RENAME COLUMN route_path TO path", "path"},
			{"ALTER TABLE loguro_events MODIFY COLUMN status Date", "ALTER TABLE loguro_events MODIFY COLUMN status UInt16", ""},
		} {
			if err := conn.Exec(t.Context(), tt.breaks); err != nil {
				t.Fatalf("%s: %v", tt.breaks, err)
			}
			batch := loguro.Batch{ID: uuid.NewString(), Events: exportertest.Events(10)}
			var err error
			for range 2 { // the first may meet the table as it was
				err = x.Export(t.Context(), batch)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("after %s Export() = %v, want %q", tt.breaks, err, tt.want)
			}
			if err != nil && isPermanent(t, err) {
				t.Errorf("after %s the events would be dead letters: %v", tt.breaks, err)
			}
			if err := conn.Exec(t.Context(), tt.mends); err != nil {
				t.Fatalf("%s: %v", tt.mends, err)
			}
			if err := x.Export(t.Context(), batch); err != nil {
				if err = x.Export(t.Context(), batch); err != nil {
					t.Errorf("after %s Export() = %v", tt.mends, err)
				}
			}
		}
		if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "30" {
			t.Errorf("%s rows, want 30", n)
		}
	})
}

// isPermanent asks the Tracker: an exporter that returns the error once loses nothing unless it is permanent.
func isPermanent(t *testing.T, err error) bool {
	t.Helper()
	first := true
	tracker := tracker(t, &exportertest.Recorder{Before: func(loguro.Batch) error {
		if first {
			first = false
			return err
		}
		return nil
	}}, "")
	track(t, tracker, "x")
	if err := tracker.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tracker.Stats().Dropped["permanent"] > 0
}

func TestAWrongPasswordIsSaidAndKeepsNoSecret(t *testing.T) {
	s := native(t)
	x, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: "clickhouse://nobody:s3cr3t-word@" + s.addr + "/default"})
	if err == nil {
		err = x.Check(t.Context())
		x.Close()
	}
	if err != nil && strings.Contains(err.Error(), "s3cr3t-word") {
		t.Errorf("the password is in the error: %v", err)
	}
}

// A server that does not answer keeps nobody from starting; the check comes when it does.
func TestAServerThatIsDownIsNoReasonNotToStart(t *testing.T) {
	x, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: "clickhouse://default:@127.0.0.1:1/default"})
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	if err := x.Check(t.Context()); err == nil {
		t.Error("Check() = nil")
	}
	if err := x.Export(t.Context(), loguro.Batch{ID: uuid.NewString(), Events: exportertest.Events(1)}); err == nil || isPermanent(t, err) {
		t.Errorf("Export() = %v, want an error that is tried again", err)
	}
	if err := errors.Join(x.Close(), x.Close()); err != nil {
		t.Error(err)
	}
}

// A server that accepts connections and says nothing: a hung one, or a load balancer without a backend.
func TestASilentServerIsGivenUpWhenTheContextEnds(t *testing.T) {
	for _, scheme := range []string{"clickhouse", "http"} {
		t.Run(scheme, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			x, err := clickhouseexporter.New(ctx, clickhouseexporter.Options{DSN: scheme + "://default:@" + l.Addr().String() + "/default?dial_timeout=1h"})
			if err != nil {
				t.Fatalf("New() = %v", err)
			}
			defer x.Close()
			ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if err := x.Check(ctx); err == nil {
				t.Error("Check() = nil")
			}
			if err := x.Export(ctx, loguro.Batch{ID: uuid.NewString(), Events: exportertest.Events(1)}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Export() = %v, want that the context is over", err)
			}
		})
	}
}

// A network that takes nothing in the middle of an insert.
func TestAStalledInsertIsGivenUpWhenTheContextEnds(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, _ := s.database(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				client, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					upstream, err := net.Dial("tcp", s.addr)
					if err != nil {
						return
					}
					go io.Copy(client, upstream)
					io.CopyN(upstream, client, 200<<10) // and no more
				}()
			}
		}()
		x := open(t, clickhouseexporter.Options{DSN: server{s.scheme, l.Addr().String()}.dsn(database), CreateTable: true})
		events := exportertest.Events(1)
		for len(events) < 100_000 { // more than the system keeps for a connection
			events = append(events, exportertest.Events(50_000)...)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := x.Export(ctx, loguro.Batch{ID: uuid.NewString(), Events: events}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Export() = %v, want that the context is over", err)
		}
	})
}
