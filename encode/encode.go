// Package encode turns rows of a data source into what an online store keeps:
// entity keys and serialized values. It knows what a feature view needs from
// its source, but nothing of windows, queries or stores; a caller with record
// batches, read from a source or sent by a client, encodes them here.
package encode

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

// Layout says which columns of a source make the rows of a view, and the type
// of each. It is made once for a view and safe for concurrent use.
type Layout struct {
	view *registry.View
	// names are the source's columns: those of the join keys, then those of the
	// features.
	names              []string
	timestamp, created string
	keys, cells        []column
	key                *value.KeyLayout
	// dummy is the one key of a view without entities.
	dummy []byte
}

// column is a column's place in a record batch and the value type it gives.
type column struct {
	index int
	name  string
	kind  types.ValueType_Enum
}

// NewLayout makes the layout of a view. The source's field mapping turns names
// of the view back into names of its batch source; where it maps two columns of
// the source, or none, to a name, the view is refused.
func NewLayout(v *registry.View, keyVersion int) (*Layout, error) {
	source := v.Batch
	if err := checkMapping(v); err != nil {
		return nil, err
	}
	original := Originals(source.GetFieldMapping())
	l := &Layout{view: v, timestamp: original(source.GetTimestampField())}
	if c := source.GetCreatedTimestampColumn(); c != "" {
		l.created = original(c)
	}
	joinKeys := make([]string, 0, len(v.JoinKeys))
	for _, k := range v.JoinKeys {
		joinKeys = append(joinKeys, k.Name)
		if !v.Entityless {
			l.keys = append(l.keys, l.add(original(k.Name), k.Type))
		}
	}
	for _, f := range v.Features {
		l.cells = append(l.cells, l.add(original(f.Name), f.Type))
	}
	l.key = value.NewKeyLayout(keyVersion, joinKeys)
	if v.Entityless {
		dummy, err := l.key.Append(nil, [][]byte{value.AppendString(nil, "")})
		if err != nil {
			return nil, err
		}
		l.dummy = dummy
	}
	return l, nil
}

func (l *Layout) add(name string, kind types.ValueType_Enum) column {
	l.names = append(l.names, name)
	return column{index: len(l.names) - 1, name: name, kind: kind}
}

// Columns are the source's names of the columns with which a record batch must
// begin: the join keys', then the features'. After them it has the event time
// and, if the source has one, the created time.
func (l *Layout) Columns() []string { return l.names }

// Types are the value types of the columns, in the same order.
func (l *Layout) Types() []types.ValueType_Enum {
	kinds := make([]types.ValueType_Enum, len(l.names))
	for _, list := range [][]column{l.keys, l.cells} {
		for _, c := range list {
			kinds[c.index] = c.kind
		}
	}
	return kinds
}

// Timestamp is the source's name of the event time.
func (l *Layout) Timestamp() string { return l.timestamp }

// Created is the source's name of the created time; empty if it has none.
func (l *Layout) Created() string { return l.created }

// Batch is one record batch with the encoders of its columns. Only one
// goroutine at a time may use it.
type Batch struct {
	layout         *Layout
	record         arrow.RecordBatch
	keys, cells    []*value.ArrowEncoder
	event, created func(row int) (time.Time, bool)
	scratch        []byte
	parts          [][]byte
}

// Open makes a Batch of a record batch. The caller still owns the record batch,
// which must outlive the Batch.
func (l *Layout) Open(record arrow.RecordBatch) (*Batch, error) {
	b := &Batch{layout: l, record: record, parts: make([][]byte, len(l.keys))}
	b.keys = encoders(record, l.keys, value.NewArrowKeyEncoder)
	b.cells = encoders(record, l.cells, value.NewArrowEncoder)
	var err error
	at := len(l.names)
	if b.event, err = times(record.Column(at), l.timestamp); err != nil {
		return nil, err
	}
	b.created = func(int) (time.Time, bool) { return time.Time{}, false }
	if l.created != "" {
		if b.created, err = times(record.Column(at+1), l.created); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func encoders(record arrow.RecordBatch, columns []column, encoder func(arrow.DataType, types.ValueType_Enum) *value.ArrowEncoder) []*value.ArrowEncoder {
	list := make([]*value.ArrowEncoder, 0, len(columns))
	for _, c := range columns {
		list = append(list, encoder(record.Column(c.index).DataType(), c.kind))
	}
	return list
}

// Rows is the number of rows.
func (b *Batch) Rows() int { return int(b.record.NumRows()) }

// Type is the type of the column of a feature, by its place among those of the view.
func (b *Batch) Type(feature int) arrow.DataType {
	return b.record.Column(b.layout.cells[feature].index).DataType()
}

// Times returns the event time of a row, false when it has none, and its
// created time, zero when it has none.
func (b *Batch) Times(row int) (event, created time.Time, ok bool) {
	event, ok = b.event(row)
	created, _ = b.created(row)
	return event, created, ok
}

// Key serializes the entity key of a row; false when a join key is null. The
// key is valid until the next call.
func (b *Batch) Key(row int) ([]byte, bool, error) {
	if b.layout.dummy != nil {
		return b.layout.dummy, true, nil
	}
	b.scratch = b.scratch[:0]
	var ends [8]int
	bounds := ends[:0]
	for i, e := range b.keys {
		var err error
		c := b.layout.keys[i]
		if b.scratch, err = e.Append(b.scratch, b.record.Column(c.index), row); err != nil {
			return nil, false, b.cellFault(c, row, err)
		}
		bounds = append(bounds, len(b.scratch))
	}
	start := 0
	for i, end := range bounds {
		if start == end {
			return nil, false, nil
		}
		b.parts[i] = b.scratch[start:end]
		start = end
	}
	key, err := b.layout.key.Append(b.scratch, b.parts)
	if err != nil {
		return nil, false, b.rowFault(row, err)
	}
	b.scratch = key
	return key[start:], true, nil
}

// Values serializes the features of a row, in the view's order, into one piece
// of memory that the caller owns.
func (b *Batch) Values(row int) ([][]byte, error) {
	buf, ends, err := b.AppendValues(make([]byte, 0, 16*len(b.cells)), make([]int, 0, len(b.cells)), row)
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(b.cells))
	start := 0
	for i, end := range ends {
		values[i] = buf[start:end:end]
		start = end
	}
	return values, nil
}

// AppendValues appends the serialized features of a row, in the view's order, to
// dst, and the length of dst after each of them to ends.
func (b *Batch) AppendValues(dst []byte, ends []int, row int) ([]byte, []int, error) {
	for i, e := range b.cells {
		var err error
		c := b.layout.cells[i]
		if dst, err = e.AppendFeature(dst, b.record.Column(c.index), row); err != nil {
			return nil, nil, b.cellFault(c, row, err)
		}
		ends = append(ends, len(dst))
	}
	return dst, ends, nil
}
