package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

func TestDDLPrintsTheStatements(t *testing.T) {
	r := loguroRun(t, "clickhouse", "ddl")
	r.check(t, 0, []string{"CREATE TABLE IF NOT EXISTS `loguro_events`\n", "SETTINGS non_replicated_deduplication_window = 10000;\n"}, nil)
	if n := strings.Count(r.out, ";\n"); n != 1 {
		t.Errorf("%d statements, want 1", n)
	}
	loguroRun(t, "clickhouse", "ddl", "--database", "web", "--table", "local", "--cluster", "{cluster}", "--engine", "ReplicatedMergeTree",
		"--distributed", "events", "--ttl", "toDateTime(timestamp) + INTERVAL 2 YEAR", "--props", "json", "--deduplication-window", "9",
		"--order-by", "(site, timestamp)", "--partition-by", "toMonday(timestamp)").check(t, 0, []string{
		"CREATE DATABASE IF NOT EXISTS `web` ON CLUSTER '{cluster}';\n", "`custom_props` JSON", "ENGINE = ReplicatedMergeTree()\nPARTITION BY toMonday(timestamp)\nORDER BY (site, timestamp)\nTTL toDateTime",
		"SETTINGS replicated_deduplication_window = 9;\n", "ENGINE = Distributed('{cluster}', 'web', 'local', cityHash64(`visitor_id`));\n"}, nil)
}

func TestExportToAServerThatIsNotThereKeepsThePasswordToItself(t *testing.T) {
	dir := spoolOf(t, "e1")
	for _, to := range []string{"clickhouse://me:s3cr3t@127.0.0.1:1/web", "http://me:s3cr3t@127.0.0.1:1/web", "clickhouse://me:s3cr3t@[::1/web"} {
		r := loguroRun(t, "spool", "export", "--to", to, dir)
		r.check(t, 2, nil, []string{"--to "})
		if strings.Contains(r.out+r.errors, "s3cr3t") {
			t.Errorf("the password is printed: %s%s", r.out, r.errors)
		}
	}
}

func TestExportToClickHouse(t *testing.T) {
	native, http := os.Getenv("CLICKHOUSE_TEST_ADDR"), os.Getenv("CLICKHOUSE_TEST_HTTP_ADDR")
	if native == "" || http == "" || os.Getenv("CLICKHOUSE_TEST_LEGACY") != "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CLICKHOUSE_TEST_ADDR and CLICKHOUSE_TEST_HTTP_ADDR are not set")
		}
		t.Skip("CLICKHOUSE_TEST_ADDR and CLICKHOUSE_TEST_HTTP_ADDR are not set")
	}
	for _, address := range []string{"clickhouse://default:@" + native, "http://default:@" + http} {
		table := "loguro_cmd_" + strings.ReplaceAll(address[:4], ":", "")
		x, err := openTable(t, address, table)
		if err != nil {
			t.Fatal(err)
		}
		dir := spoolOf(t, "e1", "e2", "e3")
		for range 2 {
			loguroRun(t, "spool", "export", "--keep", "--to", address+"/default?table="+table, dir).check(t, 0, []string{"exported  2 batches with 3 events to "}, nil)
		}
		loguroRun(t, "spool", "export", "--to", address+"/default?table="+table, dir).check(t, 0, []string{"exported  2 batches with 3 events to "}, nil)
		var rows, different uint64
		if err := x.QueryRow(t.Context(), "SELECT count(), uniqExact(event_id) FROM "+table).Scan(&rows, &different); err != nil || rows != 3 || different != 3 {
			t.Errorf("the table has %d rows, %d different, %v; want 3 and 3", rows, different, err)
		}
	}
}

// openTable makes an empty table that goes with the test.
func openTable(t *testing.T, address, table string) (driver.Conn, error) {
	t.Helper()
	o, err := clickhouse.ParseDSN(address + "/default")
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Exec(context.Background(), "DROP TABLE "+table), conn.Close()); err != nil {
			t.Error(err)
		}
	})
	statements, err := clickhouseexporter.DDL(clickhouseexporter.Options{Table: table})
	if err != nil {
		return nil, err
	}
	return conn, conn.Exec(t.Context(), statements[0])
}
