package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
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

// store is a real ClickHouse: the one whose addresses are in CLICKHOUSE_TEST_ADDR and CLICKHOUSE_TEST_HTTP_ADDR (with
// CLICKHOUSE_TEST_USER and _PASSWORD), or a server of the test's own. What is in it is asked over plain HTTP.
type store struct {
	t            *testing.T
	native, http string
	database     string
}

const storeTable = "loguro_events"

// openStore returns a server with an empty database for the test.
func openStore(t *testing.T) *store {
	t.Helper()
	s := &store{t: t, native: os.Getenv("CLICKHOUSE_TEST_ADDR"), http: os.Getenv("CLICKHOUSE_TEST_HTTP_ADDR")}
	if s.native == "" || s.http == "" {
		s = &startStore(t).store
	}
	s.ownDatabase()
	return s
}

func (s *store) ownDatabase() {
	s.t.Helper()
	name := "loguro_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	s.ask("CREATE DATABASE " + name)
	s.database = name
	s.t.Cleanup(func() {
		s.database = ""
		if _, err := s.try("DROP DATABASE " + name); err != nil && s.up() {
			s.t.Errorf("drop database: %v", err)
		}
	})
}

// over is the same store by way of a proxy for one of the protocols, as a DSN.
func (s *store) over(scheme, addr string) string {
	u := url.URL{Scheme: scheme, Host: addr, Path: "/" + s.database, User: url.UserPassword(s.user())}
	return u.String()
}

func (s *store) user() (name, password string) {
	if name = os.Getenv("CLICKHOUSE_TEST_USER"); name == "" {
		name = "default"
	}
	return name, os.Getenv("CLICKHOUSE_TEST_PASSWORD")
}

// try runs a query with data after it, and returns its answer as text with tabs.
func (s *store) try(query string, data ...io.Reader) (string, error) {
	// The test's own context has ended when the database is dropped.
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodPost,
		"http://"+s.http+"/?"+url.Values{"query": {query}, "database": {s.database}}.Encode(), io.MultiReader(data...))
	if err != nil {
		return "", err
	}
	name, password := s.user()
	req.Header.Set("X-ClickHouse-User", name)
	req.Header.Set("X-ClickHouse-Key", password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err != nil {
		return "", fmt.Errorf("%.300s: %w %s", query, err, body)
	}
	return strings.TrimSpace(string(body)), nil
}

func (s *store) ask(query string, data ...io.Reader) string {
	s.t.Helper()
	answer, err := s.try(query, data...)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func (s *store) up() bool {
	answer, err := s.try("SELECT 1")
	return err == nil && answer == "1"
}

// holds wants so many events in the table, and each once.
func (s *store) holds(events int) {
	s.t.Helper()
	if got, want := s.ask("SELECT count(), uniqExact(event_id) FROM "+storeTable), fmt.Sprintf("%d\t%[1]d", events); got != want {
		s.t.Errorf("events and different ones in ClickHouse: %s, want %s", got, want)
	}
}

// exporter makes the table, and an exporter into it.
func (s *store) exporter(dsn string, more ...func(*clickhouseexporter.Options)) *clickhouseexporter.Exporter {
	s.t.Helper()
	opts := clickhouseexporter.Options{DSN: dsn, CreateTable: true}
	for _, set := range more {
		set(&opts)
	}
	x, err := clickhouseexporter.New(s.t.Context(), opts)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := x.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return x
}

// ownStore is a server that the test may kill, and start again on the same data and at the same addresses.
type ownStore struct {
	store
	dir     string
	whole   bool // a server as everybody has it, and not the small one
	command func() *process
	process *process
}

// startStore starts a server of the test's own: CLICKHOUSE_TEST_BIN, clickhouse or clickhouse-server in PATH, or the
// small server around the same engine that with-clickhouse builds. The files of its working directory may configure it.
func startStore(t *testing.T, files ...func(s *ownStore)) *ownStore {
	t.Helper()
	s := &ownStore{dir: t.TempDir()}
	s.t = t
	s.native, s.http = "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	if s.command = s.wholeServer(); s.command == nil {
		s.command = s.smallServer()
	} else {
		s.whole = true
	}
	if s.command == nil {
		const why = "there is no ClickHouse server to start: have clickhouse in PATH, set CLICKHOUSE_TEST_BIN, or run the tests by with-clickhouse"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	for _, write := range files {
		write(s)
	}
	s.start()
	return s
}

// wholeServer is how to start a whole server; nil if there is none.
func (s *ownStore) wholeServer() func() *process {
	program := os.Getenv("CLICKHOUSE_TEST_BIN")
	for _, name := range []string{"clickhouse", "clickhouse-server"} {
		if path, err := exec.LookPath(name); err == nil && program == "" && tellsVersion(path) {
			program = path
		}
	}
	if program == "" {
		return nil
	}
	var args []string
	if filepath.Base(program) != "clickhouse-server" {
		args = append(args, "server")
	}
	_, native, _ := net.SplitHostPort(s.native)
	_, http, _ := net.SplitHostPort(s.http)
	args = append(args, "--", "--path="+filepath.Join(s.dir, "data")+"/", "--tcp_port="+native, "--http_port="+http, "--listen_host=127.0.0.1",
		"--mysql_port=0", "--postgresql_port=0", "--interserver_http_port=0", "--logger.console=1", "--logger.level=error")
	return s.inDir(program, args...)
}

// tellsVersion is false for the servers of many years ago that some distributions have: these know no such option, and no
// deduplication tokens either.
func tellsVersion(program string) bool {
	out, err := exec.Command(program, "--version").CombinedOutput()
	return err == nil && strings.Contains(string(out), "version")
}

// smallServer is how to start the server that with-clickhouse builds; nil if it has not been run on this machine.
func (s *ownStore) smallServer() func() *process {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	program := filepath.Join(cache, "loguro-clickhouse", "chserver")
	library := filepath.Join(cache, "loguro-clickhouse", "node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so")
	for _, path := range []string{program, library} {
		if _, err := os.Stat(path); err != nil {
			return nil
		}
	}
	return s.inDir("env", "TZ=UTC", program, "-lib", library, "-path", filepath.Join(s.dir, "data"), "-tcp", s.native, "-http", s.http)
}

// inDir is how to start a program in the server's directory.
func (s *ownStore) inDir(program string, args ...string) func() *process {
	return func() *process {
		return start(s.t, "sh", append([]string{"-c", `cd "$1" && shift && exec "$@"`, "sh", s.dir, program}, args...)...)
	}
}

func (s *ownStore) start() {
	s.t.Helper()
	s.process = s.command()
	eventually(s.t, "the ClickHouse server answers", func() bool { return s.process.over() || s.up() })
	if s.process.over() {
		s.t.Fatalf("the ClickHouse server ended: %v\n%s", s.process.err, s.process.said())
	}
}

// kill is kill -9. Any goroutine may call it.
func (s *ownStore) kill() {
	_ = s.process.cmd.Process.Kill()
	<-s.process.ended
}

// freePort is one that no connection takes by itself while nobody listens there: systems take those from 32768 on, or
// from 49152 on.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return port
	}
	t.Fatal("no port is free")
	return ""
}

// shipping is what loguro.New makes of a Config with a Spool, for events as the middleware makes them: Track takes custom
// ones only.
type shipping struct {
	t *testing.T
	*pipeline.Pipeline
}

func ship(t *testing.T, x loguro.BatchLimiter, set func(*pipeline.Config)) *shipping {
	t.Helper()
	limits := x.BatchLimits()
	config := pipeline.Config{
		Exporters:   []pipeline.Exporter{{Name: strings.TrimLeft(fmt.Sprintf("%T", x), "*"), Export: x.Export}},
		BatchEvents: limits.Events, BatchBytes: limits.Bytes, BatchAge: limits.Age, MemoryBytes: 256 << 20,
		ExportTimeout: 30 * time.Second, Spool: filepath.Join(t.TempDir(), "spool"), SpoolBytes: 1 << 30, SyncInterval: time.Second,
		Logger: slog.New(slog.DiscardHandler),
	}
	if set != nil {
		set(&config)
	}
	p, err := pipeline.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := &shipping{t, p}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Shutdown(ctx)
	})
	return s
}

func (s *shipping) put(e *loguro.Event) {
	s.t.Helper()
	if err := s.Put(e); err != nil {
		s.t.Fatal(err)
	}
}

// seal ends the batch under way, whatever its size.
func (s *shipping) seal() {
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel()
	_ = s.Flush(ctx) // nothing is delivered so soon
}

// drain wants everything delivered, and nothing left in the spool.
func (s *shipping) drain() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 4*patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		s.t.Errorf("Shutdown() = %v", err)
	}
	if c := s.Counts(); c.Pending != 0 || c.Dead != 0 || c.Lost != 0 || c.Delivered != c.Accepted+c.Adopted {
		s.t.Errorf("after Shutdown the counts are %+v", c)
	}
}

// stream yields n events: those of exportertest over and over, each time three days later and with ids of their own, so
// that they reach into a second month. Some have the fields that these never set, and text that wants escaping.
func stream(n int, yield func(*loguro.Event)) {
	base := exportertest.Events(min(n, 70_000))
	ids := rand.NewChaCha8([32]byte{1})
	for i := range n {
		e := base[i%len(base)]
		round := i / len(base)
		e.Time += int64(round) * 3 * 24 * time.Hour.Milliseconds()
		if round > 0 {
			_, _ = ids.Read(e.ID[6:]) // what is not the time
			e.ID[6], e.ID[8] = e.ID[6]&0x0f|0x70, e.ID[8]&0x3f|0x80
		}
		switch {
		case i%97 == 0:
			e.UTMTerm, e.UTMContent, e.Bot = fmt.Sprint("lamp ", i%1000), "hero", "googlebot"
		case i%101 == 0:
			e.Title = odd[i%len(odd)]
			e.User, e.Name, e.City = "user "+e.Title, e.Title, e.Title
		case i%103 == 0:
			e.Visitor, e.Session, e.Country, e.Site = uuid.Nil, uuid.Nil, "", "docs"
		}
		yield(&e)
	}
}

var odd = []string{"tab\tline\nreturn\rzero\x00end", `quote " ' \ back`, "\u2028\u2029 ¨ 𝄞 é 日本", "{\"no\":[1,null]}", "NULL", `\N`, " "}

// uuidOf is a version 7 UUID of random numbers.
func uuidOf(random *rand.Rand) (id uuid.UUID) {
	for i := range id {
		id[i] = byte(random.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
