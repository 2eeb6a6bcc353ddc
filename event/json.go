package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// timeLayout is RFC 3339 in UTC with exactly three digits of milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON writes the documented keys, in the documented order, and leaves the empty ones out. (On the value, not the
// pointer, so that an Event inside another struct or map is written like this as well.)
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// AppendJSON appends the event as one line of JSON without a line break. Text that is not valid UTF-8 gets U+FFFD.
// Unlike [json.Marshal] it does not write & < > as \u0026 \u003c \u003e, so that addresses stay readable.
func (e *Event) AppendJSON(b []byte) []byte {
	o := object{b: append(b, '{')}
	o.text("event_type", string(e.Type))
	o.text("custom_event_name", e.Name)
	o.text("url", e.URL)
	o.text("path", e.Path)
	o.id("visitor_id", e.Visitor)
	o.id("session_id", e.Session)
	o.text("user_id", e.User)
	if len(e.Props) > 0 {
		o.key("custom_props")
		o.b = append(o.b, e.Props...)
	}
	o.key("timestamp")
	o.b = append(o.b, '"')
	o.b = e.Timestamp().AppendFormat(o.b, timeLayout)
	o.b = append(o.b, '"')

	o.id("event_id", e.ID)
	o.text("referrer", e.Referrer)
	o.text("title", e.Title)
	o.text("route", e.Route)
	o.number("status", int64(e.Status))
	o.number("duration_ms", e.Duration)
	o.text("country", e.Country)
	o.text("region", e.Region)
	o.text("city", e.City)
	o.text("browser", e.Browser)
	o.text("os", e.OS)
	o.text("device", e.Device)
	o.text("language", e.Language)
	o.text("channel", e.Channel)
	o.text("referrer_domain", e.ReferrerDomain)
	o.text("utm_source", e.UTMSource)
	o.text("utm_medium", e.UTMMedium)
	o.text("utm_campaign", e.UTMCampaign)
	o.text("utm_term", e.UTMTerm)
	o.text("utm_content", e.UTMContent)
	if e.Returning {
		o.key("returning")
		o.b = append(o.b, "true"...)
	}
	o.text("bot", e.Bot)
	o.text("site", e.Site)
	return append(o.b, '}')
}

// object appends the members of a JSON object; empty values are left out.
type object struct {
	b    []byte
	more bool
}

func (o *object) key(k string) {
	if o.more {
		o.b = append(o.b, ',')
	}
	o.more = true
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(k, v string) {
	if v != "" {
		o.key(k)
		o.b = appendString(o.b, v)
	}
}

func (o *object) id(k string, v uuid.UUID) {
	if v != uuid.Nil {
		o.key(k)
		o.b = append(o.b, '"')
		o.b = appendUUID(o.b, v)
		o.b = append(o.b, '"')
	}
}

func (o *object) number(k string, v int64) {
	if v != 0 {
		o.key(k)
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}

func appendUUID(b []byte, v uuid.UUID) []byte {
	for i, c := range v {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

const hex = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259, section 7). U+2028 and U+2029 are escaped, so that the line
// may stand in JavaScript as well.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
			b = append(b, s[from:i]...)
			b = append(b, `\u`...)
			b = append(b, hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
			i += size
			from = i
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i += size
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// wire mirrors the JSON for reading; writing is by hand because it is on the path of every event.
type wire struct {
	Type           Type            `json:"event_type"`
	Name           string          `json:"custom_event_name"`
	URL            string          `json:"url"`
	Path           string          `json:"path"`
	Visitor        uuid.UUID       `json:"visitor_id"`
	Session        uuid.UUID       `json:"session_id"`
	User           string          `json:"user_id"`
	Props          json.RawMessage `json:"custom_props"`
	Timestamp      time.Time       `json:"timestamp"`
	ID             uuid.UUID       `json:"event_id"`
	Referrer       string          `json:"referrer"`
	Title          string          `json:"title"`
	Route          string          `json:"route"`
	Status         int             `json:"status"`
	Duration       int64           `json:"duration_ms"`
	Country        string          `json:"country"`
	Region         string          `json:"region"`
	City           string          `json:"city"`
	Browser        string          `json:"browser"`
	OS             string          `json:"os"`
	Device         string          `json:"device"`
	Language       string          `json:"language"`
	Channel        string          `json:"channel"`
	ReferrerDomain string          `json:"referrer_domain"`
	UTMSource      string          `json:"utm_source"`
	UTMMedium      string          `json:"utm_medium"`
	UTMCampaign    string          `json:"utm_campaign"`
	UTMTerm        string          `json:"utm_term"`
	UTMContent     string          `json:"utm_content"`
	Returning      bool            `json:"returning"`
	Bot            string          `json:"bot"`
	Site           string          `json:"site"`
}

// UnmarshalJSON reads what MarshalJSON wrote. It refuses an unknown event_type, a missing timestamp, and
// custom_props that are not an object or over MaxProps bytes; keys that it does not know are passed over.
func (e *Event) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("parse event: %w", err)
	}
	if w.Type != Pageview && w.Type != Custom {
		return fmt.Errorf("parse event: event_type is %q, want %q or %q", w.Type, Pageview, Custom)
	}
	if w.Timestamp.IsZero() {
		return errors.New("parse event: timestamp is missing")
	}
	if y := w.Timestamp.UTC().Year(); y < 0 || y > 9999 {
		return fmt.Errorf("parse event: timestamp is in the year %d, want 0 to 9999", y)
	}
	props, err := compactProps(w.Props)
	if err != nil {
		return fmt.Errorf("parse event: %w", err)
	}
	*e = Event{
		ID: w.ID, Type: w.Type, Name: w.Name, URL: w.URL, Path: w.Path,
		Visitor: w.Visitor, Session: w.Session, User: w.User, Props: props, Time: w.Timestamp.UnixMilli(),
		Referrer: w.Referrer, Title: w.Title, Route: w.Route, Status: w.Status, Duration: w.Duration,
		Country: w.Country, Region: w.Region, City: w.City, Browser: w.Browser, OS: w.OS, Device: w.Device,
		Language: w.Language, Channel: w.Channel, ReferrerDomain: w.ReferrerDomain,
		UTMSource: w.UTMSource, UTMMedium: w.UTMMedium, UTMCampaign: w.UTMCampaign, UTMTerm: w.UTMTerm,
		UTMContent: w.UTMContent, Returning: w.Returning, Bot: w.Bot, Site: w.Site,
	}
	return nil
}

// compactProps checks props that come from outside, and drops the white space between their tokens.
func compactProps(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if raw[0] != '{' {
		return nil, errors.New("custom_props are not a JSON object")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, err
	}
	if out.Len() > MaxProps {
		return nil, fmt.Errorf("%w: %d bytes", ErrPropsTooLarge, out.Len())
	}
	return out.Bytes(), nil
}
