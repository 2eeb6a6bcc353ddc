// Package parquetexporter writes events as Parquet files that DuckDB, ClickHouse, pandas, Arrow and Spark read
// without a hint.
//
//	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: "./data"})
//	tracker, err := loguro.New(loguro.Config{Exporter: exporter})
//
// # Files
//
// Each batch is one file for each UTC day that it has events of:
//
//	data/date=2026-05-14/0196cdf4-2b00-7000-8000-0123456789ab.parquet
//
// The columns are the keys of an event's JSON, in its order; what the JSON leaves out is NULL. Only event_type,
// timestamp, event_id and returning are never NULL. The ids are UUID, the timestamp is TIMESTAMP(MILLIS) in UTC,
// custom_props is JSON, status INT32, duration_ms INT64, returning BOOLEAN and everything else STRING. Rows are sorted
// by visitor and time within a row group, pages are compressed with zstd, and visitor_id, session_id and user_id have
// bloom filters. The file's metadata carries loguro.batch_id and loguro.schema_version.
//
// Ask for the day's pages with DuckDB, where date is the folder's name:
//
//	SELECT path, count(*) AS views, count(DISTINCT visitor_id) AS visitors
//	FROM read_parquet('data/*/*.parquet', hive_partitioning = true)
//	WHERE date = '2026-05-14' AND event_type = 'pageview'
//	GROUP BY path ORDER BY views DESC LIMIT 10;
//
// # Guarantees
//
// A file is immutable, and visible only when it is complete: it is written under a name that ends in .parquet.tmp,
// synced, renamed, and its folder synced. The file is named after the batch, and the same batch always gives the same
// bytes, so a batch that comes again after a crash or a retry replaces its file, and each event is there once. The
// bytes may differ between versions of this module; the rows do not.
//
// A failed Export, a full disk among the reasons, leaves no visible file behind and may be repeated. Nothing is ever
// deleted but temporary files over a day old. Folders have mode 0750 and files 0640, both before the umask.
//
// # Old ClickHouse servers
//
// ClickHouse up to 26.7 compares the bounds of UUID columns in the wrong order (ClickHouse issue 118371,
// mended by 118387), so that WHERE visitor_id = … finds nothing in correct files. Up to 26.7, add
//
//	SETTINGS input_format_parquet_filter_push_down = 0, input_format_parquet_page_filter_push_down = 0
package parquetexporter
