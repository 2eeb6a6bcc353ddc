package identity

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"
)

// A cookie carries one of these records, as bytes of fixed places: a version byte and then the fields in order,
// numbers big-endian. securecookie's default, gob, would cost ten times the time and twice the bytes.
const payloadVersion = 1

// Visitor is a browser.
type Visitor struct {
	ID   uuid.UUID
	Made int64 // milliseconds since 1970 UTC
	key  int   // index of the key that signed it
}

// Session is a run of events without a gap of the session timeout.
type Session struct {
	ID       uuid.UUID
	LastSeen int64 // milliseconds since 1970 UTC
	// Visitor is the one that the session was issued for, and proof a digest of the visitor cookie that it was
	// issued beside: who presents both has presented a visitor cookie that we signed.
	Visitor Visitor
	proof   [8]byte
	// person tells users apart without naming them; zero until somebody is identified.
	person [8]byte
	key    int // index of the key that signed it
}

// User is the account that PersistUser remembers, valid only beside the visitor it was issued for.
type User struct {
	Visitor uuid.UUID
	ID      string
}

// note is a message of a few minutes from one request of a browser to its next ones.
type note struct {
	kind noteKind
	// id is the id of the identify event, the same however often the note arrives.
	id     uuid.UUID
	user   string
	traits []byte // JSON, nil if there are none
}

type noteKind byte

const (
	// noteUser: an Identify took effect while the browser withheld the cookies.
	noteUser noteKind = 1
	// noteIdentify: the same, and its identify event is still to be recorded.
	noteIdentify noteKind = 2
)

// forgotten are marks of visitors that Reset forgot in the last minutes, the newest last. A late response that renews
// one of them must not bring it back.
type forgotten [][8]byte

// maxForgotten is how many are kept.
const maxForgotten = 16

var errPayload = errors.New("cookie payload has another shape")

// payload is securecookie's Serializer. It returns fresh bytes, because securecookie encrypts them in place.
type payload struct{}

func (payload) Serialize(src any) ([]byte, error) {
	b := make([]byte, 1, 128)
	b[0] = payloadVersion
	switch v := src.(type) {
	case *Visitor:
		b = append(b, v.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(v.Made))
	case *Session:
		b = append(b, v.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(v.LastSeen))
		b = append(b, v.Visitor.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(v.Visitor.Made))
		b = append(b, v.proof[:]...)
		b = append(b, v.person[:]...)
	case *User:
		b = append(b, v.Visitor[:]...)
		b = append(b, v.ID...)
	case *note:
		b = append(b, byte(v.kind))
		b = append(b, v.id[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(v.user)))
		b = append(b, v.user...)
		b = append(b, v.traits...)
	case *forgotten:
		for _, mark := range *v {
			b = append(b, mark[:]...)
		}
	default:
		return nil, errPayload
	}
	return b, nil
}

func (payload) Deserialize(src []byte, dst any) error {
	if len(src) == 0 || src[0] != payloadVersion {
		return errPayload
	}
	b := src[1:]
	switch v := dst.(type) {
	case *Visitor:
		if len(b) != 24 {
			return errPayload
		}
		v.ID = uuid.UUID(b[:16])
		v.Made = int64(binary.BigEndian.Uint64(b[16:]))
	case *Session:
		if len(b) != 64 {
			return errPayload
		}
		v.ID = uuid.UUID(b[:16])
		v.LastSeen = int64(binary.BigEndian.Uint64(b[16:]))
		v.Visitor.ID = uuid.UUID(b[24:40])
		v.Visitor.Made = int64(binary.BigEndian.Uint64(b[40:]))
		v.proof = [8]byte(b[48:56])
		v.person = [8]byte(b[56:64])
	case *User:
		if len(b) <= 16 {
			return errPayload
		}
		v.Visitor = uuid.UUID(b[:16])
		v.ID = string(b[16:])
	case *note:
		if len(b) < 19 {
			return errPayload
		}
		n := 19 + int(binary.BigEndian.Uint16(b[17:]))
		if len(b) < n {
			return errPayload
		}
		v.kind = noteKind(b[0])
		v.id = uuid.UUID(b[1:17])
		v.user = string(b[19:n])
		v.traits = b[n:]
	case *forgotten:
		if len(b)%8 != 0 {
			return errPayload
		}
		for mark := range slices.Chunk(b, 8) {
			*v = append(*v, [8]byte(mark))
		}
	default:
		return errPayload
	}
	return nil
}
