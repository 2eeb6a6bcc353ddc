package enrich

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxURL is the longest address that an event keeps, in bytes; a longer one is cut.
const MaxURL = 8192

// Redacted stands in place of a secret.
const Redacted = "redacted"

// CleanURL returns an absolute or relative address verbatim, but for what must not leave the application: the values
// of query parameters with secret names, the same in the path (;jsessionid=…, /token=…), user and password before the
// host, and the fragment. Text that is not UTF-8 is mended.
func CleanURL(address string) string {
	// What will be cut off anyway is not looked at. Half of what is left may turn out to be longer than it was.
	address, _, _ = strings.Cut(address[:min(len(address), 2*MaxURL)], "#")
	address = dropUserinfo(address)
	path, query, _ := strings.Cut(address, "?")
	clean, cleanQuery := cleanPath(path), cleanPairs(query, 0)
	if clean != path || cleanQuery != query { // most have nothing to hide, and need no copy
		address = clean + address[len(path):len(address)-len(query)] + cleanQuery
	}
	return cut(strings.ToValidUTF8(address, "\uFFFD"))
}

// cleanPath returns a path as it was sent, with secret matrix parameters redacted, and segments that hold a secret.
func cleanPath(path string) string {
	if strings.IndexByte(path, ';') < 0 && strings.IndexByte(path, '=') < 0 && strings.IndexByte(path, '%') < 0 {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, pairs, ok := strings.Cut(segment, ";"); ok {
			segments[i] = name + ";" + cleanPairs(pairs, 0)
		} else if hidesSecret(segment, 0) {
			segments[i] = Redacted
		}
	}
	return strings.Join(segments, "/")
}

// ForgetPath shortens an address to its origin if that is the site's own: the host of site, whatever scheme and port a
// proxy made of it, or one below domain, where that is not empty. Another address stays.
func ForgetPath(address, site, domain string) string {
	n, host := origin(address)
	_, own := origin(site)
	domain = strings.TrimPrefix(domain, ".")
	if n == 0 || !strings.EqualFold(host, own) && !(below(host, domain) && below(own, domain)) {
		return address
	}
	return address[:n] + "/"
}

// origin returns the length of scheme and authority of an absolute address, and the host without its port.
func origin(address string) (n int, host string) {
	start := strings.Index(address, "//") + 2
	if start < 2 {
		return 0, ""
	}
	if n = len(address); strings.ContainsAny(address[start:], "/?") {
		n = start + strings.IndexAny(address[start:], "/?")
	}
	host = address[start:n]
	if port := strings.LastIndexByte(host, ':'); port > strings.LastIndexByte(host, ']') {
		host = host[:port]
	}
	return n, host
}

func below(host, domain string) bool {
	host = lowerASCII(host)
	domain = lowerASCII(domain)
	return domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
}

func cut(s string) string {
	if len(s) <= MaxURL {
		return s
	}
	n := MaxURL
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n]) // a part would keep the whole in memory, which Event.Size does not see
}

func dropUserinfo(address string) string {
	scheme, rest, ok := strings.Cut(address, "//")
	if !ok {
		return address
	}
	authority, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return address
	}
	path := rest[len(authority):]
	if path == "" {
		path = "/"
	}
	return scheme + "//" + authority[at+1:] + path
}

// cleanPairs keeps a list of name=value pairs byte for byte, but for the values of secret names.
func cleanPairs(pairs string, depth int) string {
	var b strings.Builder
	kept := 0 // everything before it is in b
	for at := 0; at <= len(pairs); {
		end := len(pairs)
		if n := strings.IndexAny(pairs[at:], "&;"); n >= 0 {
			end = at + n
		}
		if eq := strings.IndexByte(pairs[at:end], '='); eq >= 0 {
			name, value := pairs[at:at+eq], pairs[at+eq+1:end]
			if value != "" && (secretName(name) || hidesSecret(value, depth)) {
				b.WriteString(pairs[kept : at+eq+1])
				b.WriteString(Redacted)
				kept = end
			}
		}
		at = end + 1
	}
	if kept == 0 {
		return pairs
	}
	return b.String() + pairs[kept:]
}

// hidesSecret looks into a value that is an address, a query or JSON itself (?next=%2Freset%3Ftoken%3D…). What is nested
// too deep to be looked at counts as a secret.
func hidesSecret(value string, depth int) bool {
	inner := unescape(value)
	if inner != value && depth >= 3 {
		return true
	}
	if inner != dropUserinfo(inner) || namesSecret(inner) {
		return true
	}
	return inner != value && hidesSecret(inner, depth+1)
}

// namesSecret says whether text has a secret name before = or, in quotes, before a colon, and something after it.
func namesSecret(text string) bool {
	for i := range len(text) - 1 {
		end := i
		switch {
		case text[i] == '=':
		case text[i] == ':' && i > 0 && text[i-1] == '"':
			end--
		default:
			continue
		}
		start := end
		for start > 0 && (isAlnum(text[start-1]) || strings.IndexByte("_-.[]", text[start-1]) >= 0) {
			start--
		}
		if start < end && secretName(text[start:end]) {
			return true
		}
	}
	return false
}

// unescape undoes percent-encoding where it is right, and leaves the rest: a broken link still holds its secret.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
