package identity

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func testIssuer(t testing.TB) *Issuer {
	t.Helper()
	i, err := NewIssuer(Policy{Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, PersistUser: true, RenewVisitor: true,
		VisitorMaxAge: 365 * 24 * time.Hour, SessionTimeout: 30 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Whatever a client sends as cookies: no panic, and an id that we issued only if the cookie is the one we issued.
func FuzzCookies(f *testing.F) {
	i := testIssuer(f)
	now := time.Now().UnixMilli()
	s := i.Open(Presented{}, Stored, nil)
	// Fuzzing runs in several processes, which share their inputs: all must issue the same visitor.
	s.visitor = Visitor{ID: uuid.MustParse("0b7d3f5e-58a1-4f0e-9d0c-5a7a2e6f1c11"), Made: now}
	s.session, s.loaded, s.known, s.fresh = i.keys[0].firstSession(s.visitor), true, true, true
	s.Identify("u1", now)
	issued := s.Event(now)
	var header strings.Builder
	for _, line := range s.SetCookies(nil, "a.b") {
		pair, _, _ := bytes.Cut([]byte(line), []byte(";"))
		header.WriteString(string(pair) + "; ")
	}
	f.Add(header.String())
	f.Add("loguro_v=; loguro_s==; loguro_u=AAAA; loguro_n=\xff; loguro_v")
	f.Add(header.String() + header.String())
	f.Fuzz(func(t *testing.T, in string) {
		p := i.Present(http.Header{"Cookie": {in}})
		s := i.Open(p, Stored, nil)
		got := s.Event(now)
		if got.Visitor == uuid.Nil || got.Session == uuid.Nil {
			t.Errorf("cookies %q gave the ids %v", in, got)
		}
		if (got.Visitor == issued.Visitor) != got.Returning || got.User != "" && got.User != "u1" {
			t.Errorf("cookies %q gave %+v", in, got)
		}
		for _, line := range s.SetCookies(nil, "a.b") {
			if bytes.ContainsAny([]byte(line), "\r\n\x00") {
				t.Errorf("cookies %q made the header %q", in, line)
			}
		}
	})
}

// A payload is only read after its signature held; even so, no bytes may panic.
func FuzzPayload(f *testing.F) {
	f.Add([]byte{1})
	f.Add(append([]byte{1, 2}, bytes.Repeat([]byte{0xff}, 80)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, dst := range []any{new(Visitor), new(Session), new(User), new(note), new(forgotten)} {
			if (payload{}).Deserialize(in, dst) != nil {
				continue
			}
			out, err := payload{}.Serialize(dst)
			if err != nil || !bytes.Equal(in, out) {
				t.Errorf("%T: %x was read and written as %x, %v", dst, in, out, err)
			}
		}
	})
}
