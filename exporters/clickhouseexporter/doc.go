// Package clickhouseexporter inserts events into a ClickHouse table, over the native protocol or HTTP.
//
//	exporter, err := clickhouseexporter.New(ctx, clickhouseexporter.Options{
//		DSN:         "clickhouse://default:@localhost:9000/default",
//		CreateTable: true,
//	})
//	tracker, err := loguro.New(loguro.Config{Exporter: exporter, Keys: keys, Spool: "spool"})
//
// The table has a column for each key of an event's JSON; [DDL] returns the statements. A table of your own works as
// well, with other names (Options.Columns), fewer columns, and other types: String, FixedString, Enum, LowCardinality and
// Nullable of these for text; UUID or String for ids; DateTime64, DateTime, Int64, UInt64 or String for the time; any integer
// for numbers; Bool or an integer for flags; String, JSON or Map(…, String) for custom_props. Other columns are left alone.
//
// # Each event once
//
// A batch is one insert with its id as insert_deduplication_token, and the server makes one part of it for each partition.
// What is guaranteed:
//
//   - A batch that comes again, because the answer was lost, the process died or another one adopted it, adds nothing as
//     long as the table remembers its id: for the latest DeduplicationWindow inserts (10,000 by default), on replicated
//     engines for replicated_deduplication_window_seconds too (a week by default).
//   - A batch that spans two partitions (two months, by default) is one part in each. Should the server die between them,
//     the repetition adds what is missing, and only that.
//   - A server that is killed may lose a batch in one instant: a table that is not replicated writes down the id just before it
//     gives the part its name (ClickHouse 26.7), and then takes the repetition for one. And by default ClickHouse does not
//     sync what it acknowledges: a power cut takes it, unless the table's settings fsync_after_insert and
//     fsync_part_directory are 1, or it has replicas.
//   - After the window, or in a table without one, a repetition adds the events again. Two ways out: a larger window, or
//     the engine ReplacingMergeTree with event_id at the end of OrderBy, which removes them when parts are merged, and
//     for queries with FINAL at once.
//   - A Distributed table hands the token on to its shards, and events are sharded by visitor, so that a repetition goes
//     the same way; do not change the number of shards while a batch waits.
//   - Servers before version 22 have no such token: a replicated table still drops the same rows that come again, any
//     other adds them.
//   - A materialized view gets a batch again with each repetition. Give the view's own table a
//     non_replicated_deduplication_window too, and it has each event once.
package clickhouseexporter
