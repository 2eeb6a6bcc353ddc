package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

// nginxConfig is a cache before the application, in one process, with all its files in one directory.
const nginxConfig = `
daemon off;
master_process off;
pid DIR/pid;
error_log stderr warn;
events {}
http {
	access_log off;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	proxy_cache_path DIR/cache keys_zone=pages:1m;
	server {
		listen unix:DIR/http;
		listen unix:DIR/https ssl;
		ssl_certificate DIR/cert.pem;
		ssl_certificate_key DIR/key.pem;
		location / {
			proxy_pass http://127.0.0.1:PORT;
			proxy_cache pages;
			proxy_cache_key $scheme$host$request_uri;
			proxy_cache_valid 200 1m;
			proxy_cache_revalidate on;
			EXTRA
			add_header X-Cache $upstream_cache_status always;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Host $host;
		}
	}
}
`

// startNginx runs nginx before the site, and returns how to connect to its sockets "http" and "https".
func startNginx(t *testing.T, s *site, extra string) map[string]func(context.Context) (net.Conn, error) {
	t.Helper()
	nginx, dir := need(t, "nginx", "nginx"), proxyDir(t)
	certificate(t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	config := filepath.Join(dir, "nginx.conf")
	write(t, config, strings.NewReplacer("DIR", dir, "PORT", s.port, "EXTRA", extra).Replace(nginxConfig))
	p := start(t, nginx, "-c", config, "-p", dir, "-e", "stderr")
	return map[string]func(context.Context) (net.Conn, error){
		"http":  overSocket(t, p, filepath.Join(dir, "http")),
		"https": overSocket(t, p, filepath.Join(dir, "https")),
	}
}

// certificate makes one that nobody signed.
func certificate(t *testing.T, certPath, keyPath string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"app.acme.test"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certPath, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, keyPath, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func nginxHit(h http.Header) bool { return h.Get("X-Cache") == "HIT" }

// nginx keeps no answer with a Set-Cookie, unless it is told to pass over that header, as many sites do to make their
// caches work: then the Cache-Control of the answer alone must keep it out.
func TestNginxHandsNobodyTheCookieOfAnother(t *testing.T) {
	for _, tt := range []struct{ why, extra string }{
		{"as it comes", ""},
		{"told to cache in spite of Set-Cookie", "proxy_ignore_headers Set-Cookie;"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, "http", tracked(http.HandlerFunc(shopBehindCache)), nil)
			checkCache(t, s, startNginx(t, s, tt.extra)["http"], nginxHit)
		})
	}
}

func TestNginxTellsSchemeAndHostOnlyIfItIsTrusted(t *testing.T) {
	for _, tt := range []struct {
		why     string
		trusted []netip.Prefix
		want    map[string]string // the url of the event, by the scheme that the browser used
	}{
		{"trusted", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			map[string]string{"http": "http://app.acme.test/page?q=1", "https": "https://app.acme.test/page?q=1"}},
		{"somebody else is trusted", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			map[string]string{"http": "http://127.0.0.1:PORT/page?q=1", "https": "http://127.0.0.1:PORT/page?q=1"}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := newSite(t, "http", tracked(http.HandlerFunc(shopBehindCache)), func(c *loguro.Config) { c.TrustedProxies = tt.trusted })
			dial := startNginx(t, s, "")
			for scheme, want := range tt.want {
				b := newClientOver(t, s, dial[scheme])
				r := b.request("GET", "/page?q=1")
				r.URL.Scheme = scheme
				r.Header.Set("X-Forwarded-Proto", "gopher") // what the visitor claims is replaced by the proxy
				r.Header.Set("X-Forwarded-Host", "evil.test")
				res, err := b.http.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if got := s.last().URL; got != strings.ReplaceAll(want, "PORT", s.port) {
					t.Errorf("over %s: url = %q, want %q", scheme, got, want)
				}
			}
		})
	}
}
