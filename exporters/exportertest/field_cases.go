package exportertest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
)

// roundTrip exports the events as one batch and wants them back as they were.
func roundTrip(t *testing.T, s Store, events ...loguro.Event) error {
	if err := s.export(t.Context(), newBatch(events)); err != nil {
		return err
	}
	return s.holds(t, events...)
}

// fullEvent has a value in every field, no two of them the same.
func fullEvent() loguro.Event {
	return loguro.Event{
		ID: uuid.MustParse("0196cdf4-2b00-7000-8000-0123456789ab"), Type: event.Custom, Name: "subscription_upgraded",
		URL: "https://app.acme.com/billing?plan=pro&token=redacted", Path: "/billing",
		Visitor: uuid.MustParse("f47ac10b-58cc-4372-a567-0e02b2c3d479"),
		Session: uuid.MustParse("0b9f2d6e-7a44-4c1b-9d7a-2f4d8f3c1e55"),
		User:    "user_42", Props: json.RawMessage(`{"new_plan":"pro","old_plan":"starter"}`),
		Time:     time.Date(2026, 5, 14, 10, 0, 0, 123e6, time.UTC).UnixMilli(),
		Referrer: "https://www.example.org/search?q=billing", Title: "Billing – Acme", Route: "POST /billing",
		Status: 303, Duration: 17, Country: "CH", Region: "Zurich", City: "Winterthur",
		Browser: "samsung internet", OS: "android", Device: "mobile", Language: "de-CH",
		Channel: "organic search", ReferrerDomain: "example.org",
		UTMSource: "newsletter", UTMMedium: "email", UTMCampaign: "spring", UTMTerm: "plans", UTMContent: "button",
		Returning: true, Bot: "examplebot", Site: "app.acme.com",
	}
}

// bareEvent has only what every event has.
func bareEvent(n byte) loguro.Event {
	e := fullEvent()
	e.ID[15] = n
	return loguro.Event{ID: e.ID, Type: event.Pageview, Time: e.Time + int64(n)}
}

func everyField(t *testing.T, s Store) error { return roundTrip(t, s, fullEvent()) }

func emptyFields(t *testing.T, s Store) error {
	return roundTrip(t, s, bareEvent(1), fullEvent(), bareEvent(2))
}

func backgroundEvent(t *testing.T, s Store) error {
	background := bareEvent(1)
	background.Type, background.Name, background.User = event.Custom, "invoice_paid", "user_42"
	return roundTrip(t, s, background, fullEvent())
}

// A store that recognises repeated events by their content instead of their id would lose some of these.
func alikeEvents(t *testing.T, s Store) error {
	events := make([]loguro.Event, 10)
	for i := range events {
		events[i] = fullEvent()
		events[i].ID[15] = byte(i)
	}
	return roundTrip(t, s, events...)
}

func milliseconds(t *testing.T, s Store) error {
	var events []loguro.Event
	for i, ms := range []int64{0, 1, 9, 10, 99, 100, 499, 500, 501, 998, 999} {
		e := bareEvent(byte(i))
		e.Time = time.Date(2026, 3, 29, 1, 59, 59, 0, time.UTC).UnixMilli() + ms // a clock change in Europe follows
		events = append(events, e)
	}
	return roundTrip(t, s, events...)
}

func acrossMidnight(t *testing.T, s Store) error {
	midnight := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	var events []loguro.Event
	for i, offset := range []int64{-2, -1, 0, 1} {
		e := fullEvent()
		e.ID[15] = byte(i)
		e.Time = midnight + offset
		events = append(events, e)
	}
	batch := newBatch(events)
	for range 2 {
		if err := s.export(t.Context(), batch); err != nil {
			return err
		}
	}
	return s.holds(t, events...)
}

func anyScript(t *testing.T, s Store) error {
	texts := []string{
		"👩🏽‍🚀 🇨🇭 ☃️", "שלום, עולם", "مرحبا \u202Ebidi\u202C", "日本語 ｶﾅ", "e\u0301 é", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "\U0010FFFF \uFFFD \uFEFF",
		`quotes " ' \ / back`, "line\nfeed\r\ttab", "line\u2028separator", "null \x00 byte", "' OR 1=1; --", " spaces ",
		"NULL", "\\N", "0", strings.Repeat("ж", 4000),
	}
	var events []loguro.Event
	for i, text := range texts {
		e := fullEvent()
		e.ID[15] = byte(i)
		e.Name, e.User, e.Title, e.City, e.UTMCampaign, e.Path = text, text, text, text, text, "/"+text
		if len(text) < 100 {
			props, err := event.Props{text: text}.Marshal()
			if err != nil {
				return fmt.Errorf("props for %q: %w", text, err)
			}
			e.Props = props
		}
		events = append(events, e)
	}
	return roundTrip(t, s, events...)
}

func propsOfAnySize(t *testing.T, s Store) error {
	full := `{"text":"` + strings.Repeat("x", event.MaxProps-len(`{"text":""}`)) + `"}`
	var events []loguro.Event
	for i, props := range []string{
		"", `{}`, `{"a":null}`, `{"":""}`, full,
		`{"z":1,"a":{"b":{"c":[1,2,[3,{"d":[]}]]}},"m":[true,false,null]}`,
		`{"id":9007199254740993,"small":1e-9,"price":12.50,"negative":-0.1}`,
		strings.Repeat(`{"n":`, 30) + `1` + strings.Repeat(`}`, 30),
		`{"escaped":"\u0000\u001f\" \\ /","text":"ü 👍"}`,
	} {
		e := bareEvent(byte(i))
		e.Type, e.Name = event.Custom, "props"
		if props != "" {
			e.Props = json.RawMessage(props)
		}
		events = append(events, e)
	}
	return roundTrip(t, s, events...)
}
