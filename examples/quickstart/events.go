package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/loguro/loguro"
)

// row is an event in the table.
type row struct {
	Time, Type, Name, Path, User, Visitor, Session string
}

// showEvents shows a visitor what was recorded of them, and of nobody else.
//
// Events reach the exporter in batches, so that what happened a moment ago would be missing: Flush seals the batch early.
// That makes a small file, which is fine for this page alone; a handler that flushed on every request would make
// thousands. The view of this page itself is recorded after it was shown, so it is there the next time.
func (a *app) showEvents(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	waiting := a.tracker.Flush(ctx) != nil

	who, _ := loguro.Current(r.Context())
	data := page{Title: "Your events", Who: who, Waiting: waiting}
	var lines []byte
	for _, e := range a.recent.of(who.VisitorID) {
		lines = append(e.AppendJSON(lines), '\n')
		data.Events = append(data.Events, row{
			Time: e.Timestamp().Format("15:04:05.000"), Type: string(e.Type), Name: e.Name, Path: e.Path, User: e.User,
			Visitor: e.Visitor.String(), Session: e.Session.String(),
		})
	}
	slices.Reverse(data.Events)
	data.JSON = string(lines)
	a.render(w, r, http.StatusOK, "events", data)
}
