package main

import (
	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

var toParquet = destination{
	kind:    "parquet",
	example: "parquet:OUTDIR",
	open: func(dir string) (loguro.Exporter, error) {
		return parquetexporter.New(parquetexporter.Options{Dir: dir})
	},
}
