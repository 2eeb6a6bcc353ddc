package main

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

// toClickHouse is for one of the protocols: the target is what follows the scheme in a DSN.
func toClickHouse(scheme, port string) destination {
	return destination{
		kind:    scheme,
		example: scheme + "://USER:PASSWORD@HOST:" + port + "/DATABASE?table=NAME",
		open:    func(rest string) (loguro.Exporter, error) { return openClickHouse(scheme + ":" + rest) },
	}
}

// reachTimeout is for a server that must answer: unlike an application, a command has no use for one that may later.
const reachTimeout = 15 * time.Second

// openClickHouse takes a DSN of the driver with one parameter more, table.
func openClickHouse(dsn string) (loguro.Exporter, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the address is malformed") // its error would repeat the password
	}
	query := u.Query()
	table := query.Get("table")
	query.Del("table")
	u.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), reachTimeout)
	defer cancel()
	x, err := clickhouseexporter.New(ctx, clickhouseexporter.Options{DSN: u.String(), Table: table})
	if err != nil {
		return nil, err
	}
	if err := x.Check(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}
