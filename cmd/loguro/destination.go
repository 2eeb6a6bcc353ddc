package main

import (
	"fmt"
	"strings"

	"github.com/loguro/loguro"
)

// destinations are what --to knows: each is a line here, a file of its own, and a line in the help.
var destinations = []destination{
	toParquet,
	toClickHouse("clickhouse", "9000"),
	toClickHouse("https", "8443"),
	toClickHouse("http", "8123"),
}

// destination is a kind of store.
type destination struct {
	kind    string // before the colon
	example string // of --to
	open    func(target string) (loguro.Exporter, error)
}

// openDestination makes the exporter that KIND:TARGET names.
func openDestination(to string) (kind string, _ loguro.Exporter, _ error) {
	kind, target, ok := strings.Cut(to, ":")
	var known []string
	for _, d := range destinations {
		if d.kind == kind && ok && target != "" {
			exporter, err := d.open(target)
			if err != nil {
				return kind, nil, fmt.Errorf("--to %s: %w", kind, err)
			}
			return kind, exporter, nil
		}
		known = append(known, d.example)
	}
	return kind, nil, fmt.Errorf("--to %q is not a destination; known are: %s", kind+":…", strings.Join(known, ", "))
}

// nameOf is the name that an exporter has in the spool, as loguro.Tee says it.
func nameOf(exporter loguro.Exporter) string {
	return strings.TrimLeft(fmt.Sprintf("%T", exporter), "*")
}
