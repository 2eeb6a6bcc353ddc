package middleware

import "errors"

var (
	// ErrEmptyUserID means that Identify got no user id.
	ErrEmptyUserID = errors.New("loguro: the user id is empty; pass the id of the account that logged in, or call Reset for nobody")
	// ErrHeadersSent means that the response's headers are gone.
	ErrHeadersSent = errors.New("loguro: the response headers are sent, so cookies cannot change any more; call it before the first write")
)
