package bench

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"text/tabwriter"
)

// writeTable writes the table of the README, and which versions it is about.
func writeTable(w io.Writer, outcomes []outcome) {
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| scenario\t| library\t| accepted\t| arrived\t| twice\t| sent again\t| Close returned")
	for _, o := range outcomes {
		var ends []string
		for _, c := range o.closed {
			ends = append(ends, fmt.Sprintf("%s after %.1f s", strings.ReplaceAll(c.Err, "\n", "; "), c.Took.Seconds()))
		}
		fmt.Fprintf(table, "| %s\t| %s\t| %d\t| %d\t| %d\t| %d\t| %s\n", o.scenario, o.library, o.accepted, o.arrived,
			o.twice, o.again, strings.Join(ends, "; then "))
	}
	table.Flush()
	for _, l := range libraries {
		if version, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", l.module).Output(); err == nil {
			fmt.Fprintf(w, "%s", version)
		}
	}
}
