package main

import (
	"net/http"

	"github.com/loguro/loguro"
)

func (a *app) showAccount(w http.ResponseWriter, r *http.Request) {
	account, ok := a.account(r)
	if !ok {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	data := page{Title: "Your account", Plans: plans}
	if next := planIndex(account.Plan) + 1; next < len(plans) {
		data.NextPlan = &plans[next]
	}
	a.render(w, r, http.StatusOK, "account", data)
}

// upgrade tracks what happened rather than what was clicked: a form that changes nothing is no event.
func (a *app) upgrade(w http.ResponseWriter, r *http.Request) {
	account, ok := a.account(r)
	if !ok {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	plan := r.PostFormValue("plan")
	if old, ok := a.accounts.upgrade(account.ID, plan); ok {
		report(loguro.Track(r.Context(), "subscription_upgraded", loguro.Props{"new_plan": plan, "old_plan": old}))
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}
