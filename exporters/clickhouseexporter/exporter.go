package clickhouseexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/loguro/loguro"
)

var (
	_ loguro.Exporter     = (*Exporter)(nil)
	_ loguro.BatchLimiter = (*Exporter)(nil)
)

// Exporter inserts every batch into a ClickHouse table. Different batches may be exported at the same time.
type Exporter struct {
	options Options
	conn    driver.Conn
	own     bool // conn is ours to close

	mu     sync.Mutex
	plan   *plan // nil until the table was checked
	warned bool
}

// connectTimeout bounds the check at the start.
const connectTimeout = 10 * time.Second

// New checks the options, and the server and its table if the server answers: version, columns and their types, and the
// deduplication window; with CreateTable it makes what is missing. The error joins all complaints, with the statements
// that mend them.
//
// A server that does not answer, or is overloaded, is no error: an application must be able to start while its analytics
// are down. The check comes with the first Export that reaches the server, and until then batches wait. Use Check to
// insist.
func New(ctx context.Context, opts Options) (*Exporter, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("clickhouseexporter: %w", err)
	}
	conn, own, err := connect(opts)
	if err != nil {
		return nil, fmt.Errorf("clickhouseexporter: %w", err)
	}
	x := &Exporter{options: opts.withDefaults(), conn: conn, own: own}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if _, err := x.check(ctx); err != nil && !passing(err) {
		return nil, errors.Join(fmt.Errorf("clickhouseexporter: %w", err), x.Close())
	}
	return x, nil
}

// Check reports whether the server answers and the table is as it must be.
func (x *Exporter) Check(ctx context.Context) error {
	if _, err := x.check(ctx); err != nil {
		return fmt.Errorf("clickhouseexporter: %w", err)
	}
	return nil
}

// Close ends the connections, unless Options.Conn brought them. Call it after Tracker.Shutdown.
func (x *Exporter) Close() error {
	if !x.own {
		return nil
	}
	return x.conn.Close()
}

// BatchLimits asks for batches of up to 50,000 events or a second: each becomes one part of the table, and a table
// takes a part a second easily, but not one per request.
func (*Exporter) BatchLimits() loguro.BatchLimits {
	return loguro.BatchLimits{Events: 50_000, Bytes: 48 << 20, Age: time.Second}
}

// Export inserts the batch with its id as insert_deduplication_token. When it returns nil the rows are in the table; the
// same batch again adds nothing, as long as the table remembers the id (see the package comment).
//
// What cannot be mended by a retry is a [loguro.Permanent] error: a value that the table refuses. Where a materialized
// view or a shard may have refused it, the table or another shard has the batch already, so that all of it becomes dead
// letters, and none of it comes twice. Everything else is tried again, a missing table and a wrong password included:
// those are for the operator to mend, and nothing is lost meanwhile.
func (x *Exporter) Export(ctx context.Context, batch loguro.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(batch.Events) == 0 {
		return nil
	}
	p, err := x.check(ctx)
	if err == nil {
		err = p.insert(ctx, x.conn, batch)
	}
	if err != nil {
		x.forget(err)
		if refusals[code(err)] && x.partial(ctx) {
			err = loguro.MayHaveArrived(err)
		}
		return sorted(ctx, fmt.Errorf("clickhouseexporter: batch %s: %w", batch.ID, err))
	}
	return nil
}
