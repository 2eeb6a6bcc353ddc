package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// noteMaxAge is how long a note waits for the next request of its browser.
const noteMaxAge = 5 * time.Minute

// Policy is what an application decides about identity.
type Policy struct {
	Keys           [][]byte
	CookiePrefix   string // before the names loguro_v, loguro_s, loguro_u, loguro_n and loguro_f
	Domain         string // "" for this origin only
	AllowHTTP      bool
	PersistUser    bool
	RenewVisitor   bool
	VisitorMaxAge  time.Duration
	SessionTimeout time.Duration
}

// The cookies, by their place in every table of this package.
const (
	visitorCookie = iota
	sessionCookie
	userCookie
	noteCookie
	forgottenCookie
	cookies
)

// Issuer issues and verifies the cookies of one site. It is safe for concurrent use.
type Issuer struct {
	policy Policy
	keys   Keys
	domain string
	names  [cookies]string
	// signedAs is what each cookie is signed as: its name and its domain, so that after a change of Config.Domain
	// the cookies of the old scope do not count beside those of the new one.
	signedAs [cookies]string
	suffix   [cookies]string // attributes of a cookie that is set
	expire   string          // attributes of one that is deleted
	verified verifiedSessions
	taken    takenNotes
}

// NewIssuer checks the policy; the error joins all complaints.
func NewIssuer(p Policy) (*Issuer, error) {
	var errs []error
	if len(p.Keys) == 0 {
		errs = append(errs, errors.New("Keys is empty; give one secret of 32 bytes or more, the same on every process of the site, made with: openssl rand -hex 32"))
	}
	keys, err := NewKeys(p.Keys, p.VisitorMaxAge)
	errs = append(errs, err, checkDomain(p.Domain), checkPrefix(p))
	if p.VisitorMaxAge < time.Second {
		errs = append(errs, fmt.Errorf("VisitorMaxAge is %v, want a second or more", p.VisitorMaxAge))
	}
	if p.SessionTimeout < time.Millisecond {
		errs = append(errs, fmt.Errorf("SessionTimeout is %v, want a millisecond or more", p.SessionTimeout))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	i := &Issuer{policy: p, keys: keys, domain: strings.ToLower(strings.TrimPrefix(p.Domain, "."))}
	attributes := i.scope(i.domain) + "; HttpOnly; SameSite=Lax"
	if !p.AllowHTTP {
		attributes += "; Secure"
	}
	i.expire = "; Max-Age=0" + attributes
	for c, letter := range []string{"v", "s", "u", "n", "f"} {
		i.names[c] = p.CookiePrefix + "loguro_" + letter
		i.signedAs[c] = i.names[c] + "@" + i.domain
		// The session cookie lives as long as the visitor's: the browser must still present it after it expired,
		// so that parallel tabs agree on the next one, and only the server's clock decides when that is.
		age := p.VisitorMaxAge
		if c == noteCookie || c == forgottenCookie {
			age = noteMaxAge
		}
		i.suffix[c] = fmt.Sprintf("; Max-Age=%d%s", int64(age/time.Second), attributes)
	}
	return i, nil
}

func (i *Issuer) scope(domain string) string {
	if domain == "" {
		return "; Path=/"
	}
	return "; Path=/; Domain=" + domain
}

func checkDomain(domain string) error {
	host := strings.TrimPrefix(domain, ".")
	if domain == "" {
		return nil
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return fmt.Errorf("Domain is %q, but cookies cannot span the subdomains of an address; leave it empty", domain)
	}
	if host == "" || strings.HasSuffix(host, ".") || strings.Contains(host, "..") || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return fmt.Errorf("Domain is %q, want the name of a domain without scheme, port or path, such as \".acme.com\"", domain)
	}
	return nil
}

// checkPrefix holds RFC 6265bis, section 4.1.3: browsers refuse a cookie that breaks its name's promise, silently.
func checkPrefix(p Policy) error {
	for _, c := range []byte(p.CookiePrefix) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return fmt.Errorf("CookiePrefix is %q, but a cookie's name cannot hold %q", p.CookiePrefix, c)
		}
	}
	if len(p.CookiePrefix) > 64 {
		return fmt.Errorf("CookiePrefix has %d bytes, want 64 or less", len(p.CookiePrefix))
	}
	prefix := strings.ToLower(p.CookiePrefix)
	host := strings.HasPrefix(prefix, "__host-")
	if host && p.Domain != "" {
		return fmt.Errorf("CookiePrefix is %q and Domain is %q, but browsers refuse __Host- cookies with a domain; use __Secure- instead", p.CookiePrefix, p.Domain)
	}
	if (host || strings.HasPrefix(prefix, "__secure-") || strings.HasPrefix(prefix, "__http-")) && p.AllowHTTP {
		return fmt.Errorf("CookiePrefix is %q and AllowHTTP is set, but browsers refuse such cookies over HTTP; drop one of the two", p.CookiePrefix)
	}
	return nil
}

// Domain returns the domain of the cookies in lower case, without a leading dot; "" for this origin only.
func (i *Issuer) Domain() string { return i.domain }

// encode signs a payload with the first key, and encrypts those that name a user.
func (i *Issuer) encode(cookie int, payload any) (string, error) {
	return i.keys[0].codec(cookie).Encode(i.signedAs[cookie], payload)
}

// decode verifies a value with each key in turn, and says which one signed it.
func (i *Issuer) decode(cookie int, value string, payload any) (key int, ok bool) {
	if len(value) < 4 || len(value) > maxCookie {
		return 0, false
	}
	// base64 may end in bits that stand for nothing; a cookie has one spelling only.
	if _, err := base64.URLEncoding.Strict().DecodeString(value[len(value)-4:]); err != nil {
		return 0, false
	}
	for k := range i.keys {
		if i.keys[k].codec(cookie).Decode(i.signedAs[cookie], value, payload) == nil {
			return k, true
		}
	}
	return 0, false
}

func digest(cookie string) [8]byte {
	var room [256]byte // keeps the copy of an ordinary cookie off the heap
	sum := sha256.Sum256(append(room[:0], cookie...))
	return [8]byte(sum[:8])
}
