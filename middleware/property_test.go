package middleware_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

// A step is one thing that a handler does; it answers what it saw.
type step struct {
	name string
	do   func(w http.ResponseWriter) string
}

type program []step

func (p program) String() string {
	var names []string
	for _, s := range p {
		names = append(names, s.name)
	}
	return strings.Join(names, "; ")
}

func (p program) run(w http.ResponseWriter) (saw []string) {
	for _, s := range p {
		saw = append(saw, s.do(w))
	}
	return saw
}

// wrote leaves the words of the error out: HTTP/2 has several for a stream that is closed.
func wrote[N int | int64](n N, err error) string { return fmt.Sprint(n, err != nil) }

// random makes a program. late says that the headers go out after it: then 1xx is unknown, and what the program does to
// cookies and their protection after its first write is not too late.
func random(rnd *rand.Rand, late bool) program {
	types := []string{html, "text/html", "application/xhtml+xml", "text/plain", "application/json", "TEXT/HTML ;charset=x", ""}
	bodies := []string{"<!doctype html>", "<html>", "\n \n", "<", "plain ", "\x00\x01", "<?xml?>", "GIF89a"}
	statuses := []int{200, 200, 200, 201, 204, 206, 301, 303, 304, 404, 500}
	sizes := []int{0, 1, 5, 100, 511, 512, 513, 1000, 2047, 2048, 2049, 4096, 9000}
	headers := []string{"X-A", "X-B", "Cache-Control", "Etag", "Vary", "Content-Disposition", "Content-Language", "Set-Cookie"}
	if late {
		headers = slices.DeleteFunc(headers, func(name string) bool { return name == "Cache-Control" || name == "Set-Cookie" })
	}
	values := map[string][]string{
		"Cache-Control": {"no-cache", "private", "max-age=60", "public", "no-store", "s-maxage=9", ""}, "Content-Disposition": {"inline", "attachment; filename=x"},
		"Set-Cookie": {"app=1", "app=2; Path=/"}, "Vary": {"Accept", "Cookie"},
	}
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	body := func() string {
		if n := sizes[rnd.IntN(len(sizes))]; rnd.IntN(2) == 0 && n > 0 {
			return (pick(bodies) + strings.Repeat("x", n))[:n]
		}
		return pick(bodies)
	}
	one := func() step {
		switch rnd.IntN(16) {
		case 0, 1:
			name := pick(headers)
			value := "v" + strconv.Itoa(rnd.IntN(3))
			if values[name] != nil {
				value = pick(values[name])
			}
			if rnd.IntN(2) == 0 {
				return step{"set " + name + ": " + value, func(w http.ResponseWriter) string { w.Header().Set(name, value); return "" }}
			}
			return step{"add " + name + ": " + value, func(w http.ResponseWriter) string { w.Header().Add(name, value); return "" }}
		case 2:
			name := pick(headers)
			return step{"delete " + name, func(w http.ResponseWriter) string { w.Header().Del(name); return "" }}
		case 3, 4:
			value := pick(types)
			return step{"type " + value, func(w http.ResponseWriter) string { w.Header().Set("Content-Type", value); return "" }}
		case 5:
			return step{"no type", func(w http.ResponseWriter) string { w.Header()["Content-Type"] = nil; return "" }}
		case 6, 7:
			code := statuses[rnd.IntN(len(statuses))]
			return step{fmt.Sprint("status ", code), func(w http.ResponseWriter) string { w.WriteHeader(code); return "" }}
		case 8:
			if late {
				return step{"nothing", func(http.ResponseWriter) string { return "" }}
			}
			code := 102 + rnd.IntN(2)
			return step{fmt.Sprint("status ", code), func(w http.ResponseWriter) string { w.WriteHeader(code); return "" }}
		case 9, 10:
			b := body()
			return step{fmt.Sprintf("write %d %.9q", len(b), b), func(w http.ResponseWriter) string { return wrote(w.Write([]byte(b))) }}
		case 11:
			b := body()
			return step{fmt.Sprintf("string %d %.9q", len(b), b), func(w http.ResponseWriter) string { return wrote(io.WriteString(w, b)) }}
		case 12:
			b := body()
			return step{fmt.Sprintf("copy %d %.9q", len(b), b), func(w http.ResponseWriter) string {
				return wrote(io.Copy(w, onlyReader{strings.NewReader(b)}))
			}}
		case 13:
			return step{"flush", func(w http.ResponseWriter) string {
				return fmt.Sprint(errors.Is(http.NewResponseController(w).Flush(), http.ErrNotSupported))
			}}
		case 14:
			name := pick([]string{http.TrailerPrefix + "T1", http.TrailerPrefix + "T2", "T3"})
			return step{"trailer " + name, func(w http.ResponseWriter) string { w.Header().Set(name, "t"); return "" }}
		default:
			switch rnd.IntN(3) {
			case 0:
				return step{"declare T3", func(w http.ResponseWriter) string { w.Header().Set("Trailer", "T3"); return "" }}
			case 1:
				n := strconv.Itoa(sizes[rnd.IntN(len(sizes))])
				return step{"length " + n, func(w http.ResponseWriter) string { w.Header().Set("Content-Length", n); return "" }}
			}
			return step{"coding", func(w http.ResponseWriter) string { w.Header().Set("Content-Encoding", "x"); return "" }}
		}
	}
	var p program
	for range 1 + rnd.IntN(9) {
		p = append(p, one())
	}
	// net/http's ReadFrom sends more than was declared, and so breaks the connection for the next request.
	if slices.ContainsFunc(p, func(s step) bool { return strings.HasPrefix(s.name, "length") }) {
		p = slices.DeleteFunc(p, func(s step) bool { return strings.HasPrefix(s.name, "copy") })
	}
	return p
}

// kinds of requests, as pairs for navigation.
var kinds = []struct {
	method  string
	headers []string
}{
	{"GET", nil},
	{"GET", []string{"Sec-Fetch-Dest", "", "Sec-Fetch-Mode", ""}},
	{"GET", []string{"Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Accept", "*/*"}},
	{"GET", []string{"Hx-Request", "true"}},
	{"GET", []string{"Sec-Purpose", "prefetch"}},
	{"POST", nil},
	{"HEAD", nil},
}

func TestAnyHandlerAnswersTheSameWrapped(t *testing.T) {
	for _, layer := range []layer{
		{"", func(h http.Handler) http.Handler { return h }},
		{" below http.TimeoutHandler", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "") }},
		{" below a wrapper that compresses", delayed},
		{" below a wrapper with only Unwrap", around(func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{w} })},
	} {
		for _, protocol := range protocols {
			t.Run(protocol+layer.why, func(t *testing.T) {
				const programs = 250
				rnd := rand.New(rand.NewPCG(7, uint64(len(protocol)+len(layer.why))))
				late := layer.why != "" && !strings.Contains(layer.why, "Unwrap")
				all := make([]program, programs)
				for i := range all {
					all[i] = random(rnd, late)
				}
				s := newSite(t, nil)
				var mu sync.Mutex
				var saw []string
				var after bool
				run := func(track bool) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) {
						i, _ := strconv.Atoi(r.URL.Query().Get("program"))
						if track && i%3 == 0 {
							loguro.Track(r.Context(), "x", nil)
						}
						got := all[i].run(w)
						if track && i%5 == 0 {
							loguro.Track(r.Context(), "after", nil)
						}
						mu.Lock()
						defer mu.Unlock()
						saw, after = got, track && i%5 == 0
					}
				}
				bare, wrapped := serve(t, protocol, layer.wrap(run(false))), serve(t, protocol, layer.wrap(s.tracker.Handler(run(true))))
				clients := []*http.Client{bare.browser(), wrapped.browser()}
				clients[1].Jar = nil // a fresh browser each time
				for i, p := range all {
					kind := kinds[i%len(kinds)]
					query := "/?program=" + strconv.Itoa(i)
					logged := bare.log.count("superfluous") - wrapped.log.count("superfluous")

					want := bare.send(clients[0], navigation(t, kind.method, bare.URL+query, kind.headers...))
					bareSaw := saw
					before := s.tracker.Stats()
					got := wrapped.send(clients[1], navigation(t, kind.method, wrapped.URL+query, kind.headers...))
					now := s.tracker.Stats()
					page := maps.Equal(now.Excluded, before.Excluded)
					sameAnswer(t, want, got)
					// On HTTP/2 the answer to a HEAD is over as soon as it is begun, and writes may or may not notice.
					if !slices.Equal(saw, bareSaw) && (kind.method != "HEAD" || protocol == "HTTP/1.1") {
						t.Errorf("the handler saw %q wrapped, want %q", saw, bareSaw)
					}
					if set, deleted := got.cookies(); !got.failed {
						happened := page || i%3 == 0 && kind.headers == nil || i%3 == 0 && kind.headers[0] != "Sec-Purpose"
						hidden := now.CookiesSuppressed > before.CookiesSuppressed
						if (len(set) == 2) != (happened && !hidden) && !after || deleted != nil || len(set)%2 != 0 {
							t.Errorf("cookies %v, deleted %v; counted %v, event %v, suppressed %v", set, deleted, page, happened, hidden)
						}
					}
					if wrapped.log.count("superfluous")+logged != bare.log.count("superfluous") {
						t.Errorf("the log has another number of superfluous calls")
					}
					// A response that is shorter than it says ends its connection, and the client may notice too late.
					if protocol == "HTTP/1.1" {
						clients[0].CloseIdleConnections()
						clients[1].CloseIdleConnections()
					}
					if t.Failed() {
						t.Fatalf("program %d on a %s with %v: %v", i, kind.method, kind.headers, p)
					}
				}
			})
		}
	}
}
