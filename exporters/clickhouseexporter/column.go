package clickhouseexporter

import (
	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

// column is one column of the table, and where its values come from: one of the functions is set.
type column struct {
	key   string // as in the event's JSON; the column is named so unless Options.Columns says otherwise
	sql   string // its type in a table that we make
	codec string // in a table that we make, if it is not defaultCodec

	text   func(*loguro.Event) string
	id     func(*loguro.Event) uuid.UUID
	number func(*loguro.Event) int64
	flag   func(*loguro.Event) bool
	millis func(*loguro.Event) int64
	props  bool
}

const (
	words = "LowCardinality(String)" // some thousands of different values at most
	text  = "String"

	// defaultCodec takes a tenth off the server's own, LZ4, and is as fast to query.
	defaultCodec = "ZSTD(1)"
)

// columns are in the order of the event's JSON. Nothing is Nullable, which costs a second file per column and makes
// queries slower: what is not known is empty, zero, or the UUID of zeros.
var columns = []column{
	{key: "event_type", sql: words, text: func(e *loguro.Event) string { return string(e.Type) }},
	{key: "custom_event_name", sql: words, text: func(e *loguro.Event) string { return e.Name }},
	{key: "url", sql: text, text: func(e *loguro.Event) string { return e.URL }},
	{key: "path", sql: text, text: func(e *loguro.Event) string { return e.Path }},
	{key: "visitor_id", sql: "UUID", id: func(e *loguro.Event) uuid.UUID { return e.Visitor }},
	{key: "session_id", sql: "UUID", id: func(e *loguro.Event) uuid.UUID { return e.Session }},
	{key: "user_id", sql: text, text: func(e *loguro.Event) string { return e.User }},
	{key: "custom_props", sql: text, props: true},
	{key: "timestamp", sql: "DateTime64(3, 'UTC')", codec: "Delta, ZSTD(1)", millis: func(e *loguro.Event) int64 { return e.Time }},
	{key: "event_id", sql: "UUID", id: func(e *loguro.Event) uuid.UUID { return e.ID }},
	{key: "referrer", sql: text, text: func(e *loguro.Event) string { return e.Referrer }},
	{key: "title", sql: text, text: func(e *loguro.Event) string { return e.Title }},
	{key: "route", sql: words, text: func(e *loguro.Event) string { return e.Route }},
	{key: "status", sql: "UInt16", number: func(e *loguro.Event) int64 { return int64(e.Status) }},
	{key: "duration_ms", sql: "UInt32", number: func(e *loguro.Event) int64 { return e.Duration }},
	{key: "country", sql: words, text: func(e *loguro.Event) string { return e.Country }},
	{key: "region", sql: words, text: func(e *loguro.Event) string { return e.Region }},
	{key: "city", sql: words, text: func(e *loguro.Event) string { return e.City }},
	{key: "browser", sql: words, text: func(e *loguro.Event) string { return e.Browser }},
	{key: "os", sql: words, text: func(e *loguro.Event) string { return e.OS }},
	{key: "device", sql: words, text: func(e *loguro.Event) string { return e.Device }},
	{key: "language", sql: words, text: func(e *loguro.Event) string { return e.Language }},
	{key: "channel", sql: words, text: func(e *loguro.Event) string { return e.Channel }},
	{key: "referrer_domain", sql: words, text: func(e *loguro.Event) string { return e.ReferrerDomain }},
	{key: "utm_source", sql: words, text: func(e *loguro.Event) string { return e.UTMSource }},
	{key: "utm_medium", sql: words, text: func(e *loguro.Event) string { return e.UTMMedium }},
	{key: "utm_campaign", sql: words, text: func(e *loguro.Event) string { return e.UTMCampaign }},
	{key: "utm_term", sql: words, text: func(e *loguro.Event) string { return e.UTMTerm }},
	{key: "utm_content", sql: words, text: func(e *loguro.Event) string { return e.UTMContent }},
	{key: "returning", sql: "Bool", flag: func(e *loguro.Event) bool { return e.Returning }},
	{key: "bot", sql: words, text: func(e *loguro.Event) string { return e.Bot }},
	{key: "site", sql: words, text: func(e *loguro.Event) string { return e.Site }},
}
