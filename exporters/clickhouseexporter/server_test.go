package clickhouseexporter_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// The tests want a real ClickHouse: the one whose addresses are in CLICKHOUSE_TEST_ADDR and CLICKHOUSE_TEST_HTTP_ADDR
// (with CLICKHOUSE_TEST_USER and _PASSWORD), or the program CLICKHOUSE_TEST_BIN, clickhouse or clickhouse-server, which is
// started once. Without one they are skipped, and say so; with CI set they fail.

// server is one protocol of it.
type server struct{ scheme, addr string }

func TestMain(m *testing.M) {
	status := m.Run()
	stopServer()
	os.Exit(status)
}

// servers are those that answer, one for each protocol.
func servers(t *testing.T) []server {
	t.Helper()
	native, http := os.Getenv("CLICKHOUSE_TEST_ADDR"), os.Getenv("CLICKHOUSE_TEST_HTTP_ADDR")
	if native == "" && http == "" {
		var err error
		if native, http, err = startServer(); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	var all []server
	if native != "" {
		all = append(all, server{"clickhouse", native})
	}
	if http != "" {
		all = append(all, server{"http", http})
	}
	return all
}

// native is the server by its native protocol, for tests to which the protocol makes no difference.
func native(t *testing.T) server { return servers(t)[0] }

// each runs a test on every protocol.
func each(t *testing.T, test func(t *testing.T, s server)) {
	for _, s := range servers(t) {
		t.Run(s.scheme, func(t *testing.T) { test(t, s) })
	}
}

func (s server) dsn(database string) string {
	user := os.Getenv("CLICKHOUSE_TEST_USER")
	if user == "" {
		user = "default"
	}
	u := url.URL{Scheme: s.scheme, Host: s.addr, Path: "/" + database, User: url.UserPassword(user, os.Getenv("CLICKHOUSE_TEST_PASSWORD"))}
	return u.String()
}

// database makes one that is dropped when the test ends, and returns its name and a connection of the test's own.
func (s server) database(t *testing.T) (name string, conn driver.Conn) {
	t.Helper()
	name = "loguro_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	o, err := clickhouse.ParseDSN(s.dsn("default"))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	o.Auth.Database = name
	if conn, err = clickhouse.Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := admin.Exec(ctx, "DROP DATABASE "+name); err != nil {
			t.Errorf("drop database: %v", err)
		}
		conn.Close()
		admin.Close()
	})
	return name, conn
}

var running struct {
	once         sync.Once
	native, http string
	err          error
	cmd          *exec.Cmd
	dir          string
}

func startServer() (native, http string, err error) {
	running.once.Do(func() { running.err = launch() })
	return running.native, running.http, running.err
}

func launch() error {
	program := os.Getenv("CLICKHOUSE_TEST_BIN")
	for _, name := range []string{"clickhouse", "clickhouse-server"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		return fmt.Errorf("no ClickHouse: set CLICKHOUSE_TEST_ADDR and CLICKHOUSE_TEST_HTTP_ADDR, or CLICKHOUSE_TEST_BIN, or have clickhouse in PATH")
	}
	var args []string
	if filepath.Base(program) != "clickhouse-server" {
		args = append(args, "server")
	}
	dir, err := os.MkdirTemp("", "loguro-clickhouse-")
	if err != nil {
		return err
	}
	running.dir = dir
	native, http := freePort(), freePort()
	args = append(args, "--", "--path="+dir+"/", "--tcp_port="+native, "--http_port="+http, "--listen_host=127.0.0.1",
		"--mysql_port=0", "--postgresql_port=0", "--interserver_http_port=0", "--logger.console=1", "--logger.level=error")
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		return err
	}
	running.cmd = cmd
	running.native, running.http = "127.0.0.1:"+native, "127.0.0.1:"+http
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for range 300 {
		if conn, err := net.Dial("tcp", running.native); err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended before it answered: %v", program, err)
		case <-time.After(100 * time.Millisecond): // another program is to become ready
		}
	}
	return fmt.Errorf("%s does not answer", program)
}

func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "0"
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func stopServer() {
	if running.cmd != nil {
		running.cmd.Process.Kill()
	}
	if running.dir != "" {
		os.RemoveAll(running.dir)
	}
}
