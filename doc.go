// Package loguro gives a server-rendered application first-party product analytics without a line of JavaScript: wrap
// the handler, and visitors, sessions, users, pageviews and events of your own are recorded and exported, each once.
//
//	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: "events"})
//	tracker, err := loguro.New(loguro.Config{Exporter: exporter, Keys: [][]byte{key}})
//	server := &http.Server{Addr: ":8080", Handler: tracker.Handler(mux)}
//
// In a handler, and before its first write:
//
//	loguro.Identify(r.Context(), user.ID, loguro.Props{"plan": user.Plan}) // at login
//	loguro.Track(r.Context(), "subscription_upgraded", loguro.Props{"new_plan": "pro"})
//	loguro.Reset(r.Context())                                              // at logout
//
// # Lifecycle
//
// [New] checks the whole configuration and starts the delivery. When the program ends, stop the server first and the
// tracker after it, so that the last requests are still recorded:
//
//	server.Shutdown(ctx)
//	tracker.Shutdown(ctx) // says how many events are not delivered, and where they are
//
// # Guarantees
//
// The application never waits for the network or for a disk to be in sync, and never panics because of an event. With
// Config.Spool an event is in the hands of the operating system before Track returns: a crash loses nothing, and a power
// cut at most Config.SpoolSyncInterval. A batch is exported again with the same id until the exporter says that it is
// durable, through restarts and crashes, and exporters are idempotent per id: what arrives is each event once. What
// waits is bounded, in memory and on disk; beyond that Track returns [ErrSpoolFull]. Without a spool events wait in
// memory, and a crash loses them.
//
// Cookies go out at the moment the headers do, only if an event happened, and never on a response that a shared cache
// may store. The response is otherwise the handler's own: flushing, hijacking, sendfile, deadlines and trailers work.
//
// # Privacy
//
// A visitor is a random number in a signed, HttpOnly cookie. No IP address, no User-Agent and no other header value
// than the referrer is in an event; values of query parameters with secret names are redacted. Consent, DNT and GPC
// are respected as Config says, and withdrawn consent deletes the cookies.
package loguro
