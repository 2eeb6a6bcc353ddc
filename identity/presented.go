package identity

import (
	"net/http"
	"strings"
)

// Presented are the cookies of ours that a request carries, not yet verified.
type Presented struct {
	values [cookies]string
	// spoiled marks names that came twice, too long or with a value that did not verify. Two cookies of one name are
	// two scopes, and RFC 6265bis (section 4.2.2) gives no rule which one to believe, so neither counts.
	spoiled [cookies]bool
}

// Present scans the Cookie headers for our names. It costs no allocation and looks at nothing else.
func (i *Issuer) Present(h http.Header) Presented {
	var p Presented
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			for c := range i.names {
				if name != i.names[c] {
					continue
				}
				if p.values[c] != "" || p.spoiled[c] || len(value) > maxCookie {
					p.values[c], p.spoiled[c] = "", true
				} else if p.values[c] = value; value == "" {
					p.spoiled[c] = true
				}
			}
		}
	}
	return p
}

// Any says whether the request carries a cookie of ours, good or bad.
func (p *Presented) Any() bool {
	for c := range p.values {
		if p.has(c) {
			return true
		}
	}
	return false
}

func (p *Presented) has(cookie int) bool { return p.values[cookie] != "" || p.spoiled[cookie] }

// spoil gives a cookie up that did not verify.
func (p *Presented) spoil(cookie int) { p.values[cookie], p.spoiled[cookie] = "", true }

// Noted says whether the request carries a note.
func (p *Presented) Noted() bool { return p.values[noteCookie] != "" }
