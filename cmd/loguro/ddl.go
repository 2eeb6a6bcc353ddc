package main

import (
	"fmt"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

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
