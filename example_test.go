package loguro_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

// exampleSite serves one handler, and prints what was recorded of one page of a fresh browser.
func exampleSite(handler http.HandlerFunc) {
	recorder := new(exportertest.Recorder)
	tracker, err := loguro.New(loguro.Config{Exporter: recorder, Keys: [][]byte{testKey}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("GET", "https://app.acme.com/billing", nil)
	r.Header.Set("Accept", "text/html")
	tracker.Handler(handler).ServeHTTP(httptest.NewRecorder(), r)
	if err := tracker.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, e := range recorder.Events() {
		fmt.Printf("%s %q user=%q props=%s\n", e.Type, e.Name, e.User, e.Props)
	}
}

func ExampleTrack() {
	exampleSite(func(w http.ResponseWriter, r *http.Request) {
		loguro.Track(r.Context(), "subscription_upgraded", loguro.Props{"new_plan": "pro", "old_plan": "starter"})
		fmt.Fprint(w, "<!doctype html><p>Thank you.")
	})
	// Output:
	// custom "subscription_upgraded" user="" props={"new_plan":"pro","old_plan":"starter"}
	// pageview "" user="" props=
}

func ExampleIdentify() {
	exampleSite(func(w http.ResponseWriter, r *http.Request) {
		// In the login handler, after the password was checked.
		if err := loguro.Identify(r.Context(), "user_42", loguro.Props{"plan": "pro"}); err != nil {
			fmt.Println(err)
		}
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	})
	// Output:
	// custom "identify" user="user_42" props={"plan":"pro"}
}

func ExampleReset() {
	exampleSite(func(w http.ResponseWriter, r *http.Request) {
		before, _ := loguro.Current(r.Context())
		if err := loguro.Reset(r.Context()); err != nil { // too late: the headers are sent
			fmt.Println(err)
		}
		after, _ := loguro.Current(r.Context())
		fmt.Println("the same visitor:", before.VisitorID == after.VisitorID)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	// Output:
	// the same visitor: false
}

func ExampleWithIdentity() {
	recorder := new(exportertest.Recorder)
	tracker, _ := loguro.New(loguro.Config{Exporter: recorder, Keys: [][]byte{testKey}})
	handler := tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		loguro.Identify(r.Context(), "user_42", nil)
		id, _ := loguro.Current(r.Context()) // goes into the payload of the job

		job := func(ctx context.Context) { // runs later, somewhere else
			tracker.Track(loguro.WithIdentity(ctx, id), "report_sent", nil)
		}
		job(context.Background())
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/reports", nil))
	tracker.Shutdown(context.Background())
	for _, e := range recorder.Events() {
		fmt.Println(e.Name, e.User)
	}
	// Output:
	// report_sent user_42
}

func ExampleNew_invalid() {
	_, err := loguro.New(loguro.Config{Keys: [][]byte{[]byte("too short")}})
	fmt.Println(err)
	// Output:
	// loguro: invalid Config: Exporter is nil; give one, such as parquetexporter.New
	// Keys[0] has 9 bytes, want 32 or more; make one with: openssl rand -hex 32
}

func ExamplePermanent() {
	err := loguro.Permanent(errors.New("the store refuses these rows"))
	fmt.Println(err)
	// Output:
	// the store refuses these rows
}

// What one process could not deliver, the next one does.
func ExampleConfig_spool() {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	run := func(exporter loguro.Exporter, work func(*loguro.Tracker)) error {
		tracker, err := loguro.New(loguro.Config{Exporter: exporter, Keys: [][]byte{testKey}, Spool: dir, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			log.Fatal(err)
		}
		work(tracker)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		return tracker.Shutdown(ctx)
	}
	broken := &exportertest.Recorder{Before: func(loguro.Batch) error { return errors.New("the store is down") }}
	err = run(broken, func(tracker *loguro.Tracker) {
		ctx := loguro.WithIdentity(context.Background(), loguro.Identity{UserID: "user_42"})
		tracker.Track(ctx, "report_exported", nil)
	})
	fmt.Println("delivered by the first process:", err == nil)

	store := new(exportertest.Recorder)
	err = run(store, func(*loguro.Tracker) {})
	fmt.Println("delivered by the second one:", err == nil, len(store.Events()), store.Events()[0].Name)
	// Output:
	// delivered by the first process: false
	// delivered by the second one: true 1 report_exported
}

// Two stores, each with a queue of its own.
func ExampleTee() {
	files, warehouse := new(exportertest.Recorder), new(exportertest.Recorder)
	tracker, err := loguro.New(loguro.Config{Exporter: loguro.Tee(files, warehouse), Keys: [][]byte{testKey}})
	if err != nil {
		log.Fatal(err)
	}
	ctx := loguro.WithIdentity(context.Background(), loguro.Identity{UserID: "user_42"})
	tracker.Track(ctx, "report_exported", nil)
	if err := tracker.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	for _, x := range tracker.Stats().Exporters {
		fmt.Println(x.Name, x.Delivered)
	}
	// Output:
	// exportertest.Recorder 1
	// exportertest.Recorder-2 1
}
