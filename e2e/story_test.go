package e2e

import (
	"fmt"
	"strings"

	"github.com/loguro/loguro"
)

// tell says what each event is: its name, path and user, and visitor and session by the order in which they appear.
func tell(events []loguro.Event) []string {
	var rows []string
	for _, e := range events {
		name, user := e.Name, e.User
		if name == "" {
			name = string(e.Type)
		}
		if user == "" {
			user = "-"
		}
		rows = append(rows, fmt.Sprintln(name, e.Path, user, e.Visitor, e.Session))
	}
	return nameIDs(rows)
}

// nameIDs calls the visitors and sessions, which are the last two words of each row, by the order in which they appear.
func nameIDs(rows []string) []string {
	var out []string
	visitors, sessions := make(map[string]string), make(map[string]string)
	for _, row := range rows {
		fields := strings.Fields(row)
		n := len(fields)
		visitor, session := fields[n-2], fields[n-1]
		if visitors[visitor] == "" {
			visitors[visitor] = fmt.Sprint("visitor", len(visitors)+1)
		}
		if sessions[session] == "" {
			sessions[session] = fmt.Sprint("session", len(sessions)+1)
		}
		out = append(out, strings.Join(append(fields[:n-2], visitors[visitor], sessions[session]), " "))
	}
	return out
}
