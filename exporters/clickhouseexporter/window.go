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
	t, err := x.lookUp(ctx)
	if err != nil || !strings.HasSuffix(t.engine, "MergeTree") || strings.HasPrefix(t.engine, "Replicated") || strings.HasPrefix(t.engine, "Shared") {
		return // replicated tables remember by default, and others have no such setting
	}
	const setting = "non_replicated_deduplication_window"
	off := strings.Contains(t.definition, setting+" = 0")
	if strings.Contains(t.definition, setting+" = ") && !off {
		return
	}
	var byDefault string
	err = x.conn.QueryRow(ctx, "SELECT value FROM system.merge_tree_settings WHERE name = '"+setting+"'").Scan(&byDefault)
	if err != nil || byDefault != "0" && !off {
		return
	}
	x.options.Logger.Warn("clickhouseexporter: the table does not remember the batches that it has, so one that comes again after a lost answer is added again",
		"table", o.qualified(o.target()), "mend", fmt.Sprintf("ALTER TABLE %s MODIFY SETTING %s = %d", o.qualified(o.target()), setting, o.DeduplicationWindow))
}
