package middleware

// Reason says why a request is not a pageview.
type Reason uint8

const (
	// Counted: there is no reason, it is a pageview.
	Counted Reason = iota
	// Prefetch: the browser fetched ahead of a click that may never come.
	Prefetch
	// Skipped: the application's own function said so.
	Skipped
	// ConsentMissing: the visitor did not consent.
	ConsentMissing
	// DNT and GPC: the request carried the signal, and the application respects it.
	DNT
	GPC
	// Method: not a GET.
	Method
	// Fragment: a part of a page, fetched by a script or shown in a frame.
	Fragment
	// Asset: an image, a style, a script; anything but a document.
	Asset
	// Status: neither 2xx nor 304. The handler redirected, failed, or its response never went out.
	Status
	// Download: to be saved, not shown.
	Download
	// ContentType: not HTML.
	ContentType
	reasons
)

var reasonNames = [reasons]string{"", "prefetch", "skipped", "consent", "dnt", "gpc", "method", "fragment", "asset", "status", "download", "content_type"}

// String returns the name under which Stats counts the reason.
func (r Reason) String() string { return reasonNames[r] }
