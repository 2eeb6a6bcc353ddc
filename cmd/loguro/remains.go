package main

import (
	"fmt"

	"github.com/loguro/loguro/internal/spool"
)

// remains are the batches in a spool after an export.
type remains struct {
	waiting int      // for this exporter, of those that were planned,
	redrive int      // and of dead letters
	held    int      // for others only
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
			rest, _ := f.Rest() // planExport said it
			parts, some := rest[s.plan.exporter]
			switch {
			case !planned && s.plan.revived[f.ID.String()]:
				r.redrive++
			case !planned, f.Empty():
			case process.State == spool.StateLiving:
				r.taken++
			case some && len(parts) == 0:
				r.held++
			default:
				r.waiting++
			}
		}
		if r.taken > taken {
			r.by = append(r.by, process.Name)
		}
	}
	return r, nil
}
