package clickhouseexporter_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

// legacy is a server of years ago (18.16): no DateTime64, no deduplication token, an older revision of the protocol.
func legacy(t *testing.T) server {
	t.Helper()
	if os.Getenv("CLICKHOUSE_TEST_LEGACY") == "" {
		t.Skip("CLICKHOUSE_TEST_LEGACY is not set; these run against an old server")
	}
	return native(t)
}

func TestLegacyServersTakeATableOfOlderTypes(t *testing.T) {
	s := legacy(t)
	database, conn := s.database(t)
	if err := conn.Exec(t.Context(), `CREATE TABLE hits (at DateTime, visitor UUID, session String, who String, path String, status UInt16,
		back UInt8, props String) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, visitor)`); err != nil {
		t.Fatal(err)
	}
	x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), Table: "hits", Columns: only("timestamp", "at", "visitor_id", "visitor",
		"session_id", "session", "user_id", "who", "path", "path", "status", "status", "returning", "back", "custom_props", "props")})
	events := exportertest.Events(20_000) // several blocks
	mustExport(t, x, uuid.NewString(), events)
	for query, want := range map[string]string{
		"SELECT count() FROM hits":                  "20000",
		"SELECT uniqExact(visitor) FROM hits":       fmt.Sprint(distinct(events)),
		"SELECT countIf(path = '') FROM hits":       "0",
		"SELECT countIf(props != '') > 0 FROM hits": "1",
	} {
		if got := ask(t, conn, query); got != want {
			t.Errorf("%s = %s, want %s", query, got, want)
		}
	}
}

func TestLegacyServersNameWhatTheyCannot(t *testing.T) {
	s := legacy(t)
	database, conn := s.database(t)
	if err := conn.Exec(t.Context(), "CREATE TABLE hits (at DateTime, visitor_id String) ENGINE = MergeTree ORDER BY at"); err != nil {
		t.Fatal(err)
	}
	_, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: s.dsn(database), Table: "hits", Columns: map[string]string{"timestamp": "at"}})
	if err == nil || !strings.Contains(err.Error(), "`session_id`") || strings.Contains(err.Error(), "`visitor_id`,") {
		t.Errorf("New() = %v, want the columns that are missing", err)
	}
	_, err = clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true})
	if err == nil {
		t.Error("New() = nil with a table of types that the server does not have")
	}
}
