package main

import (
	"testing"
	"time"
)

func TestMeasuresAreForPeople(t *testing.T) {
	now := time.Date(2026, 5, 14, 10, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) string { return age(now.Add(-d), now) }
	for _, test := range []struct{ got, want string }{
		{size(0), "0 B"}, {size(1023), "1023 B"}, {size(1024), "1.0 KiB"}, {size(1258291), "1.2 MiB"},
		{size(1<<20 - 1), "1.0 MiB"}, {size(1 << 30), "1.0 GiB"}, {size(1<<63 - 1), "8.0 EiB"},
		{ago(-time.Hour), "0s"}, {ago(59 * time.Second), "59s"}, {ago(3*time.Minute + 59*time.Second), "3m"},
		{ago(47 * time.Hour), "47h"}, {ago(49 * time.Hour), "2d"},
		{count(1, "batch"), "1 batch"}, {count(2, "batch"), "2 batches"}, {count(0, "event"), "0 events"}, {count(2, "process"), "2 processes"},
		{line("a\nb\x1b[31mc\u202ed", 0), "a b [31mc d"}, {line("äöü", 3), "äöü"}, {line("äöüx", 3), "äö…"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
