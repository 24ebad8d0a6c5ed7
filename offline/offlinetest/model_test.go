package offlinetest_test

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
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/value"
)

// model is a minimal store that meets the contract: it keeps tables as they
// were written.
type model struct {
	mu     sync.Mutex
	tables map[string]offlinetest.Table
	down   bool
	held   atomic.Int64
}

func (m *model) Store() offline.Store               { return m }
func (m *model) Held(testing.TB) int                { return int(m.held.Load()) }
func (*model) Unreachable(testing.TB) offline.Store { return &model{down: true} }
func (m *model) Check(context.Context) error        { return m.reach() }
func refuse(q offline.Query, says string) error     { return refusal(q.Source, fault.Invalid, says) }
func missing(src *core.DataSource, what string) error {
	return refusal(src, fault.NotFound, "has no "+what)
}

func refusal(src *core.DataSource, kind fault.Kind, says string) error {
	return fault.New(kind, "data source %s: %s", src.GetName(), says)
}

func (m *model) reach() error {
	if m.down {
		return fault.New(fault.Unavailable, "the model is down")
	}
	return nil
}

func (m *model) Write(_ testing.TB, table offlinetest.Table) *core.DataSource {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tables == nil {
		m.tables = map[string]offlinetest.Table{}
	}
	if table.Then != offlinetest.Missing {
		m.tables[table.Name] = table
	}
	return &core.DataSource{Name: table.Name}
}

func (m *model) table(src *core.DataSource) (offlinetest.Table, error) {
	if err := m.reach(); err != nil {
		return offlinetest.Table{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	table, ok := m.tables[src.GetName()]
	if !ok {
		return table, missing(src, "rows")
	}
	return table, nil
}

func (m *model) Columns(_ context.Context, src *core.DataSource) (columns []offline.Column, err error) {
	table, err := m.table(src)
	if err != nil {
		return nil, err
	}
	for _, f := range table.Schema.Fields() {
		columns = append(columns, offline.Column{Name: f.Name, Type: map[arrow.Type]types.ValueType_Enum{
			arrow.STRING: types.ValueType_STRING, arrow.INT64: types.ValueType_INT64, arrow.FLOAT64: types.ValueType_DOUBLE,
			arrow.BOOL: types.ValueType_BOOL, arrow.TIMESTAMP: types.ValueType_UNIX_TIMESTAMP,
		}[f.Type.ID()]})
	}
	return columns, nil
}

func (m *model) Span(ctx context.Context, q offline.Query) (span offline.Span, err error) {
	q.Columns = nil
	r, err := m.Range(ctx, q)
	if err != nil {
		return span, err
	}
	defer r.Release()
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			at, _, _ := timeOf(r.RecordBatch().Column(0), i)
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

func (m *model) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	table, err := m.table(q.Source)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, model: m, table: table, query: q}
	if r.fields, err = r.plan(); err != nil {
		return nil, err
	}
	r.next, r.stop = iter.Pull(table.Rows)
	r.refs.Store(1)
	m.held.Add(1)
	return r, nil
}

// reader is one running query.
type reader struct {
	ctx    context.Context //nolint:containedctx // lives as long as the reader
	model  *model
	table  offlinetest.Table
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

func (r *reader) Retain()                        { r.refs.Add(1) }
func (r *reader) Schema() *arrow.Schema          { return arrow.NewSchema(r.fields, nil) }
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *reader) Record() arrow.RecordBatch      { return r.batch }
func (r *reader) Err() error                     { return r.err }

func (r *reader) Release() {
	if r.refs.Add(-1) == 0 {
		r.end(nil)
	}
}

// end releases the table.
func (r *reader) end(err error) bool {
	if !r.done {
		r.done, r.err = true, err
		r.stop()
		r.model.held.Add(-1)
	}
	return false
}

// plan finds the columns of the result.
func (r *reader) plan() (fields []arrow.Field, err error) {
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

func (r *reader) Next() bool {
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

func (r *reader) trouble() error {
	switch r.table.Then {
	case offlinetest.Damage:
		return refuse(r.query, "a row is damaged")
	case offlinetest.Loss:
		return refusal(r.query.Source, fault.Unavailable, "the connection is lost")
	case offlinetest.Stall:
		<-r.ctx.Done()
		return fault.Of(r.ctx.Err())
	}
	return nil
}

// answer makes the columns of the result and leaves rows out.
func (r *reader) answer(batch arrow.RecordBatch) (arrow.RecordBatch, error) {
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
func (r *reader) times(a arrow.Array, f arrow.Field, event bool, keep []bool) (arrow.Array, error) {
	to, _ := f.Type.(*arrow.TimestampType)
	b := array.NewTimestampBuilder(memory.DefaultAllocator, to)
	for i := range a.Len() {
		at, ok, err := timeOf(a, i)
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

func timeOf(a arrow.Array, i int) (at time.Time, ok bool, err error) {
	if a.IsNull(i) {
		return at, false, nil
	}
	switch a := a.(type) {
	case *array.Timestamp:
		if v := int64(a.Value(i)); v == value.Infinity || v == value.MinusInfinity || v == math.MinInt64 {
			return at, false, fault.New(fault.Invalid, "the time is infinite")
		}
		return a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit), true, nil
	case *array.Date32:
		return a.Value(i).ToTime(), true, nil
	case *array.String:
		at, err = value.ParseTime(a.Value(i))
		return at, true, err
	}
	return at, false, fault.New(fault.Invalid, "%s is not a time", a.DataType())
}
