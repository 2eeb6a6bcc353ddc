package main

import (
	"log"
	"net/http"
	"time"

	"github.com/loguro/loguro"
)

// app is the site: its handlers are methods, each in the file of its subject.
type app struct {
	accounts *accounts
	sessions *sessions
	recent   *recent
	tracker  *loguro.Tracker
	handler  http.Handler
}

// newApp builds the site. The caller serves handler, and shuts tracker down when the server has stopped.
func newApp(exporter loguro.Exporter, spool string, key []byte) (*app, error) {
	a := &app{accounts: newAccounts(), sessions: newSessions(), recent: newRecent(exporter)}
	var err error
	a.tracker, err = loguro.New(loguro.Config{
		Exporter: a.recent,
		Keys:     [][]byte{key},

		// What is not in a file yet waits here, so that it survives a crash: the next run writes it. Kill this one with
		// kill -9 and see.
		Spool: spool,

		// The site knows who is logged in, so it is asked: every event after a login carries the user.
		User: a.sessions.user,

		// This example speaks plain HTTP, over which browsers do not return Secure cookies. Leave it out on a real
		// site: there the cookies travel over HTTPS only.
		AllowHTTP: true,

		// A newcomer wants to see files soon. Left out, the exporter asks for one file a minute, which is better for
		// whoever reads months of them.
		FlushInterval: 5 * time.Second,
	})
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.showHome)
	mux.HandleFunc("GET /pricing", a.showPricing)
	mux.HandleFunc("GET /signup", a.showSignup)
	mux.HandleFunc("POST /signup", a.signup)
	mux.HandleFunc("GET /login", a.showLogin)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("GET /account", a.showAccount)
	mux.HandleFunc("POST /account/upgrade", a.upgrade)
	mux.HandleFunc("GET /events", a.showEvents)
	mux.HandleFunc("GET /assets/{name}", serveAsset)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("/", a.showNotFound)

	// One line wraps it all: assets, health checks and errors pass through it and are not counted.
	tracked := a.tracker.Handler(mux)
	a.handler = harden(tracked)
	return a, nil
}

// harden refuses what no page of this site sends: forms of other sites, large bodies, and any script at all.
func harden(next http.Handler) http.Handler {
	next = http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(next), 64<<10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// report is what the site does about an event that could not be recorded: it says so, and the visitor's request goes on.
func report(err error) {
	if err != nil {
		log.Print(err)
	}
}
