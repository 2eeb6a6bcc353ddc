package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"

	"github.com/loguro/loguro"
)

// routers mount the shop and the tracker in the way that each router's users do.
var routers = []struct {
	name  string
	mount func(*loguro.Tracker, []route) http.Handler
}{
	{"net/http", func(tracker *loguro.Tracker, routes []route) http.Handler {
		m := http.NewServeMux()
		for _, r := range routes {
			pattern := r.method + " " + r.path
			if r.path == "/" {
				pattern += "{$}" // else it is that of all paths
			}
			m.HandleFunc(pattern, r.handler)
		}
		return tracker.Handler(m)
	}},
	{"chi", func(tracker *loguro.Tracker, routes []route) http.Handler {
		m := chi.NewRouter()
		m.Use(tracker.Handler)
		for _, r := range routes {
			m.Method(r.method, r.path, r.handler)
		}
		return m
	}},
	{"gorilla/mux", func(tracker *loguro.Tracker, routes []route) http.Handler {
		m := mux.NewRouter()
		m.Use(tracker.Handler)
		for _, r := range routes {
			m.Handle(r.path, r.handler).Methods(r.method)
		}
		return m
	}},
	{"echo", func(tracker *loguro.Tracker, routes []route) http.Handler {
		e := echo.New()
		e.Use(echo.WrapMiddleware(tracker.Handler))
		for _, r := range routes {
			e.Add(r.method, r.path, func(c echo.Context) error {
				r.handler(c.Response(), c.Request())
				return nil
			})
		}
		return e
	}},
	{"gin", func(tracker *loguro.Tracker, routes []route) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		g := gin.New()
		for _, r := range routes {
			g.Handle(r.method, r.path, func(c *gin.Context) { r.handler(c.Writer, c.Request) })
		}
		return tracker.Handler(g)
	}},
}

func TestEveryRouterCountsIdentifiesAndResets(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			app := new(shop)
			s := newSite(t, "http", func(tracker *loguro.Tracker) http.Handler { return router.mount(tracker, app.routes()) },
				func(c *loguro.Config) { c.PersistUser = true })
			b := newClient(t, s)
			b.get("/")
			b.get("/broken")
			b.get("/nowhere")
			b.post("/login") // and on to /, as the redirect says
			b.post("/api/cart")
			before := b.kept()
			b.post("/logout")
			want := []string{
				"pageview / - visitor1 session1",
				"identify /login u1 visitor1 session1",
				"pageview / u1 visitor1 session1",
				"added_to_cart /api/cart u1 visitor1 session1",
				"pageview / - visitor2 session2",
			}
			if got := tell(s.events()); !slices.Equal(got, want) {
				t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if before != "loguro_v loguro_s loguro_u" || b.kept() != "loguro_v loguro_s" {
				t.Errorf("cookies before and after the logout: %s and %s; want one of the user before only", before, b.kept())
			}
		})
	}
}

func TestEveryRouterStreams(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			app := &shop{flushed: make(chan struct{})}
			s := newSite(t, "http", func(tracker *loguro.Tracker) http.Handler { return router.mount(tracker, app.routes()) }, nil)
			b := newClient(t, s)
			res, err := b.http.Do(b.request("GET", "/stream"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body := bufio.NewReader(res.Body)
			if line, err := body.ReadString('\n'); line != "first\n" {
				t.Fatalf("before the handler went on, the client read %q, %v", line, err)
			}
			if got := b.kept(); got != "loguro_v loguro_s" {
				t.Errorf("the first flush brought the cookies %q, want visitor and session", got)
			}
			close(app.flushed)
			if rest, err := io.ReadAll(body); string(rest) != "second\n" {
				t.Errorf("then %q, %v", rest, err)
			}
			if got := tell(s.events()); !slices.Equal(got, []string{"pageview /stream - visitor1 session1"}) {
				t.Errorf("events = %v, want one pageview", got)
			}
		})
	}
}

func TestEveryRouterHandsTheConnectionOver(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			s := newSite(t, "http", func(tracker *loguro.Tracker) http.Handler { return router.mount(tracker, new(shop).routes()) }, nil)
			b := newClient(t, s)
			b.get("/")
			conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r := b.request("GET", "/socket")
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "echo")
			for _, c := range b.http.Jar.Cookies(&url.URL{Scheme: "http", Host: b.host, Path: "/"}) {
				r.AddCookie(c)
			}
			if err := r.Write(conn); err != nil {
				t.Fatal(err)
			}
			answer := bufio.NewReader(conn)
			res, err := http.ReadResponse(answer, r)
			if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("the answer is %v, %v; want 101", res, err)
			}
			fmt.Fprintln(conn, "hello")
			if line, err := answer.ReadString('\n'); line != "echo hello\n" {
				t.Errorf("over the connection came %q, %v", line, err)
			}
			conn.Close()
			want := []string{"pageview / - visitor1 session1", "connected /socket - visitor1 session1"}
			if got := tell(s.events()); !slices.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		})
	}
}

// gin's own way to stream asks the writer for CloseNotify, and panics if it has none.
func TestGinStreams(t *testing.T) {
	s := newSite(t, "http", func(tracker *loguro.Tracker) http.Handler {
		g := gin.New()
		g.GET("/", func(c *gin.Context) {
			c.Header("Content-Type", "text/html")
			n := 0
			c.Stream(func(w io.Writer) bool {
				n++
				fmt.Fprintln(w, n)
				return n < 3
			})
		})
		return tracker.Handler(g)
	}, nil)
	b := newClient(t, s)
	res, err := b.http.Do(b.request("GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "1\n2\n3\n" {
		t.Errorf("the client read %q, %v", body, err)
	}
	if got := tell(s.events()); !slices.Equal(got, []string{"pageview / - visitor1 session1"}) {
		t.Errorf("events = %v, want one pageview", got)
	}
}
