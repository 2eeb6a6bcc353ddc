package parquetexporter

import (
	"bytes"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
	"github.com/parquet-go/parquet-go"
)

// column is one column of a file: its type, and what an event has in it. The null Value means NULL.
//
// Columns are written by hand instead of through a struct with tags: parquet-go up to 0.32 writes some empty fields of
// a struct as zero values instead of NULL (its issue 154), and has changed its mind about which between versions.
type column struct {
	name  string
	node  parquet.Node
	value func(e *loguro.Event) parquet.Value
}

// columns are the keys of an event's JSON, in its order. An optional column is NULL where the JSON leaves the key out.
//
// Dictionaries are on every column whose values repeat within a file: not on event_id, which compression makes no
// smaller either, nor on custom_props.
var columns = []column{
	{"event_type", dict(parquet.String()), func(e *loguro.Event) parquet.Value { return bytesValue(mended(string(e.Type))) }},
	text("custom_event_name", func(e *loguro.Event) string { return e.Name }),
	text("url", func(e *loguro.Event) string { return e.URL }),
	text("path", func(e *loguro.Event) string { return e.Path }),
	optionalID("visitor_id", func(e *loguro.Event) *uuid.UUID { return &e.Visitor }),
	optionalID("session_id", func(e *loguro.Event) *uuid.UUID { return &e.Session }),
	text("user_id", func(e *loguro.Event) string { return e.User }),
	{"custom_props", parquet.Optional(parquet.JSON()), props},
	{"timestamp", parquet.Encoded(parquet.Timestamp(parquet.Millisecond), &parquet.DeltaBinaryPacked),
		func(e *loguro.Event) parquet.Value { return parquet.Int64Value(e.Time) }},
	{"event_id", parquet.Compressed(parquet.UUID(), &parquet.Uncompressed),
		func(e *loguro.Event) parquet.Value { return parquet.FixedLenByteArrayValue(e.ID[:]) }},
	text("referrer", func(e *loguro.Event) string { return e.Referrer }),
	text("title", func(e *loguro.Event) string { return e.Title }),
	text("route", func(e *loguro.Event) string { return e.Route }),
	{"status", parquet.Optional(dict(parquet.Int(32))), status},
	{"duration_ms", parquet.Optional(dict(parquet.Int(64))), duration},
	text("country", func(e *loguro.Event) string { return e.Country }),
	text("region", func(e *loguro.Event) string { return e.Region }),
	text("city", func(e *loguro.Event) string { return e.City }),
	text("browser", func(e *loguro.Event) string { return e.Browser }),
	text("os", func(e *loguro.Event) string { return e.OS }),
	text("device", func(e *loguro.Event) string { return e.Device }),
	text("language", func(e *loguro.Event) string { return e.Language }),
	text("channel", func(e *loguro.Event) string { return e.Channel }),
	text("referrer_domain", func(e *loguro.Event) string { return e.ReferrerDomain }),
	text("utm_source", func(e *loguro.Event) string { return e.UTMSource }),
	text("utm_medium", func(e *loguro.Event) string { return e.UTMMedium }),
	text("utm_campaign", func(e *loguro.Event) string { return e.UTMCampaign }),
	text("utm_term", func(e *loguro.Event) string { return e.UTMTerm }),
	text("utm_content", func(e *loguro.Event) string { return e.UTMContent }),
	{"returning", parquet.Leaf(parquet.BooleanType), func(e *loguro.Event) parquet.Value { return parquet.BooleanValue(e.Returning) }},
	text("bot", func(e *loguro.Event) string { return e.Bot }),
	text("site", func(e *loguro.Event) string { return e.Site }),
}

func dict(node parquet.Node) parquet.Node { return parquet.Encoded(node, &parquet.RLEDictionary) }

func text(name string, get func(*loguro.Event) string) column {
	return column{name, parquet.Optional(dict(parquet.String())), func(e *loguro.Event) parquet.Value {
		s := get(e)
		if s == "" {
			return parquet.NullValue()
		}
		return bytesValue(mended(s))
	}}
}

func optionalID(name string, get func(*loguro.Event) *uuid.UUID) column {
	return column{name, parquet.Optional(dict(parquet.UUID())), func(e *loguro.Event) parquet.Value {
		id := get(e)
		if *id == uuid.Nil {
			return parquet.NullValue()
		}
		return parquet.FixedLenByteArrayValue(id[:])
	}}
}

func props(e *loguro.Event) parquet.Value {
	switch {
	case len(e.Props) == 0:
		return parquet.NullValue()
	case utf8.Valid(e.Props):
		return parquet.ByteArrayValue(e.Props)
	default:
		return parquet.ByteArrayValue(bytes.ToValidUTF8(e.Props, []byte("\uFFFD")))
	}
}

func status(e *loguro.Event) parquet.Value {
	if e.Status == 0 {
		return parquet.NullValue()
	}
	return parquet.Int32Value(int32(e.Status))
}

func duration(e *loguro.Event) parquet.Value {
	if e.Duration == 0 {
		return parquet.NullValue()
	}
	return parquet.Int64Value(e.Duration)
}

// mended makes text UTF-8, as the event's JSON does: one bad byte would make readers refuse the whole file.
func mended(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// bytesValue borrows the bytes of s instead of copying them. The writer copies what it keeps and changes nothing.
func bytesValue(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}
