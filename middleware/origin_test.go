package middleware

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10")}

func TestWhichOriginTheVisitorAsked(t *testing.T) {
	const proxy, stranger = "10.1.2.3:4711", "192.0.2.1:4711"
	for _, tt := range []struct {
		why    string
		remote string
		tls    bool
		proto  []string
		host   []string
		want   string
	}{
		{"no proxy, no TLS", stranger, false, nil, nil, "http://app.acme.com:8080"},
		{"no proxy, TLS", stranger, true, nil, nil, "https://app.acme.com:8080"},
		{"a stranger says what it likes", stranger, false, []string{"https"}, []string{"evil.example"}, "http://app.acme.com:8080"},
		{"a proxy that ends TLS", proxy, false, []string{"https"}, nil, "https://app.acme.com:8080"},
		{"a proxy that speaks TLS to us alone", proxy, true, []string{"http"}, nil, "http://app.acme.com:8080"},
		{"a proxy that says nothing", proxy, true, nil, nil, "https://app.acme.com:8080"},
		{"a proxy that changed the host", proxy, false, []string{"https"}, []string{"www.acme.com"}, "https://www.acme.com"},
		{"capitals", proxy, false, []string{"HTTPS"}, nil, "https://app.acme.com:8080"},
		{"blanks", proxy, false, []string{" https "}, []string{" www.acme.com "}, "https://www.acme.com"},
		{"of a list the last counts, which our proxy wrote", proxy, false, []string{"http, https"}, []string{"evil.example, www.acme.com"}, "https://www.acme.com"},
		{"of several headers too", proxy, false, []string{"http", "https"}, []string{"evil.example", "www.acme.com"}, "https://www.acme.com"},
		{"a list that ends in nothing", proxy, false, []string{"https,"}, []string{"evil.example,"}, "http://app.acme.com:8080"},
		{"an empty header", proxy, false, []string{""}, []string{""}, "http://app.acme.com:8080"},
		{"a scheme that is none of the web's", proxy, false, []string{"javascript"}, nil, "http://app.acme.com:8080"},
		{"websockets", proxy, true, []string{"wss"}, nil, "https://app.acme.com:8080"},
		{"a host with a port", proxy, false, nil, []string{"www.acme.com:8443"}, "http://www.acme.com:8443"},
		{"a host that is an address", proxy, false, nil, []string{"[2001:db8::1]:8443"}, "http://[2001:db8::1]:8443"},
		{"a host with a path", proxy, false, nil, []string{"evil.example/path"}, "http://app.acme.com:8080"},
		{"a host with a user", proxy, false, nil, []string{"app.acme.com@evil.example"}, "http://app.acme.com:8080"},
		{"a host with a query", proxy, false, nil, []string{"evil.example?"}, "http://app.acme.com:8080"},
		{"a host with a fragment", proxy, false, nil, []string{"evil.example#"}, "http://app.acme.com:8080"},
		{"a host with markup", proxy, false, nil, []string{"<script>"}, "http://app.acme.com:8080"},
		{"a host with a blank", proxy, false, nil, []string{"evil example"}, "http://app.acme.com:8080"},
		{"a host that is a book", proxy, false, nil, []string{string(make([]byte, 256))}, "http://app.acme.com:8080"},

		{"a proxy on IPv6", "[fd00::1]:4711", false, []string{"https"}, nil, "https://app.acme.com:8080"},
		{"a proxy on the link, with its zone", "[fe80::1%eth0]:4711", false, []string{"https"}, nil, "https://app.acme.com:8080"},
		{"a proxy on IPv4 that came in on a socket for both", "[::ffff:10.1.2.3]:4711", false, []string{"https"}, nil, "https://app.acme.com:8080"},
		{"a stranger the same way", "[::ffff:192.0.2.1]:4711", false, []string{"https"}, nil, "http://app.acme.com:8080"},
		{"a stranger on IPv6", "[2001:db8::1]:4711", false, []string{"https"}, nil, "http://app.acme.com:8080"},
		{"a peer without a port", "10.1.2.3", false, []string{"https"}, nil, "http://app.acme.com:8080"},
		{"a Unix socket", "@", false, []string{"https"}, nil, "http://app.acme.com:8080"},
		{"nobody", "", false, []string{"https"}, nil, "http://app.acme.com:8080"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://app.acme.com:8080/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-Proto"], r.Header["X-Forwarded-Host"] = tt.remote, tt.proto, tt.host
			r.Header.Set("Forwarded", "for=1.2.3.4;proto=https;host=evil.example")
			if tt.tls {
				r.TLS = new(tls.ConnectionState)
			}
			if scheme, host := origin(r, proxies); scheme+"://"+host != tt.want {
				t.Errorf("origin() = %s://%s, want %s", scheme, host, tt.want)
			}
			if scheme, host := origin(r, nil); host != "app.acme.com:8080" || (scheme == "https") != tt.tls {
				t.Errorf("origin() without proxies = %s://%s, want that of the connection", scheme, host)
			}
		})
	}
}

func TestWhichRequestsComeWithoutTheirCookies(t *testing.T) {
	for _, tt := range []struct {
		why    string
		method string
		site   string // Sec-Fetch-Site
		origin string
		scheme string
		host   string
		domain string
		want   bool
	}{
		{why: "a cross-site POST", method: "POST", site: "cross-site", want: true},
		{why: "a cross-site POST of our own origin, says the older header", method: "POST", site: "cross-site", origin: "https://app.acme.com", want: true},
		{why: "a cross-site PUT", method: "PUT", site: "cross-site", want: true},
		{why: "a cross-site link: Lax cookies come along", method: "GET", site: "cross-site"},
		{why: "a cross-site HEAD", method: "HEAD", site: "cross-site"},
		{why: "a same-origin POST", method: "POST", site: "same-origin"},
		{why: "a same-site POST", method: "POST", site: "same-site"},
		{why: "a POST of nobody's making", method: "POST", site: "none"},
		{why: "Sec-Fetch-Site counts before Origin", method: "POST", site: "same-origin", origin: "https://idp.example"},

		{why: "an old browser that says nothing", method: "POST"},
		{why: "our own origin", method: "POST", origin: "https://app.acme.com"},
		{why: "our own origin in capitals", method: "POST", origin: "HTTPS://APP.Acme.COM"},
		{why: "our own origin and its port", method: "POST", origin: "https://app.acme.com:443"},
		{why: "another port of our host is the same site", method: "POST", origin: "https://app.acme.com:8443", host: "app.acme.com:9443"},
		{why: "another site", method: "POST", origin: "https://idp.example", want: true},
		{why: "an opaque origin", method: "POST", origin: "null", want: true},
		{why: "an origin that is none", method: "POST", origin: "::", want: true},
		{why: "an origin without a host", method: "POST", origin: "https://", want: true},
		{why: "a look-alike", method: "POST", origin: "https://evilapp.acme.com.example", want: true},
		{why: "a look-alike before the dot", method: "POST", origin: "https://evil-app.acme.com", host: "app.acme.com", want: true},
		{why: "http to https is cross-site, schemefully", method: "POST", origin: "http://app.acme.com", want: true},
		{why: "https to http: the proxy may have ended TLS", method: "POST", origin: "https://app.acme.com", scheme: "http"},
		{why: "the parent domain", method: "POST", origin: "https://acme.com"},
		{why: "a subdomain", method: "POST", origin: "https://login.app.acme.com"},
		{why: "a sibling, and nobody says that they belong together", method: "POST", origin: "https://login.acme.com", want: true},
		{why: "a sibling within Domain", method: "POST", origin: "https://login.acme.com", domain: "acme.com"},
		{why: "a sibling beyond Domain", method: "POST", origin: "https://login.acme.org", domain: "acme.com", want: true},
		{why: "Domain itself", method: "POST", origin: "https://acme.com", domain: "acme.com"},
		{why: "a look-alike of Domain", method: "POST", origin: "https://evilacme.com", domain: "acme.com", want: true},
		{why: "an address", method: "POST", origin: "https://[2001:db8::1]:8443", host: "[2001:db8::1]:8443"},
		{why: "an address, and the port of its scheme", method: "POST", origin: "https://[2001:db8::1]", host: "[2001:db8::1]:443"},
		{why: "another address", method: "POST", origin: "https://[2001:db8::2]", host: "[2001:db8::1]", want: true},
		{why: "a host with the dot of the root", method: "POST", origin: "https://app.acme.com", host: "app.acme.com."},
	} {
		t.Run(tt.why, func(t *testing.T) {
			r := &http.Request{Method: tt.method, Header: http.Header{}}
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.scheme == "" {
				tt.scheme = "https"
			}
			if tt.host == "" {
				tt.host = "app.acme.com"
			}
			if got := withheld(r, tt.scheme, tt.host, tt.domain); got != tt.want {
				t.Errorf("withheld() = %v, want %v", got, tt.want)
			}
		})
	}
}
