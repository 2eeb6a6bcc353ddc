package event_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/loguro/loguro/event"
)

// full (json_test.go) has every field set.
func TestEveryFieldSurvivesTheBinaryForm(t *testing.T) {
	for _, e := range []event.Event{full, {}, {User: "\xff\xfe\x00", Props: json.RawMessage(`{}`), Time: -1, Status: -5, Duration: 1 << 62}} {
		b, err := e.AppendBinary([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		b, ok := bytes.CutPrefix(b, []byte("before"))
		var got event.Event
		if err := got.UnmarshalBinary(b); err != nil || !ok || !reflect.DeepEqual(got, e) {
			t.Errorf("came back as\n%+v, %v, want\n%+v", got, err, e)
		}
		clear(b)
		if !reflect.DeepEqual(got, e) {
			t.Error("the event keeps the bytes that it was read from")
		}
	}
}

// A later version may add fields: a number and a text here.
func TestUnknownFieldsArePassedOver(t *testing.T) {
	b, _ := full.AppendBinary(nil)
	b = append([]byte{100 << 1, 7, 101<<1 | 1, 3, 'n', 'e', 'w'}, b...)
	var got event.Event
	if err := got.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("UnmarshalBinary() = %v, %+v", err, got)
	}
}

// What is on disk must be readable by later versions: these bytes are of the first one.
func TestTheBinaryFormStaysAsItIs(t *testing.T) {
	const first = "\x03\x10\x01\x9e\x2b\x1c\x6a\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x01\x05\x06custom\x0d\x10\x0b\x7d\x3f\x5e\x58\xa1\x4f\x0e\x9d\x0c\x5a\x7a\x2e\x6f\x1c\x11" +
		"\x14\x80\x94\xee\xde\xc4\x67\x07\x01x\x11\x02me\x13\x02{}"
	e := event.Event{ID: id, Type: event.Custom, Visitor: visitor, Time: moment, Name: "x", User: "me", Props: json.RawMessage("{}")}
	if b, _ := e.AppendBinary(nil); string(b) != first {
		t.Errorf("AppendBinary() = %q", b)
	}
	var got event.Event
	if err := got.UnmarshalBinary([]byte(first)); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("UnmarshalBinary() = %+v, %v", got, err)
	}
}

func FuzzBinary(f *testing.F) {
	b, _ := full.AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{3, 200, 1})
	f.Add([]byte{7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, in []byte) {
		var e event.Event
		if e.UnmarshalBinary(in) != nil {
			return
		}
		b, _ := e.AppendBinary(nil)
		var again event.Event
		if err := again.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("%q was read as %+v, and then as %+v, %v", in, e, again, err)
		}
	})
}
