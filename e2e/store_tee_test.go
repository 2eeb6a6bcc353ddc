package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

// One Tracker, two stores, and a network that is cut for a while on the way to one of them: the other gets its events
// meanwhile, and in the end both have all of them, each once.
func TestATeeDoesNotHoldParquetBackWhileClickHouseIsCutOff(t *testing.T) {
	const before, during, after = 5_000, 20_000, 5_000
	s := openStore(t)
	net := newBadNetwork(t, s.native, 1)
	dir := t.TempDir()
	files, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	tracker, err := loguro.New(loguro.Config{
		Exporter: loguro.Tee(files, s.exporter(s.over("clickhouse", net.addr))), Keys: [][]byte{[]byte(strings.Repeat("k", 32))},
		Spool: filepath.Join(t.TempDir(), "spool"), BatchSize: 1000, FlushInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	tracked := 0
	track := func(n int) {
		for range n {
			ctx := loguro.WithIdentity(t.Context(), loguro.Identity{VisitorID: uuid.New(), UserID: fmt.Sprint("user_", tracked%700)})
			if err := tracker.Track(ctx, "order_paid", loguro.Props{"n": tracked, "plan": "pro"}); err != nil {
				t.Fatal(err)
			}
			tracked++
		}
	}
	stats := func() (parquet, clickhouse loguro.ExporterStats) {
		for _, x := range tracker.Stats().Exporters {
			if strings.HasPrefix(x.Name, "parquet") {
				parquet = x
			} else {
				clickhouse = x
			}
		}
		return parquet, clickhouse
	}

	track(before)
	eventually(t, "both stores have what came before the cut", func() bool { return tracker.Stats().Delivered == before })
	net.cut()
	track(during)
	eventually(t, "Parquet has everything though ClickHouse is cut off", func() bool {
		parquet, clickhouse := stats()
		return parquet.Delivered == before+during && parquet.Pending == 0 && clickhouse.Failures > 0
	})
	w := openWarehouse(t, dir)
	if n := w.count("SELECT count(*) FROM events"); n != before+during {
		t.Errorf("DuckDB counts %d events while ClickHouse is cut off, want %d", n, before+during)
	}
	_, cutOff := stats()
	if cutOff.Delivered != before || cutOff.Pending != during {
		t.Errorf("ClickHouse has %d events in the cut and lacks %d, want %d and %d", cutOff.Delivered, cutOff.Pending, before, during)
	}
	s.holds(before)

	net.behave()
	track(after)
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	if err := tracker.Flush(ctx); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	if err := tracker.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown() = %v", err)
	}
	parquet, clickhouse := stats()
	if parquet.Retries != 0 || clickhouse.Retries == 0 {
		t.Errorf("Parquet was tried again %d times and ClickHouse %d times, want 0 and more", parquet.Retries, clickhouse.Retries)
	}
	s.holds(tracked)
	if n := w.count("SELECT count(*) FROM events"); n != tracked {
		t.Errorf("DuckDB counts %d events, want %d", n, tracked)
	}
	inFiles := w.rows("SELECT concat_ws(' ', event_id, visitor_id, user_id, custom_props->>'n') FROM events ORDER BY 1")
	inTable := strings.Split(s.ask("SELECT concat(toString(event_id), ' ', toString(visitor_id), ' ', user_id, ' ', JSONExtractRaw(custom_props, 'n')) AS line FROM "+storeTable+" ORDER BY line"), "\n")
	if len(slices.Compact(slices.Clone(inFiles))) != tracked || !slices.Equal(inFiles, inTable) {
		t.Errorf("DuckDB reads %d events, ClickHouse has %d, and they are not the same ones", len(inFiles), len(inTable))
	}
	t.Logf("%d events in both; %d of them waited for ClickHouse through %d failed attempts", tracked, during, clickhouse.Retries)
}
