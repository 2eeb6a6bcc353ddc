// Package event is the event itself: its fields, the JSON that documents it, and the limits on what an
// application may put in. It knows nothing of requests, cookies or storage, so that every other package may use it.
//
// Applications reach it through the aliases in package loguro.
package event

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Type says how an event came to be.
type Type string

const (
	// Pageview is a page that a visitor was shown, recorded by the middleware.
	Pageview Type = "pageview"
	// Custom is an event that the application named, with Track or Identify.
	Custom Type = "custom"
)

// Event is one thing that happened. A zero field was not known, and is left out of the JSON.
type Event struct {
	// ID is a version 7 UUID (RFC 9562), the key by which a store recognises a repeated event.
	ID uuid.UUID
	// Type is Pageview or Custom.
	Type Type
	// Name is the custom event's name, at most MaxName characters; "" for a pageview.
	Name string
	// URL is the absolute address as the visitor's browser saw it, with secrets in the query redacted; at most 8 KiB.
	URL string
	// Path is the path of URL, percent-encoded as it was sent.
	Path string
	// Visitor is the browser. It is zero only for background events of a user whose browser is unknown.
	Visitor uuid.UUID
	// Session is the run of events without a long gap that this one belongs to.
	Session uuid.UUID
	// User is the application's own account id, "" while nobody is identified.
	User string
	// Props are the properties of a custom event: one JSON object of at most MaxProps bytes, or nil.
	Props json.RawMessage
	// Time is when it happened, in milliseconds since 1970-01-01 UTC.
	Time int64

	// Referrer is the address of the page before, with secrets redacted.
	Referrer string
	// Title is the title of the page.
	Title string
	// Route is the pattern that the request matched, such as "GET /users/{id}".
	Route string
	// Status is the HTTP status code of the response.
	Status int
	// Duration is how long the handler took, in milliseconds.
	Duration int64

	// Country is ISO 3166-1 alpha-2 in capitals; Region and City are names.
	Country, Region, City string
	// Browser, OS and Device are lower case: chrome, macos, mobile.
	Browser, OS, Device string
	// Language is the visitor's preferred one, such as "de-CH".
	Language string
	// Channel is the kind of source that the visit came from; ReferrerDomain is the host of Referrer.
	Channel, ReferrerDomain string
	// UTMSource to UTMContent are the five campaign parameters.
	UTMSource, UTMMedium, UTMCampaign, UTMTerm, UTMContent string
	// Returning is true when the request carried a valid visitor cookie.
	Returning bool
	// Bot names the automated client, where such events are kept and marked.
	Bot string
	// Site names the site, where several share a store.
	Site string
}

// Timestamp returns Time in UTC.
func (e *Event) Timestamp() time.Time { return time.UnixMilli(e.Time).UTC() }

// fixedSize is what an Event takes in memory beside its strings.
const fixedSize = 512

// Size estimates the bytes that the event holds in memory.
func (e *Event) Size() int {
	return fixedSize + len(e.Name) + len(e.URL) + len(e.Path) + len(e.User) + len(e.Props) +
		len(e.Referrer) + len(e.Title) + len(e.Route)
}
