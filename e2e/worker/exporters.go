package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/loguro/loguro"
	"github.com/loguro/loguro/exporters/parquetexporter"
)

// newExporter is the real one for Parquet, an insert into ClickHouse, or a Tee of the two.
func newExporter(o options) (loguro.Exporter, error) {
	calls, err := openLog(o.logs, "calls")
	if err != nil {
		return nil, err
	}
	order, err := openLog(o.logs, "order")
	if err != nil {
		return nil, err
	}
	var all []loguro.Exporter
	add := func(name string, x loguro.Exporter, what string) error {
		s, err := parseScript(what)
		all = append(all, &scripted{Exporter: x, name: name, script: s, store: o.store, spool: o.config.Spool, calls: calls, order: order})
		return err
	}
	if o.data != "" {
		x, err := parquetexporter.New(parquetexporter.Options{Dir: o.data})
		if err != nil {
			return nil, err
		}
		if err := add("parquet", x, o.parquetScript); err != nil {
			return nil, err
		}
	}
	if o.clickhouse != "" {
		if err := add("clickhouse", insert(o.clickhouse), o.insertScript); err != nil {
			return nil, err
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return loguro.Tee(all...), nil
}

// script says what happens to which call of an exporter, counted from 1; 0 is none.
type script struct {
	hold   int // from this one on it waits until its time is up
	seen   int // before this one it waits until the spool remembers that another exporter has the batch
	before int // the process is killed instead of it,
	after  int // or as soon as the batch is durable
}

func parseScript(s string) (script, error) {
	var parsed script
	for word := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(word, "=")
		field := map[string]*int{"hold": &parsed.hold, "seen": &parsed.seen, "before": &parsed.before, "after": &parsed.after}[name]
		if field == nil && s != "" {
			return parsed, fmt.Errorf("no %q in a script", name)
		}
		if field != nil {
			*field, _ = strconv.Atoi(value)
		}
	}
	return parsed, nil
}

// scripted is an exporter to which something happens.
type scripted struct {
	loguro.Exporter
	script
	name, store, spool string
	calls, order       *os.File
	call               int
}

func (x *scripted) Export(ctx context.Context, batch loguro.Batch) error {
	if err := x.reach(ctx); err != nil {
		return err
	}
	x.call++
	writeLine(x.calls, 128, os.Getpid(), x.name, batch.ID, len(batch.Events))
	if x.call == x.seen {
		x.waitForSideFile(batch.ID)
	}
	if x.call == x.before {
		x.die(batch)
	}
	if x.hold > 0 && x.call >= x.hold {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := x.Exporter.Export(ctx, batch); err != nil {
		return err
	}
	if x.call == x.after {
		x.die(batch)
	}
	x.noteOrder(batch)
	return nil
}

// reach fails while the store is down.
func (x *scripted) reach(ctx context.Context) error {
	if x.store == "" {
		return nil
	}
	r, err := http.NewRequestWithContext(ctx, "GET", x.store, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New("the store answers " + res.Status)
	}
	return nil
}

func (x *scripted) waitForSideFile(batch string) {
	for range 10_000 {
		found, _ := filepath.Glob(filepath.Join(x.spool, "*", "*-"+batch+".json"))
		if len(found) > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "the spool does not remember who has batch", batch)
	os.Exit(4)
}

// die is kill -9 from within.
func (x *scripted) die(batch loguro.Batch) {
	fmt.Fprintln(os.Stderr, "dying at", batch.ID)
	me, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = me.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until it has happened
}

// noteOrder keeps the order in which events arrive, which Parquet files do not: they are sorted. A visitor is one goroutine.
func (x *scripted) noteOrder(batch loguro.Batch) {
	for _, e := range batch.Events {
		if n, ok := strings.CutPrefix(e.User, "u"); ok {
			writeLine(x.order, 64, n, e.Visitor)
		}
	}
}

// insert is the address of an INSERT into a MergeTree table over HTTP. ClickHouse drops a block whose token it has seen.
type insert string

func (address insert) Export(ctx context.Context, batch loguro.Batch) error {
	var rows []byte
	for i := range batch.Events {
		rows = append(batch.Events[i].AppendJSON(rows), '\n')
	}
	target := string(address) + "&insert_deduplication_token=" + url.QueryEscape(batch.ID)
	r, err := http.NewRequestWithContext(ctx, "POST", target, bytes.NewReader(rows))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, body)
	}
	return err
}
