package clickhouseexporter_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

func open(t *testing.T, opts clickhouseexporter.Options) *clickhouseexporter.Exporter {
	t.Helper()
	x, err := clickhouseexporter.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func TestTheExporterKeepsTheContract(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		exportertest.Run(t, func(t *testing.T) exportertest.Store {
			database, conn := s.database(t)
			x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
			return exportertest.Store{Exporter: x, Read: func(t *testing.T) []loguro.Event { return read(t, conn, "loguro_events") }}
		})
	})
}

// read lets the server write its rows as JSON, and knows nothing of how they came there.
func read(t *testing.T, conn driver.Conn, table string) []loguro.Event {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT toString(event_id), toString(event_type), toString(custom_event_name), url, path,
		toString(visitor_id), toString(session_id), user_id, custom_props, toUnixTimestamp64Milli(timestamp),
		referrer, title, toString(route), toInt64(status), toInt64(duration_ms), toString(country), toString(region), toString(city),
		toString(browser), toString(os), toString(device), toString(language), toString(channel), toString(referrer_domain),
		toString(utm_source), toString(utm_medium), toString(utm_campaign), toString(utm_term), toString(utm_content),
		returning, toString(bot), toString(site) FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var events []loguro.Event
	for rows.Next() {
		var e loguro.Event
		var id, typ, visitor, session, props string
		var status int64
		if err := rows.Scan(&id, &typ, &e.Name, &e.URL, &e.Path, &visitor, &session, &e.User, &props, &e.Time,
			&e.Referrer, &e.Title, &e.Route, &status, &e.Duration, &e.Country, &e.Region, &e.City,
			&e.Browser, &e.OS, &e.Device, &e.Language, &e.Channel, &e.ReferrerDomain,
			&e.UTMSource, &e.UTMMedium, &e.UTMCampaign, &e.UTMTerm, &e.UTMContent, &e.Returning, &e.Bot, &e.Site); err != nil {
			t.Fatal(err)
		}
		e.ID, e.Visitor, e.Session = uuid.MustParse(id), uuid.MustParse(visitor), uuid.MustParse(session)
		e.Type, e.Status = event.Type(typ), int(status)
		if props != "" {
			e.Props = json.RawMessage(props)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// ask returns the first value of a query as text.
func ask(t *testing.T, conn driver.Conn, query string) string {
	t.Helper()
	var answer string
	if err := conn.QueryRow(t.Context(), "SELECT toString(("+query+"))").Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func mustExport(t *testing.T, x loguro.Exporter, id string, events []loguro.Event) {
	t.Helper()
	if err := x.Export(t.Context(), loguro.Batch{ID: id, Events: events}); err != nil {
		t.Fatal(err)
	}
}

func TestABatchIsOnePartAndARepetitionNone(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
		events := exportertest.Events(50_000)
		id := uuid.NewString()
		mustExport(t, x, id, events)
		if n := ask(t, conn, "SELECT count() FROM system.parts WHERE active AND table = 'loguro_events' AND database = '"+database+"'"); n != "1" {
			t.Errorf("a batch of 50,000 events makes %s parts, want 1", n)
		}
		// Another process, another connection, the same batch; and one of the same events that is another batch.
		y := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
		mustExport(t, y, id, events)
		mustExport(t, x, id, events)
		if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "50000" {
			t.Errorf("after repetitions the table has %s rows, want 50000", n)
		}
		mustExport(t, x, uuid.NewString(), events[:10])
		if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "50010" {
			t.Errorf("another batch of the same events gives %s rows, want 50010: it is the batch that counts", n)
		}
	})
}

func TestBatchesAreRememberedForTheWindow(t *testing.T) {
	s := native(t)
	database, conn := s.database(t)
	x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, DeduplicationWindow: 5})
	events := exportertest.Events(70)
	ids := make([]string, 7)
	for i := range ids {
		ids[i] = uuid.NewString()
		mustExport(t, x, ids[i], events[i*10:i*10+10])
	}
	mustExport(t, x, ids[3], events[30:40]) // among the latest five
	if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "70" {
		t.Errorf("%s rows after a repetition within the window, want 70", n)
	}
}

// The documented way for repetitions after the window.
func TestReplacingMergeTreeRemovesRepetitionsAfterTheWindow(t *testing.T) {
	s := native(t)
	database, conn := s.database(t)
	x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, DeduplicationWindow: 1, Engine: "ReplacingMergeTree",
		OrderBy: "(site, toDate(timestamp), visitor_id, timestamp, event_id)"})
	events := exportertest.Events(100)
	id := uuid.NewString()
	mustExport(t, x, id, events)
	for range 3 {
		mustExport(t, x, uuid.NewString(), exportertest.Events(1))
	}
	mustExport(t, x, id, events)
	if n := ask(t, conn, "SELECT count() FROM loguro_events FINAL"); n != "100" {
		t.Errorf("FINAL gives %s rows, want 100", n)
	}
}

func TestAnEndedContextInsertsNothing(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := x.Export(ctx, loguro.Batch{ID: uuid.NewString(), Events: exportertest.Events(10)})
		if err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Errorf("Export() = %v", err)
		}
		if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "0" {
			t.Errorf("%s rows", n)
		}
	})
}
