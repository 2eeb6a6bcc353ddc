package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/loguro/loguro/internal/pipeline"
)

// overShards makes the tables and an exporter that inserts through the Distributed one.
func overShards(t *testing.T, first, second *ownStore) *clickhouseexporter.Exporter {
	t.Helper()
	opts := clickhouseexporter.Options{Database: first.database, Cluster: "two", Distributed: "loguro_all"}
	ddl, err := clickhouseexporter.DDL(opts)
	if err != nil {
		t.Fatal(err)
	}
	// ON CLUSTER needs Keeper: what it would do is done by hand.
	for _, statement := range ddl {
		statement = strings.ReplaceAll(statement, " ON CLUSTER 'two'", "")
		first.ask(statement)
		if !strings.Contains(statement, "Distributed(") {
			second.ask(statement)
		}
	}
	return first.exporter(first.over("clickhouse", first.native), func(o *clickhouseexporter.Options) {
		dsn := o.DSN
		*o = opts
		o.DSN = dsn
	})
}

// Two servers are the shards of a cluster, and the exporter inserts into a Distributed table of the first. Each batch
// is an insert on each shard, one of which may fail: what the other has is not repeated.
func TestADistributedTableHasEachEventOnceThoughOneShardIsKilled(t *testing.T) {
	first, second, between := startShards(t)
	x := overShards(t, first, second)
	shards := func() (counts [2]int) {
		for i, s := range []*ownStore{first, second} {
			counts[i] = s.number("SELECT count() FROM " + storeTable)
		}
		return counts
	}

	batch := loguro.Batch{ID: uuid.NewString(), Events: exportertest.Events(20_000)} // three blocks
	for range 3 {
		if err := x.Export(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	held := shards()
	if held[0]+held[1] != len(batch.Events) || min(held[0], held[1]) < len(batch.Events)/4 {
		t.Fatalf("a batch of %d events that came three times gives the shards %v", len(batch.Events), held)
	}
	for _, s := range []*ownStore{first, second} {
		if n := s.number("SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = '" + storeTable + "'"); n != 1 {
			t.Errorf("the batch makes %d parts on a shard, want 1", n)
		}
	}

	const events = 40_000
	p := ship(t, x, func(c *pipeline.Config) { c.BatchEvents, c.ExportTimeout = 1000, 5*time.Second })
	// On the way to the second shard inserts fail while the first one has its part of them already.
	between.misbehave(map[fault]int{pass: 4, half: 1, lost: 1, drop: 1})
	sent := 0
	stream(events+len(batch.Events), func(e *loguro.Event) {
		if sent++; sent > len(batch.Events) { // the first ones are there
			p.put(e)
		}
	})
	eventually(t, "the second shard fails in every way", func() bool {
		return between.times(half) > 0 && between.times(lost) > 0 && between.times(drop) > 0
	})
	failed := p.Counts().Retries
	second.kill()
	eventually(t, "an insert fails because a shard is away", func() bool { return p.Counts().Retries > failed || p.Counts().Pending == 0 })
	killed := p.Counts()
	second.start()
	between.behave()
	p.drain()

	counts := shards()
	if got, want := counts[0]+counts[1], events+len(batch.Events); got != want {
		t.Errorf("the shards have %v events, %d in all, want %d", counts, got, want)
	}
	first.holds(counts[0])
	second.holds(counts[1])
	if killed.Retries == failed || failed == 0 {
		t.Errorf("%d inserts failed before the shard was killed, and %d then, so that the test proves nothing", failed, killed.Retries-failed)
	}
	// Events are sharded by visitor: as long as no visitor is on both, no event is.
	visitors := "SELECT DISTINCT visitor_id FROM " + storeTable + " ORDER BY visitor_id"
	seen := map[string]bool{}
	for id := range strings.FieldsSeq(first.ask(visitors)) {
		seen[id] = true
	}
	for id := range strings.FieldsSeq(second.ask(visitors)) {
		if seen[id] {
			t.Errorf("visitor %s is on both shards", id)
		}
	}
	t.Logf("%d events on two shards: %v; %d failed attempts, %d of them before the second was killed with %d events to come; %v",
		events+len(batch.Events), counts, p.Counts().Retries, failed, killed.Pending, between.happened)
}

// The server understands the statements for clusters, whatever else it takes to run them.
func TestTheServerParsesTheStatementsForClusters(t *testing.T) {
	s := openStore(t)
	for _, opts := range []clickhouseexporter.Options{
		{Cluster: "c"},
		{Cluster: "{cluster}", Distributed: "all"},
		{Database: "analytics", Cluster: "my-cluster.1", Distributed: "all", Engine: "ReplicatedMergeTree"},
		{Database: "analytics", Cluster: "c", Engine: "ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')"},
		{Engine: "ReplicatedReplacingMergeTree", OrderBy: "(site, timestamp, event_id)", TTL: "toDateTime(timestamp) + INTERVAL 2 YEAR"},
		{Cluster: "c", Distributed: "all", Props: clickhouseexporter.PropsJSON, PartitionBy: "toMonday(timestamp)", DeduplicationWindow: 7},
		{Cluster: "c", Distributed: "all", Columns: map[string]string{"visitor_id": "", "timestamp": "at", "title": "page title"}, Codecs: map[string]string{"url": "ZSTD(3)"}},
	} {
		statements, err := clickhouseexporter.DDL(opts)
		if err != nil {
			t.Errorf("DDL(%+v) = %v", opts, err)
		}
		for _, statement := range statements {
			if _, err := s.try("EXPLAIN AST " + statement); err != nil {
				t.Errorf("%v\n%s", err, statement)
			}
		}
	}
}

// startShards starts two servers with a database of the same name. To the first they are the cluster "two", and the
// network between it and the second is a bad one.
func startShards(t *testing.T) (first, second *ownStore, between *badNetwork) {
	t.Helper()
	second = startStore(t)
	first = startStore(t, func(s *ownStore) {
		var config strings.Builder
		config.WriteString("<clickhouse><remote_servers><two>")
		for _, shard := range []*ownStore{s, second} {
			addr := shard.native
			if !shard.whole {
				addr = interpret(t, addr)
			}
			if shard == second {
				between = newBadNetwork(t, addr, 1)
				addr = between.addr
			}
			host, port, _ := net.SplitHostPort(addr)
			config.WriteString(fmt.Sprintf("<shard><internal_replication>true</internal_replication><replica><host>%s</host><port>%s</port></replica></shard>", host, port))
		}
		config.WriteString("</two></remote_servers></clickhouse>")
		file := filepath.Join(s.dir, "config.xml")
		if s.whole { // besides the one that is inside the program
			file = filepath.Join(s.dir, "config.d", "two.xml")
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, file, config.String())
	})
	first.ownDatabase()
	second.ask("CREATE DATABASE " + first.database)
	second.database = first.database
	if n := first.number("SELECT count() FROM system.clusters WHERE cluster = 'two'"); n != 2 {
		t.Fatalf("the server knows %d shards of the cluster, want 2", n)
	}
	return first, second, between
}
