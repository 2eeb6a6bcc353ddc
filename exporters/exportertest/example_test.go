package exportertest_test

import (
	"context"
	"fmt"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/exportertest"
)

func ExampleRecorder() {
	var recorder exportertest.Recorder
	batch := loguro.Batch{ID: "0196cdf4-2b00-7000-8000-000000000001", Events: []loguro.Event{
		{Type: "custom", Name: "signup", User: "user_42"},
	}}
	_ = recorder.Export(context.Background(), batch)
	_ = recorder.Export(context.Background(), batch) // a repetition changes nothing

	for _, e := range recorder.Events() {
		fmt.Println(e.Name, e.User)
	}
	// Output: signup user_42
}
