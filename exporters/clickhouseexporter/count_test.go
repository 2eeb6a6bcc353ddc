package clickhouseexporter_test

import (
	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
)

func distinct(events []loguro.Event) int {
	seen := map[uuid.UUID]bool{}
	for _, e := range events {
		seen[e.Visitor] = true
	}
	return len(seen)
}

func count(events []loguro.Event, which func(loguro.Event) bool) (n int) {
	for _, e := range events {
		if which(e) {
			n++
		}
	}
	return n
}

func custom(events []loguro.Event) int {
	return count(events, func(e loguro.Event) bool { return e.Type == event.Custom })
}

func placeless(events []loguro.Event) int {
	return count(events, func(e loguro.Event) bool { return e.City == "" })
}
