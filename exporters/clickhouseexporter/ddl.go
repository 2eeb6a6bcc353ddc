package clickhouseexporter

import (
	"cmp"
	"fmt"
	"strings"
)

// DDL returns the statements that make the table, for teams that keep migrations: the database if it is named, the table,
// and the Distributed table in front of it if there is one. They do nothing where these exist already. DSN and Conn are
// not needed.
func DDL(opts Options) ([]string, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("clickhouseexporter: %w", err)
	}
	o := opts.withDefaults()
	var statements []string
	if o.Database != "" {
		statements = append(statements, "CREATE DATABASE IF NOT EXISTS "+quote(o.Database)+o.onCluster())
	}
	statements = append(statements, o.createTable())
	if o.Distributed != "" {
		statements = append(statements, o.createDistributed())
	}
	return statements, nil
}

func (o Options) createTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s%s\n(\n", o.qualified(o.Table), o.onCluster())
	var definitions []string
	for _, c := range columns {
		if name := o.name(c.key); name != "" {
			definitions = append(definitions, "    "+o.definition(c, name))
		}
	}
	b.WriteString(strings.Join(definitions, ",\n"))
	engine := o.Engine
	if !strings.Contains(engine, "(") {
		engine += "()"
	}
	fmt.Fprintf(&b, "\n)\nENGINE = %s\nPARTITION BY %s\nORDER BY %s", engine, o.PartitionBy, o.OrderBy)
	if o.TTL != "" {
		fmt.Fprintf(&b, "\nTTL %s", o.TTL)
	}
	fmt.Fprintf(&b, "\nSETTINGS %s = %d", o.window(), o.DeduplicationWindow)
	return b.String()
}

// window is the setting that makes a table remember the ids of batches: replicated engines have another one.
func (o Options) window() string {
	if strings.HasPrefix(o.Engine, "Replicated") || strings.HasPrefix(o.Engine, "Shared") {
		return "replicated_deduplication_window"
	}
	return "non_replicated_deduplication_window"
}

// definition is a column in CREATE and ALTER statements.
func (o Options) definition(c column, name string) string {
	typ, codec := c.sql, cmp.Or(c.codec, defaultCodec)
	if c.props {
		typ = string(o.Props)
		if o.Props == PropsJSON {
			codec = ""
		}
	}
	if own, ok := o.Codecs[c.key]; ok {
		codec = own
	}
	if codec == "" {
		return quote(name) + " " + typ
	}
	return fmt.Sprintf("%s %s CODEC(%s)", quote(name), typ, codec)
}

func (o Options) createDistributed() string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s%s AS %s\nENGINE = Distributed('%s', %s, %s, %s)",
		o.qualified(o.Distributed), o.onCluster(), o.qualified(o.Table), o.Cluster, o.databaseExpression(), literal(o.Table), o.shardingKey())
}
