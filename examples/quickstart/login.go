package main

import (
	"errors"
	"net/http"

	"github.com/loguro/loguro"
)

func (a *app) showSignup(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.account(r); ok {
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "signup", page{Title: "Sign up"})
}

func (a *app) signup(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	account, err := a.accounts.create(email, r.PostFormValue("password"))
	if err == nil {
		a.enter(w, r, account)
		return
	}
	status, message := http.StatusUnprocessableEntity, "That does not look like an e-mail address."
	switch {
	case errors.Is(err, errEmailTaken):
		status, message = http.StatusConflict, "There is an account with this e-mail address already. Log in instead."
	case errors.Is(err, errShortPassword):
		message = "Choose a password of 8 characters or more."
	}
	a.render(w, r, status, "signup", page{Title: "Sign up", Message: message, Email: email})
}

func (a *app) showLogin(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.account(r); ok {
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "login", page{Title: "Log in"})
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	account, ok := a.accounts.check(email, r.PostFormValue("password"))
	if !ok {
		a.render(w, r, http.StatusUnauthorized, "login", page{Title: "Log in", Message: "E-mail address or password is wrong.", Email: email})
		return
	}
	a.enter(w, r, account)
}

// enter logs an account in. Config.User answers from the next request on; in this one only Identify can, because the
// request came without the new session. The traits say what is useful for counting: the plan, not the e-mail address.
func (a *app) enter(w http.ResponseWriter, r *http.Request, who account) {
	a.sessions.begin(w, r, who.ID)
	report(loguro.Identify(r.Context(), who.ID, loguro.Props{"plan": who.Plan}))
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// logout resets before it redirects: cookies travel in headers, so they must be changed before the first write. What
// the browser does next belongs to a new visitor, because somebody else may sit before it.
func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	a.sessions.end(w, r)
	report(loguro.Reset(r.Context()))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
