package clickhouseexporter_test

import (
	"fmt"
	"strings"

	"github.com/loguro/loguro/exporters/clickhouseexporter"
)

// The statements for a team that keeps its migrations itself.
func ExampleDDL() {
	statements, err := clickhouseexporter.DDL(clickhouseexporter.Options{Table: "events", TTL: "toDateTime(timestamp) + INTERVAL 2 YEAR"})
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := strings.Split(statements[0], "\n")
	fmt.Println(lines[0])
	fmt.Println(strings.Join(lines[len(lines)-5:], "\n"))
	// Output:
	// CREATE TABLE IF NOT EXISTS `events`
	// ENGINE = MergeTree()
	// PARTITION BY toYYYYMM(`timestamp`)
	// ORDER BY (`site`, toDate(`timestamp`), `visitor_id`, `timestamp`)
	// TTL toDateTime(timestamp) + INTERVAL 2 YEAR
	// SETTINGS non_replicated_deduplication_window = 10000
}
