package identity

import (
	"sync"

	"github.com/google/uuid"
)

// A recent keeps the newest entries, between size and twice as many: when the young half is full it becomes the old
// one, and the old one is dropped whole. The zero value is ready.
type recent[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
}

func (r *recent[K, V]) get(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.young[k]
	if !ok {
		v, ok = r.old[k]
	}
	return v, ok
}

// put stores v and says whether k was new.
func (r *recent[K, V]) put(k K, v V, size int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, young := r.young[k]
	_, old := r.old[k]
	if r.young == nil || len(r.young) >= size {
		r.young, r.old = make(map[K]V, min(size, 1024)), r.young
	}
	r.young[k] = v
	return !young && !old
}

// verifiedSessions remembers session cookies whose signature was checked or made here, by their whole text. A cookie
// that was just sent comes back with the visitor's next request, and need not be verified again. It holds at most
// 16,384 of about 400 bytes.
type verifiedSessions struct{ recent[string, Session] }

func (v *verifiedSessions) add(cookie string, s Session) { v.put(cookie, s, 8192) }

// takenNotes remembers the notes whose event was recorded, so that two requests which carry the same one record it
// once. Notes die after minutes; 2,048 is enough for seven sign-ins a second.
type takenNotes struct{ recent[uuid.UUID, struct{}] }

func (t *takenNotes) take(id uuid.UUID) bool { return t.put(id, struct{}{}, 1024) }
