package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxName is the longest name of a custom event, in characters (Unicode code points).
	MaxName = 64
	// MaxProps is the largest size of an event's props, in bytes of serialized JSON.
	MaxProps = 4096
	// maxDepth is how deep props may nest; a map that contains itself would go deeper.
	maxDepth = 32
)

// Props are the properties of an event, or the traits of a user: what encoding/json can write.
type Props map[string]any

var (
	// ErrEmptyName means that the name of an event is empty or white space.
	ErrEmptyName = errors.New("loguro: the event has no name; give it one, such as \"subscription_upgraded\"")
	// ErrPropsTooLarge means that props serialize to more than MaxProps bytes. The event was not recorded.
	ErrPropsTooLarge = errors.New("loguro: props are over 4096 bytes of JSON; send less, or an id that leads to the rest")
)

// CleanName trims the name, mends text that is not UTF-8 and cuts it to MaxName characters; cut says whether it did.
func CleanName(name string) (clean string, cut bool, err error) {
	clean = strings.TrimSpace(strings.ToValidUTF8(name, "\uFFFD"))
	if clean == "" {
		return "", false, ErrEmptyName
	}
	if len(clean) <= MaxName || utf8.RuneCountInString(clean) <= MaxName {
		return clean, false, nil
	}
	n := 0
	for i := range clean {
		if n == MaxName {
			return strings.Clone(strings.TrimSpace(clean[:i])), true, nil // a part would keep the whole in memory
		}
		n++
	}
	return clean, false, nil
}

// Marshal writes the props as one JSON object with sorted keys, and neither keeps nor changes the map.
// No props give nil. Over MaxProps bytes the error is ErrPropsTooLarge; a value that JSON cannot hold
// (a channel, a function, NaN, a cycle) gives an error that names its key.
func (p Props) Marshal() (json.RawMessage, error) {
	if len(p) == 0 {
		return nil, nil
	}
	b, err := appendObject(make([]byte, 0, 64+24*len(p)), p, "", 0)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func appendObject(b []byte, m map[string]any, path string, depth int) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("loguro: props key %q nests over %d levels deep; does it contain itself?", path, maxDepth)
	}
	var few [16]string // keeps the usual handful of keys off the heap
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		var err error
		if b, err = appendValue(b, m[k], path, k, depth); err != nil {
			return nil, err
		}
		if len(b) > MaxProps {
			return nil, ErrPropsTooLarge
		}
	}
	b = append(b, '}')
	if len(b) > MaxProps {
		return nil, ErrPropsTooLarge
	}
	return b, nil
}

// appendValue appends what Go programs usually put into props without reflection, the rest through encoding/json.
func appendValue(b []byte, v any, parent, key string, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		if len(v) > MaxProps {
			return nil, ErrPropsTooLarge
		}
		return appendString(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case int32:
		return strconv.AppendInt(b, int64(v), 10), nil
	case uint:
		return strconv.AppendUint(b, uint64(v), 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("loguro: props key %q is %v, which JSON cannot hold", join(parent, key), v)
		}
		return appendFloat(b, v), nil
	case time.Time:
		text, err := v.MarshalText() // refuses years and zones that RFC 3339 cannot hold
		if err != nil {
			return nil, fmt.Errorf("loguro: props key %q cannot be serialized: %w", join(parent, key), err)
		}
		return append(append(append(b, '"'), text...), '"'), nil
	case Props:
		return appendObject(b, v, join(parent, key), depth+1)
	case map[string]any:
		return appendObject(b, v, join(parent, key), depth+1)
	}
	return appendAny(b, v, join(parent, key))
}

// appendFloat writes the shortest text that reads back as v, in the form that encoding/json (and ECMAScript) uses.
func appendFloat(b []byte, v float64) []byte {
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b = append(b[:n-2], b[n-1]) // e-09 is written e-9
	}
	return b
}

// appendAny is for structs, slices, pointers and Marshalers. A Marshaler is the application's code: what it panics
// with becomes an error, because an event must never take the request down.
func appendAny(b []byte, v any, path string) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("loguro: props key %q panicked while it was serialized: %v", path, p)
		}
	}()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("loguro: props key %q cannot be serialized: %w", path, err)
	}
	text := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return append(b, bytes.ToValidUTF8(text, []byte("\uFFFD"))...), nil // a RawMessage may hold anything
}

func join(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}
