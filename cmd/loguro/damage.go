package main

import (
	"errors"
	"fmt"

	"github.com/loguro/loguro/internal/spool"
)

// damage is a part of a file that cannot be read, or why the whole file cannot.
type damage struct {
	Kind  string `json:"kind"`
	From  int64  `json:"from"` // bytes in the file; both are 0 where it is not a matter of places
	To    int64  `json:"to"`
	Error string `json:"error,omitempty"`
}

// Kinds of damage, as the help of verify explains them.
const (
	torn           = "torn"
	corrupt        = "corrupt"
	version        = "version"
	sideFile       = "side_file"
	deadLetter     = "dead_letter"
	unreadableFile = "unreadable"
)

func (d damage) String() string {
	switch d.Kind {
	case torn:
		return fmt.Sprintf("torn: the last %s, from byte %d on", count(d.To-d.From, "byte"), d.From)
	case corrupt:
		return fmt.Sprintf("corrupt: %s, from byte %d on", count(d.To-d.From, "byte"), d.From)
	case version:
		return "unknown version: " + d.Error
	case sideFile:
		return "side file: " + d.Error
	case deadLetter:
		return "dead letter: " + d.Error
	}
	return d.Error
}

// damages are those of a segment. While it grows its end is no damage, but a record that is being written.
func damages(report spool.Report, err error, grows bool) []damage {
	all := []damage{}
	for _, span := range report.Corrupt {
		all = append(all, damage{Kind: corrupt, From: span.From, To: span.To})
	}
	if t := report.Torn; t != nil && !grows {
		all = append(all, damage{Kind: torn, From: t.From, To: t.To})
	}
	switch {
	case errors.Is(err, spool.ErrVersion):
		all = append(all, damage{Kind: version, Error: err.Error()})
	case err != nil:
		all = append(all, damage{Kind: unreadableFile, Error: cause(err).Error()})
	}
	return all
}

// exitCode is what damage means for verify and cat.
func exitCode(all []damage) int {
	code := exitOK
	for _, d := range all {
		if d.Kind == unreadableFile {
			return exitUnusable
		}
		code = exitFindings
	}
	return code
}
