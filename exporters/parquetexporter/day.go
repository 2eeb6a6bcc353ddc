package parquetexporter

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/loguro/loguro"
)

// millisPerDay needs no leap seconds: Unix time has none.
const millisPerDay = 24 * 60 * 60 * 1000

// day is the part of a batch that goes into one file.
type day struct {
	number int64 // days since 1970-01-01
	order  []key // the events in the order of the file
}

// key is what an event is sorted by. Events are large; sorting keys that hold copies of the fields is several times
// faster than sorting indexes that look them up.
type key struct {
	visitorHigh, visitorLow uint64
	time                    int64
	index                   int // of the event in the batch
}

// folder names the day as a Hive partition, which DuckDB, Spark and ClickHouse read as a column.
func (d *day) folder() string {
	return "date=" + time.UnixMilli(d.number*millisPerDay).UTC().Format(time.DateOnly)
}

// splitDays sorts the events into UTC days, and within a day by visitor and time. Events of one visitor and one
// millisecond keep their order, so that the same batch always gives the same files.
func splitDays(events []loguro.Event) []day {
	var days []day
	at := -1 // the day of the event before, which is nearly always that of the next one too
	for i := range events {
		e := &events[i]
		number := floorDiv(e.Time, millisPerDay)
		if at < 0 || days[at].number != number {
			at = slices.IndexFunc(days, func(d day) bool { return d.number == number })
			if at < 0 {
				at = len(days)
				days = append(days, day{number: number, order: make([]key, 0, len(events)-i)})
			}
		}
		days[at].order = append(days[at].order, key{
			visitorHigh: binary.BigEndian.Uint64(e.Visitor[:8]), visitorLow: binary.BigEndian.Uint64(e.Visitor[8:]),
			time: e.Time, index: i,
		})
	}
	for _, d := range days {
		slices.SortFunc(d.order, func(a, b key) int {
			return cmp.Or(cmp.Compare(a.visitorHigh, b.visitorHigh), cmp.Compare(a.visitorLow, b.visitorLow),
				cmp.Compare(a.time, b.time), cmp.Compare(a.index, b.index))
		})
	}
	return days
}

// floorDiv rounds down, so that times before 1970 fall into the right day.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
