package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"log"
	"net/http"
	"strings"

	"github.com/loguro/loguro"
)

//go:embed pages.html
var source string

var pages = template.Must(template.New("").Parse(source))

// newSite returns the site, and the tracker to shut down when its server has stopped.
func newSite(exporter loguro.Exporter, report *report, spool string, key []byte) (http.Handler, *loguro.Tracker, error) {
	tracker, err := loguro.New(loguro.Config{
		Exporter: exporter,
		Keys:     [][]byte{key},

		// The visitor's request ends with an append to a file here. ClickHouse gets its batches from this directory,
		// now or when it is back; a process that was killed leaves its events in it for the next one.
		Spool: spool,

		// This site has no login of its own that could say who a request belongs to, so loguro keeps it until Reset.
		PersistUser: true,

		// Who looks at the numbers should not change them.
		Skip: func(r *http.Request) bool { return r.URL.Path == "/report" },

		// For plain HTTP, as here. With TLS, drop it.
		AllowHTTP: true,
	})
	if err != nil {
		return nil, nil, err
	}

	mux := http.NewServeMux()
	for path, page := range map[string]string{"GET /{$}": "home", "GET /pricing": "pricing", "GET /signup": "signup"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			who, _ := loguro.Current(r.Context())
			show(w, page, who)
		})
	}
	mux.HandleFunc("POST /signup", func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimSpace(r.PostFormValue("name")) == "" {
			http.Error(w, "Please go back and type a name.", http.StatusUnprocessableEntity)
			return
		}
		// An account's id, and nothing that says who it is: no name and no e-mail address.
		id := "user_" + strings.ToLower(rand.Text()[:8])
		note(loguro.Identify(r.Context(), id, loguro.Props{"plan": "starter"}))
		note(loguro.Track(r.Context(), "signed_up", nil))
		http.Redirect(w, r, "/pricing", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /upgrade", func(w http.ResponseWriter, r *http.Request) {
		note(loguro.Track(r.Context(), "subscription_upgraded", loguro.Props{"old_plan": "starter", "new_plan": "pro", "price": 12}))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		note(loguro.Reset(r.Context())) // before the redirect: it deletes cookies, which travel in the headers
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		today, err := report.today(r.Context())
		show(w, "report", map[string]any{"Today": today, "Err": err, "Stats": tracker.Stats()})
	})
	// Forms of other sites are refused before they can be events.
	return http.NewCrossOriginProtection().Handler(tracker.Handler(mux)), tracker, nil
}

// show fills the template before it writes: a page that fails half-way becomes an error, not half a page.
func show(w http.ResponseWriter, page string, data any) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, page, data); err != nil {
		log.Print(err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-cache") // each page says who it is for
	body.WriteTo(w)
}

// note is what the site does about an event that could not be recorded: it says so, and the visitor's request goes on.
func note(err error) {
	if err != nil {
		log.Print(err)
	}
}
