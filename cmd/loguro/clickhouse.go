package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

// toClickHouse and toClickHouseHTTP are for both protocols: the target is what follows the scheme in a DSN.
var (
	toClickHouse = destination{
		kind:    "clickhouse",
		example: "clickhouse://USER:PASSWORD@HOST:9000/DATABASE?table=NAME",
		open:    func(rest string) (loguro.Exporter, error) { return openClickHouse("clickhouse:" + rest) },
	}
	toClickHouseHTTP = destination{
		kind:    "https",
		example: "https://USER:PASSWORD@HOST:8443/DATABASE?table=NAME",
		open:    func(rest string) (loguro.Exporter, error) { return openClickHouse("https:" + rest) },
	}
	toClickHousePlainHTTP = destination{
		kind:    "http",
		example: "http://USER:PASSWORD@HOST:8123/DATABASE?table=NAME",
		open:    func(rest string) (loguro.Exporter, error) { return openClickHouse("http:" + rest) },
	}
)

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

var clickhouseCommand = &command{name: "loguro clickhouse", usage: "ddl …", help: clickhouseHelp, subs: []*command{ddlCommand}}

var ddlCommand = &command{name: "loguro clickhouse ddl",
	usage: "[--database NAME] [--table NAME] [--cluster NAME] [--engine ENGINE] …",
	help:  ddlHelp, run: ddl}

func ddl(c *call) int {
	var opts clickhouseexporter.Options
	flags := c.flagSet()
	flags.StringVar(&opts.Database, "database", "", "")
	flags.StringVar(&opts.Table, "table", "", "")
	flags.StringVar(&opts.Cluster, "cluster", "", "")
	flags.StringVar(&opts.Engine, "engine", "", "")
	flags.StringVar(&opts.Distributed, "distributed", "", "")
	flags.StringVar(&opts.OrderBy, "order-by", "", "")
	flags.StringVar(&opts.PartitionBy, "partition-by", "", "")
	flags.StringVar(&opts.TTL, "ttl", "", "")
	flags.IntVar(&opts.DeduplicationWindow, "deduplication-window", 0, "")
	props := flags.String("props", "string", "")
	if code, ok := c.parse(flags); !ok {
		return code
	}
	if len(c.args) > 0 {
		return c.misused("%q is no flag", c.args[0])
	}
	types := map[string]clickhouseexporter.PropsType{
		"string": clickhouseexporter.PropsString, "json": clickhouseexporter.PropsJSON, "map": clickhouseexporter.PropsMap,
	}
	var known bool
	if opts.Props, known = types[*props]; !known {
		return c.misused("--props is %q, want string, json or map", *props)
	}
	statements, err := clickhouseexporter.DDL(opts)
	if err != nil {
		return c.misused("%v", err)
	}
	for _, s := range statements {
		if _, err := fmt.Fprintf(c.stdout, "%s;\n\n", s); err != nil {
			return exitUnusable
		}
	}
	return exitOK
}
