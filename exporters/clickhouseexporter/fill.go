package clickhouseexporter

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

// filler makes the values of a column for a block of events: a slice of the type that the driver takes for the column,
// valid until the column's scratch is used again.
type filler func([]loguro.Event, *scratch) any

// scratch is what a column needs again and again.
type scratch struct {
	values, pointers any // slices
	boxes            map[string]any
}

// buffer returns room for n values in a field of scratch. They are those of before.
func buffer[T any](room *any, n int) []T {
	b, _ := (*room).([]T)
	if cap(b) < n {
		b = make([]T, n, max(n, blockRows))
		*room = b
	}
	return b[:n]
}

var noText any = ""

// maxBoxes bounds what is kept for a column of few different values that has many all the same.
const maxBoxes = 1 << 14

// box returns the text as an interface value, and allocates it only once.
func (s *scratch) box(text string) any {
	if text == "" { // half of all values
		return noText
	}
	if boxed, ok := s.boxes[text]; ok {
		return boxed
	}
	if s.boxes == nil || len(s.boxes) >= maxBoxes {
		s.boxes = map[string]any{}
	}
	text = strings.Clone(text) // a part would keep the whole event
	var boxed any = text
	s.boxes[text] = boxed
	return boxed
}

// filler returns how to write a column's values as the type; nil if it cannot hold them.
func (c column) filler(typ string) filler {
	if typ == "MATERIALIZED" || typ == "ALIAS" {
		return nil
	}
	base, nullable, low := unwrap(typ)
	switch {
	case c.props:
		return propsFiller(base, nullable)
	case c.text != nil:
		if base != "String" && !strings.HasPrefix(base, "FixedString(") && !strings.HasPrefix(base, "Enum") {
			return nil
		}
		return fillText(c.text, nullable, low)
	case c.id != nil:
		switch base {
		case "UUID":
			return fillValues(c.id, nullable, func(id uuid.UUID) (uuid.UUID, bool) { return id, id != uuid.Nil })
		case "String", "FixedString(36)":
			return fillText(func(e *loguro.Event) string {
				if id := c.id(e); id != uuid.Nil {
					return id.String()
				}
				return ""
			}, nullable, low)
		}
	case c.millis != nil:
		switch {
		case base == "DateTime" || strings.HasPrefix(base, "DateTime(") || strings.HasPrefix(base, "DateTime64("):
			return fillValues(c.millis, nullable, func(ms int64) (time.Time, bool) { return time.UnixMilli(ms).UTC(), true })
		case base == "Int64" || base == "UInt64":
			return numberFiller(base, c.millis, nullable)
		case base == "String":
			return fillText(func(e *loguro.Event) string { return e.Timestamp().Format("2006-01-02 15:04:05.000") }, nullable, low)
		}
	case c.number != nil:
		return numberFiller(base, c.number, nullable)
	case c.flag != nil:
		if base == "Bool" {
			return fillValues(c.flag, nullable, func(v bool) (bool, bool) { return v, true })
		}
		return numberFiller(base, func(e *loguro.Event) int64 {
			if c.flag(e) {
				return 1
			}
			return 0
		}, false)
	}
	return nil
}

// unwrap takes LowCardinality and Nullable off a type.
func unwrap(typ string) (base string, nullable, low bool) {
	if inner, ok := strings.CutPrefix(typ, "LowCardinality("); ok {
		typ, low = strings.TrimSuffix(inner, ")"), true
	}
	if inner, ok := strings.CutPrefix(typ, "Nullable("); ok {
		typ, nullable = strings.TrimSuffix(inner, ")"), true
	}
	return typ, nullable, low
}

func fillText(get func(*loguro.Event) string, nullable, low bool) filler {
	if low {
		// The driver takes each value of such a column as an interface, and pointers for different values even if they
		// point to the same.
		return func(events []loguro.Event, s *scratch) any {
			values := buffer[any](&s.values, len(events))
			for i := range events {
				if v := get(&events[i]); v == "" && nullable {
					values[i] = nil
				} else {
					values[i] = s.box(v)
				}
			}
			return values
		}
	}
	return fillValues(get, nullable, func(v string) (string, bool) { return v, v != "" })
}

// fillValues makes []T, or []*T with nil for what is not known if the column is nullable.
func fillValues[S, T any](get func(*loguro.Event) S, nullable bool, convert func(S) (_ T, known bool)) filler {
	if !nullable {
		return func(events []loguro.Event, s *scratch) any {
			values := buffer[T](&s.values, len(events))
			for i := range events {
				values[i], _ = convert(get(&events[i]))
			}
			return values
		}
	}
	return func(events []loguro.Event, s *scratch) any {
		values, pointers := buffer[T](&s.values, len(events)), buffer[*T](&s.pointers, len(events))
		for i := range events {
			var known bool
			pointers[i] = nil
			if values[i], known = convert(get(&events[i])); known {
				pointers[i] = &values[i]
			}
		}
		return pointers
	}
}

func numberFiller(base string, get func(*loguro.Event) int64, nullable bool) filler {
	switch base {
	case "UInt8":
		return fillNumbers[uint8](get, nullable, 0, math.MaxUint8)
	case "UInt16":
		return fillNumbers[uint16](get, nullable, 0, math.MaxUint16)
	case "UInt32":
		return fillNumbers[uint32](get, nullable, 0, math.MaxUint32)
	case "UInt64":
		return fillNumbers[uint64](get, nullable, 0, math.MaxInt64)
	case "Int8":
		return fillNumbers[int8](get, nullable, math.MinInt8, math.MaxInt8)
	case "Int16":
		return fillNumbers[int16](get, nullable, math.MinInt16, math.MaxInt16)
	case "Int32":
		return fillNumbers[int32](get, nullable, math.MinInt32, math.MaxInt32)
	case "Int64":
		return fillNumbers[int64](get, nullable, math.MinInt64, math.MaxInt64)
	}
	return nil
}

// fillNumbers brings a value that the type cannot hold to the nearest that it can.
func fillNumbers[T uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](get func(*loguro.Event) int64, nullable bool, low, high int64) filler {
	return fillValues(get, nullable, func(n int64) (T, bool) { return T(min(max(n, low), high)), n != 0 })
}

func propsFiller(base string, nullable bool) filler {
	get := func(e *loguro.Event) string { return string(e.Props) }
	switch {
	case base == "String":
		return fillText(get, nullable, false)
	case base == "JSON" || strings.HasPrefix(base, "JSON(") || base == "Object('json')":
		return fillValues(get, nullable, func(props string) (string, bool) {
			if props == "" {
				return "{}", false
			}
			return props, true
		})
	case strings.HasPrefix(base, "Map(") && strings.HasSuffix(base, ", String)"):
		return func(events []loguro.Event, s *scratch) any {
			values := buffer[map[string]string](&s.values, len(events))
			for i := range events {
				values[i] = flat(events[i].Props)
			}
			return values
		}
	}
	return nil
}

// flat is an object as a map: text as it is, everything else as JSON.
func flat(props json.RawMessage) map[string]string {
	out := map[string]string{}
	var members map[string]json.RawMessage
	if len(props) == 0 || json.Unmarshal(props, &members) != nil {
		return out
	}
	for key, raw := range members {
		var s string
		if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
			out[key] = s
		} else {
			out[key] = string(raw)
		}
	}
	return out
}

// release lets the events of a batch go: the room that is kept must not hold their text.
func (s *scratch) release() {
	switch values := s.values.(type) {
	case []string:
		clear(values[:cap(values)])
	case []map[string]string:
		clear(values[:cap(values)])
	}
}
