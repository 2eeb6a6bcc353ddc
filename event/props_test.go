package event_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/loguro/loguro/event"
)

type level int

func (l level) MarshalText() ([]byte, error) { return []byte("level"), nil }

// What our own appending writes is what encoding/json reads and would have written, but for its HTML escapes.
func TestPropsSerializeAsEncodingJSONDoes(t *testing.T) {
	plan := "pro"
	p := event.Props{
		"string": "ü\"\\\n\x01", "bool": true, "nil": nil, "int": -1, "int64": int64(1) << 62, "int32": int32(7), "uint": uint(1), "uint64": ^uint64(0),
		"small": 1e-9, "large": 1.5e300, "exact": 0.1, "zero": 0.0, "minus": -12345.678, "e21": 1e21, "float32": float32(0.1),
		"time": time.Date(2026, 5, 14, 10, 0, 0, 5e6, time.FixedZone("x", 3600)), "map": map[string]any{"b": 1, "a": []any{1, "x"}}, "props": event.Props{"k": event.Props(nil)},
		"struct": struct {
			A int `json:"a,omitempty"`
		}{1}, "pointer": &plan, "slice": []string{"a"}, "bytes": []byte("x"), "marshaler": level(1), "number": json.Number("1.50"), "raw": json.RawMessage(`{"x":1}`),
	}
	got, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if json.Unmarshal(got, &g) != nil || json.Unmarshal(want, &w) != nil || !reflect.DeepEqual(g, w) {
		t.Errorf("Marshal() =\n%s, want\n%s", got, want)
	}
	if string(got) != string(want) {
		t.Errorf("Marshal() =\n%s, encoding/json writes\n%s", got, want)
	}
}

func TestNoPropsAreNothing(t *testing.T) {
	for _, p := range []event.Props{nil, {}} {
		if got, err := p.Marshal(); got != nil || err != nil {
			t.Errorf("Marshal() = %q, %v", got, err)
		}
	}
}

func TestHugePropsStopEarly(t *testing.T) {
	p := event.Props{"a": strings.Repeat("x", 100<<20)}
	allocs := testing.AllocsPerRun(1, func() {
		if _, err := p.Marshal(); !errors.Is(err, event.ErrPropsTooLarge) {
			t.Errorf("Marshal() = %v", err)
		}
	})
	if allocs > 10 {
		t.Errorf("%v allocations to refuse a string of 100 MB", allocs)
	}
}

func FuzzProps(f *testing.F) {
	f.Add("key", "value", 1.5)
	f.Add("\xff", "\u2028\x00", 1e-9)
	f.Fuzz(func(t *testing.T, k, s string, n float64) {
		got, err := event.Props{k: s, k + "n": n, "list": []any{s, n}, "map": map[string]any{s: k}}.Marshal()
		if err != nil {
			return
		}
		if !json.Valid(got) || !utf8.Valid(got) || len(got) > event.MaxProps {
			t.Errorf("Marshal() = %q", got)
		}
	})
}
