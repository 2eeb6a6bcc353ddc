package main

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// report asks ClickHouse with a connection of its own, because the exporter's is for writing. On a real site it belongs
// to a user who may only read.
type report struct{ conn driver.Conn }

// numbers are those of today, by UTC.
type numbers struct {
	Visitors  uint64 `ch:"visitors"`
	Sessions  uint64 `ch:"sessions"`
	Pageviews uint64 `ch:"pageviews"`
	Upgrades  uint64 `ch:"upgrades"`
	Pages     []top
}

type top struct {
	Path      string `ch:"path"`
	Pageviews uint64 `ch:"pageviews"`
	Visitors  uint64 `ch:"visitors"`
}

// patience is how long a page waits for ClickHouse: one that says that there is no answer is better than one that hangs.
const patience = 2 * time.Second

// newReport connects to nothing yet.
func newReport(dsn string) (*report, error) {
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	options.DialTimeout = patience // the driver's handshake goes by this, and not by the context
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, err
	}
	return &report{conn}, nil
}

func (r *report) close() error { return r.conn.Close() }

func (r *report) today(ctx context.Context) (n numbers, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = r.conn.QueryRow(ctx, `
		SELECT
			uniqIf(visitor_id, event_type = 'pageview') AS visitors,
			uniqIf(session_id, event_type = 'pageview') AS sessions,
			countIf(event_type = 'pageview') AS pageviews,
			countIf(custom_event_name = 'subscription_upgraded') AS upgrades
		FROM loguro_events
		WHERE toDate(timestamp) = toDate(now('UTC'))`).ScanStruct(&n)
	if err != nil {
		return n, err
	}
	err = r.conn.Select(ctx, &n.Pages, `
		SELECT
			path,
			count() AS pageviews,
			uniq(visitor_id) AS visitors
		FROM loguro_events
		WHERE toDate(timestamp) = toDate(now('UTC'))
			AND event_type = 'pageview'
		GROUP BY path
		ORDER BY
			pageviews DESC,
			path
		LIMIT 10`)
	return n, err
}
