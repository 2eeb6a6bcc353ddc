package pipeline

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/loguro/loguro/event"
)

// A day of outage leaves many small batches. To drain them must not take a time that grows with their square.
func BenchmarkDrain(b *testing.B) {
	for _, batches := range []int{2_000, 32_000} {
		b.Run(strconv.Itoa(batches)+" batches", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				f := newFiles()
				f.down.Store(true)
				p, err := New(Config{Exporters: []Exporter{{"files", f.export}}, BatchEvents: 1, BatchBytes: 1 << 20, BatchAge: time.Hour,
					MemoryBytes: 1 << 30, ExportTimeout: time.Minute, SyncInterval: time.Second, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				for i := range batches {
					if err := p.Put(&event.Event{Type: event.Custom, Name: strconv.Itoa(i)}); err != nil {
						b.Fatal(err)
					}
				}
				f.down.Store(false)
				b.StartTimer()
				if err := p.Shutdown(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(batches*b.N)/b.Elapsed().Seconds(), "batches/s")
		})
	}
}
