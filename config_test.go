package loguro_test

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

func TestNewNamesEveryFieldThatCannotBe(t *testing.T) {
	good := func() loguro.Config {
		return loguro.Config{Exporter: new(exportertest.Recorder), Keys: [][]byte{testKey}}
	}
	for _, tt := range []struct {
		why    string
		mutate func(*loguro.Config)
		says   []string
	}{
		{"nothing at all", func(c *loguro.Config) { *c = loguro.Config{} }, []string{"Exporter is nil", "Keys is empty", "openssl"}},
		{"a short key", func(c *loguro.Config) { c.Keys = [][]byte{testKey, []byte("short")} }, []string{"Keys[1] has 5 bytes, want 32"}},
		{"a URL for a domain", func(c *loguro.Config) { c.Domain = "https://acme.com" }, []string{`Domain is "https://acme.com"`}},
		{"an address for a domain", func(c *loguro.Config) { c.Domain = "127.0.0.1" }, []string{`Domain is "127.0.0.1"`, "leave it empty"}},
		{"__Host- with a domain", func(c *loguro.Config) { c.CookiePrefix, c.Domain = "__Host-", ".acme.com" }, []string{"__Host-", "__Secure-"}},
		{"__Host- on plain HTTP", func(c *loguro.Config) { c.CookiePrefix, c.AllowHTTP = "__host-", true }, []string{"AllowHTTP"}},
		{"__Secure- on plain HTTP", func(c *loguro.Config) { c.CookiePrefix, c.AllowHTTP = "__Secure-", true }, []string{"AllowHTTP"}},
		{"a prefix that is no cookie name", func(c *loguro.Config) { c.CookiePrefix = "my app;" }, []string{`CookiePrefix is "my app;"`}},
		{"a negative timeout", func(c *loguro.Config) { c.SessionTimeout = -1 }, []string{"SessionTimeout"}},
		{"a negative batch", func(c *loguro.Config) { c.BatchSize = -5 }, []string{"BatchSize is -5"}},
		{"an unknown storage", func(c *loguro.Config) { c.Storage = 7 }, []string{"Storage is 7"}},
		{"two answers who the user is", func(c *loguro.Config) {
			c.PersistUser, c.User = true, func(*http.Request) string { return "" }
		}, []string{"PersistUser", "User"}},
		{"a user to keep without cookies", func(c *loguro.Config) { c.PersistUser, c.Storage = true, loguro.StorageMemory }, []string{"PersistUser", "StorageMemory"}},
		{"a zero prefix", func(c *loguro.Config) { c.TrustedProxies = make([]netip.Prefix, 1) }, []string{"TrustedProxies[0]"}},
	} {
		c := good()
		tt.mutate(&c)
		tracker, err := loguro.New(c)
		if err == nil {
			tracker.Shutdown(t.Context())
			t.Errorf("%s: New() = nil, want an error", tt.why)
			continue
		}
		for _, part := range tt.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: New() = %v, want it to say %q", tt.why, err, part)
			}
		}
		if strings.Contains(err.Error(), "short") || bytes.Contains([]byte(err.Error()), testKey) {
			t.Errorf("%s: the error prints a key: %v", tt.why, err)
		}
	}
}

// limited asks for batches of its own size.
type limited struct{ exportertest.Recorder }

func (*limited) BatchLimits() loguro.BatchLimits { return loguro.BatchLimits{Events: 2} }

func TestTheExporterAsksForItsBatchSizeAndConfigWins(t *testing.T) {
	for size, want := range map[int]int{0: 2, 3: 3} {
		exporter := new(limited)
		tracker, err := loguro.New(loguro.Config{Exporter: exporter, Keys: [][]byte{testKey}, BatchSize: size})
		if err != nil {
			t.Fatal(err)
		}
		ctx := loguro.WithIdentity(context.Background(), loguro.Identity{UserID: "u"})
		for range 6 {
			tracker.Track(ctx, "x", nil)
		}
		if err := tracker.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, b := range exporter.Batches() {
			if len(b.Events) != want {
				t.Errorf("BatchSize %d: a batch of %d events, want %d", size, len(b.Events), want)
			}
		}
	}
}

func TestAfterShutdownPagesAreServedAndTrackSaysSo(t *testing.T) {
	var got error
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		got = loguro.Track(r.Context(), "x", nil)
		page(w, r)
	}, nil)
	if err := s.tracker.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res := s.browser().get("/"); res.StatusCode != 200 || got != loguro.ErrShutdown {
		t.Errorf("page %d, Track() = %v; want 200 and ErrShutdown", res.StatusCode, got)
	}
	if n := s.tracker.Stats().Dropped["refused"]; n != 2 {
		t.Errorf("Dropped[refused] = %d, want 2", n)
	}
}
