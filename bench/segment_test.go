package bench

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/segmentio/analytics-go/v3"
)

var segmentLibrary = library{
	name:   "analytics-go",
	module: "github.com/segmentio/analytics-go/v3",
	open: func(store, _ string) (client, error) {
		c, err := analytics.NewWithConfig("key", analytics.Config{Endpoint: store})
		return segmentClient{c}, err
	},
	decode: func(_ http.Header, body []byte) (d delivery, err error) {
		var request struct {
			Batch []struct {
				MessageID  string
				Properties arrival
			}
		}
		err = json.Unmarshal(body, &request)
		for _, e := range request.Batch {
			d.events = append(d.events, arrival{N: e.Properties.N, ID: e.MessageID})
		}
		return d, err
	},
}

type segmentClient struct{ analytics.Client }

func (c segmentClient) track(n int) error {
	return c.Enqueue(analytics.Track{UserId: "user_42", Event: "clicked", Properties: analytics.Properties{"n": n}})
}

func (c segmentClient) close(context.Context) error { return c.Close() }
