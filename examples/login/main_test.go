package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
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

// visit sends a GET, or a POST if there is a form, and returns status and body of the page that it ends on.
func (b *browser) visit(path string, form url.Values) (int, string) {
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
	return res.StatusCode, string(text)
}

func (b *browser) logIn(email, password string) (int, string) {
	b.t.Helper()
	return b.visit("/login", url.Values{"email": {email}, "password": {password}})
}

func TestEventsFollowLoginAndLogout(t *testing.T) {
	recorder := new(exportertest.Recorder)
	site, tracker, err := newSite(recorder, bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site)
	defer server.Close()
	b := newBrowser(t, server.URL)

	b.visit("/", nil)
	if status, text := b.logIn("ada@example.com", "wrong"); status != http.StatusUnauthorized || !strings.Contains(text, "is wrong") {
		t.Errorf("login with a wrong password = %d, %q; want 401 and a message", status, text)
	}
	if _, text := b.logIn("ada@example.com", "lovelace"); !strings.Contains(text, "user_1") {
		t.Errorf("page after login = %q, want it to greet user_1", text)
	}
	if _, text := b.visit("/logout", url.Values{}); !strings.Contains(text, "Please log in") {
		t.Errorf("page after logout = %q, want the login form", text)
	}
	b.logIn("bob@example.com", "builders")
	if err := tracker.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	events := recorder.Events()
	want := []struct {
		name, user string
		visitor    int // browsers in the order in which they appear
	}{
		{"", "", 0},
		{"identify", "user_1", 0},
		{"", "user_1", 0},
		{"", "", 1},
		{"identify", "user_2", 1},
		{"", "user_2", 1},
	}
	if len(events) != len(want) {
		t.Fatalf("got %d events, want %d: %v", len(events), len(want), lines(events))
	}
	visitors := []uuid.UUID{events[0].Visitor, events[3].Visitor}
	if visitors[0] == visitors[1] {
		t.Errorf("visitor after logout = %v, the same as before", visitors[1])
	}
	for i, w := range want {
		if e := events[i]; e.Name != w.name || e.User != w.user || e.Visitor != visitors[w.visitor] {
			t.Errorf("event %d = %q of user %q, visitor %v; want %q, %q, %v", i, e.Name, e.User, e.Visitor, w.name, w.user, visitors[w.visitor])
		}
	}
}

func TestLoginRenewsTheSessionToken(t *testing.T) {
	site, tracker, err := newSite(new(exportertest.Recorder), bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Shutdown(t.Context())
	server := httptest.NewServer(site)
	defer server.Close()
	b := newBrowser(t, server.URL)
	home, _ := url.Parse(server.URL)
	token := func() string {
		for _, c := range b.client.Jar.Cookies(home) {
			if c.Name == "session" {
				return c.Value
			}
		}
		return ""
	}

	b.logIn("ada@example.com", "lovelace")
	first := token()
	b.logIn("bob@example.com", "builders")
	if second := token(); first == "" || second == "" || first == second {
		t.Errorf("session tokens of two logins = %q, %q; want two different ones", first, second)
	}
	b.visit("/logout", url.Values{})
	if left := token(); left != "" {
		t.Errorf("session token after logout = %q, want none", left)
	}
}

func TestRunWritesEveryEventBeforeItReturns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, in, "127.0.0.1:0", dir)
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

	b := newBrowser(t, "http://"+host)
	b.visit("/", nil)
	b.logIn("ada@example.com", "lovelace")
	interrupt()
	end, _ := io.ReadAll(printed)
	if err := <-done; err != nil {
		t.Fatalf("run() = %v", err)
	}
	if !strings.HasPrefix(string(end), "Events written: 3, ") {
		t.Errorf("last words = %q, want them to name 3 events", end)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*", "*.parquet"))
	rows := 0
	for _, path := range paths {
		events, err := parquet.ReadFile[struct {
			UserID string `parquet:"user_id,optional"`
		}](path)
		if err != nil {
			t.Fatal(err)
		}
		rows += len(events)
	}
	if rows != 3 {
		t.Errorf("got %d rows in %d files, want 3", rows, len(paths))
	}
}

func lines(events []loguro.Event) string {
	var b []byte
	for _, e := range events {
		b = append(e.AppendJSON(b), '\n')
	}
	return string(b)
}
