package main

import (
	_ "embed"
	"html/template"
	"log"
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/loguro/loguro"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// accounts stand for your user table, which keeps hashes instead of passwords.
var accounts = map[string]struct{ id, password string }{
	"ada@example.com": {"user_1", "lovelace"},
	"bob@example.com": {"user_2", "builders"},
}

// newSite returns the site, and the tracker to shut down when its server has stopped.
func newSite(exporter loguro.Exporter, key []byte) (http.Handler, *loguro.Tracker, error) {
	sessions := scs.New()
	user := func(r *http.Request) string { return sessions.GetString(r.Context(), "user_id") }
	// AllowHTTP is for plain HTTP, as here. With TLS, drop it and set sessions.Cookie.Secure.
	tracker, err := loguro.New(loguro.Config{Exporter: exporter, Keys: [][]byte{key}, User: user, AllowHTTP: true})
	if err != nil {
		return nil, nil, err
	}
	show := func(w http.ResponseWriter, r *http.Request, status int, message string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		page.Execute(w, map[string]string{"User": user(r), "Message": message})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { show(w, r, http.StatusOK, "Please log in.") })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		account, ok := accounts[r.PostFormValue("email")]
		if !ok || account.password != r.PostFormValue("password") {
			show(w, r, http.StatusUnauthorized, "E-mail address or password is wrong.")
			return
		}
		// A new token comes first, so that one which somebody planted before (session fixation) is never logged in.
		if err := sessions.RenewToken(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusInternalServerError)
			return
		}
		sessions.Put(r.Context(), "user_id", account.id)
		if err := loguro.Identify(r.Context(), account.id, loguro.Props{"method": "password"}); err != nil {
			log.Print(err) // analytics never fail a login
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		// Destroy comes first: if the store fails, the user is still logged in, and must still be the same visitor.
		if err := sessions.Destroy(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusInternalServerError)
			return
		}
		// Reset comes before the redirect: it deletes cookies, which travel in the headers.
		if err := loguro.Reset(r.Context()); err != nil {
			log.Print(err)
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	// Sessions go around the tracker, because Config.User asks them. Forms of other sites are refused before either.
	return http.NewCrossOriginProtection().Handler(sessions.LoadAndSave(tracker.Handler(mux))), tracker, nil
}
