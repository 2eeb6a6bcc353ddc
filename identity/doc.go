// Package identity decides who a request belongs to: which visitor (a browser), which session (a run of events without
// a long gap) and which user (an account of the application). It keeps all of it in signed cookies and nothing on the
// server, so that any number of processes that share the keys are one site.
//
// The rules are pure: they take the time and what the browser presented, and answer with ids and with the Set-Cookie
// lines that the browser must get. When those lines go out is for package middleware to decide.
package identity
