package clickhouseexporter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// schemaError says what somebody has to mend in the database.
type schemaError struct{ complaints error }

func (e *schemaError) Error() string { return e.complaints.Error() }

// check returns the plan for the table as it is, and makes the table first if Options say so.
func (x *Exporter) check(ctx context.Context) (*plan, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.plan != nil {
		return x.plan, nil
	}
	o := x.options
	var version string
	if err := x.conn.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		return nil, fmt.Errorf("ask for the server's version: %w", err)
	}
	if o.CreateTable {
		if err := x.create(ctx); err != nil {
			return nil, err
		}
	}
	have, err := x.describe(ctx)
	if err != nil {
		return nil, err
	}
	if len(have) == 0 {
		statements, err := DDL(o)
		if err != nil {
			return nil, err
		}
		return nil, &schemaError{fmt.Errorf("the table %s does not exist; set Options.CreateTable, or run:\n\n%s;\n",
			o.qualified(o.target()), strings.Join(statements, ";\n\n"))}
	}
	p, missing, err := bind(o, have)
	if len(missing) > 0 && o.CreateTable {
		if err := x.alter(ctx, missing); err != nil {
			return nil, err
		}
		if have, err = x.describe(ctx); err != nil {
			return nil, err
		}
		p, _, err = bind(o, have)
	}
	if err != nil {
		return nil, &schemaError{err}
	}
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	p.old = err == nil && n < 22 // before insert_deduplication_token
	x.plan = p
	if !p.old && !x.warned {
		x.warned = true
		x.warnOfWindow(ctx)
	}
	return p, nil
}

func (x *Exporter) create(ctx context.Context) error {
	statements, err := DDL(x.options)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if err := x.conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("create table: %w", err)
		}
	}
	return nil
}

// alter adds columns, to the Distributed table as well.
func (x *Exporter) alter(ctx context.Context, missing []column) error {
	for _, s := range x.options.addColumns(missing) {
		if err := x.conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("add columns: %w", err)
		}
	}
	return nil
}

// addColumns are the statements that add columns to the table.
func (o Options) addColumns(missing []column) (statements []string) {
	tables := []string{o.Table}
	if o.Distributed != "" {
		tables = append(tables, o.Distributed)
	}
	for i, table := range tables {
		var adds []string
		for _, c := range missing {
			definition := o.definition(c, o.name(c.key))
			if i > 0 {
				definition, _, _ = strings.Cut(definition, " CODEC(") // a Distributed table stores nothing
			}
			adds = append(adds, "ADD COLUMN IF NOT EXISTS "+definition)
		}
		statements = append(statements, "ALTER TABLE "+o.qualified(table)+o.onCluster()+" "+strings.Join(adds, ", "))
	}
	return statements
}

// describe returns the columns of the table with their types; none if there is no table.
func (x *Exporter) describe(ctx context.Context) (map[string]string, error) {
	rows, err := x.conn.Query(ctx, fmt.Sprintf("SELECT name, type, default_kind FROM system.columns WHERE database = %s AND table = %s",
		x.options.databaseExpression(), literal(x.options.target())))
	if err != nil {
		return nil, fmt.Errorf("read the table's columns: %w", err)
	}
	defer rows.Close()
	have := map[string]string{}
	for rows.Next() {
		var name, typ, kind string
		if err := rows.Scan(&name, &typ, &kind); err != nil {
			return nil, fmt.Errorf("read the table's columns: %w", err)
		}
		if kind == "MATERIALIZED" || kind == "ALIAS" {
			typ = kind // the server fills it
		}
		have[name] = typ
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the table's columns: %w", err)
	}
	return have, nil
}

// databaseExpression is the database's name in SQL.
func (o Options) databaseExpression() string {
	if o.Database == "" {
		return "currentDatabase()"
	}
	return literal(o.Database)
}

func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// bind finds the column of each key and how to write its type. The error joins a complaint for each that is missing or
// cannot hold the values; the missing ones are returned as well.
func bind(o Options, have map[string]string) (p *plan, missing []column, err error) {
	p = &plan{}
	var names []string
	var errs []error
	for _, c := range columns {
		name := o.name(c.key)
		if name == "" {
			continue
		}
		typ, ok := have[name]
		if !ok {
			missing = append(missing, c)
			continue
		}
		fill := c.filler(typ)
		if fill == nil {
			errs = append(errs, fmt.Errorf("column %s has the type %s, which cannot hold %s; run ALTER TABLE %s%s MODIFY COLUMN %s, or name another column in Options.Columns",
				quote(name), typ, c.key, o.qualified(o.Table), o.onCluster(), o.definition(c, name)))
			continue
		}
		p.fill = append(p.fill, fill)
		names = append(names, quote(name))
	}
	if len(missing) > 0 {
		var keys []string
		for _, c := range missing {
			keys = append(keys, quote(o.name(c.key)))
		}
		errs = append(errs, fmt.Errorf(`columns %s are missing; set Options.CreateTable, map them to "" in Options.Columns, or run: %s`,
			strings.Join(keys, ", "), strings.Join(o.addColumns(missing), "; ")))
	}
	if len(errs) > 0 {
		return nil, missing, fmt.Errorf("the table %s does not fit: %w", o.qualified(o.target()), errors.Join(errs...))
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("the table %s gets none of the event's fields; see Options.Columns", o.qualified(o.target()))
	}
	p.query = fmt.Sprintf("INSERT INTO %s (%s)", o.qualified(o.target()), strings.Join(names, ", "))
	p.columns = len(names)
	return p, nil, nil
}

// partial is true if an insert that fails may have reached a part of its destinations: the table but not its views, one
// shard but not another.
func (x *Exporter) partial(ctx context.Context) bool {
	t, err := x.lookUp(ctx)
	return err != nil || t.engine == "Distributed" || len(t.views) > 0
}

// facts are what the server knows of the table that events are inserted into.
type facts struct {
	engine, definition string
	views              []string // that follow it
}

func (x *Exporter) lookUp(ctx context.Context) (t facts, err error) {
	err = x.conn.QueryRow(ctx, fmt.Sprintf("SELECT engine, engine_full, dependencies_table FROM system.tables WHERE database = %s AND name = %s",
		x.options.databaseExpression(), literal(x.options.target()))).Scan(&t.engine, &t.definition, &t.views)
	return t, err
}

// forget makes the next Export look at the table again, after an error that a change of it may have caused.
func (x *Exporter) forget(err error) {
	if code(err) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.plan = nil
}
