package e2e

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// varnishConfig is the smallest there is: what it does not say is Varnish's built-in configuration.
const varnishConfig = `
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "PORT"; }
EXTRA
sub vcl_deliver { set resp.http.X-Hits = obj.hits; }
`

func startVarnish(t *testing.T, s *site, extra string) func(context.Context) (net.Conn, error) {
	t.Helper()
	varnishd, dir := need(t, "varnishd", "varnish"), proxyDir(t)
	config, socket := filepath.Join(dir, "default.vcl"), filepath.Join(dir, "http")
	write(t, config, strings.NewReplacer("PORT", s.port, "EXTRA", extra).Replace(varnishConfig))
	p := start(t, varnishd, "-F", "-j", "none", "-n", filepath.Join(dir, "work"), "-a", socket, "-f", config, "-s", "malloc,16m", "-t", "60")
	return overSocket(t, p, socket)
}

func varnishHit(h http.Header) bool { return h.Get("X-Hits") != "0" }

func TestVarnishHandsNobodyTheCookieOfAnother(t *testing.T) {
	for _, tt := range []struct{ why, extra string }{
		{"as it comes", ""},

		{"told to cache in spite of Set-Cookie", `
sub vcl_backend_response {
	if (beresp.ttl > 0s && beresp.http.Cache-Control !~ "(?i:no-cache|no-store|private)") { return (deliver); }
}`},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, "http", tracked(http.HandlerFunc(shopBehindCache)), nil)
			checkCache(t, s, startVarnish(t, s, tt.extra), varnishHit)
		})
	}
}
