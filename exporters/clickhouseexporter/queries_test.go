package clickhouseexporter_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

// history is three weeks of a small site, and one visit of long before. Week 2 is the last one that is over, and so all
// of weeks 0 to 2 is within the latest 30 days, whatever the day of the week is.
//
// ada signs up and upgrades, and upgrades once more on her laptop; bob signs up on his second visit and does not
// upgrade; eve reads over midnight; old comes back after four weeks; dan bounces; c1 to c3 are one client that keeps no
// cookies; fay's browser is shared by two people, neither of whom logs out. The events that say "job" come from outside a
// request, one of them three hours after the session that it belongs to, one of them of a user whose browser is not known.
const history = `
-3 Mon 09:00:00     old o1 -      /         new

0  Mon 10:00:00     ada a1 -      /?utm_source=newsletter&utm_medium=email&utm_campaign=may+offer new
0  Mon 10:00:40     ada a1 -      /pricing
0  Mon 10:01:00     ada a1 -      /signup
0  Mon 10:02:00     ada a1 user_1 signed_up {"plan":"starter"}
0  Mon 10:02:00.050 ada a1 user_1 /account
0  Tue 12:00:00     bob b1 -      /         new from=https://www.news.example.org/
0  Tue 12:10:00     bob b1 -      /pricing
0  Sun 23:50:00     eve e1 -      /blog     new from=https://news.example.org/article

1  Mon 00:10:00     eve e1 -      /pricing
1  Mon 11:00:00     bob b2 -      /         from=https://www.google.com/
1  Mon 11:01:00     bob b2 -      /signup?utm_source=newsletter&utm_medium=email&utm_campaign=may%20offer
1  Mon 11:05:00     bob b2 user_2 signed_up {"plan":"starter"}
1  Mon 11:05:00.020 bob b2 user_2 /account
1  Mon 16:00:00     old o2 -      /
1  Tue 09:00:00     ada a2 user_1 /account
1  Tue 09:10:00     ada a2 user_1 subscription_upgraded {"old_plan":"starter","new_plan":"pro","price":12.5}
1  Tue 12:00:00     ada a2 user_1 report_ready job
1  Thu 15:00:00     dan d1 -      /?utm_source=google&utm_medium=cpc&utm_campaign=brand new from=https://www.google.com/

2  Mon 20:00:00     eve e2 -      /blog
2  Mon 20:01:00     eve e2 -      search    {"words":2}
2  Mon 20:02:00     eve e2 -      /signup
2  Tue 07:00:00     c1  c1 -      /         new
2  Tue 07:00:05     c2  c2 -      /pricing  new from=https://app.acme.com/
2  Tue 07:00:10     c3  c3 -      /         new from=https://app.acme.com/
2  Wed 06:00:00     -   -  user_1 invoice_paid job {"price":12.5}
2  Wed 11:00:00     ada a3 user_1 /account
2  Thu 13:00:00     fay f1 -      /         new
2  Thu 13:01:00     fay f1 user_3 signed_up {"plan":"starter"}
2  Thu 13:01:00.030 fay f1 user_3 /account
2  Thu 13:05:00     fay f2 user_4 signed_up {"plan":"starter"}
2  Thu 13:05:00.010 fay f2 user_4 /account
2  Thu 13:06:00     fay f2 user_4 subscription_upgraded {"old_plan":"starter","new_plan":"team","price":29}
2  Thu 18:00:00     fay f3 -      /pricing
2  Thu 18:01:00     fay f3 -      /signup
2  Fri 10:00:00     lap l1 -      /?utm_source=newsletter&utm_medium=email&utm_campaign=may+offer new from=https://mail.example.com/
2  Fri 10:01:00     lap l1 user_1 /account
2  Fri 10:02:00     lap l1 user_1 subscription_upgraded {"old_plan":"pro","new_plan":"team","price":29}
`

// answers are what each query of docs/queries.md has to say of history: the names of the columns, and the rows.
var answers = []struct {
	heading string
	rows    []string
}{
	{"Visitors, sessions and pageviews per day", []string{
		"day | visitors | sessions | pageviews",
		"0 Mon | 1 | 1 | 4",
		"0 Tue | 1 | 1 | 2",
		"0 Sun | 1 | 1 | 1",
		"1 Mon | 3 | 3 | 5",
		"1 Tue | 1 | 1 | 1",
		"1 Thu | 1 | 1 | 1",
		"2 Mon | 1 | 1 | 2",
		"2 Tue | 3 | 3 | 3",
		"2 Wed | 1 | 1 | 1",
		"2 Thu | 1 | 3 | 5",
		"2 Fri | 1 | 1 | 2",
	}},
	{"New and returning visitors", []string{
		"day | visitors | new_visitors | returning_visitors",
		"0 Mon | 1 | 1 | 0",
		"0 Tue | 1 | 1 | 0",
		"0 Sun | 1 | 1 | 0",
		"1 Mon | 3 | 0 | 3",
		"1 Tue | 1 | 0 | 1",
		"1 Thu | 1 | 1 | 0",
		"2 Mon | 1 | 0 | 1",
		"2 Tue | 3 | 3 | 0",
		"2 Wed | 1 | 0 | 1",
		"2 Thu | 1 | 1 | 0",
		"2 Fri | 1 | 1 | 0",
	}},
	{"Without clients that keep no cookies", []string{
		"day | visitors | visitors_with_cookies | seen_once",
		"0 Mon | 1 | 1 | 0",
		"0 Tue | 1 | 1 | 0",
		"0 Sun | 1 | 1 | 0", // eve comes back with her cookie, if only after midnight
		"1 Mon | 3 | 3 | 0",
		"1 Tue | 1 | 1 | 0",
		"1 Thu | 1 | 0 | 1", // dan is real, but nothing says so
		"2 Mon | 1 | 1 | 0",
		"2 Tue | 3 | 0 | 3",
		"2 Wed | 1 | 1 | 0",
		"2 Thu | 1 | 1 | 0",
		"2 Fri | 1 | 1 | 0",
	}},
	{"The last five minutes", []string{ // of the events in live
		"path | visitors | pageviews",
		"/ | 2 | 2",
		"/pricing | 1 | 1",
	}},
	{"Bounce rate", []string{
		"day | sessions | bounces | bounce_percent",
		"0 Mon | 1 | 0 | 0",
		"0 Tue | 1 | 0 | 0",
		"0 Sun | 1 | 0 | 0", // eve's, which goes on on Monday
		"1 Mon | 2 | 1 | 50",
		"1 Tue | 1 | 0 | 0", // one page and a custom event
		"1 Thu | 1 | 1 | 100",
		"2 Mon | 1 | 0 | 0",
		"2 Tue | 3 | 3 | 100",
		"2 Wed | 1 | 1 | 100",
		"2 Thu | 3 | 0 | 0",
		"2 Fri | 1 | 0 | 0",
	}},
	{"Session length", []string{
		"sessions | pageviews_per_session | sessions_with_length | average_seconds | median_seconds | p90_seconds",
		// 60, 60, 60.03, 120, 120, 120.05, 300.02, 600, 600 and 1200 seconds: the job adds no three hours to a2.
		"16 | 1.69 | 10 | 324 | 120 | 660",
	}},
	{"Top pages", []string{
		"path | pageviews | visitors",
		"/ | 9 | 8",
		"/account | 7 | 4",
		"/pricing | 5 | 5",
		"/signup | 4 | 4",
		"/blog | 2 | 1",
	}},
	{"Entry pages", []string{
		"entry_page | sessions | bounce_percent",
		"/ | 9 | 44.4",
		"/account | 3 | 33.3",
		"/blog | 2 | 0",
		"/pricing | 2 | 50",
	}},
	{"Exit pages", []string{
		"exit_page | sessions",
		"/account | 7",
		"/ | 4",
		"/pricing | 3",
		"/signup | 2",
	}},
	{"Referrer domains", []string{
		"referrer_domain | sessions",
		"google.com | 2",
		"news.example.org | 2",
		"mail.example.com | 1",
	}},
	{"Campaigns", []string{
		"source | medium | campaign | sessions | visitors",
		"newsletter | email | may offer | 3 | 3", // bob's in the middle of a session
		"google | cpc | brand | 1 | 1",
	}},
	{"Conversion by utm_source", []string{
		"source | visitors | upgrades | conversion_percent",
		" | 7 | 1 | 14.3",
		"newsletter | 2 | 2 | 100",
		"google | 1 | 0 | 0",
	}},
	{"Funnel", []string{
		"saw_pricing | opened_signup | signed_up | percent",
		// ada and bob, who took six days; fay signed up before and not after; eve took more than seven days; c2.
		"5 | 3 | 2 | 40",
	}},
	{"Weekly retention", []string{
		"week | visitors | week_1 | week_2 | week_3 | week_4",
		"-3 Mon | 1 | 0 | 0 | 0 | 100",
		"0 Mon | 3 | 100 | 67 | 0 | NULL", // week_3 is the present one
		"1 Mon | 1 | 0 | 0 | NULL | NULL",
		"2 Mon | 5 | 0 | NULL | NULL | NULL",
	}},
	{"Users who did one thing but not another", []string{
		"user_id | signed_up",
		"user_2 | 1 Mon 11:05:00",
		"user_3 | 2 Thu 13:01:00",
	}},
	{"Active users per week", []string{
		"week | users",
		"0 Mon | 1",
		"1 Mon | 2",
		"2 Mon | 3",
	}},
	{"Events by name", []string{
		"name | events | visitors | users",
		"signed_up | 4 | 3 | 4",
		"subscription_upgraded | 3 | 3 | 2",
		"invoice_paid | 1 | 0 | 1",
		"report_ready | 1 | 1 | 1",
		"search | 1 | 1 | 0",
	}},
	{"Properties of an event", upgrades},
	{"Properties of the type JSON", upgrades}, // in a table of its own
	{"A visitor's history", []string{
		"timestamp | session_id | user_id | what | custom_props",
		"0 Mon 10:00:00 | a1 |  | / | ",
		"0 Mon 10:00:40 | a1 |  | /pricing | ",
		"0 Mon 10:01:00 | a1 |  | /signup | ",
		`0 Mon 10:02:00 | a1 | user_1 | signed_up | {"plan":"starter"}`,
		"0 Mon 10:02:00.05 | a1 | user_1 | /account | ",
		"1 Tue 09:00:00 | a2 | user_1 | /account | ",
		`1 Tue 09:10:00 | a2 | user_1 | subscription_upgraded | {"old_plan":"starter","new_plan":"pro","price":12.5}`,
		"1 Tue 12:00:00 | a2 | user_1 | report_ready | ",
		"2 Wed 11:00:00 | a3 | user_1 | /account | ",
	}},
	{"What users did before they logged in", []string{
		"person | browsers | first_seen | first_page | events_before_login | events",
		"user_1 | 2 | 0 Mon 10:00:00 | / | 4 | 12",
		"user_2 | 1 | 0 Tue 12:00:00 | / | 4 | 6",
		"user_3 | 1 | 2 Thu 13:00:00 | / | 1 | 3",
		"user_4 | 1 | 2 Thu 13:05:00 | /account | 0 | 3",
	}},
}

var upgrades = []string{
	"old_plan | new_plan | upgrades | price",
	"pro | team | 1 | 29",
	"starter | pro | 1 | 12.5",
	"starter | team | 1 | 29",
}

func TestQueriesOfTheDocumentationAnswerWhatTheySay(t *testing.T) {
	s := native(t)
	queries := documented(t)
	c := newCalendar(time.Now())
	plain := fill(t, s, clickhouseexporter.PropsString, c.events(t, history))
	tables := map[string]driver.Conn{
		"The last five minutes":       fill(t, s, clickhouseexporter.PropsString, live(time.Now())),
		"Properties of the type JSON": fill(t, s, clickhouseexporter.PropsJSON, c.events(t, history)),
	}
	for _, answer := range answers {
		query, ok := queries[answer.heading]
		if !ok {
			t.Errorf("docs/queries.md has no query %q", answer.heading)
			continue
		}
		delete(queries, answer.heading)
		t.Run(answer.heading, func(t *testing.T) {
			conn := plain
			if own, ok := tables[answer.heading]; ok {
				conn = own
			}
			// Where the server's clock is set to another zone, its day may be another one as well.
			for _, zone := range []string{"UTC", "Pacific/Kiritimati"} {
				if got := c.rows(t, conn, query, zone); !slices.Equal(got, answer.rows) {
					t.Errorf("in the zone %s the answer is\n%s\nwant\n%s", zone, strings.Join(got, "\n"), strings.Join(answer.rows, "\n"))
				}
			}
			if plan := explain(t, conn, query); strings.Count(plan, "ReadFromMergeTree") != len(usesKey.FindAllString(plan, -1)) {
				t.Errorf("the query does not use the sorting key wherever it reads the table:\n%s", plan)
			}
		})
	}
	for heading := range queries {
		t.Errorf("the query %q of docs/queries.md has no expectation", heading)
	}
}

// documented are the blocks of docs/queries.md by the heading above them.
func documented(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	heading := ""
	for _, m := range regexp.MustCompile("(?ms)^#+ ([^\n]+)$|^```sql\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		switch {
		case m[1] != "":
			heading = m[1]
		case queries[heading] != "":
			t.Errorf("docs/queries.md has two queries under the heading %q", heading)
		default:
			queries[heading] = m[2]
		}
	}
	return queries
}

// fill makes a table of its own, with the exporter, and returns a connection to its database.
func fill(t *testing.T, s server, props clickhouseexporter.PropsType, events []loguro.Event) driver.Conn {
	t.Helper()
	database, conn := s.database(t)
	x := open(t, clickhouseexporter.Options{DSN: s.dsn(database), CreateTable: true, Props: props})
	mustExport(t, x, uuid.NewString(), events)
	return conn
}

// live is who is here at the moment, who was a minute too early, and a job.
func live(now time.Time) []loguro.Event {
	page := func(path string, visitor byte, ago time.Duration) loguro.Event {
		return loguro.Event{ID: uuid.New(), Type: event.Pageview, URL: "https://app.acme.com" + path, Path: path,
			Visitor: uuid.UUID{visitor}, Session: uuid.UUID{visitor}, Time: now.Add(-ago).UnixMilli()}
	}
	return []loguro.Event{
		page("/", 1, time.Minute), page("/", 2, 2*time.Minute), page("/pricing", 1, 4*time.Minute), page("/", 3, 6*time.Minute),
		{ID: uuid.New(), Type: event.Custom, Name: "invoice_paid", User: "user_1", Time: now.Add(-time.Minute).UnixMilli()},
	}
}

// calendar counts weeks so that the present one is week 3, and knows the ids of visitors and sessions by their names.
type calendar struct {
	start time.Time // of week 0
	ids   map[string]uuid.UUID
	names map[uuid.UUID]string
}

func newCalendar(now time.Time) *calendar {
	day := now.UTC().Truncate(24 * time.Hour)
	sinceMonday := (int(day.Weekday()) + 6) % 7
	// The one visitor who is named in a query.
	ada := uuid.MustParse("0b7d3f5e-58a1-4f0e-9d0c-5a7a2e6f1c11")
	return &calendar{start: day.AddDate(0, 0, -sinceMonday-21), ids: map[string]uuid.UUID{"ada": ada, "-": {}}, names: map[uuid.UUID]string{ada: "ada"}}
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// events reads lines of week, weekday, time, visitor, session, user, address or name, and what else there is.
func (c *calendar) events(t *testing.T, lines string) (events []loguro.Event) {
	t.Helper()
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		week, err := strconv.Atoi(f[0])
		if err != nil {
			t.Fatal(err)
		}
		clock, err := time.Parse(time.TimeOnly, f[2])
		if err != nil {
			t.Fatal(err)
		}
		at := c.start.AddDate(0, 0, 7*week+slices.Index(weekdays, f[1])).Add(clock.Sub(clock.Truncate(24 * time.Hour)))
		e := loguro.Event{ID: uuid.New(), Time: at.UnixMilli(), Visitor: c.id(f[3]), Session: c.id(f[4]),
			User: strings.TrimPrefix(f[5], "-"), Returning: true}
		e.Type, e.Name, e.Path = event.Custom, f[6], "/do/"+f[6]
		if f[6][0] == '/' {
			e.Type, e.Name, e.Path, e.Status = event.Pageview, "", f[6], 200
		}
		e.URL = "https://app.acme.com" + e.Path
		e.Path, _, _ = strings.Cut(e.Path, "?")
		for _, more := range f[7:] {
			switch {
			case more == "new":
				e.Returning = false
			case more == "job":
				e.URL, e.Path, e.Returning = "", "", false
			case more[0] == '{':
				e.Props = json.RawMessage(more)
			default:
				e.Referrer = strings.TrimPrefix(more, "from=")
			}
		}
		events = append(events, e)
	}
	return events
}

func (c *calendar) id(name string) uuid.UUID {
	if _, ok := c.ids[name]; !ok {
		id := uuid.New()
		c.ids[name], c.names[id] = id, name
	}
	return c.ids[name]
}

// rows are the names of the columns and the rows of an answer, with times and ids as in history.
func (c *calendar) rows(t *testing.T, conn driver.Conn, query, zone string) []string {
	t.Helper()
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"session_timezone": zone}))
	rows, err := conn.Query(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	answer := []string{strings.Join(rows.Columns(), " | ")}
	for rows.Next() {
		var values []any
		for _, column := range rows.ColumnTypes() {
			values = append(values, reflect.New(column.ScanType()).Interface())
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for i, column := range rows.ColumnTypes() {
			cells = append(cells, c.cell(reflect.ValueOf(values[i]).Elem(), column.DatabaseTypeName()))
		}
		answer = append(answer, strings.Join(cells, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return answer
}

func (c *calendar) cell(v reflect.Value, typ string) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "NULL"
		}
		v = v.Elem()
	}
	switch v := v.Interface().(type) {
	case time.Time:
		days := int(v.UTC().Sub(c.start.AddDate(-1, 0, 0)) / (24 * time.Hour))
		days -= int(c.start.Sub(c.start.AddDate(-1, 0, 0)) / (24 * time.Hour))
		week := (days+700)/7 - 100
		at := fmt.Sprintf("%d %s", week, weekdays[days-7*week])
		if typ != "Date" {
			at += v.UTC().Format(" 15:04:05.999")
		}
		return at
	case uuid.UUID:
		return c.names[v]
	default:
		return fmt.Sprint(v)
	}
}

// usesKey matches a part of a plan that names columns of the sorting key; without any there is only "Condition: true".
var usesKey = regexp.MustCompile(`PrimaryKey[\s│]+Keys:`)

func explain(t *testing.T, conn driver.Conn, query string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "EXPLAIN indexes = 1 "+query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
