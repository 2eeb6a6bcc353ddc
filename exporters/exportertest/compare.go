package exportertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
)

// maxComplaints keeps the report of a store that lost everything readable.
const maxComplaints = 5

// holds checks that the store holds exactly the wanted events, each once.
func (s Store) holds(t *testing.T, want ...loguro.Event) error {
	t.Helper()
	return compare(s.Read(t), want)
}

func compare(got, want []loguro.Event) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	times := make(map[uuid.UUID]int, len(got))
	byID := make(map[uuid.UUID]*loguro.Event, len(got))
	for i := range got {
		times[got[i].ID]++
		byID[got[i].ID] = &got[i]
	}
	for i := range want {
		e := &want[i]
		switch n := times[e.ID]; {
		case n == 0:
			complain("event %s is missing", e.ID)
		case n > 1:
			complain("event %s is there %d times, want once", e.ID, n)
		default:
			if g := byID[e.ID]; !same(g, e) {
				complain("event %s came back changed:\n got %.6000s\nwant %.6000s", e.ID, canonical(g), canonical(e))
			}
		}
		delete(times, e.ID)
	}
	for id, n := range times {
		complain("event %s is there %d times, want never: it was not exported", id, n)
	}
	if len(errs) == 0 {
		return nil
	}
	shown := append([]error{fmt.Errorf("the store holds %d events, want %d", len(got), len(want))}, errs...)
	if len(errs) > maxComplaints {
		shown = append(shown[:maxComplaints+1], fmt.Errorf("and %d more complaints", len(errs)-maxComplaints))
	}
	return errors.Join(shown...)
}

// same tries the plain JSON first, because sorting the keys of all props takes most of the suite's time.
func same(a, b *loguro.Event) bool {
	return bytes.Equal(a.AppendJSON(nil), b.AppendJSON(nil)) || canonical(a) == canonical(b)
}

// canonical is the event's JSON with the props' keys sorted and numbers left as they were written.
func canonical(e *loguro.Event) string {
	c := *e
	if len(c.Props) > 0 {
		d := json.NewDecoder(bytes.NewReader(c.Props))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return fmt.Sprintf("props %q are not JSON: %v", c.Props, err)
		}
		sorted, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprintf("props %q: %v", c.Props, err)
		}
		c.Props = sorted
	}
	return string(c.AppendJSON(nil))
}
