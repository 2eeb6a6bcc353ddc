package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/loguro/loguro/internal/spool"
)

// remains are the batches in a spool after an export.
type remains struct {
	waiting int      // for this exporter, of those that were planned,
	redrive int      // and of dead letters
	held    int      // for others only,
	heldFor []string // these
	taken   int      // by another process in the meantime,
	by      []string // whose folders these were
}

// look counts them.
func (s *shipment) look() (r remains, err error) {
	contents, err := spool.Browse(s.dir)
	if err != nil {
		return r, fmt.Errorf("look what remains: %w", unreadable(s.dir, err))
	}
	for _, process := range contents.Processes {
		planned, taken := s.plan.folders[process.Name], r.taken
		for _, f := range process.Segments {
			rest, _ := process.Rest(f) // planExport said it
			parts, _ := rest.Of(s.plan.exporter, math.MaxInt)
			switch {
			case !planned && s.plan.revived[f.ID.String()]:
				r.redrive++
			case !planned, f.Empty():
			case process.State == spool.StateLiving:
				r.taken++
			case len(parts) == 0:
				r.held++
				r.heldFor = append(r.heldFor, rest.Debts([]string{s.plan.exporter})...)
			default:
				r.waiting++
			}
		}
		if r.taken > taken {
			r.by = append(r.by, process.Name)
		}
	}
	slices.Sort(r.heldFor)
	r.heldFor = slices.Compact(r.heldFor)
	return r, nil
}
