package clickhouseexporter

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Options say where the events go. DSN or Conn is required; every other zero value is a good default.
type Options struct {
	// DSN is the address of the server, with everything that the driver's DSN can say: native protocol
	// (clickhouse://user:password@host:9000/database) or HTTP (http://, https://), several hosts, compress=lz4,
	// secure=true, timeouts, settings.
	DSN string
	// Conn is a connection that the application opened with clickhouse.Open, instead of DSN: for everything that a DSN
	// cannot say, such as client certificates. The exporter uses it and does not close it. Give it a ReadTimeout.
	Conn driver.Conn

	// Database and Table name the table. Database defaults to that of the connection, Table to "loguro_events".
	Database, Table string

	// Columns rename columns, for a table that is your own: from the key in the event's JSON to the name of the
	// column; to "" for one that the table does not have. Keys that are not named keep their names. event_id and
	// timestamp are required unless they are mapped to "".
	Columns map[string]string

	// CreateTable makes the table if it is missing, and adds columns that a later version of this package has. Defaults to
	// false: New says what is missing, with the statements that mend it.
	CreateTable bool

	// Logger is told at the start if the table does not remember batches. Defaults to slog.Default().
	Logger *slog.Logger

	// The following are for CreateTable and DDL.

	// Cluster makes the statements run ON CLUSTER. Defaults to "", the one server.
	Cluster string
	// Engine is the table's engine, such as "ReplicatedMergeTree" or "ReplacingMergeTree". Defaults to "MergeTree".
	Engine string
	// Distributed names a Distributed table of Cluster to be made in front of the table; events are inserted through
	// it, sharded by visitor. Defaults to "", none.
	Distributed string
	// OrderBy is the sorting key. Defaults to "(site, toDate(timestamp), visitor_id, timestamp)": reports ask for a site
	// and a time, and funnels and histories find each visitor's events of a day side by side.
	OrderBy string
	// PartitionBy defaults to "toYYYYMM(timestamp)".
	PartitionBy string
	// TTL is when rows go, such as "toDateTime(timestamp) + INTERVAL 2 YEAR". Defaults to "", never.
	TTL string
	// Codecs replace the compression of single columns, by the event's key: "ZSTD(3)". "" leaves it to the server.
	Codecs map[string]string
	// Props is the type of the column custom_props. Defaults to PropsString.
	Props PropsType
	// DeduplicationWindow is of how many inserts the table remembers the batch ids. Defaults to 10,000: with a batch a
	// second, some three hours of outage between an insert and its repetition.
	DeduplicationWindow int
}

// PropsType is the type of the column custom_props.
type PropsType string

const (
	// PropsString keeps the JSON as it is, on every version of the server: JSONExtractString(custom_props, 'plan').
	// Half the size of PropsJSON, and half as fast.
	PropsString PropsType = "String"
	// PropsJSON is the type JSON (ClickHouse 25.3 and later): custom_props.plan. Twice as fast as PropsString to query and
	// twice as large; it keeps no nulls, and reads dots in keys as nesting.
	PropsJSON PropsType = "JSON"
	// PropsMap is Map(LowCardinality(String), String): custom_props['plan']. Values that are no text are JSON.
	PropsMap PropsType = "Map(LowCardinality(String), String)"
)

const (
	defaultTable  = "loguro_events"
	defaultEngine = "MergeTree"
	defaultWindow = 10_000
)

func (o Options) withDefaults() Options {
	o.Table = cmp.Or(o.Table, defaultTable)
	o.Engine = cmp.Or(o.Engine, defaultEngine)
	o.PartitionBy = cmp.Or(o.PartitionBy, o.expression("toYYYYMM(%s)", "timestamp"), "tuple()")
	o.OrderBy = cmp.Or(o.OrderBy, o.orderBy())
	o.Props = cmp.Or(o.Props, PropsString)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.DeduplicationWindow = cmp.Or(o.DeduplicationWindow, defaultWindow)
	return o
}

func (o Options) orderBy() string {
	parts := []string{
		o.expression("%s", "site"), o.expression("toDate(%s)", "timestamp"), o.expression("%s", "visitor_id"), o.expression("%s", "timestamp"),
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return "(" + strings.Join(parts, ", ") + ")"
}

// expression puts the column of a key into a format; "" if the table has none.
func (o Options) expression(format, key string) string {
	name := o.name(key)
	if name == "" {
		return ""
	}
	return fmt.Sprintf(format, quote(name))
}

var cluster = regexp.MustCompile(`^[\w{}.-]+$`)

// validate joins all complaints, each naming the option and its value.
func (o Options) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("Options."+format, args...)) }
	known := map[string]bool{}
	for _, c := range columns {
		known[c.key] = true
	}
	for option, keys := range map[string]map[string]string{"Columns": o.Columns, "Codecs": o.Codecs} {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !known[key] {
				complain("%s names %q, which is no key of an event; see the README for those", option, key)
			}
		}
	}
	used := map[string]string{}
	for _, c := range columns {
		name := o.name(c.key)
		if name != "" && used[name] != "" {
			complain("Columns gives %q and %q the same column %q", used[name], c.key, name)
		}
		used[name] = c.key
	}
	for option, name := range map[string]string{"Database": o.Database, "Table": o.Table, "Distributed": o.Distributed} {
		if strings.ContainsAny(name, "`\\\x00") {
			complain("%s is %q, want a name without backquote and backslash", option, name)
		}
	}
	if o.Cluster != "" && !cluster.MatchString(o.Cluster) {
		complain("Cluster is %q, want a name of letters, digits, _, - and ., or a macro like {cluster}", o.Cluster)
	}
	if o.Distributed != "" && o.Cluster == "" {
		complain("Distributed is %q, but Cluster is empty; name the cluster", o.Distributed)
	}
	if o.Distributed != "" && o.shardingKey() == "" {
		complain("Distributed is %q, but Columns leaves out both visitor_id and event_id, by which events are sharded", o.Distributed)
	}
	if o.Distributed != "" && o.Distributed == o.Table {
		complain("Distributed and Table are both %q; give them different names", o.Table)
	}
	switch o.Props {
	case "", PropsString, PropsJSON, PropsMap:
	default:
		complain("Props is %q, want PropsString, PropsJSON or PropsMap", o.Props)
	}
	if o.DeduplicationWindow < 0 {
		complain("DeduplicationWindow is %d, want 0 for the default or more", o.DeduplicationWindow)
	}
	return errors.Join(errs...)
}

// name is the column of a key; "" if the table has none.
func (o Options) name(key string) string {
	if name, ok := o.Columns[key]; ok {
		return name
	}
	return key
}

// shardingKey keeps a visitor's events on one shard, so that funnels need no shuffle. It must not be random: a repeated
// batch has to go the same way.
func (o Options) shardingKey() string {
	return cmp.Or(o.expression("cityHash64(%s)", "visitor_id"), o.expression("cityHash64(%s)", "event_id"))
}

// target is the table that events are inserted into.
func (o Options) target() string { return cmp.Or(o.Distributed, o.Table) }

// quote makes an identifier of a name.
func quote(name string) string { return "`" + name + "`" }

// qualified is a table's name with its database, if that is given.
func (o Options) qualified(table string) string {
	if o.Database == "" {
		return quote(table)
	}
	return quote(o.Database) + "." + quote(table)
}

func (o Options) onCluster() string {
	if o.Cluster == "" {
		return ""
	}
	return " ON CLUSTER '" + o.Cluster + "'"
}
