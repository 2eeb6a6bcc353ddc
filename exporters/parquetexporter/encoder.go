package parquetexporter

import (
	"context"
	"fmt"
	"io"

	"github.com/loguro/loguro"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const (
	// schemaVersion is in every file's metadata, and grows when a column changes its meaning.
	schemaVersion = "1"
	// maxGroupRows keeps a batch of the asked size in one row group; small groups cost half as much again on disk.
	maxGroupRows = 1 << 17
	// chunkRows is how many rows are written between two looks at the context. It divides maxGroupRows, and so many
	// events stay in the processor's cache while one column after the other is taken from them.
	chunkRows = 256
	// bloomBits is the size of the bloom filters for each distinct value: about one false answer in a hundred.
	bloomBits = 10
)

// encoder turns events into the bytes of a file. It is safe for concurrent use.
//
// Every file gets a writer of its own, although parquet-go's can be Reset: in version 0.32 a writer that was Reset
// leaves out the columns' names, declares a wrong order, and repeats the sizes of bloom filters that are not there
// (its issue 602 is the first of these). A new one costs half a millisecond, and gives its memory back between files.
type encoder struct {
	codec zstd.Codec // keeps its own pool of compressors
}

func newEncoder() *encoder {
	return &encoder{codec: zstd.Codec{Level: zstd.SpeedFastest}}
}

// encode writes the given events of the batch, in that order, as one file.
func (c *encoder) encode(ctx context.Context, w io.Writer, batch loguro.Batch, order []key) error {
	writer := c.newWriter(w, batch.ID)
	var (
		chunk  [chunkRows]*loguro.Event
		values [chunkRows]parquet.Value
	)
	for written := 0; written < len(order); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(order)-written, chunkRows)
		for i, k := range order[written : written+n] {
			chunk[i] = &batch.Events[k.index]
		}
		if err := writeChunk(writer.ColumnWriters(), chunk[:n], values[:n]); err != nil {
			return err
		}
		written += n
		if written%maxGroupRows == 0 {
			if err := writer.Flush(); err != nil {
				return fmt.Errorf("write row group: %w", err)
			}
		}
	}
	if err := writer.Close(); err != nil {
		return fmt.Errorf("write footer: %w", err)
	}
	return nil
}

func (c *encoder) newWriter(w io.Writer, batchID string) *parquet.GenericWriter[any] {
	return parquet.NewGenericWriter[any](w, schema,
		parquet.Compression(&c.codec),
		// Statistics in page headers repeat the column index. Page bounds must stay on: without them parquet-go
		// writes column indexes that make readers skip rows.
		parquet.DataPageStatistics(false),
		parquet.BloomFilters(
			parquet.SplitBlockFilter(bloomBits, "visitor_id"),
			parquet.SplitBlockFilter(bloomBits, "session_id"),
			parquet.SplitBlockFilter(bloomBits, "user_id"),
		),
		// Rows are sorted before they come here; this declares it.
		parquet.SortingWriterConfig(parquet.SortingColumns(
			parquet.NullsFirst(parquet.Ascending("visitor_id")),
			parquet.Ascending("timestamp"),
		)),
		parquet.KeyValueMetadata("loguro.schema_version", schemaVersion),
		parquet.KeyValueMetadata("loguro.batch_id", batchID),
	)
}

// writeChunk writes the events column by column; values is room for one column of them.
func writeChunk(writers []*parquet.ColumnWriter, events []*loguro.Event, values []parquet.Value) error {
	for i := range columns {
		c := &columns[i]
		present := 0 // the definition level that tells a value from NULL; required columns have none
		if c.node.Optional() {
			present = 1
		}
		for j, e := range events {
			if v := c.value(e); v.IsNull() {
				values[j] = v
			} else {
				values[j] = v.Level(0, present, i)
			}
		}
		if _, err := writers[i].WriteRowValues(values); err != nil {
			return fmt.Errorf("write column %s: %w", c.name, err)
		}
	}
	return nil
}
