package e2e

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/loguro/loguro"
)

// proxyDir is a directory for the files and the socket of a proxy. Its name is short, because that of a socket may have
// a hundred characters at most.
func proxyDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// overSocket returns how to connect to the socket, once somebody listens there. A socket needs no free port, which
// neither of the proxies could look for and tell us.
func overSocket(t *testing.T, p *process, socket string) func(context.Context) (net.Conn, error) {
	t.Helper()
	dial := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", socket) }
	eventually(t, "the proxy listens on "+filepath.Base(socket), func() bool {
		conn, err := dial(t.Context())
		if err == nil {
			conn.Close()
		}
		return err == nil || p.over()
	})
	return dial
}

// shopBehindCache says about each page what its path asks for.
func shopBehindCache(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/silent":
	case "/max-age":
		w.Header().Set("Cache-Control", "max-age=60")
	case "/public":
		w.Header().Set("Cache-Control", "public, max-age=60")
	case "/s-maxage":
		w.Header().Set("Cache-Control", "s-maxage=60")
	case "/etag":
		w.Header().Set("Cache-Control", "public, max-age=0")
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if r.URL.Path == "/login" {
		loguro.Identify(r.Context(), "u1", nil)
	}
	show(w, "page")
}

// cachedPages are what a cache may do with each page: with one that carries a cookie, nothing.
var cachedPages = []struct {
	path     string
	cookies  string // what each visitor gets
	fromHere bool   // the second visitor gets the copy of the first
}{
	{"/silent", "loguro_v loguro_s", false},
	{"/max-age", "loguro_v loguro_s", false},
	{"/public", "", true},
	{"/s-maxage", "", true},
}

// checkCache sends visitors through a cache. hit says from the headers whether an answer is a copy.
func checkCache(t *testing.T, s *site, dial func(context.Context) (net.Conn, error), hit func(http.Header) bool) {
	for _, page := range cachedPages {
		t.Run(page.path, func(t *testing.T) {
			owner := make(map[string]int) // visitor cookies, and who got them
			for visitor := range 4 {
				b := newClientOver(t, s, dial)
				res, err := b.http.Do(b.request("GET", page.path))
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Fatalf("status %d, want 200", res.StatusCode)
				}
				if got := hit(res.Header); got != (page.fromHere && visitor > 0) {
					t.Errorf("visitor %d: a copy from the cache: %v, want %v", visitor, got, !got)
				}
				if got := b.kept(); got != page.cookies {
					t.Errorf("visitor %d got the cookies %q, want %q", visitor, got, page.cookies)
				}
				for _, c := range res.Cookies() {
					if before, taken := owner[c.Value]; taken {
						t.Errorf("visitor %d got the %s of visitor %d", visitor, c.Name, before)
					}
					owner[c.Value] = visitor
				}
			}
		})
	}
	t.Run("what it asks again about", func(t *testing.T) {
		for range 3 {
			b := newClientOver(t, s, dial)
			b.get("/etag")
			if got := b.kept(); got != "" {
				t.Errorf("a page that is checked by its ETag brought the cookies %q, want none", got)
			}
		}
	})
	t.Run("who comes back", func(t *testing.T) {
		n := len(s.events())
		b, other := newClientOver(t, s, dial), newClientOver(t, s, dial)
		for range 2 {
			b.get("/max-age")
			other.get("/silent")
		}
		e := s.since(n)
		if len(e) != 4 || e[0].Visitor != e[2].Visitor || e[1].Visitor != e[3].Visitor || e[0].Visitor == e[1].Visitor {
			t.Errorf("events = %+v, want two of each of two visitors", e)
		}
	})
}
