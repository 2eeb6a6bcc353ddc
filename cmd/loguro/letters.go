package main

import (
	"errors"
	"io/fs"
	"time"

	"github.com/loguro/loguro/internal/spool"
)

// letters is what ls and verify say of a file of dead letters.
type letters struct {
	Path     string    `json:"path"`
	BatchID  string    `json:"batch_id"`
	Exporter string    `json:"exporter"`
	Reason   string    `json:"reason"`
	FailedAt time.Time `json:"failed_at"`
	Events   int       `json:"events"`
	Bytes    int64     `json:"bytes"`
	Claimed  bool      `json:"claimed"` // by a process that redrives them, or died over it
	Damage   []damage  `json:"damage"`
}

// letters reads a file of dead letters through. The error is that of the context, or fs.ErrNotExist if it was redriven
// meanwhile.
func (r *reader) letters(f spool.LetterFile) (l letters, err error) {
	l = letters{Path: f.Path, Bytes: f.Size, Claimed: f.Claimed}
	bad, err := f.Each(func(d spool.Dead, _ []byte) error {
		l.BatchID, l.Exporter, l.Reason, l.FailedAt = d.BatchID, d.Exporter, d.Reason, d.FailedAt.UTC()
		l.Events++
		return r.Err()
	})
	if errors.Is(err, fs.ErrNotExist) || r.Err() != nil {
		return l, errors.Join(r.Err(), err)
	}
	l.Damage = letterDamages(bad, err)
	return l, nil
}

func letterDamages(bad []error, err error) []damage {
	all := []damage{}
	for _, err := range bad {
		all = append(all, damage{Kind: deadLetter, Error: err.Error()})
	}
	if err != nil {
		all = append(all, damage{Kind: unreadableFile, Error: cause(err).Error()})
	}
	return all
}
