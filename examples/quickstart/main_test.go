package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

// serve starts the site with an exporter that keeps everything in memory.
func serve(t *testing.T) (*app, *exportertest.Recorder, string) {
	t.Helper()
	recorder := new(exportertest.Recorder)
	site, err := newApp(recorder, t.TempDir(), bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	site.accounts.rounds = 1000 // the race detector makes them slow
	server := httptest.NewServer(site.handler)
	t.Cleanup(func() {
		server.Close()
		site.tracker.Shutdown(context.Background())
	})
	return site, recorder, server.URL
}

// what is the part of an event that the tests look at.
type what struct {
	Name, Path, User, Props string
}

func summary(events []loguro.Event) []what {
	var all []what
	for _, e := range events {
		all = append(all, what{e.Name, e.Path, e.User, string(e.Props)})
	}
	return all
}

func TestVisitorSignsUpUpgradesAndLogsOut(t *testing.T) {
	site, recorder, base := serve(t)
	b := newBrowser(t, base)

	b.get("/")
	b.get("/pricing")
	if v := b.post("/signup", "email", "Ada@Example.com ", "password", "correct horse"); v.path != "/account" || !strings.Contains(v.text, "ada@example.com") {
		t.Fatalf("sign-up ended on %s with status %d, want the account page", v.path, v.status)
	}
	if v := b.post("/account/upgrade", "plan", "pro"); v.path != "/account" || !strings.Contains(v.text, "Upgrade to Team") {
		t.Errorf("upgrade ended on %s, want the account page with the next plan", v.path)
	}
	b.post("/account/upgrade", "plan", "pro") // the browser's reload
	b.post("/account/upgrade", "plan", "starter")
	b.post("/account/upgrade", "plan", "gold")
	shown := b.events()
	if v := b.post("/logout"); v.path != "/" || strings.Contains(v.text, `id="logout"`) {
		t.Errorf("logout ended on %s, want the home page of a stranger", v.path)
	}
	b.post("/signup", "email", "bob@example.com", "password", "battery staple")
	b.post("/logout")
	b.post("/login", "email", "ada@example.com", "password", "correct horse")
	if err := site.tracker.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	events := recorder.Events()
	want := []what{
		{"", "/", "", ""},
		{"", "/pricing", "", ""},
		{"identify", "/signup", "user_1", `{"plan":"starter"}`},
		{"", "/account", "user_1", ""},
		{"subscription_upgraded", "/account/upgrade", "user_1", `{"new_plan":"pro","old_plan":"starter"}`},
		{"", "/account", "user_1", ""},
		{"", "/account", "user_1", ""},
		{"", "/account", "user_1", ""},
		{"", "/account", "user_1", ""},
		{"", "/events", "user_1", ""},
		{"", "/", "", ""}, // after the logout
		{"identify", "/signup", "user_2", `{"plan":"starter"}`},
		{"", "/account", "user_2", ""},
		{"", "/", "", ""}, // after the second logout
		{"identify", "/login", "user_1", `{"plan":"pro"}`},
		{"", "/account", "user_1", ""},
	}
	if got := summary(events); !slices.Equal(got, want) {
		t.Fatalf("events = %v\nwant %v", got, want)
	}
	if got := summary(shown); !slices.Equal(got, want[:9]) {
		t.Errorf("/events shows %v\nwant %v", got, want[:9])
	}
	seen := make(map[uuid.UUID]bool)
	for _, visit := range [][]loguro.Event{events[:10], events[10:13], events[13:]} {
		visitor, session := visit[0].Visitor, visit[0].Session
		if seen[visitor] || seen[session] {
			t.Errorf("visitor %v or session %v was there before the logout", visitor, session)
		}
		seen[visitor], seen[session] = true, true
		for _, e := range visit {
			if e.Visitor != visitor || e.Session != session {
				t.Errorf("%s has visitor %v, session %v; want %v, %v", e.Path, e.Visitor, e.Session, visitor, session)
			}
		}
	}
}

func TestFormsSayWhatIsWrong(t *testing.T) {
	_, _, base := serve(t)
	b := newBrowser(t, base)
	b.post("/signup", "email", "ada@example.com", "password", "correct horse")
	b.post("/logout")

	for _, tt := range []struct {
		path, email, password string
		status                int
		message               string
	}{
		{"/login", "ada@example.com", "wrong horse", http.StatusUnauthorized, "E-mail address or password is wrong."},
		{"/login", "nobody@example.com", "correct horse", http.StatusUnauthorized, "E-mail address or password is wrong."},
		{"/signup", "ADA@example.com", "correct horse", http.StatusConflict, "There is an account with this e-mail address already."},
		{"/signup", "bob@example.com", "short", http.StatusUnprocessableEntity, "Choose a password of 8 characters or more."},
		{"/signup", "Bob <bob@example.com>", "correct horse", http.StatusUnprocessableEntity, "That does not look like an e-mail address."},
	} {
		v := b.post(tt.path, "email", tt.email, "password", tt.password)
		if v.status != tt.status || !strings.Contains(v.text, tt.message) {
			t.Errorf("POST %s as %q = %d, want %d and %q", tt.path, tt.email, v.status, tt.status, tt.message)
		}
	}
	if got := summary(b.events()); !slices.Equal(got, []what{{"", "/", "", ""}}) {
		t.Errorf("events after the logout = %v, want the home page alone", got)
	}
}

func TestOnlyPagesAreCounted(t *testing.T) {
	_, _, base := serve(t)
	b := newBrowser(t, base)
	for _, tt := range []struct {
		path        string
		status      int
		contentType string
	}{
		{"/nope", 404, "text/html; charset=utf-8"},
		{"/account/", 404, "text/html; charset=utf-8"},
		{"/assets/style.css", 200, "text/css; charset=utf-8"},
		{"/assets/favicon.svg", 200, "image/svg+xml"},
		{"/assets/", 404, "text/html; charset=utf-8"},
		{"/assets/..%2fapp.go", 400, "text/plain; charset=utf-8"},
		{"/favicon.ico", 204, ""},
		{"/healthz", 200, "text/plain; charset=utf-8"},
	} {
		v := b.get(tt.path)
		if v.status != tt.status || v.header.Get("Content-Type") != tt.contentType || v.header.Get("Set-Cookie") != "" {
			t.Errorf("GET %s = %d %q, cookie %q; want %d %q and none", tt.path, v.status, v.header.Get("Content-Type"), v.header.Get("Set-Cookie"), tt.status, tt.contentType)
		}
	}
	if v := b.get("/account"); v.path != "/login" {
		t.Errorf("a stranger's /account ended on %s, want /login", v.path)
	}
	if got := summary(b.events()); !slices.Equal(got, []what{{"", "/login", "", ""}}) {
		t.Errorf("events = %v, want the login page alone", got)
	}
}

func TestVisitorsSeeTheirOwnEventsOnly(t *testing.T) {
	_, _, base := serve(t)
	newBrowser(t, base).get("/pricing")
	if events := newBrowser(t, base).events(); len(events) != 0 {
		t.Errorf("a fresh browser sees %v, want nothing", summary(events))
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	_, _, base := serve(t)
	r, err := http.NewRequestWithContext(t.Context(), "POST", base+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
		t.Errorf("logout from another site = %d, cookies %v; want 403 and none", res.StatusCode, res.Cookies())
	}
}

func TestRunWritesEveryEventBeforeItReturns(t *testing.T) {
	t.Setenv("LOGURO_KEY", "")
	dir := filepath.Join(t.TempDir(), "data")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, in, "127.0.0.1:0", dir, t.TempDir())
		in.Close()
		done <- err
	}()
	printed := bufio.NewScanner(out)
	address := ""
	for address == "" && printed.Scan() {
		if _, rest, ok := strings.Cut(printed.Text(), "Open http://"); ok {
			address, _, _ = strings.Cut(rest, "/")
		}
	}
	if address == "" {
		t.Fatalf("run() = %v and printed no address", <-done)
	}

	b := newBrowser(t, "http://"+address)
	b.get("/")
	b.post("/signup", "email", "ada@example.com", "password", "correct horse")
	b.post("/account/upgrade", "plan", "team")
	b.events()
	b.post("/logout")
	interrupt()
	var farewell strings.Builder
	for printed.Scan() {
		farewell.WriteString(printed.Text() + "\n")
	}
	if err := <-done; err != nil {
		t.Fatalf("run() = %v", err)
	}
	if got := farewell.String(); !strings.Contains(got, "Events written: 7, to "+dir) || !strings.Contains(got, "duckdb -c") {
		t.Errorf("last words = %q, want them to name 7 events and %s", got, dir)
	}

	type stored struct {
		Name  string `parquet:"custom_event_name,optional"`
		Path  string `parquet:"path,optional"`
		User  string `parquet:"user_id,optional"`
		Props string `parquet:"custom_props,optional"`
	}
	paths, err := filepath.Glob(filepath.Join(dir, "date=*", "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []stored
	for _, path := range paths {
		part, err := parquet.ReadFile[stored](path)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, part...)
	}
	for _, want := range []stored{
		{"", "/", "", ""},
		{"identify", "/signup", "user_1", `{"plan":"starter"}`},
		{"subscription_upgraded", "/account/upgrade", "user_1", `{"new_plan":"team","old_plan":"starter"}`},
		{"", "/events", "user_1", ""},
	} {
		if !slices.Contains(rows, want) {
			t.Errorf("the files lack %v; they have %v", want, rows)
		}
	}
	if len(rows) != 7 {
		t.Errorf("got %d rows in %d files, want 7", len(rows), len(paths))
	}
}
