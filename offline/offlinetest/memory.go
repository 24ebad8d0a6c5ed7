package offlinetest

import (
	"context"
	"iter"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// Memory is a minimal store that meets the contract: it keeps tables as they
// were written. It is its own Backend, and ready for use.
type Memory struct {
	mu     sync.Mutex
	tables map[string]Table
	down   bool
	held   atomic.Int64
}

// Store returns m.
func (m *Memory) Store() offline.Store { return m }

// Held counts the readers that were not released.
func (m *Memory) Held(testing.TB) int { return int(m.held.Load()) }

// Hold adds to what Held counts.
func (m *Memory) Hold() { m.held.Add(1) }

// Unreachable returns another Memory, which is down.
func (*Memory) Unreachable(testing.TB) offline.Store { return &Memory{down: true} }

// Check reports whether m is down.
func (m *Memory) Check(context.Context) error { return m.reach() }

func refuse(q offline.Query, says string) error { return refusal(q.Source, fault.Invalid, says) }

func missing(src *core.DataSource, what string) error {
	return refusal(src, fault.NotFound, "has no "+what)
}

func refusal(src *core.DataSource, kind fault.Kind, says string) error {
	return fault.New(kind, "data source %s: %s", src.GetName(), says)
}

func (m *Memory) reach() error {
	if m.down {
		return fault.New(fault.Unavailable, "the model is down")
	}
	return nil
}

// Write keeps a table.
func (m *Memory) Write(_ testing.TB, table Table) *core.DataSource {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tables == nil {
		m.tables = map[string]Table{}
	}
	if table.Then != Missing {
		m.tables[table.Name] = table
	}
	return &core.DataSource{Name: table.Name}
}

func (m *Memory) table(src *core.DataSource) (Table, error) {
	if err := m.reach(); err != nil {
		return Table{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	table, ok := m.tables[src.GetName()]
	if !ok {
		return table, missing(src, "rows")
	}
	return table, nil
}

// Columns lists a table's columns.
func (m *Memory) Columns(_ context.Context, src *core.DataSource) (columns []offline.Column, err error) {
	table, err := m.table(src)
	if err != nil {
		return nil, err
	}
	for _, f := range table.Schema.Fields() {
		columns = append(columns, offline.Column{Name: f.Name, Native: f.Type.String(), Type: map[arrow.Type]types.ValueType_Enum{
			arrow.STRING: types.ValueType_STRING, arrow.INT64: types.ValueType_INT64, arrow.FLOAT64: types.ValueType_DOUBLE,
			arrow.BOOL: types.ValueType_BOOL, arrow.TIMESTAMP: types.ValueType_UNIX_TIMESTAMP,
		}[f.Type.ID()]})
	}
	return columns, nil
}

// Span reads the times of a query.
func (m *Memory) Span(ctx context.Context, q offline.Query) (span offline.Span, err error) {
	q.Columns = nil
	r, err := m.Range(ctx, q)
	if err != nil {
		return span, err
	}
	defer r.Release()
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			at, _, _ := memoryTime(r.RecordBatch().Column(0), i)
			if span.Rows == 0 || at.Before(span.First) {
				span.First = at
			}
			if span.Rows == 0 || at.After(span.Last) {
				span.Last = at
			}
			span.Rows++
		}
	}
	if r.Err() != nil {
		return offline.Span{}, r.Err()
	}
	return span, nil
}

// Range reads a table.
func (m *Memory) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	table, err := m.table(q.Source)
	if err != nil {
		return nil, err
	}
	return m.open(ctx, table, 0, q)
}

// open reads a table that follows so many rows.
func (m *Memory) open(ctx context.Context, table Table, rows int, q offline.Query) (array.RecordReader, error) {
	r := &memoryReader{ctx: ctx, store: m, table: table, query: q, rows: rows}
	var err error
	if r.fields, err = r.plan(); err != nil {
		return nil, err
	}
	r.next, r.stop = iter.Pull(table.Rows)
	r.refs.Store(1)
	m.held.Add(1)
	return r, nil
}

// memoryReader is one running query.
type memoryReader struct {
	ctx    context.Context //nolint:containedctx // lives as long as the memoryReader
	store  *Memory
	table  Table
	query  offline.Query
	fields []arrow.Field
	from   []int // the table's columns
	refs   atomic.Int64
	next   func() (arrow.RecordBatch, bool)
	stop   func()
	rows   int // read so far
	batch  arrow.RecordBatch
	err    error
	done   bool
}

func (r *memoryReader) Retain()                        { r.refs.Add(1) }
func (r *memoryReader) Schema() *arrow.Schema          { return arrow.NewSchema(r.fields, nil) }
func (r *memoryReader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *memoryReader) Record() arrow.RecordBatch      { return r.batch }
func (r *memoryReader) Err() error                     { return r.err }

func (r *memoryReader) Release() {
	if r.refs.Add(-1) == 0 {
		r.end(nil)
	}
}

// end releases the table.
func (r *memoryReader) end(err error) bool {
	if !r.done {
		r.done, r.err = true, err
		r.stop()
		r.store.held.Add(-1)
	}
	return false
}

// plan finds the columns of the result.
func (r *memoryReader) plan() (fields []arrow.Field, err error) {
	q := r.query
	if err := q.Check(); err != nil {
		return nil, err
	}
	names := append(append([]string{}, q.Columns...), q.Timestamp)
	if q.Created != "" {
		names = append(names, q.Created)
	}
	for i, name := range names {
		at := r.table.Schema.FieldIndices(name)
		if len(at) == 0 {
			return nil, missing(q.Source, "column "+name)
		}
		if len(at) > 1 {
			return nil, refuse(q, "has column "+name+" twice")
		}
		f := r.table.Schema.Field(at[0])
		if i >= len(q.Columns) {
			if f.Type, err = timeType(f.Type); err != nil {
				return nil, refuse(q, "column "+name+": "+err.Error())
			}
		}
		fields, r.from = append(fields, f), append(r.from, at[0])
	}
	return fields, nil
}

func (r *memoryReader) Next() bool {
	if r.done {
		return false
	}
	if err := r.ctx.Err(); err != nil {
		return r.end(fault.Of(err))
	}
	batch, more := r.next()
	if !more {
		return r.end(r.trouble())
	}
	var err error
	if r.batch, err = r.answer(batch); err != nil {
		return r.end(err)
	}
	r.rows += int(batch.NumRows())
	return r.batch.NumRows() > 0 || r.Next()
}

func (r *memoryReader) trouble() error {
	switch r.table.Then {
	case Damage:
		return refuse(r.query, "a row is damaged")
	case Loss:
		return refusal(r.query.Source, fault.Unavailable, "the connection is lost")
	case Stall:
		<-r.ctx.Done()
		return fault.Of(r.ctx.Err())
	}
	return nil
}

// answer makes the columns of the result and leaves rows out.
func (r *memoryReader) answer(batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(r.fields))
	keep := array.NewBooleanBuilder(memory.DefaultAllocator)
	all := make([]bool, batch.NumRows())
	for i := range all {
		all[i] = true
	}
	for c, at := range r.from {
		columns[c] = batch.Column(at)
		if c < len(r.query.Columns) {
			continue
		}
		var err error
		if columns[c], err = r.times(batch.Column(at), r.fields[c], c == len(r.query.Columns), all); err != nil {
			return nil, err
		}
	}
	keep.AppendValues(all, nil)
	return compute.FilterRecordBatch(context.Background(), array.NewRecordBatch(r.Schema(), columns, batch.NumRows()), keep.NewArray(), compute.DefaultFilterOptions())
}

// times converts a time column and notes the rows that its bounds leave out.
func (r *memoryReader) times(a arrow.Array, f arrow.Field, event bool, keep []bool) (arrow.Array, error) {
	to, _ := f.Type.(*arrow.TimestampType)
	b := array.NewTimestampBuilder(memory.DefaultAllocator, to)
	for i := range a.Len() {
		at, ok, err := memoryTime(a, i)
		if err != nil {
			return nil, refuse(r.query, "column "+f.Name+", row "+strconv.Itoa(r.rows+i+1)+": "+err.Error())
		}
		if event {
			keep[i] = keep[i] && ok && !at.Before(r.query.Start) && (r.query.End.IsZero() || !at.After(r.query.End))
		} else if !r.query.CreatedAfter.IsZero() {
			keep[i] = keep[i] && ok && at.After(r.query.CreatedAfter)
		}
		if !ok {
			b.AppendNull()
			continue
		}
		v, err := arrow.TimestampFromTime(at, to.Unit)
		if err != nil || !v.ToTime(to.Unit).Equal(at) {
			return nil, refuse(r.query, "column "+f.Name+", row "+strconv.Itoa(r.rows+i+1)+": the time does not fit")
		}
		b.Append(v)
	}
	return b.NewArray(), nil
}

// timeType is the type in which a time column is returned.
func timeType(t arrow.DataType) (arrow.DataType, error) {
	unit := arrow.Microsecond
	switch t := t.(type) {
	case *arrow.TimestampType:
		unit = t.Unit
	case *arrow.Date32Type, *arrow.StringType:
	default:
		return nil, fault.New(fault.Invalid, "%s is not a time", t)
	}
	return &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, nil
}

func memoryTime(a arrow.Array, i int) (at time.Time, ok bool, err error) {
	if a.IsNull(i) {
		return at, false, nil
	}
	switch a := a.(type) {
	case *array.Timestamp:
		if v := int64(a.Value(i)); v == value.Infinity || v == value.MinusInfinity || v == math.MinInt64 {
			return at, false, fault.New(fault.Invalid, "the time is infinite")
		}
		unit, _ := a.DataType().(*arrow.TimestampType)
		return a.Value(i).ToTime(unit.Unit), true, nil
	case *array.Date32:
		return a.Value(i).ToTime(), true, nil
	case *array.String:
		at, err = value.ParseTime(a.Value(i))
		return at, true, err
	}
	return at, false, fault.New(fault.Invalid, "%s is not a time", a.DataType())
}
