package parquetexporter_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/exporters/parquetexporter"
	"github.com/parquet-go/parquet-go"
)

// record is a row by column name; a NULL has no key. It comes from the file's own schema, not from the exporter's.
type record map[string]parquet.Value

func newExporter(t *testing.T, dir string) *parquetexporter.Exporter {
	t.Helper()
	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return exporter
}

func mustExport(t *testing.T, exporter loguro.Exporter, id string, events ...loguro.Event) {
	t.Helper()
	if err := exporter.Export(t.Context(), loguro.Batch{ID: id, Events: events}); err != nil {
		t.Fatal(err)
	}
}

// paths lists all files below dir, slash-separated and sorted.
func paths(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openFile(t *testing.T, path string) *parquet.File {
	t.Helper()
	b := mustRead(t, path)
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

// records reads a row group in its order.
func records(t *testing.T, group parquet.RowGroup) []record {
	t.Helper()
	columns := group.Schema().Columns()
	rows := group.Rows()
	defer rows.Close()
	var all []record
	for buf := make([]parquet.Row, 100); ; {
		n, err := rows.ReadRows(buf)
		for _, row := range buf[:n] {
			r := record{}
			for _, v := range row {
				if !v.IsNull() {
					r[columns[v.Column()][0]] = v.Clone()
				}
			}
			all = append(all, r)
		}
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readDir reads every event that *.parquet matches, as a user's query does.
func readDir(t *testing.T, dir string) []loguro.Event {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "date=*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var all []loguro.Event
	for _, path := range files {
		for _, group := range openFile(t, path).RowGroups() {
			for _, r := range records(t, group) {
				all = append(all, r.event())
			}
		}
	}
	return all
}

func (r record) text(name string) string { return string(r[name].ByteArray()) }

func (r record) number(name string) int64 {
	if v, ok := r[name]; ok {
		return v.Int64()
	}
	return 0
}

func (r record) id(name string) (id uuid.UUID) {
	copy(id[:], r[name].ByteArray())
	return id
}

func (r record) event() loguro.Event {
	var status int
	if v, ok := r["status"]; ok {
		status = int(v.Int32())
	}
	return loguro.Event{
		Type: event.Type(r.text("event_type")), Name: r.text("custom_event_name"), URL: r.text("url"), Path: r.text("path"),
		Visitor: r.id("visitor_id"), Session: r.id("session_id"), User: r.text("user_id"),
		Props: slices.Clone(r["custom_props"].ByteArray()), Time: r.number("timestamp"), ID: r.id("event_id"),
		Referrer: r.text("referrer"), Title: r.text("title"), Route: r.text("route"),
		Status: status, Duration: r.number("duration_ms"),
		Country: r.text("country"), Region: r.text("region"), City: r.text("city"),
		Browser: r.text("browser"), OS: r.text("os"), Device: r.text("device"), Language: r.text("language"),
		Channel: r.text("channel"), ReferrerDomain: r.text("referrer_domain"),
		UTMSource: r.text("utm_source"), UTMMedium: r.text("utm_medium"), UTMCampaign: r.text("utm_campaign"),
		UTMTerm: r.text("utm_term"), UTMContent: r.text("utm_content"),
		Returning: r["returning"].Boolean(), Bot: r.text("bot"), Site: r.text("site"),
	}
}
