// Package middleware stands between the server and the application's handler. It wraps the response so that cookies go
// out at the one moment the headers do, decides after the handler whether the request was a pageview, and if not, why.
// What an event holds and where it goes is not its business: it tells a Recorder.
package middleware
