package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// table is one of a real ClickHouse that drops repeated blocks by their token.
type table struct {
	t    *testing.T
	name string
}

func newTable(t *testing.T) table {
	t.Helper()
	if os.Getenv("CLICKHOUSE_TEST_HTTP_ADDR") == "" {
		const missing = "no ClickHouse: say where one speaks HTTP in CLICKHOUSE_TEST_HTTP_ADDR"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	database := fmt.Sprintf("delivery_%d", time.Now().UnixNano())
	askClickHouse(t, "CREATE DATABASE "+database)
	t.Cleanup(func() { askClickHouse(t, "DROP DATABASE "+database) })
	askClickHouse(t, "CREATE TABLE "+database+`.events (event_id UUID, event_type String, path String, custom_props String,
		n UInt64 MATERIALIZED if(event_type = 'pageview', toUInt64OrZero(substring(path, 4)), JSONExtractUInt(custom_props, 'n')))
		ENGINE = MergeTree ORDER BY event_id SETTINGS non_replicated_deduplication_window = 1000`)
	return table{t, database + ".events"}
}

// insert is the address for the worker.
func (table table) insert() string {
	return "http://" + os.Getenv("CLICKHOUSE_TEST_HTTP_ADDR") + "/?" + url.Values{
		"query":                            {"INSERT INTO " + table.name + " FORMAT JSONEachRow"},
		"input_format_skip_unknown_fields": {"1"},
		"input_format_json_read_objects_as_strings": {"1"},
	}.Encode()
}

func (table table) count() int {
	table.t.Helper()
	n, err := strconv.Atoi(askClickHouse(table.t, "SELECT count() FROM "+table.name))
	if err != nil {
		table.t.Fatal(err)
	}
	return n
}

// check wants each accepted event in the table, and none twice.
func (table table) check(d *delivery) {
	table.t.Helper()
	counts := strings.Fields(askClickHouse(table.t, "SELECT count(), uniqExact(event_id), uniqExact(n) FROM "+table.name))
	if counts[0] != counts[1] || counts[0] != counts[2] {
		table.t.Errorf("ClickHouse has %s events with %s ids and %s numbers", counts[0], counts[1], counts[2])
	}
	var stored []string
	for n := range strings.Lines(askClickHouse(table.t, "SELECT n FROM "+table.name)) {
		stored = append(stored, strings.TrimSpace(n))
	}
	slices.Sort(stored)
	content, err := os.ReadFile(filepath.Join(d.logs, "accepted"))
	if err != nil {
		table.t.Fatal(err)
	}
	accepted := strings.Fields(string(content))
	lost := 0
	for _, n := range accepted {
		if _, ok := slices.BinarySearch(stored, n); !ok {
			lost++
		}
	}
	if lost > 0 || len(accepted) == 0 {
		table.t.Errorf("%d of %d accepted events are not in ClickHouse", lost, len(accepted))
	}
	table.t.Logf("%d events were accepted, ClickHouse has %s", len(accepted), counts[0])
}
