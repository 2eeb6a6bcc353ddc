package parquetexporter_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/loguro/loguro"
	"github.com/loguro/loguro/event"
	"github.com/loguro/loguro/exporters/exportertest"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

const wantSchema = `message event {
	required binary event_type (STRING);
	optional binary custom_event_name (STRING);
	optional binary url (STRING);
	optional binary path (STRING);
	optional fixed_len_byte_array(16) visitor_id (UUID);
	optional fixed_len_byte_array(16) session_id (UUID);
	optional binary user_id (STRING);
	optional binary custom_props (JSON);
	required int64 timestamp (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	required fixed_len_byte_array(16) event_id (UUID);
	optional binary referrer (STRING);
	optional binary title (STRING);
	optional binary route (STRING);
	optional int32 status (INT(32,true));
	optional int64 duration_ms (INT(64,true));
	optional binary country (STRING);
	optional binary region (STRING);
	optional binary city (STRING);
	optional binary browser (STRING);
	optional binary os (STRING);
	optional binary device (STRING);
	optional binary language (STRING);
	optional binary channel (STRING);
	optional binary referrer_domain (STRING);
	optional binary utm_source (STRING);
	optional binary utm_medium (STRING);
	optional binary utm_campaign (STRING);
	optional binary utm_term (STRING);
	optional binary utm_content (STRING);
	required boolean returning;
	optional binary bot (STRING);
	optional binary site (STRING);
}`

// exported writes the events as one file and opens it.
func exported(t *testing.T, events ...loguro.Event) *parquet.File {
	t.Helper()
	dir := t.TempDir()
	mustExport(t, newExporter(t, dir), batchID, events...)
	files := paths(t, dir)
	if len(files) != 1 {
		t.Fatalf("files = %q, want one", files)
	}
	return openFile(t, filepath.Join(dir, files[0]))
}

func TestSchemaHasTheKeysOfTheJSONWithTheirTypes(t *testing.T) {
	f := exported(t, exportertest.Events(10)...)
	if got := f.Schema().String(); got != wantSchema {
		t.Errorf("schema =\n%s\nwant\n%s", got, wantSchema)
	}
}

// Readers find a column by the path in its chunk's metadata, parquet-go by its place.
func TestEveryFileOfAnExporterNamesItsColumnsAndItsOrder(t *testing.T) {
	dir := t.TempDir()
	exporter := newExporter(t, dir)
	for i := range 3 {
		mustExport(t, exporter, fmt.Sprint(i), exportertest.Events(10)...)
	}
	for _, path := range paths(t, dir) {
		f := openFile(t, filepath.Join(dir, path))
		group := f.Metadata().RowGroups[0]
		for i, c := range group.Columns {
			if want := f.Schema().Columns()[i]; !slices.Equal(c.MetaData.PathInSchema, want) {
				t.Errorf("%s: column %d has path %q, want %q", path, i, c.MetaData.PathInSchema, want)
			}
			if c.MetaData.EncodingStats == nil {
				t.Errorf("%s: column %d does not tell its encodings", path, i)
			}
		}
		want := []format.SortingColumn{{ColumnIdx: 4, NullsFirst: true}, {ColumnIdx: 8}}
		if !slices.Equal(group.SortingColumns, want) {
			t.Errorf("%s: declared order = %+v, want %+v: visitor_id, timestamp", path, group.SortingColumns, want)
		}
	}
}

func TestMetadataCarriesBatchAndVersion(t *testing.T) {
	f := exported(t, exportertest.Events(10)...)
	for key, want := range map[string]string{"loguro.batch_id": batchID, "loguro.schema_version": "1"} {
		if got, _ := f.Lookup(key); got != want {
			t.Errorf("metadata %s = %q, want %q", key, got, want)
		}
	}
}

func TestColumnsAreCompressedWithDictionariesWhereValuesRepeat(t *testing.T) {
	plain := map[string]bool{"custom_props": true, "timestamp": true, "event_id": true, "returning": true}
	for _, c := range exported(t, exportertest.Events(1000)...).Metadata().RowGroups[0].Columns {
		name := c.MetaData.PathInSchema[0]
		if got, want := c.MetaData.Codec, format.Zstd; got != want && name != "event_id" {
			t.Errorf("%s is compressed with %s, want %s", name, got, want)
		}
		if got := slices.Contains(c.MetaData.Encoding, format.RLEDictionary); got == plain[name] {
			t.Errorf("%s has encodings %v; with a dictionary: %t, want %t", name, c.MetaData.Encoding, got, !plain[name])
		}
		if name == "timestamp" && !slices.Contains(c.MetaData.Encoding, format.DeltaBinaryPacked) {
			t.Errorf("timestamp has encodings %v, want deltas", c.MetaData.Encoding)
		}
	}
}

// keys are the columns that are not NULL, from the JSON, which leaves the other keys out.
func keys(t *testing.T, e loguro.Event) []string {
	t.Helper()
	all := []string{"returning"} // never NULL, but left out of the JSON when false
	for column := range strings.SplitSeq(wantSchema, "\n") {
		if fields := strings.Fields(column); len(fields) > 2 && fields[0] != "message" {
			name := strings.TrimSuffix(fields[2], ";")
			if name != "returning" && bytes.Contains(e.AppendJSON(nil), []byte(`"`+name+`":`)) {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// The runs of empty and other values have every length up to 70 and more, beside those of real events: parquet-go
// handles rows 64 at a time.
func TestEmptyFieldsAreNullAndOthersAreNot(t *testing.T) {
	events := exportertest.Events(6000)
	for i := range events {
		e := &events[i]
		e.Visitor, e.Props = uuid.UUID{1}, nil // keeps the order
		if length := 1 + i/80; i%80 >= length && i%80 < 2*length {
			e.User, e.Session, e.Status, e.Duration, e.UTMTerm = "user_1", uuid.UUID{2}, 200, 5, "term"
			e.Props = []byte(`{}`)
		} else {
			e.User, e.Session, e.Status, e.Duration, e.UTMTerm = "", uuid.Nil, 0, 0, ""
		}
	}
	got := records(t, exported(t, events...).RowGroups()[0])
	for i, e := range events {
		var present []string
		for name := range got[i] {
			present = append(present, name)
		}
		slices.Sort(present)
		if want := keys(t, e); !slices.Equal(present, want) {
			t.Fatalf("row %d has values in\n%q, want\n%q", i, present, want)
		}
	}
}

func TestRowsAreSortedByVisitorAndTimeInEveryRowGroup(t *testing.T) {
	const rows, group = 140_000, 1 << 17
	events := make([]loguro.Event, rows)
	for i := range events {
		n := (i * 7919) % rows // all of them, mixed
		events[i] = loguro.Event{ID: uuid.UUID{byte(i >> 16), byte(i >> 8), byte(i)}, Type: event.Pageview, Time: int64(n % 1000)}
		if n%10 != 0 {
			events[i].Visitor = uuid.UUID{byte(n), byte(n >> 8)}
		}
	}
	groups := exported(t, events...).RowGroups()
	var sizes []int64
	for _, g := range groups {
		sizes = append(sizes, g.NumRows())
		all := records(t, g)
		for i := 1; i < len(all); i++ {
			a, b := all[i-1].event(), all[i].event()
			switch c := bytes.Compare(a.Visitor[:], b.Visitor[:]); {
			case c > 0, c == 0 && a.Time > b.Time:
				t.Fatalf("row %d: visitor %s at %d comes after visitor %s at %d", i, b.Visitor, b.Time, a.Visitor, a.Time)
			case c == 0 && a.Time == b.Time && bytes.Compare(a.ID[:], b.ID[:]) > 0:
				t.Fatalf("row %d: events of one visitor and millisecond lost their order", i)
			}
		}
	}
	if want := []int64{group, rows - group}; !slices.Equal(sizes, want) {
		t.Errorf("row groups have %d rows, want %d", sizes, want)
	}
}

func TestBloomFiltersKnowTheirValues(t *testing.T) {
	events := exportertest.Events(5000)
	chunks := exported(t, events...).RowGroups()[0].ColumnChunks()
	for _, c := range []struct {
		column int
		name   string
		value  func(*loguro.Event) []byte
		absent func(i int) []byte
	}{
		{4, "visitor_id", func(e *loguro.Event) []byte { return e.Visitor[:] }, func(int) []byte { id := uuid.New(); return id[:] }},
		{5, "session_id", func(e *loguro.Event) []byte { return e.Session[:] }, func(int) []byte { id := uuid.New(); return id[:] }},
		{6, "user_id", func(e *loguro.Event) []byte { return []byte(e.User) }, func(i int) []byte { return fmt.Appendf(nil, "nobody_%d", i) }},
	} {
		filter := chunks[c.column].BloomFilter()
		if filter == nil {
			t.Errorf("%s has no bloom filter", c.name)
			continue
		}
		has := func(b []byte) bool {
			v := parquet.ByteArrayValue(b)
			if c.name != "user_id" {
				v = parquet.FixedLenByteArrayValue(b)
			}
			ok, err := filter.Check(v)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		wrong := 0
		for i := range events {
			if b := c.value(&events[i]); len(b) > 0 && !has(b) {
				t.Fatalf("%s: the filter denies %x, which is there", c.name, b)
			}
			if has(c.absent(i)) {
				wrong++
			}
		}
		if wrong > len(events)/20 {
			t.Errorf("%s: the filter affirms %d of %d values that are not there, want few", c.name, wrong, len(events))
		}
	}
}

// A single bad byte would make DuckDB refuse the whole file.
func TestTextThatIsNotUTF8IsMended(t *testing.T) {
	bad := "a\xffb"
	e := loguro.Event{ID: uuid.New(), Type: event.Custom, Name: bad, User: bad, Title: bad, Props: []byte(`{"k":"` + bad + `"}`)}
	r := records(t, exported(t, e).RowGroups()[0])[0]
	for name, want := range map[string]string{
		"custom_event_name": "a\uFFFDb", "user_id": "a\uFFFDb", "title": "a\uFFFDb", "custom_props": `{"k":"a` + "\uFFFD" + `b"}`,
	} {
		if got := r.text(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if e.User != bad || !bytes.Contains(e.Props, []byte{0xff}) {
		t.Error("the caller's event was changed")
	}
}
