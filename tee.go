package loguro

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/loguro/loguro/internal/pipeline"
)

// Tee is an Exporter that gives every batch to each of the exporters. As Config.Exporter it gives each a queue of its
// own: a slow or failing one does not hold back the others, each gets each batch once, and what it still lacks is
// remembered in the spool across restarts. There an exporter goes by the name of its type, with a number from the second
// of a type on, so keep the order of those that are of the same type.
//
// A batch is sealed at the smallest number of events and bytes that one of them asks for, and the longest age: a store
// takes larger batches than it asks for more easily than a file system takes a file a second. Config.FlushInterval wins.
//
// Inside another Exporter a Tee is a loop: it fails if one fails, and then all get the batch again, under the same id.
func Tee(exporters ...Exporter) Exporter { return tee(exporters) }

type tee []Exporter

var _ BatchLimiter = tee(nil)

// Export is for a Tee inside another exporter.
func (t tee) Export(ctx context.Context, batch Batch) error {
	var passing, permanent []error
	for _, x := range t {
		if err := x.Export(ctx, batch); pipeline.IsPermanent(err) {
			permanent = append(permanent, err)
		} else if err != nil {
			passing = append(passing, err)
		}
	}
	if len(passing) > 0 {
		return errors.Join(passing...) // the others say so again when these are mended
	}
	return errors.Join(permanent...)
}

// BatchLimits see Tee.
func (t tee) BatchLimits() BatchLimits {
	var all BatchLimits
	smallest := func(a, b int) int {
		if a == 0 || b == 0 {
			return max(a, b)
		}
		return min(a, b)
	}
	for _, x := range t {
		if limiter, ok := x.(BatchLimiter); ok {
			wish := limiter.BatchLimits()
			all.Events, all.Bytes = smallest(all.Events, wish.Events), smallest(all.Bytes, wish.Bytes)
			all.Age = max(all.Age, wish.Age)
		}
	}
	return all
}

// namedExporter is an exporter with the name that it has in the spool.
type namedExporter struct {
	name     string
	exporter Exporter
}

// lanesOf takes a Tee, and those in it, apart.
func lanesOf(exporter Exporter) []namedExporter {
	var lanes []namedExporter
	seen := map[string]int{}
	var add func(Exporter)
	add = func(x Exporter) {
		if t, ok := x.(tee); ok {
			for _, x := range t {
				add(x)
			}
			return
		}
		name := strings.TrimLeft(fmt.Sprintf("%T", x), "*")
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, seen[name])
		}
		lanes = append(lanes, namedExporter{name, x})
	}
	add(exporter)
	return lanes
}
