package main

import (
	"bytes"
	"embed"
	"html/template"
	"log"
	"net/http"

	"github.com/loguro/loguro"
)

//go:embed templates assets
var files embed.FS

// templates are the pages, each inside the layout.
var templates = parse("home", "pricing", "signup", "login", "account", "events", "notfound")

func parse(names ...string) map[string]*template.Template {
	parsed := make(map[string]*template.Template)
	for _, name := range names {
		parsed[name] = template.Must(template.ParseFS(files, "templates/layout.html", "templates/"+name+".html"))
	}
	return parsed
}

// page is what the templates show; each uses the part that it needs.
type page struct {
	Title   string
	Path    string
	Account *account // nil while nobody is logged in

	Message string // what was wrong with the form
	Email   string // what was typed, to be corrected

	Plans    []plan
	NextPlan *plan

	Who     loguro.Identity
	Events  []row // newest first
	JSON    string
	Waiting bool // some events are not delivered yet
}

// account returns who is logged in.
func (a *app) account(r *http.Request) (account, bool) { return a.accounts.find(a.sessions.user(r)) }

// render fills the template before it writes: a page that fails half-way becomes an error, not half a page.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data page) {
	data.Path = r.URL.Path
	if account, ok := a.account(r); ok {
		data.Account = &account
	}
	var body bytes.Buffer
	if err := templates[name].ExecuteTemplate(&body, "layout", data); err != nil {
		log.Print(err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-cache") // each page says who is logged in
	w.WriteHeader(status)
	body.WriteTo(w)
}

func (a *app) showHome(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "home", page{Title: "Welcome"})
}

func (a *app) showPricing(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "pricing", page{Title: "Pricing", Plans: plans})
}

// showNotFound needs no word to loguro: the status says that this is not a page.
func (a *app) showNotFound(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusNotFound, "notfound", page{Title: "Page not found"})
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=300")
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("name"))
}
