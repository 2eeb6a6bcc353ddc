package pipeline

import "github.com/loguro/loguro/event"

// chunkEvents is some 70 KiB of events.
const chunkEvents = 128

// chunks hold the events of a batch while it grows. A slice that grows would be copied over and over under the lock
// that requests wait for; chunks are not, and are used again.
type chunks [][]event.Event

func (c chunks) len() int {
	if len(c) == 0 {
		return 0
	}
	return (len(c)-1)*chunkEvents + len(c[len(c)-1])
}

// add appends an event, in a chunk of spare if a new one is needed.
func (c chunks) add(e *event.Event, spare *chunks) chunks {
	last := len(c) - 1
	if last < 0 || len(c[last]) == chunkEvents {
		var chunk []event.Event
		if n := len(*spare); n > 0 {
			chunk, *spare = (*spare)[n-1], (*spare)[:n-1]
		} else {
			chunk = make([]event.Event, 0, chunkEvents)
		}
		c = append(c, chunk)
		last++
	}
	c[last] = append(c[last], *e)
	return c
}

// join returns the events as one slice of their own.
func (c chunks) join() []event.Event {
	events := make([]event.Event, 0, c.len())
	for _, chunk := range c {
		events = append(events, chunk...)
	}
	return events
}

// maxSpare bounds what an idle pipeline keeps, in chunks: some 9 MiB.
const maxSpare = 128

// emptied returns the chunks without their events, at most maxSpare of them.
func (c chunks) emptied() chunks {
	c = c[:min(len(c), maxSpare)]
	for i, chunk := range c {
		clear(chunk) // lets the strings go
		c[i] = chunk[:0]
	}
	return c
}
