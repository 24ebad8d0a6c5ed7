package ingest

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// layout says which columns of a view's source are read, and what each is.
type layout struct {
	view  *registry.View
	query offline.Query
	keys  []column // columns of the join keys
	cells []column // columns of the features
	key   *value.KeyLayout
	// dummy is the one key of a view without entities.
	dummy []byte
}

// column is a source column's place in the query and the value type it gives.
type column struct {
	index int
	name  string
	kind  types.ValueType_Enum
}

// newLayout works out the query of a view's window. Names of the view are
// turned back into names of the source by its field mapping.
func newLayout(v *registry.View, w Window, keyVersion int) (*layout, error) {
	source := v.Batch
	column := reverse(source.GetFieldMapping())
	l := &layout{view: v, query: offline.Query{
		Source: source, Timestamp: column(source.GetTimestampField()), Start: w.Start, End: w.End,
	}}
	if c := source.GetCreatedTimestampColumn(); c != "" {
		l.query.Created = column(c)
	}
	names := make([]string, 0, len(v.JoinKeys))
	for _, k := range v.JoinKeys {
		names = append(names, k.Name)
		if !v.Entityless {
			l.keys = append(l.keys, l.add(column(k.Name), k.Type))
		}
	}
	for _, f := range v.Features {
		l.cells = append(l.cells, l.add(column(f.Name), f.Type))
	}
	l.key = value.NewKeyLayout(keyVersion, names)
	if v.Entityless {
		dummy, err := l.key.Append(nil, [][]byte{value.AppendString(nil, "")})
		if err != nil {
			return nil, err
		}
		l.dummy = dummy
	}
	return l, nil
}

func (l *layout) add(name string, kind types.ValueType_Enum) column {
	l.query.Columns = append(l.query.Columns, name)
	return column{index: len(l.query.Columns) - 1, name: name, kind: kind}
}

// reverse gives the source's name of a view's name.
func reverse(mapping map[string]string) func(string) string {
	names := make(map[string]string, len(mapping))
	for from, to := range mapping {
		names[to] = from
	}
	return func(name string) string {
		if from, ok := names[name]; ok {
			return from
		}
		return name
	}
}

// newest keeps the newest row of each key: by event time, then by created time
// (a row without one is the oldest), then the first in the source's order.
// Memory grows with the number of distinct keys.
type newest struct {
	layout   *layout
	index    map[string]int
	records  []stores.Record
	read     int64
	nullKeys int64
	scratch  []byte
	row      [][]byte
}

func newNewest(l *layout) *newest {
	return &newest{layout: l, index: map[string]int{}, row: make([][]byte, len(l.keys))}
}

// batch is one record batch with the encoders of its columns.
type batch struct {
	record         arrow.RecordBatch
	keys, cells    []*value.ArrowEncoder
	event, created func(row int) (time.Time, bool)
}

func (n *newest) open(record arrow.RecordBatch) (*batch, error) {
	b := &batch{record: record}
	encoders := func(columns []column) ([]*value.ArrowEncoder, error) {
		list := make([]*value.ArrowEncoder, len(columns))
		for i, c := range columns {
			e, err := value.NewArrowEncoder(record.Column(c.index).DataType(), c.kind)
			if err != nil {
				text := fault.Of(err).Text
				if c.kind == types.ValueType_INVALID {
					text = "it has no value type, since Feast knows none for its type in the source; list it in the view's schema"
				}
				return nil, fault.New(fault.Invalid, "column %s of feature view %s: %s", c.name, n.layout.view.Name, text).
					About("feature view", n.layout.view.Name, n.layout.view.Project).Because(err)
			}
			list[i] = e
		}
		return list, nil
	}
	var err error
	if b.keys, err = encoders(n.layout.keys); err != nil {
		return nil, err
	}
	if b.cells, err = encoders(n.layout.cells); err != nil {
		return nil, err
	}
	at := len(n.layout.query.Columns)
	if b.event, err = times(record.Column(at), n.layout.query.Timestamp); err != nil {
		return nil, err
	}
	b.created = func(int) (time.Time, bool) { return time.Time{}, false }
	if n.layout.query.Created != "" {
		if b.created, err = times(record.Column(at+1), n.layout.query.Created); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// times reads a timestamp column.
func times(a arrow.Array, name string) (func(int) (time.Time, bool), error) {
	ts, ok := a.(*array.Timestamp)
	if !ok {
		return nil, fault.New(fault.Invalid, "column %s holds %s, not a time", name, a.DataType())
	}
	unit, ok := a.DataType().(*arrow.TimestampType)
	if !ok {
		return nil, fault.New(fault.Invalid, "column %s holds %s, not a time", name, a.DataType())
	}
	return func(row int) (time.Time, bool) {
		if ts.IsNull(row) {
			return time.Time{}, false
		}
		return ts.Value(row).ToTime(unit.Unit), true
	}, nil
}

// take looks at every row of a record batch.
func (n *newest) take(record arrow.RecordBatch) error {
	b, err := n.open(record)
	if err != nil {
		return err
	}
	for row := range int(record.NumRows()) {
		n.read++
		if err := n.takeRow(b, row); err != nil {
			return err
		}
	}
	return nil
}

func (n *newest) takeRow(b *batch, row int) error {
	event, ok := b.event(row)
	if !ok {
		return nil
	}
	key, ok, err := n.key(b, row)
	if err != nil {
		return err
	}
	if !ok {
		n.nullKeys++
		return nil
	}
	created, _ := b.created(row)
	at, seen := n.index[string(key)]
	if seen {
		old := &n.records[at]
		if event.Before(old.Event) || event.Equal(old.Event) && !created.After(old.Created) {
			return nil
		}
	} else {
		at = len(n.records)
		n.records = append(n.records, stores.Record{Key: append([]byte(nil), key...)})
		n.index[string(key)] = at
	}
	r := &n.records[at]
	r.Event, r.Created = event, created
	r.Values, err = n.values(b, row)
	return err
}

// key serializes the entity key of a row; false when a join key is null.
func (n *newest) key(b *batch, row int) ([]byte, bool, error) {
	if n.layout.dummy != nil {
		return n.layout.dummy, true, nil
	}
	n.scratch = n.scratch[:0]
	var ends [8]int
	bounds := ends[:0]
	for i, e := range b.keys {
		var err error
		if n.scratch, err = e.Append(n.scratch, b.record.Column(n.layout.keys[i].index), row); err != nil {
			return nil, false, n.cellFault(n.layout.keys[i], row, err)
		}
		bounds = append(bounds, len(n.scratch))
	}
	start := 0
	for i, end := range bounds {
		if start == end {
			return nil, false, nil
		}
		n.row[i] = n.scratch[start:end]
		start = end
	}
	key, err := n.layout.key.Append(n.scratch, n.row)
	if err != nil {
		return nil, false, err
	}
	n.scratch = key
	return key[start:], true, nil
}

// values serializes the features of a row into one piece of memory.
func (n *newest) values(b *batch, row int) ([][]byte, error) {
	values := make([][]byte, len(b.cells))
	buf := make([]byte, 0, 16*len(b.cells))
	for i, e := range b.cells {
		start := len(buf)
		var err error
		if buf, err = e.AppendFeature(buf, b.record.Column(n.layout.cells[i].index), row); err != nil {
			return nil, n.cellFault(n.layout.cells[i], row, err)
		}
		values[i] = buf[start:len(buf):len(buf)]
	}
	return values, nil
}

func (n *newest) cellFault(c column, row int, err error) error {
	return fault.New(fault.Invalid, "feature view %s, column %s, row %d: %s", n.layout.view.Name, c.name, row, fault.Of(err).Text).
		About("feature view", n.layout.view.Name, n.layout.view.Project).Because(err)
}
