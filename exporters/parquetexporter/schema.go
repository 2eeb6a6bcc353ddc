package parquetexporter

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
)

var schema = parquet.NewSchema("event", newOrderedGroup(columns))

// orderedGroup is a group whose fields keep their order; parquet.Group alone sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func newOrderedGroup(columns []column) *orderedGroup {
	g := &orderedGroup{Group: parquet.Group{}}
	for _, c := range columns {
		g.Group[c.name] = c.node
		g.fields = append(g.fields, field{c.node, c.name})
	}
	return g
}

func (g *orderedGroup) Fields() []parquet.Field { return g.fields }

type field struct {
	parquet.Node
	name string
}

func (f field) Name() string { return f.name }

// Value is for writing whole rows by reflection, which the encoder does not do.
func (f field) Value(base reflect.Value) reflect.Value { return base.MapIndex(reflect.ValueOf(f.name)) }
