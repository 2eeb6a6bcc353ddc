package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// One Chromium serves all tests, because it takes seconds to start; each test has windows of its own in it, which share
// nothing. All names below .test lead to this machine, and its certificates, which nobody signed, are believed.
var chromium struct {
	once sync.Once
	ctx  context.Context
	err  error
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

// chromiumPath finds the browser in $CHROMIUM, or under its usual names.
func chromiumPath() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func startChromium(path string) {
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1")}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "ignore-certificate-errors",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...) // with a new directory for its profile
	ctx, cancel := chromedp.NewContext(allocator)
	chromium.stop = func() { cancel(); end() }
	_, err := chromedp.Run(ctx, chromedp.Navigate("about:blank"))
	chromium.ctx, chromium.err = ctx, err
}

// window is a private window: it shares no cookies with any other.
type window struct {
	t   *testing.T
	ctx context.Context
	tab *tab // the first one
}

// newWindow opens one that is closed when the test ends. A missing browser is a failure, here as on CI.
func newWindow(t *testing.T) *window {
	t.Helper()
	path := chromiumPath()
	if path == "" {
		t.Fatal("Chromium is not installed: apt-get install chromium, or say where it is in CHROMIUM")
	}
	chromium.once.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatalf("start %s: %v", path, chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &window{t: t, ctx: ctx}
	w.tab = w.prepare(ctx)
	return w
}

// newTab opens another tab of the window.
func (w *window) newTab() *tab {
	w.t.Helper()
	ctx, cancel := chromedp.NewContext(w.ctx)
	w.t.Cleanup(cancel)
	return w.prepare(ctx)
}

// prepare turns JavaScript off: nothing that loguro does may need it.
func (w *window) prepare(ctx context.Context) *tab {
	w.t.Helper()
	// The first Run opens the tab, which lasts as long as the context of that Run: hence no deadline.
	_, err := chromedp.Run(ctx, do(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	if err != nil {
		w.t.Fatalf("open a tab and turn JavaScript off: %v", err)
	}
	return &tab{t: w.t, ctx: ctx}
}

// cookies are those that the window keeps, by name; domain is that of the cookie, or "" for any.
func (w *window) cookies(domain string) map[string]*network.Cookie {
	w.t.Helper()
	c := chromedp.FromContext(w.ctx)
	res, err := cdp.Call(w.ctx, c.Browser, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: c.BrowserContextID})
	if err != nil {
		w.t.Fatalf("read the cookies: %v", err)
	}
	found := make(map[string]*network.Cookie)
	for _, cookie := range res.Cookies {
		if domain != "" && cookie.Domain != domain {
			continue
		}
		if found[cookie.Name] != nil {
			w.t.Errorf("the browser keeps two cookies %s, of %q and %q", cookie.Name, found[cookie.Name].Domain, cookie.Domain)
		}
		found[cookie.Name] = cookie
	}
	return found
}

// names are the names of loguro's cookies among those, in a fixed order.
func names(cookies map[string]*network.Cookie) string {
	var out []string
	for _, name := range []string{"v", "s", "u", "n"} {
		for _, prefix := range []string{"", "__Host-"} {
			if cookies[prefix+"loguro_"+name] != nil {
				out = append(out, prefix+"loguro_"+name)
			}
		}
	}
	return strings.Join(out, " ")
}
