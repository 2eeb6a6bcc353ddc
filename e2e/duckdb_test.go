package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/loguro/loguro"
)

// warehouse is DuckDB over a directory of Parquet files: somebody else's reader, given no hint about the schema.
type warehouse struct {
	t   *testing.T
	db  *sql.DB
	dir string
}

// openWarehouse makes the files of dir the view "events".
func openWarehouse(t *testing.T, dir string) *warehouse {
	t.Helper()
	db, err := sql.Open("duckdb", "?autoinstall_known_extensions=false") // nothing is fetched from anywhere
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // settings are of a connection
	w := &warehouse{t: t, db: db, dir: dir}
	w.exec("SET TimeZone = 'America/New_York'") // a reader far from UTC must see the same instants
	w.exec(fmt.Sprintf("CREATE VIEW events AS SELECT * FROM read_parquet('%s/*/*.parquet', hive_partitioning = true)", dir))
	return w
}

func (w *warehouse) exec(query string) {
	w.t.Helper()
	if _, err := w.db.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// rows runs a query, and returns each row as text: its values with a space between them.
func (w *warehouse) rows(query string, args ...any) []string {
	w.t.Helper()
	var out []string
	for _, row := range w.values(query, args...) {
		out = append(out, strings.TrimSuffix(fmt.Sprintln(row...), "\n"))
	}
	return out
}

func (w *warehouse) values(query string, args ...any) [][]any {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), query, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var out [][]any
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatalf("%s: %v", query, err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return out
}

// count is a query with one number for an answer.
func (w *warehouse) count(query string, args ...any) int {
	w.t.Helper()
	values := w.values(query, args...)
	if len(values) != 1 || len(values[0]) != 1 {
		w.t.Fatalf("%s: %v, want one number", query, values)
	}
	n, ok := values[0][0].(int64)
	if !ok {
		w.t.Fatalf("%s: %T, want a number", query, values[0][0])
	}
	return int(n)
}

// record is an event as its JSON has it, by key: text, numbers as text, nil for what is left out.
type record map[string]any

// stored are the events in the files, by event_id. The date is checked against the timestamp and left out.
func (w *warehouse) stored() map[string]record {
	w.t.Helper()
	var names, expressions []string
	for _, row := range w.values("DESCRIBE events") {
		name, kind := row[0].(string), row[1].(string)
		expression := `"` + name + `"` // "returning" is a word of SQL
		switch {
		case name == "date":
			continue
		case kind == "TIMESTAMP WITH TIME ZONE":
			expression = "epoch_ms(" + expression + ")"
		}
		names, expressions = append(names, name), append(expressions, expression+"::VARCHAR")
	}
	found := make(map[string]record)
	for _, row := range w.values("SELECT " + strings.Join(expressions, ", ") + " FROM events") {
		r := make(record)
		for i, name := range names {
			r[name] = row[i]
		}
		found[r["event_id"].(string)] = r
	}
	if n := w.count("SELECT count(*) FROM events WHERE date::DATE <> (timestamp AT TIME ZONE 'UTC')::DATE"); n != 0 {
		w.t.Errorf("%d events are in the folder of another day", n)
	}
	return found
}

// sent is what stored must give for these events: their documented JSON.
func sent(t *testing.T, events []loguro.Event) map[string]record {
	t.Helper()
	keys := documentedKeys()
	all := make(map[string]record)
	for i := range events {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(events[i].AppendJSON(nil), &members); err != nil {
			t.Fatal(err)
		}
		r := make(record)
		for _, key := range keys {
			r[key] = nil
		}
		r["returning"] = "false" // the one column that is never NULL and never left to guess
		for key, raw := range members {
			r[key] = plain(t, key, raw)
		}
		all[r["event_id"].(string)] = r
	}
	return all
}

func plain(t *testing.T, key string, raw json.RawMessage) string {
	if key == "custom_props" || raw[0] != '"' {
		return string(bytes.TrimSpace(raw))
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		t.Fatal(err)
	}
	if key != "timestamp" {
		return text
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(at.UnixMilli())
}

// compare wants every column of every event as it was sent, and no event more.
func (w *warehouse) compare(events []loguro.Event) {
	w.t.Helper()
	got, want := w.stored(), sent(w.t, events)
	if n := w.count("SELECT count(*) FROM events"); n != len(events) || len(want) != len(events) {
		w.t.Errorf("DuckDB counts %d events, %d were sent with %d different ids", n, len(events), len(want))
	}
	wrong := 0
	for id, w2 := range want {
		if g := got[id]; !maps.Equal(g, w2) {
			for key := range w2 {
				if g[key] != w2[key] {
					w.t.Errorf("event %s: %s = %v, want %v", id, key, g[key], w2[key])
				}
			}
			for key := range g {
				if _, ok := w2[key]; !ok {
					w.t.Errorf("event %s: a column %s that is no key of the JSON", id, key)
				}
			}
			if wrong++; wrong == 5 {
				w.t.Fatal("and so on")
			}
		}
	}
}
