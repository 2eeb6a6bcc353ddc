package spool

import (
	"encoding/hex"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

// A spool outlives the program that wrote it. These bytes are of the first version, and must stay readable.
func TestTheFormatStaysAsItIs(t *testing.T) {
	const want = "016c6773" + "019e2b1c6a0070008000000000000001" + "3295d1d8" + // header
		"0c000000" + "00000000" + "5be69b81" + "234c78dc" + "0506637573746f6d07026161" // frame and payload
	id := uuid.MustParse("019e2b1c-6a00-7000-8000-000000000001")
	w := writer{salt: saltOf(id), buf: appendHeader(nil, id)}
	if err := w.event(0, &event.Event{Type: event.Custom, Name: "aa"}); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(w.buf); got != want {
		t.Errorf("a segment is\n%s, want\n%s", got, want)
	}
}
