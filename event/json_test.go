package event_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

var (
	visitor = uuid.MustParse("0b7d3f5e-58a1-4f0e-9d0c-5a7a2e6f1c11")
	session = uuid.MustParse("7f1c2b34-9a8b-4c5d-8e6f-0123456789ab")
	id      = uuid.MustParse("019e2b1c-6a00-7000-8000-000000000001")
	moment  = time.Date(2026, 5, 14, 10, 0, 0, 0, time.UTC).UnixMilli()
)

func TestTheDocumentedEventIsByteForByteAsDocumented(t *testing.T) {
	e := event.Event{
		Type: event.Custom, Name: "subscription_upgraded", URL: "https://app.acme.com/billing", Path: "/billing",
		Visitor: visitor, Session: session, User: "user_42",
		Props: json.RawMessage(`{"new_plan":"pro","old_plan":"starter"}`), Time: moment,
	}
	want := `{"event_type":"custom","custom_event_name":"subscription_upgraded","url":"https://app.acme.com/billing",` +
		`"path":"/billing","visitor_id":"0b7d3f5e-58a1-4f0e-9d0c-5a7a2e6f1c11","session_id":"7f1c2b34-9a8b-4c5d-8e6f-0123456789ab","user_id":"user_42",` +
		`"custom_props":{"new_plan":"pro","old_plan":"starter"},"timestamp":"2026-05-14T10:00:00.000Z"}`
	if got := string(e.AppendJSON(nil)); got != want {
		t.Errorf("AppendJSON() =\n%s, want\n%s", got, want)
	}
	for _, v := range []any{e, &e} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("json.Marshal(%T) = %s, %v", v, got, err)
		}
	}
	e.User, e.Props, e.Name, e.Type = "", nil, "", event.Pageview
	if got := string(e.AppendJSON(nil)); strings.Contains(got, "user_id") || strings.Contains(got, "custom") {
		t.Errorf("empty keys are written: %s", got)
	}
}

// full has every field set; a field that is added to Event and forgotten here fails the test below.
var full = event.Event{
	ID: id, Type: event.Custom, Name: "x", URL: "u", Path: "p", Visitor: visitor, Session: session, User: "me",
	Props: json.RawMessage(`{"a":[1,"ü"]}`), Time: moment + 7, Referrer: "r", Title: "t", Route: "GET /{$}", Status: 200, Duration: 12,
	Country: "CH", Region: "Zürich", City: "Zürich", Browser: "chrome", OS: "macos", Device: "mobile", Language: "de-CH",
	Channel: "direct", ReferrerDomain: "d", UTMSource: "s", UTMMedium: "m", UTMCampaign: "c", UTMTerm: "te", UTMContent: "co",
	Returning: true, Bot: "b", Site: "main",
}

func TestEveryFieldSurvivesTheWayThroughJSON(t *testing.T) {
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves Event.%s out", v.Type().Field(i).Name)
		}
	}
	line := full.AppendJSON(nil)
	var got event.Event
	if err := json.Unmarshal(line, &got); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("Unmarshal(%s) =\n%+v, %v, want\n%+v", line, got, err, full)
	}
}

func TestKeysComeInTheDocumentedOrder(t *testing.T) {
	want := strings.Fields(`event_type custom_event_name url path visitor_id session_id user_id custom_props timestamp event_id
		referrer title route status duration_ms country region city browser os device language channel referrer_domain
		utm_source utm_medium utm_campaign utm_term utm_content returning bot site`)
	dec := json.NewDecoder(bytes.NewReader(full.AppendJSON(nil)))
	var got []string
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			continue
		}
		if depth == 1 {
			got = append(got, token.(string))
			var value json.RawMessage
			dec.Decode(&value)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("keys = %v, want %v", got, want)
	}
}

func TestStringsAreJSONWhateverTheyHold(t *testing.T) {
	for _, s := range []string{"", "plain", `"\/`, "\x00\x1f\x7f", "tab\tline\nreturn\r", "𝄞 é 日本", "\xff\xfe", "half \xe2\x82", "\u2028\u2029", "<a href=\"?a=1&b=2\">"} {
		e := event.Event{Type: event.Pageview, Time: moment, Title: "t" + s}
		line := e.AppendJSON(nil)
		var got event.Event
		if err := json.Unmarshal(line, &got); err != nil || got.Title != strings.ToValidUTF8(e.Title, "\uFFFD") && utf8.ValidString(e.Title) {
			t.Errorf("title %q came back as %q, %v", e.Title, got.Title, err)
		}
		if !utf8.Valid(line) || bytes.ContainsAny(line, "\n\r") {
			t.Errorf("title %q gives a line that is none: %q", s, line)
		}
	}
}

func TestUnmarshalRefusesWhatIsNoEvent(t *testing.T) {
	const at = `"timestamp":"2026-05-14T10:00:00.000Z"`
	for _, in := range []string{
		`{}`, `null`, `[]`, `{"event_type":"view",` + at + `}`, `{"event_type":"pageview"}`,
		`{"event_type":"pageview","timestamp":"yesterday"}`, `{"event_type":"custom","custom_props":[1],` + at + `}`,
		`{"event_type":"custom","visitor_id":"x",` + at + `}`,
		`{"event_type":"custom","custom_props":{"k":"` + strings.Repeat("x", 4096) + `"},` + at + `}`,
	} {
		var e event.Event
		if err := e.UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("Unmarshal(%.80s) = nil, want an error", in)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add(full.AppendJSON(nil))
	f.Add([]byte(`{"event_type":"pageview","timestamp":"0000-01-01T00:00:00.0001+14:00","custom_props":{ }}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var e event.Event
		if json.Unmarshal(in, &e) != nil {
			return
		}
		line := e.AppendJSON(nil)
		var again event.Event
		if err := json.Unmarshal(line, &again); err != nil {
			t.Fatalf("%q was read, written as %q, and then: %v", in, line, err)
		}
		if second := again.AppendJSON(nil); !bytes.Equal(line, second) {
			t.Fatalf("%q was written as %q, then as %q", in, line, second)
		}
	})
}
