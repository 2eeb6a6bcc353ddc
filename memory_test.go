package loguro_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

// What waits must take the memory that it is counted with: a short part of a long request line keeps all of it alive.
func TestWhatWaitsTakesNoMoreMemoryThanIsCounted(t *testing.T) {
	down := &exportertest.Recorder{Before: func(loguro.Batch) error { return errors.New("the store is down") }}
	s := newSite(t, page, func(c *loguro.Config) { c.Exporter = down })
	server := httptest.NewServer(s.handler)
	defer server.Close()
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	long := strings.Repeat("x", 200_000)
	visit := func() {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/?q="+long, nil)
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Referer", "https://search.example/?q="+long)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	visit()
	before, counted := heap(), s.tracker.Stats().PendingBytes
	for range 100 {
		visit()
	}
	grown, counted := heap()-before, s.tracker.Stats().PendingBytes-counted
	if grown > 3*counted+1<<20 {
		t.Errorf("100 events counted with %d KiB take %d KiB", counted>>10, grown>>10)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.tracker.Shutdown(ctx)
}
