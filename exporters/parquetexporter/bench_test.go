package parquetexporter_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

// BenchmarkExport writes batches of varied events to disk, syncs included. The smallest is what a quiet site sends
// each minute, the largest what a busy one does.
func BenchmarkExport(b *testing.B) {
	for _, n := range []int{1, 1_000, 100_000} {
		b.Run("events="+strconv.Itoa(n), func(b *testing.B) {
			dir := b.TempDir()
			exporter, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
			if err != nil {
				b.Fatal(err)
			}
			batch := loguro.Batch{ID: "0196cdf4-2b00-7000-8000-0123456789ab", Events: exportertest.Events(n)}
			b.ReportAllocs()
			for b.Loop() {
				if err := exporter.Export(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			info, err := os.Stat(filepath.Join(dir, "date=2026-05-14", batch.ID+".parquet"))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/float64(n), "B/row")
		})
	}
}
