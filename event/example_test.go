package event_test

import (
	"fmt"
	"time"

	"github.com/loguro/loguro/event"
)

func ExampleEvent_AppendJSON() {
	props, _ := event.Props{"new_plan": "pro", "old_plan": "starter"}.Marshal()
	e := event.Event{
		Type: event.Custom, Name: "subscription_upgraded", Path: "/billing", User: "user_42", Props: props,
		Time: time.Date(2026, 5, 14, 10, 0, 0, 0, time.UTC).UnixMilli(),
	}
	fmt.Printf("%s\n", e.AppendJSON(nil))
	// Output:
	// {"event_type":"custom","custom_event_name":"subscription_upgraded","path":"/billing","user_id":"user_42","custom_props":{"new_plan":"pro","old_plan":"starter"},"timestamp":"2026-05-14T10:00:00.000Z"}
}
