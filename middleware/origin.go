package middleware

import (
	"net/http"
	"net/netip"
	"strings"
)

// origin returns the scheme and the host that the visitor's browser asked. X-Forwarded-Proto and X-Forwarded-Host
// count only if the peer of this connection is a trusted proxy: everybody else could send what they like. Of a list the
// last value counts, the one that the proxy next to us wrote.
func origin(r *http.Request, trusted []netip.Prefix) (scheme, host string) {
	scheme, host = "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if len(trusted) == 0 || !trusts(trusted, r.RemoteAddr) {
		return scheme, host
	}
	switch proto := strings.ToLower(last(r.Header["X-Forwarded-Proto"])); proto {
	case "http", "https":
		scheme = proto
	}
	if forwarded := last(r.Header["X-Forwarded-Host"]); forwarded != "" && validHost(forwarded) {
		host = forwarded
	}
	return scheme, host
}

func trusts(trusted []netip.Prefix, remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	for _, prefix := range trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

func validHost(host string) bool {
	return len(host) <= 255 && !strings.ContainsAny(host, "/\\?#@<>\"' \t")
}
