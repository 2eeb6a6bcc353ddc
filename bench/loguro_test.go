package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/loguro/loguro"
)

var loguroLibrary = library{
	name:   "loguro",
	module: "github.com/loguro/loguro",
	open: func(store, dir string) (client, error) {
		t, err := loguro.New(loguro.Config{
			Exporter: &exporter{url: store, http: http.Client{Timeout: 10 * time.Second}},
			Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)}, // no cookie is at stake
			Spool:    filepath.Join(dir, "spool"),
		})
		who := loguro.Identity{VisitorID: uuid.New(), SessionID: uuid.New(), UserID: "user_42"}
		return loguroClient{t, loguro.WithIdentity(context.Background(), who)}, err
	},
	decode: func(header http.Header, body []byte) (d delivery, err error) {
		d.batch = header.Get(batchHeader)
		for lines := json.NewDecoder(bytes.NewReader(body)); ; {
			var e struct {
				Props arrival `json:"custom_props"`
			}
			if err := lines.Decode(&e); err == io.EOF {
				return d, nil
			} else if err != nil {
				return d, err
			}
			d.events = append(d.events, arrival{N: e.Props.N})
		}
	},
}

type loguroClient struct {
	tracker *loguro.Tracker
	ctx     context.Context
}

func (c loguroClient) track(n int) error {
	return c.tracker.Track(c.ctx, "clicked", loguro.Props{"n": n})
}

func (c loguroClient) close(ctx context.Context) error { return c.tracker.Shutdown(ctx) }

// batchHeader carries the id by which the store recognises a batch that it has.
const batchHeader = "Idempotency-Key"

// exporter posts a batch as lines of JSON. Its requests are as large as those of analytics-go, wait as long for their
// events, and have the timeout that the HTTP clients of both others have, so that the store treats all alike.
type exporter struct {
	url  string
	http http.Client
}

var _ loguro.BatchLimiter = (*exporter)(nil)

func (*exporter) BatchLimits() loguro.BatchLimits {
	return loguro.BatchLimits{Events: 250, Age: 5 * time.Second}
}

func (x *exporter) Export(ctx context.Context, batch loguro.Batch) error {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for i := range batch.Events {
		if err := lines.Encode(&batch.Events[i]); err != nil {
			return loguro.Permanent(fmt.Errorf("encode event: %w", err))
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, &body)
	if err != nil {
		return loguro.Permanent(err)
	}
	request.Header.Set(batchHeader, batch.ID)
	response, err := x.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the store answered %s", response.Status)
	}
	return nil
}
