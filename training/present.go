package training

import (
	"context"
	"encoding/binary"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/value"
)

// present reads the rows of several readers, one after the other, that have all join keys.
// Their first columns are the join keys, then comes the event time. Columns get a common
// type. It does not own the readers.
type present struct {
	ctx     context.Context //nolint:containedctx // of the request, as the join's
	readers []array.RecordReader
	kinds   []types.ValueType_Enum // of the join keys
	schema  *arrow.Schema
	// nulls is called with the number of rows that are left out. tooMany is the error of
	// more rows than there may be.
	nulls   func(rows int64)
	tooMany func(rows int64) error
	// once leaves out a row with the keys and the event time of an earlier one.
	once bool
	seen map[string]bool
	most int64 // of the rows, if once is set

	from  arrow.RecordBatch // has the rows that are next
	left  [][2]int64        // their places: rows that follow each other, from and to
	batch arrow.RecordBatch
	err   error
	count atomic.Int64
}

func newPresent(ctx context.Context, readers []array.RecordReader, w *written) *present {
	p := &present{ctx: ctx, readers: readers, kinds: w.kinds, seen: map[string]bool{}}
	fields := slices.Clone(readers[0].Schema().Fields())
	for i := range fields {
		fields[i].Type = plain(fields[i].Type)
		for _, r := range readers[1:] {
			if other := plain(r.Schema().Field(i).Type); !arrow.TypeEqual(other, fields[i].Type) {
				fields[i].Type = p.common(i, fields[i].Type, other)
			}
		}
	}
	p.schema = arrow.NewSchema(fields, nil)
	p.count.Store(1)
	return p
}

// common is a type for a column that two readers have in different types.
func (p *present) common(column int, a, b arrow.DataType) arrow.DataType {
	if column < len(p.kinds) {
		return transform.OutputType(p.kinds[column])
	}
	finest := arrow.Second
	for _, t := range []arrow.DataType{a, b} {
		if t, ok := t.(*arrow.TimestampType); ok {
			finest = max(finest, t.Unit)
		}
	}
	return utc(finest)
}

func (p *present) Retain() { p.count.Add(1) }

func (p *present) Release() {
	if p.count.Add(-1) == 0 {
		p.forget()
		p.left = nil
		p.done()
	}
}

func (p *present) forget() {
	if p.batch != nil {
		p.batch.Release()
		p.batch = nil
	}
}

func (p *present) Schema() *arrow.Schema          { return p.schema }
func (p *present) RecordBatch() arrow.RecordBatch { return p.batch }
func (p *present) Record() arrow.RecordBatch      { return p.batch }
func (p *present) Err() error                     { return p.err }

func (p *present) Next() bool {
	p.forget()
	for p.err == nil && len(p.left) == 0 && len(p.readers) > 0 {
		if !p.readers[0].Next() {
			p.err = p.readers[0].Err()
			p.readers = p.readers[1:]
			continue
		}
		p.err = p.take(p.readers[0].RecordBatch())
	}
	if p.err != nil || len(p.left) == 0 {
		return false
	}
	p.batch = p.from.NewSlice(p.left[0][0], p.left[0][1]) // any type can be cut, but not all can be filtered
	p.left = p.left[1:]
	p.done()
	return true
}

// done gives the batch free that has no rows left.
func (p *present) done() {
	if p.from != nil && len(p.left) == 0 {
		p.from.Release()
		p.from = nil
	}
}

// take chooses rows of a batch.
func (p *present) take(in arrow.RecordBatch) error {
	columns := make([]arrow.Array, in.NumCols())
	defer func() { release(columns) }()
	for i := range columns {
		var err error
		if columns[i], err = p.cast(in.Column(i), p.schema.Field(i)); err != nil {
			return err
		}
	}
	all := array.NewRecordBatch(p.schema, columns, in.NumRows())
	defer all.Release()
	var err error
	p.left, err = p.choose(all)
	if err != nil || len(p.left) == 0 {
		return err
	}
	all.Retain()
	p.from = all
	return nil
}

// cast gives a column its common type. The caller releases it.
func (p *present) cast(a arrow.Array, to arrow.Field) (arrow.Array, error) {
	if d, ok := a.(*array.Dictionary); ok {
		values, err := compute.TakeArray(p.ctx, d.Dictionary(), d.Indices())
		if err != nil {
			return nil, fault.New(fault.Invalid, "column %s cannot be read", to.Name).Because(err)
		}
		a = values
		defer values.Release()
	}
	if arrow.TypeEqual(a.DataType(), to.Type) {
		a.Retain()
		return a, nil
	}
	out, err := compute.CastArray(p.ctx, a, compute.SafeCastOptions(to.Type))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the sources have column %s in different types, and its values of type %s do not fit %s; give it one type in all sources", to.Name, a.DataType(), to.Type).Because(err)
	}
	return out, nil
}

// choose returns the places of the rows to keep.
func (p *present) choose(batch arrow.RecordBatch) (kept [][2]int64, err error) {
	keys := make([]*value.ArrowEncoder, len(p.kinds))
	for i, kind := range p.kinds {
		keys[i] = value.NewArrowKeyEncoder(batch.Column(i).DataType(), kind)
	}
	var row []byte
	var nulls int64
	for at := range int(batch.NumRows()) {
		row = row[:0]
		whole := true
		for i, k := range keys {
			start := len(row)
			if row, err = k.Append(row, batch.Column(i), at); err != nil {
				return nil, fault.New(fault.KindOf(err), "column %s: %s", p.schema.Field(i).Name, fault.Of(err).Text).Because(err)
			}
			whole = whole && len(row) > start
			row = binary.BigEndian.AppendUint32(row, uint32(len(row)-start))
		}
		place := int64(at)
		switch {
		case !whole:
			nulls++
		case p.once && p.repeated(row, batch.Column(len(keys)), at):
		case len(kept) > 0 && kept[len(kept)-1][1] == place:
			kept[len(kept)-1][1]++
		default:
			kept = append(kept, [2]int64{place, place + 1})
		}
	}
	if nulls > 0 {
		p.nulls(nulls)
	}
	if p.once && int64(len(p.seen)) > p.most {
		return nil, p.tooMany(int64(len(p.seen)))
	}
	return kept, nil
}

// repeated reports whether a row with these keys and event time was read before. Only
// functions that compute with all rows at once need it, whose number is bounded.
func (p *present) repeated(keys []byte, times arrow.Array, at int) bool {
	if c, ok := times.(*array.Timestamp); ok && c.IsValid(at) {
		keys = binary.BigEndian.AppendUint64(keys, uint64(c.Value(at)))
	}
	again := p.seen[string(keys)]
	p.seen[string(keys)] = true
	return again
}
