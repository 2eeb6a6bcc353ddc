package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

// application is a site with visitors, and with work that goes on behind it.
type application struct {
	tracker *loguro.Tracker
	numbers *numbers
	address string // "http://…"
	peak    atomic.Int64

	ctx     context.Context // of the load; nil: none
	stop    context.CancelFunc
	running sync.WaitGroup
}

// serve answers /p/<n> with a page: the pageview has the number n, and the event that its handler tracks the next one.
func (a *application) serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	a.address = "http://" + listener.Addr().String()
	page := a.tracker.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := pageNumber(r) + 1
		if err := loguro.Track(r.Context(), "shown", propsOf(n, 0)); err == nil {
			a.numbers.accept(n)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<h1>%d</h1>", n)
	}))
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.ServeHTTP(w, r)
		a.numbers.accept(pageNumber(r)) // the application does not hear of a refused pageview; the test sees to it that none is
	}))
	return nil
}

func pageNumber(r *http.Request) int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/p/"), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// propsOf are such that a reader can tell if anything is missing or mixed up.
func propsOf(n int64, size int) loguro.Props {
	text := strconv.FormatInt(n, 10)
	return loguro.Props{"n": n, "pad": strings.Repeat(text, 1+size/len(text))}
}

// work tracks one event outside a request, and notes if it was accepted.
func (a *application) work(c *counter, visitor uuid.UUID, size int) (time.Duration, error) {
	n := c.take(1)
	ctx := loguro.WithIdentity(context.Background(), loguro.Identity{VisitorID: visitor, UserID: "u" + strconv.FormatInt(n, 10)})
	props := propsOf(n, size)
	begun := time.Now()
	err := a.tracker.Track(ctx, "worked", props)
	took := time.Since(begun)
	if err == nil {
		c.accept(n)
	}
	return took, err
}

const workers = 3

// track has the workers track so many events, and says how long the calls took: as fast as they can, or with a pause of
// a millisecond after each burst.
func (a *application) track(events, size, burst int) (reply, error) {
	var mu sync.Mutex
	var r reply
	var all []time.Duration
	var unexpected error
	var done sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(events))
	for range workers {
		done.Go(func() {
			c := &counter{numbers: a.numbers}
			visitor := uuid.New()
			took := make([]time.Duration, 0, events)
			refused := 0
			for left.Add(-1) >= 0 {
				d, err := a.work(c, visitor, size)
				took = append(took, d)
				if burst > 0 && len(took)%burst == 0 {
					time.Sleep(time.Millisecond)
				}
				if errors.Is(err, loguro.ErrSpoolFull) {
					refused++
				} else if err != nil {
					mu.Lock()
					unexpected = err
					mu.Unlock()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			r.Accepted += len(took) - refused
			r.Refused += refused
		})
	}
	done.Wait()
	slices.Sort(all)
	r.Median, r.P99, r.Max = all[len(all)/2], all[len(all)*99/100], all[len(all)-1]
	return r, unexpected
}

// startLoad is work and visitors until stopLoad, or until the process is killed.
func (a *application) startLoad() {
	a.ctx, a.stop = context.WithCancel(context.Background())
	for i := range workers {
		a.running.Go(func() {
			c, visitor := &counter{numbers: a.numbers}, uuid.New()
			for size := 0; a.ctx.Err() == nil; size = (size + 37) % 400 {
				if _, err := a.work(c, visitor, size); err != nil {
					panic(err)
				}
				if c.fresh() {
					time.Sleep(time.Duration(4+2*i) * time.Millisecond) // enough is enough: each event is checked in the end
				}
			}
		})
	}
	for range 2 {
		a.running.Go(func() {
			c := &counter{numbers: a.numbers}
			for ; a.ctx.Err() == nil; time.Sleep(time.Millisecond) {
				r, _ := http.NewRequest("GET", fmt.Sprintf("%s/p/%d", a.address, c.take(2)), nil)
				r.Header.Set("Accept", "text/html")
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					panic(err)
				}
				_, _ = io.Copy(io.Discard, res.Body) // so that the connection is used again
				res.Body.Close()
			}
		})
	}
}

func (a *application) stopLoad() {
	if a.stop != nil {
		a.stop()
		a.running.Wait()
	}
}

func (a *application) watchMemory() {
	for ; ; time.Sleep(time.Millisecond) {
		if n := int64(a.tracker.Stats().PendingBytes); n > a.peak.Load() {
			a.peak.Store(n)
		}
	}
}
