package clickhouseexporter_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

// behindTLS is the server's address behind a proxy that ends TLS, with a certificate that no one else trusts.
func behindTLS(t *testing.T, addr string) string {
	t.Helper()
	certificates := httptest.NewTLSServer(nil)
	t.Cleanup(certificates.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificates.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				defer server.Close()
				go io.Copy(server, client)
				io.Copy(client, server)
			}()
		}
	}()
	return l.Addr().String()
}

func TestTLSByTheDSN(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		database, conn := s.database(t)
		secure := server{s.scheme, behindTLS(t, s.addr)}
		dsn := secure.dsn(database) + "?secure=true&skip_verify=true"
		if s.scheme == "http" {
			dsn = strings.Replace(dsn, "http://", "https://", 1)
		}
		x := open(t, clickhouseexporter.Options{DSN: dsn, CreateTable: true})
		mustExport(t, x, uuid.NewString(), exportertest.Events(20_000))
		if n := ask(t, conn, "SELECT count() FROM loguro_events"); n != "20000" {
			t.Errorf("%s rows, want 20000", n)
		}
		// Without skip_verify the certificate is one that nobody vouches for.
		y, err := clickhouseexporter.New(t.Context(), clickhouseexporter.Options{DSN: strings.Replace(dsn, "&skip_verify=true", "", 1)})
		if err != nil {
			t.Fatal(err)
		}
		if err := y.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("Check() = %v, want that the certificate is not trusted", err)
		}
		if err := y.Close(); err != nil {
			t.Error(err)
		}
	})
}
