package identity_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/loguro/loguro/identity"
)

// A request of a fresh browser, and its next one 20 minutes later.
func ExampleIssuer() {
	issuer, err := identity.NewIssuer(identity.Policy{
		Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, VisitorMaxAge: 365 * 24 * time.Hour, SessionTimeout: 30 * time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	state := issuer.Open(issuer.Present(http.Header{}), identity.Stored, nil)
	first := state.Event(now.UnixMilli())

	var cookies []string
	for _, line := range state.SetCookies(nil, "app.acme.com") {
		pair, attributes, _ := strings.Cut(line, "; ")
		fmt.Println(pair[:len("loguro_v")], attributes)
		cookies = append(cookies, pair)
	}
	presented := issuer.Present(http.Header{"Cookie": {strings.Join(cookies, "; ")}})
	second := issuer.Open(presented, identity.Stored, nil).Event(now.Add(20 * time.Minute).UnixMilli())
	fmt.Println("same visitor:", second.Visitor == first.Visitor, "same session:", second.Session == first.Session)
	// Output:
	// loguro_v Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax; Secure
	// loguro_s Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax; Secure
	// same visitor: true same session: true
}
