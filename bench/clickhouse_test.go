package bench

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/clickhouseexporter"
	"github.com/loguro/loguro/exporters/exportertest"
)

// BenchmarkClickHouse inserts the same 50,000 events into the same table: by the exporter, by clickhouse-go column by
// column, and by ch-go. Compare within one run, and run it several times: the rows a second are of server and client together.
//
// It needs a server: CLICKHOUSE_TEST_ADDR, the address of its native protocol.
func BenchmarkClickHouse(b *testing.B) {
	addr := os.Getenv("CLICKHOUSE_TEST_ADDR")
	if addr == "" {
		b.Skip("CLICKHOUSE_TEST_ADDR is not set")
	}
	const rows = 50_000
	events := exportertest.Events(rows)
	dsn := "clickhouse://default:@" + addr + "/default?compress=lz4"
	const table = "loguro_bench"
	x, err := clickhouseexporter.New(b.Context(), clickhouseexporter.Options{DSN: dsn, Table: table, CreateTable: true})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	defer conn.Exec(context.Background(), "DROP TABLE "+table)
	client, err := ch.Dial(b.Context(), ch.Options{Address: addr, Compression: ch.CompressionLZ4})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()

	run := func(name string, insert func(ctx context.Context, id string) error) {
		b.Run(name, func(b *testing.B) {
			if err := conn.Exec(b.Context(), "TRUNCATE TABLE "+table); err != nil {
				b.Fatal(err)
			}
			for range 3 { // the server and its caches warm up, whoever comes first
				if err := insert(b.Context(), uuid.NewString()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := insert(b.Context(), uuid.NewString()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	run("exporter", func(ctx context.Context, id string) error {
		return x.Export(ctx, loguro.Batch{ID: id, Events: events})
	})
	run("clickhouse-go", func(ctx context.Context, id string) error {
		ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": id}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(keys, ", ")+")")
		if err != nil {
			return err
		}
		for from := 0; from < rows; from += 8192 {
			block := events[from:min(from+8192, rows)]
			for i, values := range columnar(block) {
				if err := batch.Column(i).Append(values); err != nil {
					return err
				}
			}
			if err := batch.Flush(); err != nil {
				return err
			}
		}
		return batch.Send()
	})
	run("ch-go", func(ctx context.Context, id string) error {
		return insertRaw(ctx, client, table, id, events)
	})
}

// keys are the columns that both raw inserts write: all.
var keys = strings.Fields(`event_type custom_event_name url path visitor_id session_id user_id custom_props timestamp event_id
	referrer title route status duration_ms country region city browser os device language channel referrer_domain
	utm_source utm_medium utm_campaign utm_term utm_content returning bot site`)

// texts are the text columns, in the order of keys.
func texts(e *loguro.Event) [24]string {
	return [24]string{string(e.Type), e.Name, e.URL, e.Path, e.User, string(e.Props), e.Referrer, e.Title, e.Route,
		e.Country, e.Region, e.City, e.Browser, e.OS, e.Device, e.Language, e.Channel, e.ReferrerDomain,
		e.UTMSource, e.UTMMedium, e.UTMCampaign, e.UTMTerm, e.UTMContent, e.Site}
}

// columnar is what clickhouse-go wants: a slice for each column, in the order of keys.
func columnar(events []loguro.Event) []any {
	var text [24][]string
	for i := range text {
		text[i] = make([]string, len(events))
	}
	visitor, session, id := make([]uuid.UUID, len(events)), make([]uuid.UUID, len(events)), make([]uuid.UUID, len(events))
	times := make([]time.Time, len(events))
	status, duration := make([]uint16, len(events)), make([]uint32, len(events))
	returning, bot := make([]bool, len(events)), make([]string, len(events))
	for i := range events {
		e := &events[i]
		for j, v := range texts(e) {
			text[j][i] = v
		}
		visitor[i], session[i], id[i], times[i] = e.Visitor, e.Session, e.ID, e.Timestamp()
		status[i], duration[i], returning[i], bot[i] = uint16(e.Status), uint32(e.Duration), e.Returning, e.Bot
	}
	return []any{text[0], text[1], text[2], text[3], visitor, session, text[4], text[5], times, id, text[6], text[7], text[8],
		status, duration, text[9], text[10], text[11], text[12], text[13], text[14], text[15], text[16], text[17],
		text[18], text[19], text[20], text[21], text[22], returning, bot, text[23]}
}

// insertRaw streams blocks of the same size with ch-go.
func insertRaw(ctx context.Context, client *ch.Client, table, id string, events []loguro.Event) error {
	low := map[string]bool{}
	for key := range strings.FieldsSeq(`event_type custom_event_name route country region city browser os device language channel
		referrer_domain utm_source utm_medium utm_campaign utm_term utm_content bot site`) {
		low[key] = true
	}
	var (
		text                 [24]proto.ColumnOf[string]
		bot                  = new(proto.ColStr).LowCardinality()
		visitor, session, ID proto.ColUUID
		times                = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
		status               proto.ColUInt16
		duration             proto.ColUInt32
		returning            proto.ColBool
	)
	var input proto.Input
	next := 0
	for _, key := range keys {
		switch key {
		case "visitor_id":
			input = append(input, proto.InputColumn{Name: key, Data: &visitor})
		case "session_id":
			input = append(input, proto.InputColumn{Name: key, Data: &session})
		case "event_id":
			input = append(input, proto.InputColumn{Name: key, Data: &ID})
		case "timestamp":
			input = append(input, proto.InputColumn{Name: key, Data: times})
		case "status":
			input = append(input, proto.InputColumn{Name: key, Data: &status})
		case "duration_ms":
			input = append(input, proto.InputColumn{Name: key, Data: &duration})
		case "returning":
			input = append(input, proto.InputColumn{Name: key, Data: &returning})
		case "bot":
			input = append(input, proto.InputColumn{Name: key, Data: bot})
		default:
			if low[key] {
				text[next] = new(proto.ColStr).LowCardinality()
			} else {
				text[next] = new(proto.ColStr)
			}
			input = append(input, proto.InputColumn{Name: key, Data: text[next].(proto.ColInput)})
			next++
		}
	}
	from := 0
	fill := func() {
		to := min(from+8192, len(events))
		for i := from; i < to; i++ {
			e := &events[i]
			for j, v := range texts(e) {
				text[j].Append(v)
			}
			visitor.Append(e.Visitor)
			session.Append(e.Session)
			ID.Append(e.ID)
			times.Append(e.Timestamp())
			status.Append(uint16(e.Status))
			duration.Append(uint32(e.Duration))
			returning.Append(e.Returning)
			bot.Append(e.Bot)
		}
		from = to
	}
	fill()
	return client.Do(ctx, ch.Query{
		Body:     input.Into(table),
		Input:    input,
		Settings: []ch.Setting{{Key: "insert_deduplication_token", Value: id, Important: true}},
		OnInput: func(context.Context) error {
			input.Reset()
			if from == len(events) {
				return io.EOF
			}
			fill()
			return nil
		},
	})
}
