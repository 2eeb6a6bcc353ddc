package e2e

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// client is a browser without a window: a cookie jar on real connections. All names lead to the site.
type client struct {
	t    *testing.T
	site *site
	host string
	http *http.Client
}

func newClient(t *testing.T, s *site) *client {
	t.Helper()
	return newClientOver(t, s, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+s.port)
	})
}

// newClientOver connects as dial says, for what stands before a site.
func newClientOver(t *testing.T, s *site, dial func(context.Context) (net.Conn, error)) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, site: s, host: "app.acme.test", http: &http.Client{Jar: jar, Transport: transport, Timeout: patience}}
}

func (c *client) request(method, path string) *http.Request {
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.site.url(c.host, path), nil)
	if err != nil {
		panic(err) // a path that the test made up
	}
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return r
}

// fetch reads the whole answer, redirects followed; the jar has its cookies by then. It may run beside the test.
func (c *client) fetch(method, path string) error {
	res, err := c.http.Do(c.request(method, path))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func (c *client) get(path string)  { c.t.Helper(); c.must(path, c.fetch("GET", path)) }
func (c *client) post(path string) { c.t.Helper(); c.must(path, c.fetch("POST", path)) }

func (c *client) must(path string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
}

// kept names loguro's cookies in the jar.
func (c *client) kept() string {
	var out []string
	for _, cookie := range c.http.Jar.Cookies(&url.URL{Scheme: c.site.scheme, Host: c.host, Path: "/"}) {
		if strings.Contains(cookie.Name, "loguro_") {
			out = append(out, cookie.Name)
		}
	}
	return strings.Join(out, " ")
}
