package exportertest

import (
	"testing"

	"github.com/loguro/loguro"
)

// Store is an exporter under test together with a way to see what it made durable.
type Store struct {
	// Exporter is what is tested.
	Exporter loguro.Exporter
	// Read returns every event that a reader of the store sees now, in any order, each as often as it is there. It
	// should use the store's own reader, and not know what was exported.
	Read func(t *testing.T) []loguro.Event
}

// Run checks that an exporter keeps the contract of [loguro.Exporter], in one subtest for each rule. Open is called
// once for each of them and returns a new, empty store; what it opens it closes with t.Cleanup.
//
// Events are told apart by their event id. Their fields are compared through their JSON, so that nil and empty props
// are the same; props are compared as JSON values, so that a store may order the keys in its own way. The order in
// which events come back is not checked: stores sort by themselves, and time and event id restore it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.check(t, open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// conformanceCase is one rule. Check returns what is wrong instead of failing t, so that the suite's own test can
// see that each rule is able to fail.
type conformanceCase struct {
	name  string
	check func(t *testing.T, s Store) error
}

// The names say what a passing exporter does.
var cases = []conformanceCase{
	{"a batch arrives whole", arrivesWhole},
	{"several batches arrive, whichever comes first", severalBatches},
	{"a batch exported twice gives each event once", exportedTwice},
	{"a batch exported again after newer ones gives each event once", exportedAgainLater},
	{"an empty batch is no error and writes nothing", emptyBatch},
	{"an ended context is an error and writes nothing, and the next export is whole", endedContext},
	{"a context that ends midway leaves all or nothing, and the next export is whole", endsMidway},
	{"batches exported at the same time all arrive, ConcurrentSafe", concurrentBatches},
	{"the caller's events are not changed", eventsNotChanged},
	{"the caller's events are not kept", eventsNotKept},
	{"twenty thousand events arrive in one batch", largeBatch},
	{"every field comes back", everyField},
	{"every optional field may be empty", emptyFields},
	{"a background event has a user but neither visitor nor session", backgroundEvent},
	{"events alike in all but their id are all kept", alikeEvents},
	{"time keeps its milliseconds", milliseconds},
	{"a batch across midnight UTC arrives whole", acrossMidnight},
	{"text in any script comes back", anyScript},
	{"props come back, from none to 4096 bytes", propsOfAnySize},
	{"events tracked and flushed at the same time arrive once and in order, ConcurrentSafe", throughTracker},
}
