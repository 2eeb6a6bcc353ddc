package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
)

// quickstart is the example program, built and run as a newcomer does.
type quickstart struct {
	*process
	address string // "http://127.0.0.1:…"
	dir     string // of the Parquet files
}

func startQuickstart(t *testing.T) *quickstart {
	t.Helper()
	program := filepath.Join(t.TempDir(), "quickstart")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/quickstart")
	build.Dir = ".." // the program of the main module, with the versions that its go.mod names
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./examples/quickstart: %v\n%s", err, out)
	}
	q := &quickstart{dir: t.TempDir()}
	q.process = start(t, program, "-addr", "127.0.0.1:0", "-dir", q.dir, "-spool", t.TempDir())
	q.address = q.find(`(http://127\.0\.0\.1:\d+)/`)[1]
	return q
}

// enter fills the form of the sign-up or login page that the tab shows.
func (b *tab) enter(email, submit string) {
	b.t.Helper()
	b.fill("input[name=email]", email)
	b.fill("input[name=password]", "correct horse battery staple")
	b.click(submit)
}

// A walk through the whole example with a browser that runs no script; then Ctrl-C, and the Parquet files tell what
// happened.
func TestTheQuickstartInABrowserWithoutJavaScript(t *testing.T) {
	q := startQuickstart(t)
	w := newWindow(t)
	home := q.address + "/"

	w.tab.open(home)
	first := checkCookies(t, w)
	w.tab.open(q.address + "/pricing")
	if second := checkCookies(t, w); second["loguro_v"].Value != first["loguro_v"].Value {
		t.Error("the second page changed the visitor cookie")
	}
	w.tab.click("a[href='/signup']")
	w.tab.enter("ada@example.com", "#signup-submit")
	w.tab.click("#upgrade")

	second := w.newTab()
	second.open(home)
	second.open(q.address + "/pricing")

	w.tab.open(q.address + "/events")
	shown := shownEvents(t, w.tab)
	w.tab.click("#logout")
	if after := checkCookies(t, w); after["loguro_v"].Value == first["loguro_v"].Value {
		t.Error("after the logout the visitor cookie is the same")
	}

	w.tab.click("a[href='/signup']")
	w.tab.enter("grace@example.com", "#signup-submit")
	w.tab.click("#logout")
	w.tab.click("a[href='/login']")
	w.tab.enter("ada@example.com", "#login-submit")

	private := newWindow(t)
	private.tab.open(home)

	q.interrupt()
	d := openWarehouse(t, q.dir)
	story := d.rows(`SELECT coalesce(custom_event_name, event_type), path, coalesce(user_id, '-'),
		visitor_id::VARCHAR, session_id::VARCHAR FROM events ORDER BY timestamp, event_id`)
	got := nameIDs(story)
	want := []string{
		// a fresh browser
		"pageview / - visitor1 session1",
		"pageview /pricing - visitor1 session1",
		"pageview /signup - visitor1 session1",
		// the sign-up: from here on the user, on the same visitor
		"identify /signup user_1 visitor1 session1",
		"pageview /account user_1 visitor1 session1",
		"subscription_upgraded /account/upgrade user_1 visitor1 session1",
		"pageview /account user_1 visitor1 session1",
		// a second tab is no second session
		"pageview / user_1 visitor1 session1",
		"pageview /pricing user_1 visitor1 session1",
		"pageview /events user_1 visitor1 session1",
		// after the logout: somebody new
		"pageview / - visitor2 session2",
		"pageview /signup - visitor2 session2",
		"identify /signup user_2 visitor2 session2",
		"pageview /account user_2 visitor2 session2",
		// and again: who logs in a second time is the user of before, on a new visitor
		"pageview / - visitor3 session3",
		"pageview /login - visitor3 session3",
		"identify /login user_1 visitor3 session3",
		"pageview /account user_1 visitor3 session3",
		// a private window
		"pageview / - visitor4 session4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the files tell\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if doubles := d.rows("SELECT session_id::VARCHAR FROM events GROUP BY 1 HAVING count(DISTINCT user_id) > 1 OR count(DISTINCT visitor_id) > 1"); len(doubles) > 0 {
		t.Errorf("sessions %v are of several people", doubles)
	}
	if said := q.find(`Events written: (\d+)`)[1]; said != fmt.Sprint(len(want)) {
		t.Errorf("after Ctrl-C the program speaks of %s events, want %d", said, len(want))
	}
	checkShown(t, d, shown)
}

// checkCookies wants the visitor's cookies as documented for plain HTTP, and returns them.
func checkCookies(t *testing.T, w *window) map[string]*network.Cookie {
	t.Helper()
	cookies := w.cookies("127.0.0.1") // without a leading dot: of this host only
	if got := names(cookies); got != "loguro_v loguro_s" {
		t.Fatalf("the browser keeps %q, want loguro_v loguro_s", got)
	}
	for _, name := range []string{"loguro_v", "loguro_s"} {
		c := cookies[name]
		if !c.HTTPOnly || c.Secure || c.SameSite != network.CookieSameSiteLax || c.Path != "/" {
			t.Errorf("%s: HttpOnly %v, Secure %v, SameSite %q, Path %q; want HttpOnly, Lax, / and, over plain HTTP, not Secure",
				name, c.HTTPOnly, c.Secure, c.SameSite, c.Path)
		}
		year := time.Until(time.UnixMilli(int64(c.Expires * 1000)))
		if off := year - 365*24*time.Hour; off.Abs() > time.Minute {
			t.Errorf("%s expires in %v, want a year", name, year)
		}
	}
	return cookies
}

// shownEvents are the events that the page /events shows as JSON, one a line.
func shownEvents(t *testing.T, b *tab) []record {
	t.Helper()
	text := b.source("#json")
	text = text[strings.Index(text, ">")+1 : strings.LastIndex(text, "<")]
	var events []record
	for line := range strings.Lines(html.UnescapeString(text)) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("the page shows %q: %v", line, err)
		}
		events = append(events, r)
	}
	return events
}

// checkShown wants what the page showed in the files as well.
func checkShown(t *testing.T, d *warehouse, shown []record) {
	t.Helper()
	if len(shown) != 9 {
		t.Errorf("the page /events showed %d events, want the 9 before it", len(shown))
	}
	stored := d.stored()
	for _, e := range shown {
		in := stored[fmt.Sprint(e["event_id"])]
		for _, key := range []string{"event_type", "custom_event_name", "url", "visitor_id", "session_id", "user_id"} {
			if in[key] != e[key] {
				t.Errorf("the page showed %s = %v, the file has %v", key, e[key], in[key])
			}
		}
	}
}
