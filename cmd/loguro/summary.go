package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// summary is what export prints.
type summary struct {
	Dir         string `json:"dir"`
	To          string `json:"to"`
	Exporter    string `json:"exporter"`
	Keep        bool   `json:"keep"`
	Interrupted bool   `json:"interrupted"`
	Error       string `json:"error,omitempty"`

	Batches  int    `json:"exported_batches"`
	Events   uint64 `json:"exported_events"`
	Redriven uint64 `json:"redriven_events"`
	Refused  uint64 `json:"refused_events"`
	Torn     uint64 `json:"torn_tails"`
	Corrupt  uint64 `json:"corrupt_parts"`
	Lost     uint64 `json:"lost_events"`

	Already       int            `json:"batches_exported_before"`
	Left          int            `json:"left_batches"`
	LeftEvents    int            `json:"left_events"`
	Living        []string       `json:"living_processes"`
	LivingBatches int            `json:"living_batches"`
	Held          int            `json:"held_batches"`
	HeldFor       []string       `json:"held_for"`
	Broken        int            `json:"unreadable_folders"`
	DeadStaying   int            `json:"dead_letters_staying"`
	DeadForeign   map[string]int `json:"dead_letters_of_others"`
	DeadDamaged   int            `json:"damaged_dead_letter_files"`

	err error
}

// planned notes what the plan leaves alone.
func (s *summary) planned(p *plan) {
	s.Already, s.Broken = p.already, len(p.broken)
	s.Living = []string{}
	for _, process := range p.living {
		s.Living = append(s.Living, process.Name)
		s.LivingBatches += len(process.Segments)
	}
	s.HeldFor = []string{}
	s.DeadStaying, s.DeadForeign, s.DeadDamaged = p.staying, p.foreign, p.damaged
	s.Left = p.batches - p.already
}

// happened notes what became of the rest.
func (s *summary) happened(o outcome) {
	s.Batches = max(s.Left-o.remains.waiting-o.remains.taken, 0)
	s.Left, s.LeftEvents = o.remains.waiting+o.remains.redrive, lane(o.Counts).Pending
	s.Living, s.LivingBatches = append(s.Living, o.remains.by...), s.LivingBatches+o.remains.taken
	if !s.Keep { // of a copy nothing is deleted anyway
		s.Held, s.HeldFor = o.remains.held, append(s.HeldFor, o.remains.heldFor...)
	}
	s.Events, s.Redriven, s.Refused = o.delivered, o.redriven, o.refused
	s.Torn, s.Corrupt, s.Lost = o.Torn, o.Corrupt, o.Lost
	s.err, s.Interrupted = o.err, errors.Is(o.err, context.Canceled)
	if s.err != nil && !s.Interrupted {
		s.Error = s.err.Error()
	}
}

func (s *summary) exitCode() int {
	unfinished := s.err != nil || s.Left+s.LeftEvents+s.LivingBatches+s.Broken+s.DeadDamaged+len(s.DeadForeign) > 0
	switch {
	case s.Interrupted:
		return exitInterrupt
	case unfinished, s.Held > 0, s.Refused+s.Torn+s.Corrupt+s.Lost > 0:
		return exitFindings
	}
	return exitOK
}

// write prints the summary for people: what was done, and what stays and why.
func (s *summary) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(holds bool, what, format string, args ...any) {
		if holds {
			fmt.Fprintf(w, "%s\t%s\n", what, line(fmt.Sprintf(format, args...), 0))
		}
	}
	nothing := s.Batches+s.Already+s.Left+s.LivingBatches+s.Held == 0 && s.Redriven+s.Refused == 0 &&
		s.DeadStaying+s.DeadDamaged+len(s.DeadForeign) == 0
	if nothing {
		fmt.Fprintln(w, "nothing waits")
	}
	row(!nothing, "exported", "%s with %s to %s", count(s.Batches, "batch"), count(s.Events, "event"), s.To)
	row(s.Already > 0, "skipped", "%s that %s got before", count(s.Already, "batch"), s.Exporter)
	row(s.Redriven > 0, "redriven", "%s", count(s.Redriven, "dead letter"))
	where := "; see the reasons with loguro spool ls " + s.Dir
	if s.Keep {
		where = ""
	}
	row(s.Refused > 0, "refused", "%s by the destination%s", count(s.Refused, "event"), where)
	row(s.Torn > 0, "damaged", "%s skipped: a process or the power went while it was written", count(s.Torn, "torn end"))
	aside := ", and put aside in the folder corrupt"
	if s.Keep {
		aside = ""
	}
	row(s.Corrupt > 0, "damaged", "%s skipped%s", count(s.Corrupt, "corrupt part"), aside)
	row(s.Lost > 0, "lost", "%s, whose segment was damaged or removed meanwhile", count(s.Lost, "event"))
	row(s.Left > 0 && s.LeftEvents > 0, "stays", "%s with %s, not exported yet; run it again",
		count(s.Left, "batch"), count(s.LeftEvents, "event"))
	readOnly := "; if the disk is read-only, add --keep"
	if s.Keep {
		readOnly = ""
	}
	row(s.Left > 0 && s.LeftEvents == 0, "stays", "%s that cannot be taken over%s", count(s.Left, "batch"), readOnly)
	row(s.LivingBatches > 0, "stays", "%s of %s: in use by a living process, which delivers them",
		count(s.LivingBatches, "batch"), strings.Join(s.Living, ", "))
	row(s.Held > 0, "stays", "%s that %s may need yet; export as that one too (--as), or let the application do it",
		count(s.Held, "batch"), strings.Join(s.HeldFor, ", "))
	row(s.Broken > 0, "stays", "%s that cannot be read", count(s.Broken, "folder"))
	row(s.DeadStaying > 0, "stays", "%s; --dead exports those of %s too", count(s.DeadStaying, "dead letter"), s.Exporter)
	row(s.DeadDamaged > 0, "stays", "%s of dead letters that cannot be read", count(s.DeadDamaged, "file"))
	for _, name := range slices.Sorted(maps.Keys(s.DeadForeign)) {
		row(true, "stays", "%s of %s; --as %s exports them in its place", count(s.DeadForeign[name], "dead letter"), name, name)
	}
	return w.Flush()
}
