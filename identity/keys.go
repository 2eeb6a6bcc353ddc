package identity

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/securecookie"
)

// MinKey is the shortest key that NewKeys accepts, in bytes. securecookie itself would take a single one.
const MinKey = 32

// maxCookie is the longest cookie value that is looked at. Browsers keep no more than 4096 bytes for name, value and
// attributes together (RFC 6265bis, section 5.6), so anything longer is not ours; it is refused before any work.
const maxCookie = 4096

// key is what one configured secret is good for. Each purpose has a key of its own (HKDF, RFC 5869).
type key struct {
	open   *securecookie.SecureCookie // signed
	sealed *securecookie.SecureCookie // signed and encrypted
	note   *securecookie.SecureCookie // the same for a few minutes
	derive []byte
}

// Keys sign, seal and derive. The first signs, all verify.
type Keys []key

// NewKeys prepares the secrets, each of MinKey bytes or more. Cookies made more than maxAge ago do not verify.
func NewKeys(secrets [][]byte, maxAge time.Duration) (Keys, error) {
	keys := make(Keys, 0, len(secrets))
	for i, secret := range secrets {
		if len(secret) < MinKey {
			return nil, fmt.Errorf("Keys[%d] has %d bytes, want %d or more; make one with: openssl rand -hex 32", i, len(secret), MinKey)
		}
		var sub [3][]byte
		for j, purpose := range []string{"loguro sign", "loguro encrypt", "loguro derive"} {
			var err error
			if sub[j], err = hkdf.Key(sha256.New, secret, nil, purpose, 32); err != nil {
				return nil, fmt.Errorf("derive from Keys[%d]: %w", i, err)
			}
		}
		codec := func(block []byte, maxAge time.Duration) *securecookie.SecureCookie {
			// securecookie forgets after 30 days unless it is told otherwise.
			return securecookie.New(sub[0], block).SetSerializer(payload{}).MaxLength(maxCookie).MaxAge(int(maxAge / time.Second))
		}
		keys = append(keys, key{open: codec(nil, maxAge), sealed: codec(sub[1], maxAge), note: codec(sub[1], noteMaxAge), derive: sub[2]})
	}
	return keys, nil
}

// codec is what a cookie is signed with, and encrypted if it names a user.
func (k *key) codec(cookie int) *securecookie.SecureCookie {
	switch cookie {
	case userCookie:
		return k.sealed
	case noteCookie, forgottenCookie:
		return k.note
	}
	return k.open
}

// mac is what every derived id stands on: nobody without the key can tell or guess its result.
func (k *key) mac(purpose string, parts ...[]byte) [32]byte {
	h := hmac.New(sha256.New, k.derive)
	h.Write([]byte(purpose))
	for _, p := range parts {
		h.Write(p)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// derivedID shapes a MAC as a UUID. It says version 4 because to everybody without the key it is as random as one.
func derivedID(sum [32]byte) uuid.UUID {
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func bytes64(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
