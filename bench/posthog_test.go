package bench

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/posthog/posthog-go"
)

var posthogLibrary = library{
	name:   "posthog-go",
	module: "github.com/posthog/posthog-go",
	open: func(store, _ string) (client, error) {
		c, err := posthog.NewWithConfig("key", posthog.Config{Endpoint: store})
		return posthogClient{c}, err
	},
	decode: func(_ http.Header, body []byte) (d delivery, err error) {
		var request struct {
			Batch []struct {
				UUID       string
				Properties arrival
			}
		}
		err = json.Unmarshal(body, &request)
		for _, e := range request.Batch {
			d.events = append(d.events, arrival{N: e.Properties.N, ID: e.UUID})
		}
		return d, err
	},
}

type posthogClient struct{ posthog.Client }

func (c posthogClient) track(n int) error {
	return c.Enqueue(posthog.Capture{DistinctId: "user_42", Event: "clicked", Properties: posthog.Properties{"n": n}})
}

func (c posthogClient) close(context.Context) error { return c.Close() }
