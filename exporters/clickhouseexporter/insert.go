package clickhouseexporter

import (
	"context"
	"fmt"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/loguro/loguro"
)

// plan is how events become rows of the table as it was found.
type plan struct {
	query   string
	columns int
	fill    []filler
	old     bool      // the server has no deduplication tokens
	scratch sync.Pool // of *[]scratch, one for each column
}

// blockRows is how many rows are put together before they are sent, so that memory stays small. The server makes one
// part of the blocks of an insert.
const blockRows = 8 << 10

func (p *plan) insert(ctx context.Context, conn driver.Conn, batch loguro.Batch) (err error) {
	insert, err := conn.PrepareBatch(p.settings(ctx, batch.ID), p.query)
	if err != nil {
		return fmt.Errorf("begin insert: %w", err)
	}
	defer func() {
		if err != nil {
			_ = insert.Abort() // closes the connection: Close would insert what was sent so far
		}
	}()
	// An old server that is asked without a list of columns describes none, and takes every row without a word.
	if n := len(insert.Columns()); n != p.columns {
		return fmt.Errorf("the server takes %d columns of %d", n, p.columns)
	}
	columns, ok := p.scratch.Get().(*[]scratch)
	if !ok {
		columns = new(make([]scratch, p.columns))
	}
	defer func() {
		for i := range *columns {
			(*columns)[i].release()
		}
		p.scratch.Put(columns)
	}()
	for rest := batch.Events; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := rest[:min(len(rest), blockRows)]
		rest = rest[len(block):]
		for i, fill := range p.fill {
			if err := insert.Column(i).Append(fill(block, &(*columns)[i])); err != nil {
				return fmt.Errorf("append column %d: %w", i+1, err)
			}
		}
		if len(rest) == 0 {
			break
		}
		if err := insert.Flush(); err != nil {
			return loguro.MayHaveArrived(fmt.Errorf("send block: %w", err))
		}
	}
	if err := insert.Send(); err != nil {
		err = fmt.Errorf("insert: %w", err)
		if refusals[code(err)] {
			return err
		}
		// Whatever else it is, one of several parts may be in the table, or the answer is not the server's own.
		return loguro.MayHaveArrived(err)
	}
	return nil
}

// settings of the insert. Asynchronous inserts answer before the rows are in the table or ignore the token, and a
// Distributed table would store them for later.
func (p *plan) settings(ctx context.Context, id string) context.Context {
	if p.old {
		return ctx
	}
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplication_token": id,
		"insert_deduplicate":         1,
		"async_insert":               0,
		"insert_distributed_sync":    1,
		// A view must see what the table dropped as a repetition: it may be what the first attempt did not reach.
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		// One block, one part, in one transaction: as large as any batch.
		"min_insert_block_size_rows":  1 << 20,
		"min_insert_block_size_bytes": 1 << 30,
		"max_insert_threads":          1,
	}))
}
