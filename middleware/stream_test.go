package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loguro/loguro"
)

// A page that streams for long: what happens later may begin another session, but the page was shown in the first.
func TestAPageBelongsToTheSessionInWhichItsHeadersWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		var shown loguro.Identity
		h := s.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page(w, r)
			shown, _ = loguro.Current(r.Context())
			time.Sleep(40 * time.Minute)
			loguro.Track(r.Context(), "later", nil)
		}))
		h.ServeHTTP(httptest.NewRecorder(), navigation(t, "GET", "https://app.acme.com/"))
		for _, e := range s.events() {
			if same := e.Session == shown.SessionID; same != (e.Type == "pageview") {
				t.Errorf("%s %s at %v is in the session of the page: %v", e.Type, e.Name, e.Timestamp(), same)
			}
		}
	})
}
