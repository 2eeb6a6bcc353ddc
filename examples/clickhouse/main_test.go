package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// browser keeps cookies and follows redirects.
type browser struct {
	t      *testing.T
	client http.Client
	base   string
}

func newBrowser(t *testing.T, base string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: http.Client{Jar: jar}, base: base}
}

// visit sends a GET, or a POST if there is a form, and returns the text of the page that it ends on.
func (b *browser) visit(path string, form url.Values) string {
	b.t.Helper()
	method, body := "GET", io.Reader(nil)
	if form != nil {
		method, body = "POST", strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		b.t.Errorf("%s %s = %d, %q", method, path, res.StatusCode, text)
	}
	return string(text)
}

// tour is what the walks below have in common: eight events, three of them custom.
func (b *browser) tour() {
	b.t.Helper()
	b.visit("/", nil)
	b.visit("/signup", nil)
	if text := b.visit("/signup", url.Values{"name": {"Ada"}}); !strings.Contains(text, `<code id="user">user_`) || !strings.Contains(text, "Upgrade to Pro") {
		b.t.Errorf("page after the sign-up = %q, want the prices, for a user", text)
	}
	if text := b.visit("/upgrade", url.Values{}); !strings.Contains(text, `<code id="user">user_`) {
		b.t.Errorf("page after the upgrade = %q, want the home page of a user", text)
	}
	if text := b.visit("/logout", url.Values{}); !strings.Contains(text, `<code id="user">nobody`) {
		b.t.Errorf("page after the logout = %q, want the home page of a stranger", text)
	}
}

const events = 8

// start runs the program, and returns its address and a function that stops it and returns what it printed.
func start(t *testing.T, dsn, spool string) (base string, stop func() string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, in, "127.0.0.1:0", dsn, spool)
		in.Close()
		done <- err
	}()
	printed := bufio.NewReader(out)
	line, _ := printed.ReadString('\n')
	_, rest, _ := strings.Cut(line, "http://")
	host, _, ok := strings.Cut(rest, "/")
	if !ok {
		t.Fatalf("first line = %q, run() = %v; want an address to open", line, <-done)
	}
	words := make(chan string, 1)
	go func() {
		rest, _ := io.ReadAll(printed)
		words <- string(rest)
	}()
	return "http://" + host, func() string {
		t.Helper()
		interrupt()
		if err := <-done; err != nil {
			t.Errorf("run() = %v", err)
		}
		return <-words
	}
}

// database makes one in the ClickHouse that CLICKHOUSE_TEST_ADDR names, or CLICKHOUSE_TEST_HTTP_ADDR, with
// CLICKHOUSE_TEST_USER and _PASSWORD. Without, the test is skipped, and with CI set it fails.
func database(t *testing.T) (dsn string, conn driver.Conn) {
	t.Helper()
	u := url.URL{Scheme: "clickhouse", Host: os.Getenv("CLICKHOUSE_TEST_ADDR"), Path: "/default", User: url.User("default")}
	if u.Host == "" {
		u.Scheme, u.Host = "http", os.Getenv("CLICKHOUSE_TEST_HTTP_ADDR")
	}
	if u.Host == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no ClickHouse: set CLICKHOUSE_TEST_ADDR")
		}
		t.Skip("no ClickHouse: set CLICKHOUSE_TEST_ADDR")
	}
	if user := os.Getenv("CLICKHOUSE_TEST_USER"); user != "" {
		u.User = url.UserPassword(user, os.Getenv("CLICKHOUSE_TEST_PASSWORD"))
	}
	admin := connect(t, u.String())
	name := "loguro_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := admin.Exec(ctx, "DROP DATABASE "+name); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String(), connect(t, u.String())
}

func connect(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// nowhere is the address of a ClickHouse that is not there.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "clickhouse://default:@" + l.Addr().String() + "/default"
}

func TestEventsAreRowsInTheOrderInWhichTheyHappened(t *testing.T) {
	dsn, conn := database(t)
	spool := t.TempDir()
	base, stop := start(t, dsn, spool)
	newBrowser(t, base).tour()
	if words, want := stop(), fmt.Sprintf("Events written: %d.\n", events); words != want {
		t.Errorf("last words = %q, want %q", words, want)
	}

	type row struct {
		What    string    `ch:"what"`
		User    string    `ch:"user_id"`
		Props   string    `ch:"custom_props"`
		Visitor uuid.UUID `ch:"visitor_id"`
	}
	var rows []row
	err := conn.Select(t.Context(), &rows, `
		SELECT if(event_type = 'pageview', path, custom_event_name) AS what, user_id, custom_props, visitor_id
		FROM loguro_events ORDER BY timestamp, toString(event_id)`)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != events {
		t.Fatalf("got %d rows, want %d: %v", len(rows), events, rows)
	}
	visitor, user := rows[0].Visitor, rows[2].User
	if !strings.HasPrefix(user, "user_") || rows[7].Visitor == visitor {
		t.Errorf("user = %q, visitor before and after the logout = %v, %v; want a user and two visitors", user, visitor, rows[7].Visitor)
	}
	want := []row{
		{"/", "", "", visitor},
		{"/signup", "", "", visitor},
		{"identify", user, `{"plan":"starter"}`, visitor},
		{"signed_up", user, "", visitor},
		{"/pricing", user, "", visitor},
		{"subscription_upgraded", user, `{"new_plan":"pro","old_plan":"starter","price":12}`, visitor},
		{"/", user, "", visitor},
		{"/", "", "", rows[7].Visitor},
	}
	if !slices.Equal(rows, want) {
		t.Errorf("rows = %v\nwant %v", rows, want)
	}

	base, stop = start(t, dsn, spool)
	text := newBrowser(t, base).visit("/report", nil)
	for _, want := range []string{
		"2 visitors, 2 sessions, 5 pageviews, 1 upgrades.",
		"<tr><td>/</td><td>3</td><td>2</td></tr>\n<tr><td>/pricing</td><td>1</td><td>1</td></tr>\n<tr><td>/signup</td><td>1</td><td>1</td></tr>",
		"Events that wait on this machine: 0.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/report = %q, want %q", text, want)
		}
	}
	if words := stop(); words != "Events written: 0.\n" {
		t.Errorf("last words = %q: looking at the report is an event", words)
	}
}

func TestWithoutClickHouseTheSiteServes(t *testing.T) {
	base, stop := start(t, nowhere(t), t.TempDir())
	b := newBrowser(t, base)
	b.tour()
	text := b.visit("/report", nil)
	if want := fmt.Sprintf("Events that wait on this machine: %d.", events); !strings.Contains(text, "not reachable") || !strings.Contains(text, want) {
		t.Errorf("/report = %q, want %q, and that ClickHouse is not reachable", text, want)
	}
	words := stop()
	for _, want := range []string{"ClickHouse is not there, so events wait in ", "8 events are not delivered; they stay in the spool ", "Events written: 0.\n"} {
		if !strings.Contains(words, want) {
			t.Errorf("last words = %q, want %q", words, want)
		}
	}
}

func TestWhatHappenedDuringAnOutageArrivesOnceAfterwards(t *testing.T) {
	dsn, conn := database(t)
	spool := t.TempDir()
	base, stop := start(t, nowhere(t), spool)
	newBrowser(t, base).tour()
	stop()
	_, stop = start(t, dsn, spool)
	if words, want := stop(), fmt.Sprintf("Events written: %d.\n", events); words != want {
		t.Errorf("last words of the next run = %q, want %q", words, want)
	}
	var rows, distinct uint64
	if err := conn.QueryRow(t.Context(), "SELECT count(), uniqExact(event_id) FROM loguro_events").Scan(&rows, &distinct); err != nil {
		t.Fatal(err)
	}
	if rows != events || distinct != events {
		t.Errorf("got %d rows of %d events, want %d of each", rows, distinct, events)
	}
}
