package offlinetest_test

import (
	"cmp"
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/value"
)

// model is the store that the flaws are made of.
type model = offlinetest.Memory

// broken is a store that keeps the contract except for what is replaced.
type broken struct {
	*model
	query  func(*offline.Query)
	span   func(*offline.Query)
	ctx    func(context.Context) context.Context
	err    func(error) error
	reader func(array.RecordReader) array.RecordReader
	// columns changes what Columns says.
	columns func([]offline.Column)
	// blind always says that the store is there, leaks keeps resources after a
	// refusal.
	blind, leaks bool
	// cells changes a column of the source before it is written.
	cells func(arrow.Array) arrow.Array
}

func (b *broken) Store() offline.Store { return b }

func (b *broken) Unreachable(t testing.TB) offline.Store {
	down := *b
	down.model, _ = b.model.Unreachable(t).(*model)
	return &down
}

func (b *broken) Write(t testing.TB, table offlinetest.Table) *core.DataSource {
	if b.cells == nil || table.Rows == nil {
		return b.model.Write(t, table)
	}
	change := func(batch arrow.RecordBatch) arrow.RecordBatch {
		var columns []arrow.Array
		var fields []arrow.Field
		for i, a := range batch.Columns() {
			a = b.cells(a)
			columns, fields = append(columns, a), append(fields, arrow.Field{Name: batch.ColumnName(i), Type: a.DataType(), Nullable: true})
		}
		return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, batch.NumRows())
	}
	rows := table.Rows
	for batch := range rows {
		table.Schema = change(batch).Schema()
		break
	}
	table.Rows = func(yield func(arrow.RecordBatch) bool) {
		for batch := range rows {
			if !yield(change(batch)) {
				return
			}
		}
	}
	return b.model.Write(t, table)
}

func (b *broken) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	if b.ctx != nil {
		ctx = b.ctx(ctx)
	}
	if b.query != nil {
		b.query(&q)
	}
	r, err := b.model.Range(ctx, q)
	if err != nil {
		if b.leaks {
			b.Hold()
		}
		return nil, cmp.Or(b.told(err), err)
	}
	if b.err != nil {
		r = &telling{r, b.told}
	}
	if b.reader != nil {
		r = b.reader(r)
	}
	return r, nil
}

func (b *broken) told(err error) error {
	if err == nil || b.err == nil {
		return err
	}
	return b.err(err)
}

func (b *broken) Span(ctx context.Context, q offline.Query) (offline.Span, error) {
	if b.span != nil {
		b.span(&q)
	}
	span, err := b.model.Span(ctx, q)
	return span, cmp.Or(b.told(err), err)
}

func (b *broken) Columns(ctx context.Context, src *core.DataSource) ([]offline.Column, error) {
	columns, err := b.model.Columns(ctx, src)
	if b.columns != nil && err == nil {
		b.columns(columns)
	}
	return columns, cmp.Or(b.told(err), err)
}

func (b *broken) Check(ctx context.Context) error {
	if b.blind {
		return nil
	}
	err := b.model.Check(ctx)
	return cmp.Or(b.told(err), err)
}

// telling changes a reader's error.
type telling struct {
	array.RecordReader
	told func(error) error
}

func (r *telling) Err() error { return r.told(r.RecordReader.Err()) }

// hoarding keeps all that it has read.
type hoarding struct {
	array.RecordReader
	all []arrow.RecordBatch
}

func (r *hoarding) Next() bool {
	if r.RecordReader.Next() {
		r.all = append(r.all, r.RecordBatch())
		return true
	}
	return false
}

// reusing reads each batch into the memory of the previous one.
type reusing struct{ array.RecordReader }

func (r *reusing) Next() bool {
	if batch := r.RecordBatch(); batch != nil {
		for _, c := range batch.Columns() {
			for _, b := range c.Data().Buffers()[1:] {
				if b != nil {
					clear(b.Bytes())
				}
			}
		}
	}
	return r.RecordReader.Next()
}

// forgetful is closed only at its end.
type forgetful struct{ array.RecordReader }

func (r *forgetful) Release() {
	if !r.Next() {
		r.RecordReader.Release()
	}
}

// restless returns its last batch again after it has failed, and forgets the
// error.
type restless struct {
	array.RecordReader
	failed int
}

func (r *restless) Next() bool {
	if r.failed > 0 || !r.RecordReader.Next() {
		r.failed++
		return r.failed == 3 && r.Err() != nil
	}
	return true
}

// single ends at the first Release, even if others hold it.
type single struct{ array.RecordReader }

func (*single) Retain() {}

// impatient ends when another reader is opened.
type impatient struct {
	array.RecordReader
	ended atomic.Bool
}

func (r *impatient) Next() bool { return !r.ended.Load() && r.RecordReader.Next() }

// distinct leaves out the first of two rows that are equal.
type distinct struct{ array.RecordReader }

func (r *distinct) RecordBatch() arrow.RecordBatch {
	batch := r.RecordReader.RecordBatch()
	if batch.NumRows() < 2 {
		return batch
	}
	for _, c := range batch.Columns() {
		if c.ValueStr(0) != c.ValueStr(1) {
			return batch
		}
	}
	return batch.NewSlice(1, batch.NumRows())
}

// needy fails when the source is empty.
type needy struct {
	array.RecordReader
	rows bool
}

func (r *needy) Next() bool {
	more := r.RecordReader.Next()
	r.rows = r.rows || more
	return more
}

func (r *needy) Err() error {
	if err := r.RecordReader.Err(); err != nil || r.rows {
		return err
	}
	return fault.New(fault.NotFound, "there are no rows")
}

// shifted changes the numbers of finite times.
func shifted(change func(n int64, of *arrow.TimestampType) int64) func(arrow.Array) arrow.Array {
	return cells(arrow.TIMESTAMP, nil, func(text string, t arrow.DataType) string {
		of, _ := t.(*arrow.TimestampType)
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n == value.Infinity || n == value.MinusInfinity {
			return text
		}
		return strconv.FormatInt(change(n, of), 10)
	})
}

// cells changes the cells of the columns of a type, in the form that Arrow's
// builders read: times and lists as numbers.
func cells(of arrow.Type, to arrow.DataType, change func(text string, t arrow.DataType) string) func(arrow.Array) arrow.Array {
	return func(a arrow.Array) arrow.Array {
		if a.DataType().ID() != of || of == arrow.LIST && !arrow.TypeEqual(a.DataType(), arrow.ListOf(arrow.PrimitiveTypes.Int64)) {
			return a
		}
		t := a.DataType()
		if to != nil {
			t = to
		}
		b := array.NewBuilder(memory.DefaultAllocator, t)
		for i := range a.Len() {
			text := a.ValueStr(i)
			if ts, ok := a.(*array.Timestamp); ok && !a.IsNull(i) {
				text = strconv.FormatInt(int64(ts.Value(i)), 10)
			}
			if err := b.AppendValueFromString(change(text, a.DataType())); err != nil {
				panic(err) // a fault in this test
			}
		}
		return b.NewArray()
	}
}

// replaced replaces one cell.
func replaced(from, to string) func(string, arrow.DataType) string {
	return func(text string, _ arrow.DataType) string {
		if text == from {
			return to
		}
		return text
	}
}
