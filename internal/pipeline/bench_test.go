package pipeline

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro/event"
)

// Compare within one run: what the append to a file adds to the append in memory.
func BenchmarkPut(b *testing.B) {
	e := event.Event{
		ID: uuid.New(), Type: event.Pageview, URL: "https://shop.acme.com/products/blue-kettle-417?page=2", Path: "/products/blue-kettle-417",
		Visitor: uuid.New(), Session: uuid.New(), User: "user_42", Time: time.Now().UnixMilli(), Referrer: "https://shop.acme.com/products",
		Route: "GET /products/{slug}", Status: 200, Duration: 12, Returning: true,
	}
	for _, on := range []string{"memory", "disk"} {
		open := func(b *testing.B) *Pipeline {
			c := Config{
				Exporters:   []Exporter{{"null", func(context.Context, Batch) error { return nil }}},
				BatchEvents: 50_000, BatchBytes: 64 << 20, BatchAge: time.Second, MemoryBytes: 256 << 20, ExportTimeout: time.Minute,
				SpoolBytes: 1 << 40, SyncInterval: time.Second, Logger: slog.New(slog.DiscardHandler),
			}
			if on == "disk" {
				c.Spool = b.TempDir()
			}
			p, err := New(c)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { p.Shutdown(context.Background()) })
			return p
		}
		b.Run(on, func(b *testing.B) {
			p := open(b)
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Put(&e); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(on+", 64 callers", func(b *testing.B) {
			p := open(b)
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				own := e
				for pb.Next() {
					if err := p.Put(&own); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
