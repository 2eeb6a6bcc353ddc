package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

// documentedTypes are the columns as SPEC and README name them, with what DuckDB must make of them.
var documentedTypes = []struct{ name, kind string }{
	{"event_type", "VARCHAR"}, {"custom_event_name", "VARCHAR"}, {"url", "VARCHAR"}, {"path", "VARCHAR"},
	{"visitor_id", "UUID"}, {"session_id", "UUID"}, {"user_id", "VARCHAR"}, {"custom_props", "JSON"},
	{"timestamp", "TIMESTAMP WITH TIME ZONE"}, {"event_id", "UUID"},
	{"referrer", "VARCHAR"}, {"title", "VARCHAR"}, {"route", "VARCHAR"}, {"status", "INTEGER"}, {"duration_ms", "BIGINT"},
	{"country", "VARCHAR"}, {"region", "VARCHAR"}, {"city", "VARCHAR"}, {"browser", "VARCHAR"}, {"os", "VARCHAR"},
	{"device", "VARCHAR"}, {"language", "VARCHAR"}, {"channel", "VARCHAR"}, {"referrer_domain", "VARCHAR"},
	{"utm_source", "VARCHAR"}, {"utm_medium", "VARCHAR"}, {"utm_campaign", "VARCHAR"}, {"utm_term", "VARCHAR"},
	{"utm_content", "VARCHAR"}, {"returning", "BOOLEAN"}, {"bot", "VARCHAR"}, {"site", "VARCHAR"},
	{"date", "DATE"}, // the folder's name
}

func documentedKeys() []string {
	var keys []string
	for _, c := range documentedTypes[:len(documentedTypes)-1] {
		keys = append(keys, c.name)
	}
	return keys
}

// export writes the events as one batch, and returns the directory.
func export(t *testing.T, events []loguro.Event) (dir string) {
	t.Helper()
	dir = t.TempDir()
	x, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Export(t.Context(), loguro.Batch{ID: uuid.Must(uuid.NewV7()).String(), Events: events}); err != nil {
		t.Fatalf("Export() = %v", err)
	}
	return dir
}

func someEvent(at time.Time) loguro.Event {
	return loguro.Event{
		ID: uuid.Must(uuid.NewV7()), Type: event.Pageview, URL: "https://app.acme.com/", Path: "/",
		Visitor: uuid.New(), Session: uuid.New(), Time: at.UnixMilli(),
	}
}

var noon = time.Date(2026, 5, 14, 12, 0, 0, 123e6, time.UTC)

func TestDuckDBSeesTheDocumentedTypes(t *testing.T) {
	w := openWarehouse(t, export(t, []loguro.Event{someEvent(noon)}))
	var got, want []string
	for _, row := range w.values("DESCRIBE events") {
		got = append(got, fmt.Sprint(row[0], " ", row[1]))
	}
	for _, c := range documentedTypes {
		want = append(want, c.name+" "+c.kind)
	}
	if !slices.Equal(got, want) {
		t.Errorf("DESCRIBE gives\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDuckDBReadsEveryColumnAsItWasSent(t *testing.T) {
	full := loguro.Event{
		ID: uuid.Must(uuid.NewV7()), Type: event.Custom, Name: "gekauft – 購入", URL: "https://app.acme.com/k%C3%A4se?q=a+b", Path: "/k%C3%A4se",
		Visitor: uuid.New(), Session: uuid.New(), User: "użytkownik 42 \U0001F600", Time: noon.UnixMilli(),
		Props:    json.RawMessage(`{"new_plan":"pró","nested":{"a":[1,2.5,null,true]},"quote":"\"\\"}`),
		Referrer: "https://例え.test/", Title: "Größe \u2028 und \x00 Null", Route: "GET /{name}", Status: 201, Duration: 1 << 40,
		Country: "CH", Region: "Zürich", City: "Zürich", Browser: "samsung internet", OS: "android", Device: "mobile", Language: "de-CH",
		Channel: "social", ReferrerDomain: "例え.test", UTMSource: "s", UTMMedium: "m", UTMCampaign: "c", UTMTerm: "t", UTMContent: "x",
		Returning: true, Bot: "none", Site: "acme",
	}
	lowest, highest := someEvent(noon), someEvent(noon)
	lowest.Visitor, lowest.Session = uuid.MustParse("00000000-0000-4000-8000-000000000001"), uuid.MustParse("7fffffff-ffff-4fff-bfff-ffffffffffff")
	highest.Visitor, highest.Session = uuid.MustParse("ffffffff-ffff-4fff-bfff-ffffffffffff"), uuid.MustParse("80000000-0000-4000-8000-000000000000")
	background := loguro.Event{ID: uuid.Must(uuid.NewV7()), Type: event.Custom, Name: "invoice_paid", User: "u1", Time: noon.UnixMilli()}
	empty := someEvent(noon)
	empty.Props = json.RawMessage(`{}`)

	events := append([]loguro.Event{full, lowest, highest, background, empty}, exportertest.Events(20_000)...)
	w := openWarehouse(t, export(t, events))
	w.compare(events)
	if got := w.rows("SELECT custom_props->>'new_plan', custom_props->'nested'->'a'->>1, title FROM events WHERE user_id = 'użytkownik 42 \U0001F600'"); len(got) != 1 || got[0] != "pró 2.5 "+full.Title {
		t.Errorf("asked with SQL, the props are %q", got)
	}
}

// A reader skips what it thinks cannot match, by the bounds and the bloom filters in the file. Wrong ones lose rows only
// in queries like these, not when everything is read.
func TestDuckDBFindsEachVisitorSessionAndUser(t *testing.T) {
	events := exportertest.Events(60_000)
	w := openWarehouse(t, export(t, events))
	for _, column := range []struct {
		name string
		of   func(e *loguro.Event) string
	}{
		{"visitor_id", func(e *loguro.Event) string { return e.Visitor.String() }},
		{"session_id", func(e *loguro.Event) string { return e.Session.String() }},
		{"user_id", func(e *loguro.Event) string { return e.User }},
	} {
		want := make(map[string]int)
		for i := range events {
			want[column.of(&events[i])]++
		}
		delete(want, "")
		asked := 0
		for id, n := range want {
			if asked++; asked > 200 {
				break
			}
			if got := w.count("SELECT count(*) FROM events WHERE "+column.name+" = ?", id); got != n {
				t.Errorf("%s = %s finds %d events, want %d", column.name, id, got, n)
			}
		}
		if asked < 100 {
			t.Errorf("%s: only %d values to ask for", column.name, asked)
		}
		if got := w.count("SELECT count(*) FROM events WHERE "+column.name+" = ?", uuid.NewString()); got != 0 {
			t.Errorf("a %s that is nobody's finds %d events", column.name, got)
		}
	}
}

func TestABatchAcrossMidnightGoesIntoTheDaysOfItsEvents(t *testing.T) {
	midnight := time.Date(2026, 5, 15, 0, 0, 0, 0, time.UTC)
	events := []loguro.Event{
		someEvent(midnight), someEvent(midnight.Add(-time.Millisecond)), someEvent(midnight.Add(-time.Hour)),
		someEvent(midnight.Add(24*time.Hour - time.Millisecond)), someEvent(midnight.Add(24 * time.Hour)),
	}
	w := openWarehouse(t, export(t, events))
	w.compare(events)
	got := w.rows("SELECT date::VARCHAR, count(*), count(DISTINCT filename) FROM read_parquet('" + w.dir + "/*/*.parquet', hive_partitioning = true, filename = true) GROUP BY 1 ORDER BY 1")
	if want := []string{"2026-05-14 2 1", "2026-05-15 2 1", "2026-05-16 1 1"}; !slices.Equal(got, want) {
		t.Errorf("days, events and files = %v, want %v", got, want)
	}
	if n := w.count("SELECT count(*) FROM events WHERE date = '2026-05-15'"); n != 2 {
		t.Errorf("a query for one day finds %d events, want 2", n)
	}
}

// tee is an Exporter that also records what it passed on.
type tee struct {
	loguro.Exporter
	recorder exportertest.Recorder
}

func (x *tee) Export(ctx context.Context, batch loguro.Batch) error {
	if err := x.Exporter.Export(ctx, batch); err != nil {
		return err
	}
	return x.recorder.Export(ctx, batch)
}

// From the request to the query: many visitors, several batches, real ids, timestamps and durations.
func TestDuckDBAgreesWithWhatTheSiteSent(t *testing.T) {
	dir := t.TempDir()
	x, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	out := &tee{Exporter: x}
	s := newSite(t, "http", tracked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user := r.FormValue("user"); user != "" {
			loguro.Identify(r.Context(), user, loguro.Props{"näme": user})
		}
		if r.Method == http.MethodPost {
			loguro.Track(r.Context(), "clicked", loguro.Props{"n": 1})
			w.WriteHeader(http.StatusNoContent)
			return
		}
		show(w, "page")
	})), func(c *loguro.Config) { c.Exporter, c.BatchSize = out, 40 })
	for i := range 20 {
		b := newClient(t, s)
		b.get("/")
		b.get(fmt.Sprintf("/k%%C3%%A4se/%d?user=u%d&token=secret", i, i))
		b.post("/api")
		b.get("/bye")
	}
	s.events()
	events := out.recorder.Events()
	if len(events) != 100 || len(out.recorder.Batches()) < 2 {
		t.Fatalf("%d events in %d batches were sent, want 100 in several", len(events), len(out.recorder.Batches()))
	}
	w := openWarehouse(t, dir)
	w.compare(events)
	for query, want := range map[string]int{
		"SELECT count(*) FROM events WHERE event_type = 'pageview'":                                                        60,
		"SELECT count(*) FROM events WHERE custom_event_name = 'identify' AND (custom_props->>'näme') = user_id":           20,
		"SELECT count(DISTINCT visitor_id) FROM events":                                                                    20,
		"SELECT count(DISTINCT session_id) FROM events":                                                                    20,
		"SELECT count(*) FROM events WHERE url LIKE '%secret%'":                                                            0,
		"SELECT count(*) FROM events WHERE path LIKE '/k%C3%A4se/%' AND user_id IS NOT NULL AND status IS NOT NULL":        20,
		"SELECT count(*) FROM events WHERE event_type = 'pageview' AND custom_props IS NULL AND custom_event_name IS NULL": 60,
		"SELECT count(*) FROM events WHERE timestamp BETWEEN now() - INTERVAL 5 MINUTE AND now() + INTERVAL 1 SECOND":      100,
	} {
		if got := w.count(query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}
