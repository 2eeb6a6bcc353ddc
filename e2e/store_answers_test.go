package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/loguro/loguro/internal/pipeline"
)

// distinct wants no event in the table more often than once; one that was refused may be missing.
func (s *store) distinct(table string) {
	s.t.Helper()
	if rows, ids := s.number("SELECT count() FROM "+table), s.number("SELECT uniqExact(event_id) FROM "+table); rows != ids {
		s.t.Errorf("%s has %d rows of %d events", table, rows, ids)
	}
}

// A view that cannot take a row makes the insert fail when the table has the batch already.
func TestAViewThatRefusesARowRepeatsNoEvent(t *testing.T) {
	s := openStore(t)
	x := s.exporter(s.over("clickhouse", s.native))
	s.ask("CREATE TABLE accounts (n UInt32) ENGINE = MergeTree ORDER BY n")
	s.ask("CREATE MATERIALIZED VIEW numbering TO accounts AS SELECT toUInt32(substring(user_id, 6)) AS n FROM " + storeTable + " WHERE user_id != ''")
	events := exportertest.Events(1000)
	events[500].User = "user_without_number"
	p := ship(t, x, func(c *pipeline.Config) { c.BatchEvents = 1000 })
	for i := range events {
		p.put(&events[i])
	}
	p.seal()
	eventually(t, "the batch was tried", func() bool { c := p.Counts(); return c.Pending == 0 || c.Retries > 2 })
	s.distinct(storeTable)
}

// A shard that cannot take a row makes the insert fail when another shard has its part of the batch already.
func TestAShardThatRefusesARowRepeatsNoEvent(t *testing.T) {
	first, second, _ := startShards(t)
	x := overShards(t, first, second)
	for _, s := range []*ownStore{first, second} {
		s.ask("ALTER TABLE " + storeTable + " ADD CONSTRAINT no_tests CHECK custom_event_name != 'test'")
	}
	events := exportertest.Events(2000)
	events[500].Name, events[1500].Name = "test", "test"
	p := ship(t, x, func(c *pipeline.Config) { c.BatchEvents = 1000 })
	for i := range events {
		p.put(&events[i])
	}
	p.seal()
	eventually(t, "the batches were tried", func() bool { c := p.Counts(); return c.Pending == 0 || c.Retries > 4 })
	first.distinct(storeTable)
	second.distinct(storeTable)
}

// The insert arrived, its answer got lost, and what the table takes was changed before it came again: to refuse it now
// says nothing about then.
func TestARefusalAfterALostAnswerRepeatsNoEvent(t *testing.T) {
	s := openStore(t)
	net := newBadNetwork(t, s.native, 1)
	x := s.exporter(s.over("clickhouse", net.addr))
	events := exportertest.Events(1000)
	events[500].Name = "test"
	net.misbehave(map[fault]int{lost: 1})
	p := ship(t, x, func(c *pipeline.Config) { c.BatchEvents = 1000 })
	for i := range events {
		p.put(&events[i])
	}
	p.seal()
	eventually(t, "an answer gets lost", func() bool { return net.times(lost) > 0 })
	net.cut()
	s.ask("ALTER TABLE " + storeTable + " ADD CONSTRAINT no_tests CHECK custom_event_name != 'test'")
	net.behave()
	p.seal()
	eventually(t, "the batch came again", func() bool { c := p.Counts(); return c.Pending == 0 || c.Retries > 5 })
	s.distinct(storeTable)
}

// What stands between application and server answers in its place, or half of the answer gets through: the insert may
// have arrived, so the batch must stay as it is, however often that happens.
func TestAnAnswerThatIsNotTheServersRepeatsNoEvent(t *testing.T) {
	gateway := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { http.Error(w, "<h1>Gateway Timeout</h1>", status) }
	}
	torn := func(answer string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = conn.Write([]byte(answer))
			conn.Close()
		}
	}
	for name, answer := range map[string]func(http.ResponseWriter){
		"502": gateway(502), "504": gateway(504), "half a status": torn("HTTP/1.1 2"), "half a header": torn("HTTP/1.1 200 OK\r\nX-Click"),
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			server := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.http})
			var lost atomic.Int64
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("insert_deduplication_token") && strings.HasPrefix(r.URL.Query().Get("query"), "INSERT") && lost.Add(1) <= 20 {
					recorder := httptest.NewRecorder()
					server.ServeHTTP(recorder, r)
					if recorder.Code != http.StatusOK {
						panic(fmt.Sprint("the insert did not arrive: ", recorder.Code))
					}
					answer(w)
					return
				}
				server.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			x := s.exporter(s.over("http", strings.TrimPrefix(front.URL, "http://")))
			events := exportertest.Events(1000)
			p := ship(t, x, func(c *pipeline.Config) { c.BatchEvents = 1000 })
			for i := range events {
				p.put(&events[i])
			}
			hurried := time.Now()
			eventually(t, "the batch arrives", func() bool {
				if time.Since(hurried) > 20*time.Millisecond { // two minutes of pauses otherwise
					p.seal()
					hurried = time.Now()
				}
				return p.Counts().Pending == 0
			})
			s.holds(len(events))
		})
	}
}
