package parquetexporter_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

func Example() {
	dir, err := os.MkdirTemp("", "loguro-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	exporter, err := parquetexporter.New(parquetexporter.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	// A Tracker does this by itself: exporter is its Config.Exporter.
	err = exporter.Export(context.Background(), loguro.Batch{
		ID: "0196cdf4-2b00-7000-8000-0123456789ab",
		Events: []loguro.Event{
			{Type: "custom", Name: "signup", Time: time.Date(2026, 5, 14, 23, 59, 59, 0, time.UTC).UnixMilli()},
			{Type: "pageview", Path: "/welcome", Time: time.Date(2026, 5, 15, 0, 0, 1, 0, time.UTC).UnixMilli()},
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.parquet"))
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		fmt.Println(filepath.ToSlash(name))
	}
	// Output:
	// date=2026-05-14/0196cdf4-2b00-7000-8000-0123456789ab.parquet
	// date=2026-05-15/0196cdf4-2b00-7000-8000-0123456789ab.parquet
}
