package clickhouseexporter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// connect opens no connection yet: the driver does that when one is needed.
func connect(opts Options) (conn driver.Conn, own bool, err error) {
	switch {
	case opts.Conn != nil && opts.DSN != "":
		return nil, false, errors.New("Options.DSN and Options.Conn are both set; drop one of the two")
	case opts.Conn != nil:
		return opts.Conn, false, nil
	case opts.DSN == "":
		return nil, false, errors.New(`Options.DSN is empty; name the server, such as "clickhouse://user:password@host:9000/database", or set Conn`)
	}
	o, err := clickhouse.ParseDSN(opts.DSN)
	if err != nil {
		return nil, false, fmt.Errorf("Options.DSN is malformed, want clickhouse://user:password@host:9000/database: %w", err)
	}
	if o.Compression == nil {
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4} // a fifth of the bytes for little work
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = time.Minute
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 5 * time.Second
	}
	o.DialContext = dialer(o)
	conn, err = clickhouse.Open(o)
	if err != nil {
		return nil, false, fmt.Errorf("open ClickHouse: %w", err)
	}
	return conn, true, nil
}

// writeTimeout is how long a write may wait for a network that takes nothing. The driver itself waits for as long as TCP
// does, a quarter of an hour.
const writeTimeout = 20 * time.Second

// dialer does what the driver's own does, but for the time that a write may take, and that a server which accepts a
// connection and says nothing is given up when the context ends.
func dialer(o *clickhouse.Options) func(ctx context.Context, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: o.DialTimeout}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		raw, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		conn := &timedConn{Conn: raw, forget: context.AfterFunc(ctx, func() { raw.Close() })}
		if o.TLS == nil || o.Protocol == clickhouse.HTTP { // over HTTP the transport does it
			return conn, nil
		}
		config := o.TLS.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(addr)
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

type timedConn struct {
	net.Conn
	forget   func() bool  // the context of the dialing
	deadline atomic.Int64 // of the query under way, if it has one
}

// SetDeadline remembers the deadline of a query: the driver takes it away again before it sends the blocks of an insert.
func (c *timedConn) SetDeadline(t time.Time) error {
	if !t.IsZero() {
		c.deadline.Store(t.UnixNano())
	}
	return c.Conn.SetDeadline(t)
}

// SyscallConn lets the driver see whether the other side has closed a connection that lay idle.
func (c *timedConn) SyscallConn() (syscall.RawConn, error) {
	conn, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return conn.SyscallConn()
}

func (c *timedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.forget() // the server answers: from here on the connection belongs to the pool
	return n, err
}

func (c *timedConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

func (c *timedConn) Write(p []byte) (int, error) {
	now := time.Now()
	until := now.Add(writeTimeout)
	if query := time.Unix(0, c.deadline.Load()); query.After(now) && query.Before(until) {
		until = query
	}
	if err := c.SetWriteDeadline(until); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
