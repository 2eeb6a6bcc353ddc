package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/loguro/loguro"
)

// browser keeps cookies, and shows pages as a person's would: it sends forms and follows redirects.
type browser struct {
	t      *testing.T
	client http.Client
	base   string
}

// view is the page that a visit ended on.
type view struct {
	status int
	path   string
	header http.Header
	text   string
}

func newBrowser(t *testing.T, base string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: http.Client{Jar: jar}, base: base}
}

func (b *browser) get(path string) view {
	b.t.Helper()
	return b.send("GET", path, nil)
}

// post sends a form; fields are names and values by turns.
func (b *browser) post(path string, fields ...string) view {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.send("POST", path, strings.NewReader(form.Encode()))
}

func (b *browser) send(method, path string, body io.Reader) view {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.base)
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
	return view{res.StatusCode, res.Request.URL.Path, res.Header, string(text)}
}

// events reads the page /events, oldest first.
func (b *browser) events() []loguro.Event {
	b.t.Helper()
	text := b.get("/events").text
	_, text, found := strings.Cut(text, `<pre id="json" tabindex="0">`)
	text, _, _ = strings.Cut(text, "</pre>")
	if !found {
		b.t.Fatal("/events has no JSON")
	}
	var events []loguro.Event
	for line := range strings.Lines(html.UnescapeString(text)) {
		var e loguro.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			b.t.Fatalf("line %q: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}
