package clickhouseexporter

import (
	"context"
	"fmt"
	"strings"
)

// warnOfWindow says once that a table does not remember the ids of batches. That is no error: the table may be one of the
// user's own that removes repetitions in another way.
func (x *Exporter) warnOfWindow(ctx context.Context) {
	o := x.options
	var engine, full, byDefault string
	err := x.conn.QueryRow(ctx, fmt.Sprintf("SELECT engine, engine_full FROM system.tables WHERE database = %s AND name = %s",
		o.databaseExpression(), literal(o.target()))).Scan(&engine, &full)
	if err != nil || !strings.HasSuffix(engine, "MergeTree") || strings.HasPrefix(engine, "Replicated") || strings.HasPrefix(engine, "Shared") {
		return // replicated tables remember by default, and others have no such setting
	}
	const setting = "non_replicated_deduplication_window"
	if strings.Contains(full, setting+" = ") && !strings.Contains(full, setting+" = 0") {
		return
	}
	err = x.conn.QueryRow(ctx, "SELECT value FROM system.merge_tree_settings WHERE name = '"+setting+"'").Scan(&byDefault)
	if err != nil || byDefault != "0" && !strings.Contains(full, setting+" = 0") {
		return
	}
	x.options.Logger.Warn("clickhouseexporter: the table does not remember the batches that it has, so one that comes again after a lost answer is added again",
		"table", o.qualified(o.target()), "mend", fmt.Sprintf("ALTER TABLE %s MODIFY SETTING %s = %d", o.qualified(o.target()), setting, o.DeduplicationWindow))
}
