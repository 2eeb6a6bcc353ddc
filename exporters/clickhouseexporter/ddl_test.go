package clickhouseexporter_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

func TestTheDDLSaysWhatTheOptionsSay(t *testing.T) {
	for why, tt := range map[string]struct {
		opts clickhouseexporter.Options
		want []string // parts of the statements, one after the other
	}{
		"nothing": {clickhouseexporter.Options{}, []string{
			"CREATE TABLE IF NOT EXISTS `loguro_events`\n(\n    `event_type` LowCardinality(String) CODEC(ZSTD(1)),\n",
			"    `visitor_id` UUID CODEC(ZSTD(1)),\n", "`custom_props` String CODEC(ZSTD(1))", "`timestamp` DateTime64(3, 'UTC') CODEC(",
			"ENGINE = MergeTree()\nPARTITION BY toYYYYMM(`timestamp`)\nORDER BY (`site`, toDate(`timestamp`), `visitor_id`, `timestamp`)\nSETTINGS non_replicated_deduplication_window = 10000",
		}},
		"a cluster": {clickhouseexporter.Options{Database: "web", Table: "events_local", Cluster: "{cluster}", Distributed: "events",
			Engine: "ReplicatedMergeTree('/clickhouse/tables/{shard}/events', '{replica}')"}, []string{
			"CREATE DATABASE IF NOT EXISTS `web` ON CLUSTER '{cluster}'",
			"CREATE TABLE IF NOT EXISTS `web`.`events_local` ON CLUSTER '{cluster}'", "ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/events', '{replica}')",
			"SETTINGS replicated_deduplication_window = 10000",
			"CREATE TABLE IF NOT EXISTS `web`.`events` ON CLUSTER '{cluster}' AS `web`.`events_local`\nENGINE = Distributed('{cluster}', 'web', 'events_local', cityHash64(`visitor_id`))",
		}},
		"other names": {clickhouseexporter.Options{Columns: map[string]string{"timestamp": "at", "site": "", "visitor_id": "browser", "browser": "agent"}, TTL: "toDateTime(at) + INTERVAL 1 YEAR",
			Codecs: map[string]string{"url": "ZSTD(9)", "path": ""}, Props: clickhouseexporter.PropsJSON, DeduplicationWindow: 7}, []string{
			"`url` String CODEC(ZSTD(9))", "`path` String,", "`browser` UUID CODEC(", "`custom_props` JSON,", "`at` DateTime64(3, 'UTC')",
			"PARTITION BY toYYYYMM(`at`)\nORDER BY (toDate(`at`), `browser`, `at`)\nTTL toDateTime(at) + INTERVAL 1 YEAR\nSETTINGS non_replicated_deduplication_window = 7",
		}},
	} {
		t.Run(why, func(t *testing.T) {
			statements, err := clickhouseexporter.DDL(tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(statements, ";\n")
			rest := all
			for _, want := range tt.want {
				at := strings.Index(rest, want)
				if at < 0 {
					t.Fatalf("the DDL lacks, in this place, %q:\n%s", want, all)
				}
				rest = rest[at+len(want):]
			}
			s := native(t)
			_, conn := s.database(t)
			for _, statement := range statements {
				// The test's server has no cluster, but its parser knows the statements.
				if err := conn.Exec(t.Context(), "EXPLAIN AST "+statement); err != nil {
					t.Errorf("%v\n%s", err, statement)
				}
			}
			if tt.opts.Cluster == "" {
				for _, statement := range statements {
					if err := conn.Exec(t.Context(), statement); err != nil {
						t.Errorf("%v\n%s", err, statement)
					}
				}
			}
		})
	}
}

func TestRowsGoWhenTheTTLSays(t *testing.T) {
	s := native(t)
	database, conn := s.database(t)
	x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, TTL: "toDateTime(timestamp) + INTERVAL 1 DAY"})
	events := exportertest.Events(20)
	for i := range events[:10] {
		events[i].Time = 1_000_000_000_000 // 2001
	}
	for i := range events[10:] {
		events[10+i].Time = 4_000_000_000_000 // 2096
	}
	mustExport(t, x, uuid.NewString(), events)
	if err := conn.Exec(t.Context(), "OPTIMIZE TABLE loguro_events FINAL"); err != nil {
		t.Fatal(err)
	}
	if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "10" {
		t.Errorf("%s rows are left, want 10", n)
	}
}

// The tables that the application's own connection reaches are as good as those of a DSN, and the connection stays open.
func TestAConnectionOfTheApplicationIsUsedAndNotClosed(t *testing.T) {
	s := native(t)
	database, conn := s.database(t)
	x, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{Conn: conn, Database: database, CreateTable: true})
	if err != nil {
		t.Fatal(err)
	}
	mustExport(t, x, uuid.NewString(), exportertest.Events(10))
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if err := conn.Ping(context.Background()); err != nil {
		t.Errorf("after Close the application's connection is gone: %v", err)
	}
}
