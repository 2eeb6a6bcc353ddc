package enrich

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxURL is the longest address that an event keeps, in bytes; a longer one is cut.
const MaxURL = 8192

// Redacted stands in place of a secret.
const Redacted = "redacted"

// CleanURL returns an absolute or relative address verbatim, but for what must not leave the application: the values
// of query parameters with secret names, the same in matrix parameters of the path (;jsessionid=…), user and password
// before the host, and the fragment. Text that is not UTF-8 is mended.
func CleanURL(address string) string {
	address, _, _ = strings.Cut(address, "#")
	path, query, _ := strings.Cut(address, "?")
	clean, cleanQuery := CleanPath(dropUserinfo(path)), cleanPairs(query, 0)
	if clean != path || cleanQuery != query { // most have nothing to hide, and need no copy
		address = clean + address[len(path):len(address)-len(query)] + cleanQuery
	}
	return cut(strings.ToValidUTF8(address, "\uFFFD"))
}

// CleanPath returns a path as it was sent, with the values of secret matrix parameters redacted.
func CleanPath(path string) string {
	if strings.IndexByte(path, ';') < 0 {
		return cut(strings.ToValidUTF8(path, "\uFFFD"))
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, pairs, ok := strings.Cut(segment, ";"); ok {
			segments[i] = name + ";" + cleanPairs(pairs, 0)
		}
	}
	return cut(strings.ToValidUTF8(strings.Join(segments, "/"), "\uFFFD"))
}

// ForgetPath shortens an address to its origin if that is the origin of site too; another one stays.
func ForgetPath(address, site string) string {
	n := originLen(address)
	if n == 0 || n != originLen(site) || address[:n] != site[:n] {
		return address
	}
	return address[:min(n+1, len(address))]
}

// originLen is the length of the scheme and host of an absolute address, up to the path; 0 for another one.
func originLen(address string) int {
	start := strings.Index(address, "//") + 2
	if start < 2 {
		return 0
	}
	if end := strings.IndexByte(address[start:], '/'); end >= 0 {
		return start + end
	}
	return len(address)
}

func cut(s string) string {
	if len(s) <= MaxURL {
		return s
	}
	n := MaxURL
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
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

// hidesSecret looks into a value that is an address or a query itself (?next=%2Freset%3Ftoken%3D…).
func hidesSecret(value string, depth int) bool {
	if depth >= 3 {
		return false
	}
	inner := unescape(value)
	if strings.IndexByte(inner, '=') < 0 {
		return inner != value && hidesSecret(inner, depth+1)
	}
	if _, query, ok := strings.Cut(inner, "?"); ok {
		inner = query
	}
	inner = strings.ReplaceAll(inner, "#", "&")
	return cleanPairs(inner, depth+1) != inner
}

func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}
