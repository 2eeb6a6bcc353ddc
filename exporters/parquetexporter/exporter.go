package parquetexporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/loguro/loguro"
)

var (
	_ loguro.Exporter     = (*Exporter)(nil)
	_ loguro.BatchLimiter = (*Exporter)(nil)
)

// Options say where the files go.
type Options struct {
	// Dir is the directory that holds the files. New makes it, and its parents, if it is missing. Several processes
	// may share one directory on a local disk. It has no default: New refuses an empty Dir.
	Dir string
}

// Exporter writes every batch as Parquet files. It holds no file open between calls and needs no closing. Different
// batches may be exported at the same time.
type Exporter struct {
	dir     string
	encoder *encoder
}

// New returns an Exporter that writes below opts.Dir. It makes the directory with mode 0750, checks that files can be
// written there, and removes temporary files that a killed process left over a day ago. Its errors say what to mend.
func New(opts Options) (*Exporter, error) {
	if opts.Dir == "" {
		return nil, errors.New(`parquetexporter: Options.Dir is empty; name the directory for the files, such as "./data"`)
	}
	if err := prepare(opts.Dir); err != nil {
		return nil, fmt.Errorf("parquetexporter: Options.Dir %q: %w", opts.Dir, err)
	}
	if err := sweep(opts.Dir, time.Now().Add(-staleAfter)); err != nil {
		return nil, fmt.Errorf("parquetexporter: Options.Dir %q: remove old temporary files: %w", opts.Dir, err)
	}
	return &Exporter{dir: opts.Dir, encoder: newEncoder()}, nil
}

// BatchLimits asks for large batches, which make few, compact files: 100,000 events or 64 MiB, at least once a minute.
func (*Exporter) BatchLimits() loguro.BatchLimits {
	return loguro.BatchLimits{Events: 100_000, Bytes: 64 << 20, Age: time.Minute}
}

// Export writes the batch as date=YYYY-MM-DD/<batch id>.parquet, one file for each UTC day that it has events of.
// When it returns nil the files and their names are on disk. The same batch again replaces them by the same bytes.
//
// No file is visible before all files of the batch are complete. After an error, an ended context among them, nothing
// of the batch is visible, unless it spans several days and the disk failed while they were being renamed; the next
// Export of the batch mends that too. A batch id that cannot be a file name is a [loguro.Permanent] error.
func (x *Exporter) Export(ctx context.Context, batch loguro.Batch) error {
	if err := checkID(batch.ID); err != nil {
		return loguro.Permanent(fmt.Errorf("parquetexporter: %w", err))
	}
	if len(batch.Events) == 0 {
		return ctx.Err()
	}
	if err := x.export(ctx, batch); err != nil {
		return fmt.Errorf("parquetexporter: batch %s: %w", batch.ID, err)
	}
	return nil
}

func (x *Exporter) export(ctx context.Context, batch loguro.Batch) error {
	// The directory is opened anew for every batch, so that one that was moved away or unmounted is noticed.
	root, err := os.OpenRoot(x.dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer root.Close()

	var files pending
	defer files.discard(root)
	for _, d := range splitDays(batch.Events) {
		err := files.write(root, d.folder(), batch.ID, func(f *os.File) error {
			return x.encoder.encode(ctx, f, batch, d.order)
		})
		if err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return files.publish(root)
}
