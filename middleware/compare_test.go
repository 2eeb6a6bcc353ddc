package middleware_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// sameAnswer holds the wrapped response against the bare one. They may differ in our cookies, in the protection that
// these bring along, and in the clock.
func sameAnswer(t *testing.T, bare, wrapped reply) {
	t.Helper()
	if bare.failed != wrapped.failed {
		t.Errorf("the request failed: %v bare, %v wrapped", bare.failed, wrapped.failed)
	}
	if bare.failed && wrapped.failed {
		return // how much of a broken response arrives is for the network to say
	}
	if bare.status != wrapped.status {
		t.Errorf("status = %d wrapped, want %d", wrapped.status, bare.status)
	}
	if bare.body != wrapped.body {
		t.Errorf("body = %.80q (%d bytes) wrapped, want %.80q (%d bytes)", wrapped.body, len(wrapped.body), bare.body, len(bare.body))
	}
	if want, got := withoutClock(bare.header), withoutOurs(bare.header, wrapped); !sameHeader(want, got) {
		t.Errorf("headers = %v wrapped, want %v", got, want)
	}
	if !sameHeader(bare.trailer, wrapped.trailer) {
		t.Errorf("trailers = %v wrapped, want %v", wrapped.trailer, bare.trailer)
	}
	if len(bare.early) != len(wrapped.early) {
		t.Fatalf("%d informational responses wrapped, want %d", len(wrapped.early), len(bare.early))
	}
	for i, want := range bare.early {
		if got := wrapped.early[i]; got.status != want.status || !sameHeader(got.header, want.header) {
			t.Errorf("informational response %d = %v, want %v", i, got, want)
		}
	}
}

func sameHeader(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }

func withoutClock(h http.Header) http.Header {
	h = h.Clone()
	h.Del("Date")
	return h
}

// withoutOurs takes out what the middleware must add, and nothing else.
func withoutOurs(bare http.Header, wrapped reply) http.Header {
	h := withoutClock(wrapped.header)
	if !wrapped.sets() {
		return h
	}
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, "loguro_") })
	if len(h["Set-Cookie"]) == 0 {
		delete(h, "Set-Cookie")
	}
	said := bare["Cache-Control"]
	words := strings.Join(said, ",")
	want := slices.Concat(said, []string{"private"})
	if words == "" {
		want = []string{`private, no-cache="Set-Cookie"`}
	} else if strings.Contains(words, "private") || strings.Contains(words, "no-store") {
		want = said
	}
	if slices.Equal(h["Cache-Control"], want) {
		delete(h, "Cache-Control")
		if said != nil {
			h["Cache-Control"] = said
		}
	} else {
		h.Add("Cache-Control", "without protection")
	}
	return h
}
