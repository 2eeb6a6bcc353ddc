package clickhouseexporter_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

func TestAMissingTableComesWithItsDDL(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		_, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: s.dsn(database)})
		if err == nil || !strings.Contains(err.Error(), "does not exist; set Options.CreateTable, or run:") {
			t.Fatalf("New() = %v", err)
		}
		// The statements in the error are enough.
		_, ddl, _ := strings.Cut(err.Error(), "or run:")
		for statement := range strings.SplitSeq(ddl, ";\n") {
			if strings.TrimSpace(statement) != "" {
				if err := conn.Exec(t.Context(), statement); err != nil {
					t.Fatalf("%v\n%s", err, statement)
				}
			}
		}
		open(t, clickhouseexporter.Options{DSN: s.dsn(database)})
	})
}

func TestEachWrongColumnIsNamedWithTheAlterThatMendsIt(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
		for _, change := range []string{
			"ALTER TABLE loguro_events DROP COLUMN title", "ALTER TABLE loguro_events DROP COLUMN utm_term",
			"ALTER TABLE loguro_events MODIFY COLUMN status String", "ALTER TABLE loguro_events MODIFY COLUMN session_id Array(String) DEFAULT []",
			"ALTER TABLE loguro_events ADD COLUMN mine String DEFAULT 'x'",
		} {
			if strings.Contains(change, "session_id") {
				conn.Exec(t.Context(), "ALTER TABLE loguro_events DROP COLUMN session_id")
				change = "ALTER TABLE loguro_events ADD COLUMN session_id Array(String)"
			}
			if err := conn.Exec(t.Context(), change); err != nil {
				t.Fatalf("%s: %v", change, err)
			}
		}
		_, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: s.dsn(database)})
		if err == nil {
			t.Fatal("New() = nil")
		}
		for _, want := range []string{
			"columns `title`, `utm_term` are missing", "ALTER TABLE `loguro_events` ADD COLUMN IF NOT EXISTS `title` String",
			"column `status` has the type String, which cannot hold status; run ALTER TABLE `loguro_events` MODIFY COLUMN `status` UInt16",
			"column `session_id` has the type Array(String)",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("New() = %v\nwant %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "mine") {
			t.Errorf("the column of the user's own is complained of: %v", err)
		}
	})
}

// A later version of the package has columns that the table of an earlier one lacks.
func TestCreateTableAddsColumnsThatAreMissing(t *testing.T) {
	s := native(t)
	database, conn := s.database(t)
	open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
	if err := conn.Exec(t.Context(), "ALTER TABLE loguro_events DROP COLUMN title, DROP COLUMN bot"); err != nil {
		t.Fatal(err)
	}
	x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
	mustExport(t, x, uuid.NewString(), exportertest.Events(10))
	if n := ask(t, conn, "SELECT countIf(title != '') FROM loguro_events"); n == "0" {
		t.Error("the column title is there, but empty")
	}
}

func TestATableOfTheUsersOwnWorks(t *testing.T) {
	events := exportertest.Events(2000)
	events[7].Status, events[7].Duration = 599, 1<<40
	for why, tt := range map[string]struct {
		ddl     string
		columns map[string]string
		check   map[string]string // query → answer
	}{
		"other names, fewer columns, older types": {
			`CREATE TABLE hits (day Date MATERIALIZED toDate(at), at DateTime, what String, browser_id String, session FixedString(36), who Nullable(String),
				status Nullable(Int16), ms UInt8, back UInt8, props Nullable(String), extra String DEFAULT 'mine') ENGINE = MergeTree ORDER BY at SETTINGS non_replicated_deduplication_window = 100`,
			only("timestamp", "at", "custom_event_name", "what", "visitor_id", "browser_id", "session_id", "session", "user_id", "who",
				"status", "status", "duration_ms", "ms", "returning", "back", "custom_props", "props"),
			map[string]string{
				"SELECT uniqExact(browser_id) FROM hits":                                                      fmt.Sprint(distinct(events)),
				"SELECT countIf(who IS NULL) > 0 AND countIf(who = '') = 0 FROM hits":                         "1",
				"SELECT max(ms) FROM hits":                                                                    "255",
				"SELECT min(at) = toDateTime('2026-05-14 00:00:00', 'UTC') FROM hits":                         "1",
				"SELECT countIf(extra != 'mine') FROM hits":                                                   "0",
				"SELECT countIf(status IS NULL) FROM hits":                                                    fmt.Sprint(count(events, func(e loguro.Event) bool { return e.Status == 0 })),
				"SELECT countIf(JSONExtractString(props, 'new_plan') = 'pro') > 0 FROM hits":                  "1",
				"SELECT countIf(props IS NULL) + countIf(isValidJSON(assumeNotNull(props))) = 2000 FROM hits": "1",
			},
		},
		"low cardinality, nullable, enum, numbers of milliseconds, a map": {
			`CREATE TABLE hits (ts UInt64, kind Enum8('pageview' = 1, 'custom' = 2), city LowCardinality(Nullable(String)), v Nullable(UUID), id UUID,
				returning Bool, props Map(String, String)) ENGINE = MergeTree ORDER BY ts`,
			only("timestamp", "ts", "event_type", "kind", "city", "city", "visitor_id", "v", "event_id", "id", "returning", "returning", "custom_props", "props"),
			map[string]string{
				"SELECT uniqExact(v) FROM hits":                           fmt.Sprint(distinct(events)),
				"SELECT max(ts) FROM hits":                                fmt.Sprint(events[len(events)-1].Time),
				"SELECT countIf(kind = 'custom') FROM hits":               fmt.Sprint(custom(events)),
				"SELECT countIf(props['new_plan'] = 'pro') > 0 FROM hits": "1",
				"SELECT countIf(city IS NULL) FROM hits":                  fmt.Sprint(placeless(events)),
			},
		},
	} {
		t.Run(why, func(t *testing.T) {
			each(t, func(t *testing.T, s server) {
				database, conn := s.database(t)
				if err := conn.Exec(t.Context(), tt.ddl); err != nil {
					t.Fatal(err)
				}
				x := open(t, clickhouseexporter.Options{DSN: s.dsn("default"), Database: database, Table: "hits", Columns: tt.columns})
				mustExport(t, x, uuid.NewString(), events)
				if n := ask(t, conn, "SELECT count() FROM hits"); n != "2000" {
					t.Errorf("%s rows, want 2000", n)
				}
				for query, want := range tt.check {
					if got := ask(t, conn, query); got != want && !(want == "1" && got == "true") {
						t.Errorf("%s = %s, want %s", query, got, want)
					}
				}
			})
		})
	}
}

// only maps the keys that are given, and leaves all others out.
func only(pairs ...string) map[string]string {
	columns := map[string]string{}
	for key := range strings.FieldsSeq(`event_type custom_event_name url path visitor_id session_id user_id custom_props timestamp event_id
		referrer title route status duration_ms country region city browser os device language channel referrer_domain
		utm_source utm_medium utm_campaign utm_term utm_content returning bot site`) {
		columns[key] = ""
	}
	for i := 0; i < len(pairs); i += 2 {
		columns[pairs[i]] = pairs[i+1]
	}
	return columns
}

func TestOtherTypesOfPropsHoldThem(t *testing.T) {
	for props, tests := range map[clickhouseexporter.PropsType][2]string{
		clickhouseexporter.PropsJSON: {"SELECT countIf(custom_props.new_plan::String = 'pro') FROM loguro_events", "SELECT round(sum(custom_props.price::Float64), 2) FROM loguro_events"},
		clickhouseexporter.PropsMap:  {"SELECT countIf(custom_props['new_plan'] = 'pro') FROM loguro_events", "SELECT round(sum(toFloat64OrZero(custom_props['price'])), 2) FROM loguro_events"},
	} {
		t.Run(string(props), func(t *testing.T) {
			each(t, func(t *testing.T, s server) {
				database, conn := s.database(t)
				events := exportertest.Events(3000)
				x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, Props: props})
				y := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, Table: "plain"})
				mustExport(t, x, uuid.NewString(), events)
				mustExport(t, y, uuid.NewString(), events)
				for i, plain := range []string{"SELECT countIf(JSONExtractString(custom_props, 'new_plan') = 'pro') FROM plain",
					"SELECT round(sum(JSONExtractFloat(custom_props, 'price')), 2) FROM plain"} {
					if got, want := ask(t, conn, tests[i]), ask(t, conn, plain); got != want || want == "0" {
						t.Errorf("%s = %s, want %s", tests[i], got, want)
					}
				}
			})
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		opts clickhouseexporter.Options
		want string
	}{
		{clickhouseexporter.Options{}, "Options.DSN is empty"},
		{clickhouseexporter.Options{DSN: "://"}, "Options.DSN is malformed"},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", Columns: map[string]string{"visitor": "v"}}, `Columns names "visitor"`},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", Columns: map[string]string{"url": "path"}}, `the same column "path"`},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", Table: "a`b"}, "Table is \"a`b\""},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", Cluster: "c'; DROP"}, "Cluster is"},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", Distributed: "all"}, "Cluster is empty"},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", Props: "Text"}, `Props is "Text"`},
		{clickhouseexporter.Options{DSN: "clickhouse://h:9000/d", DeduplicationWindow: -1}, "DeduplicationWindow is -1"},
	} {
		if _, err := clickhouseexporter.New(t.Context(), tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v) = %v, want %q", tt.opts, err, tt.want)
		}
	}
}

func TestATableThatForgetsBatchesIsSaid(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		var log bytes.Buffer
		opts := clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		open(t, opts)
		if log.Len() > 0 {
			t.Errorf("a table that was just made is warned of: %s", &log)
		}
		if err := conn.Exec(t.Context(), "CREATE TABLE mine AS loguro_events ENGINE = MergeTree ORDER BY timestamp"); err != nil {
			t.Fatal(err)
		}
		opts.Table = "mine"
		open(t, opts)
		_, mend, ok := strings.Cut(log.String(), `mend="`)
		if mend, _, _ = strings.Cut(mend, `"`); !ok || mend != "ALTER TABLE `mine` MODIFY SETTING non_replicated_deduplication_window = 10000" {
			t.Fatalf("log: %s", &log)
		}
		if err := conn.Exec(t.Context(), mend); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		x := open(t, opts)
		id, events := uuid.NewString(), exportertest.Events(10)
		mustExport(t, x, id, events)
		mustExport(t, x, id, events)
		if n := ask(t, conn, "SELECT count() FROM mine"); n != "10" || log.Len() > 0 {
			t.Errorf("after the ALTER %s rows, log %q; want 10 and none", n, &log)
		}
	})
}
