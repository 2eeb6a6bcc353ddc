package e2e

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loguro/loguro"
)

// A million events take two ways into ClickHouse: loguro's, by spool, batches and the native protocol, and as the lines
// of their JSON by the server's own reader. Every column must come out the same, and every row as a whole.
func TestAMillionEventsArriveInEveryColumnAsTheyWereSent(t *testing.T) {
	const events = 1_000_000
	s := openStore(t)
	x := s.exporter(s.over("clickhouse", s.native))

	p := ship(t, x, nil)
	begun := time.Now()
	stream(events, p.put)
	accepted := time.Since(begun)
	p.drain()
	took := time.Since(begun)
	counts := p.Counts()
	s.holds(events)

	// A batch is one part for each month that it has events of, and the events come in order of time: one batch has both.
	parts := s.number("SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = '" + storeTable + "'")
	if most := int(counts.Batches) + 1; parts > most {
		t.Errorf("%d active parts after %d batches in two months, want %d at most: a batch makes one part", parts, counts.Batches, most)
	}
	// A batch is sealed at 50,000 events, or a second after its first event while the exporter has nothing else to do. The
	// server slows inserts down from 1,000 parts of a month on.
	if most := events/x.BatchLimits().Events + int(took/time.Second) + 1; int(counts.Batches) > most {
		t.Errorf("%d batches in %v, want %d at most", counts.Batches, took, most)
	}

	s.ask("CREATE TABLE lines AS " + storeTable)
	lines, w := io.Pipe()
	go func() {
		b := bufio.NewWriterSize(w, 1<<20)
		var line []byte
		stream(events, func(e *loguro.Event) {
			line = append(e.AppendJSON(line[:0]), '\n')
			_, _ = b.Write(line)
		})
		_ = w.CloseWithError(b.Flush())
	}()
	loading := time.Now()
	s.ask("INSERT INTO lines SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow", lines)
	loaded := time.Since(loading)

	keys := documentedKeys()
	sums := []string{"count()", "uniqExact(event_id)", "sum(cityHash64(*))"}
	for _, key := range keys {
		sums = append(sums, "sum(cityHash64("+key+"))")
	}
	checksums := func(table string) []string {
		return strings.Split(s.ask("SELECT "+strings.Join(sums, ", ")+" FROM "+table), "\t")
	}
	got, want := checksums(storeTable), checksums("lines")
	if want[0] != strconv.Itoa(events) || len(got) != len(sums) {
		t.Fatalf("the JSON came in as %s rows, want %d", want[0], events)
	}
	for i, sum := range sums {
		if got[i] != want[i] {
			t.Errorf("%s = %s, want %s as in the JSON", sum, got[i], want[i])
		}
	}
	// A column that is the same in every row would prove little.
	for _, key := range keys {
		if n := s.number("SELECT uniqExact(" + key + ") FROM " + storeTable); n < 2 {
			t.Errorf("all events have the same %s", key)
		}
	}
	t.Logf("%d events: accepted in %v (%.0f/s), in the table after %v (%.0f/s), as JSON in %v; %d batches, %d failed attempts, %d active parts; %d checksums equal",
		events, accepted.Round(time.Millisecond), events/accepted.Seconds(), took.Round(time.Millisecond), events/took.Seconds(), loaded.Round(time.Millisecond),
		counts.Batches, counts.Retries, parts, len(sums))
}

func (s *store) number(query string) int {
	s.t.Helper()
	var n int
	if _, err := fmt.Sscan(s.ask(query), &n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}
