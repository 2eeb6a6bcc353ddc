package loguro_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

var errStore = errors.New("the store is down")

func down(loguro.Batch) error { return errStore }

func spooled(t *testing.T, dir string, exporter loguro.Exporter) *loguro.Tracker {
	t.Helper()
	tracker, err := loguro.New(loguro.Config{Exporter: exporter, Keys: [][]byte{testKey}, Spool: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracker.Shutdown(ended()) })
	return tracker
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func someone() context.Context {
	return loguro.WithIdentity(context.Background(), loguro.Identity{UserID: "ada"})
}

func TestTheNextProcessDeliversWhatShutdownLeft(t *testing.T) {
	dir := t.TempDir()
	first := spooled(t, dir, &exportertest.Recorder{Before: down})
	for range 3 {
		if err := first.Track(someone(), "exported", nil); err != nil {
			t.Fatal(err)
		}
	}
	if s := first.Stats(); s.SpoolBytes == 0 || s.OldestPending.IsZero() || s.Pending != 3 {
		t.Errorf("Stats() = %+v, want three events that wait on disk", s)
	}
	err := first.Shutdown(ended())
	if err == nil || !strings.Contains(err.Error(), "3 events are not delivered; they stay in the spool "+dir) {
		t.Errorf("Shutdown() = %v", err)
	}
	recorder := new(exportertest.Recorder)
	second := spooled(t, dir, recorder)
	if err := second.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n, s := len(recorder.Events()), second.Stats(); n != 3 || s.Adopted != 3 || s.Delivered != 3 || s.SpoolBytes != 0 {
		t.Errorf("%d events arrived, Stats() = %+v", n, s)
	}
}

func TestRedriveDeliversDeadLetters(t *testing.T) {
	dir := t.TempDir()
	recorder := &exportertest.Recorder{Before: func(b loguro.Batch) error {
		return loguro.Permanent(errors.New("no column of that name"))
	}}
	tracker := spooled(t, dir, recorder)
	if err := tracker.Track(someone(), "exported", nil); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := tracker.Stats(); s.Dropped["permanent"] != 1 || s.Exporters[0].Dead != 1 || s.Exporters[0].Name != "exportertest.Recorder" {
		t.Errorf("Stats() = %+v, want one dead letter", s)
	}
	if err := tracker.Redrive(t.Context()); err == nil {
		t.Error("Redrive() = nil, though the exporter refuses the event again")
	}
	recorder.Before = nil
	if err := tracker.Redrive(t.Context()); err != nil || len(recorder.Events()) != 1 {
		t.Errorf("Redrive() = %v, %d events arrived, want 1", err, len(recorder.Events()))
	}
}

// SPEC 2: no IP address, no User-Agent, no other header is in an event, a spool file or a log line.
func TestNoAddressAndNoAgentReachTheDisk(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	tracker, err := loguro.New(loguro.Config{
		Exporter: &exportertest.Recorder{Before: func(b loguro.Batch) error {
			if b.Events[0].Path == "/dead" {
				return loguro.Permanent(errStore)
			}
			return errStore
		}},
		Keys: [][]byte{testKey}, Spool: dir, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := tracker.Handler(http.HandlerFunc(page))
	secrets := []string{"203.0.113.77", "198.51.100.9", "Mozilla/5.0 (Secret Agent)", "hunter2", "s3cr3t-cookie"}
	visit := func(path string) {
		r := httptest.NewRequest("GET", "https://app.acme.com"+path+"?token=hunter2", nil)
		r.RemoteAddr = secrets[0] + ":4711"
		r.Header.Set("X-Forwarded-For", secrets[1])
		r.Header.Set("User-Agent", secrets[2])
		r.Header.Set("Authorization", "Bearer hunter2")
		r.Header.Set("Cookie", "sid=s3cr3t-cookie")
		r.Header.Set("Accept", "text/html")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	visit("/dead")
	tracker.Flush(t.Context())
	visit("/waiting")
	tracker.Shutdown(ended())

	files := 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		if len(content) > 0 {
			files++
		}
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s is in %s", secret, path)
			}
		}
		return nil
	})
	if files != 2 {
		t.Errorf("%d files with content, want a segment and a dead letter", files)
	}
	for _, secret := range secrets {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in the log:\n%s", secret, &log)
		}
	}
}

func TestTheSpoolsOfConfigAreChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change func(*loguro.Config)
		want   string
	}{
		{func(c *loguro.Config) { c.Spool = file }, "Spool \"" + file},
		{func(c *loguro.Config) { c.SpoolMaxBytes = 1 << 20 }, "SpoolMaxBytes is 1048576"},
		{func(c *loguro.Config) { c.Spool, c.SpoolMaxBytes = t.TempDir(), -1 }, "SpoolMaxBytes is -1"},
		{func(c *loguro.Config) { c.Spool, c.SpoolSyncInterval = t.TempDir(), -1 }, "SpoolSyncInterval is -1"},
		{func(c *loguro.Config) { c.Exporter = loguro.Tee() }, "Exporter is a Tee of no exporters"},
		{func(c *loguro.Config) { c.Exporter = loguro.Tee(new(exportertest.Recorder), nil) }, "exporter 1 is nil"},
	} {
		c := loguro.Config{Exporter: new(exportertest.Recorder), Keys: [][]byte{testKey}}
		tt.change(&c)
		tracker, err := loguro.New(c)
		if err == nil {
			tracker.Shutdown(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New() = %v, want an error with %q", err, tt.want)
		}
	}
}
