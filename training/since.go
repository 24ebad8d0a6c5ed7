package training

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// since leaves out the features of source rows before the start of a range: as in
// Feast, a range of several views is made of the rows within it. It reads a join that
// gives the source's event time after the features of each view. It does not own the
// join.
type since struct {
	in     array.RecordReader
	ctx    context.Context //nolint:containedctx // of the request, as the join's
	start  time.Time
	views  []viewColumns // of the join's columns, without those of the times
	schema *arrow.Schema
	batch  arrow.RecordBatch
	rows   int64
	err    error
	count  atomic.Int64
}

// askTimes asks the join of each view for the event time as well.
func (p *plan) askTimes() {
	for i := range p.views {
		join := &p.views[i].join
		join.Features = append(join.Features, join.Timestamp)
		join.Types = append(join.Types, types.ValueType_UNIX_TIMESTAMP)
	}
}

// newSince makes the reader of a join whose views were asked for their times.
func newSince(ctx context.Context, in array.RecordReader, p *plan, start time.Time) (*since, error) {
	s := &since{in: in, ctx: ctx, start: start}
	var fields []arrow.Field
	at := 0
	for i := range p.views {
		v := &p.views[i]
		s.views = append(s.views, viewColumns{name: v.Name, from: at, count: len(v.columns)})
		at += len(v.columns) + 1
		if at > in.Schema().NumFields() {
			return nil, fault.New(fault.Internal, "a join gave %d columns, too few for the features and times of its views", in.Schema().NumFields())
		}
		fields = append(fields, in.Schema().Fields()[at-len(v.columns)-1:at-1]...)
	}
	s.schema = arrow.NewSchema(fields, nil)
	s.count.Store(1)
	return s, nil
}

func (s *since) Retain() { s.count.Add(1) }

func (s *since) Release() {
	if s.count.Add(-1) == 0 {
		s.forget()
	}
}

func (s *since) forget() {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
}

func (s *since) Schema() *arrow.Schema          { return s.schema }
func (s *since) RecordBatch() arrow.RecordBatch { return s.batch }
func (s *since) Record() arrow.RecordBatch      { return s.batch }

func (s *since) Err() error {
	if s.err != nil {
		return s.err
	}
	return s.in.Err()
}

func (s *since) Next() bool {
	s.forget()
	if s.err != nil || !s.in.Next() {
		return false
	}
	batch := s.in.RecordBatch()
	columns := make([]arrow.Array, 0, s.schema.NumFields())
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	for _, v := range s.views {
		part, err := s.filter(v, batch.Columns()[v.from:v.from+v.count], batch.Column(v.from+v.count))
		if err != nil {
			s.err = err
			return false
		}
		columns = append(columns, part...)
	}
	s.rows += batch.NumRows()
	s.batch = array.NewRecordBatch(s.schema, columns, batch.NumRows())
	return true
}

// filter makes the features null in the rows whose time is before the start.
func (s *since) filter(v viewColumns, features []arrow.Array, at arrow.Array) ([]arrow.Array, error) {
	times, err := eventTimes(at)
	if bad, ok := err.(*cellError); ok { //nolint:errorlint // eventTimes does not wrap it
		return nil, fault.New(fault.Invalid, "feature view %s, row %d of the training set: %s", v.name, s.rows+int64(bad.row)+1, bad.why)
	}
	if err != nil {
		return nil, err
	}
	defer times.Release()
	index, early := s.index(times)
	defer index.Release()
	out := make([]arrow.Array, 0, len(features))
	for _, f := range features {
		if !early {
			f.Retain()
			out = append(out, f)
			continue
		}
		kept, err := compute.TakeArray(s.ctx, f, index)
		if err != nil {
			for _, a := range out {
				a.Release()
			}
			return nil, fault.New(fault.Internal, "the features of view %s cannot be chosen", v.name).Because(err)
		}
		out = append(out, kept)
	}
	return out, nil
}

// index has the number of each row, or null where its time is before the start.
func (s *since) index(a arrow.Array) (index arrow.Array, early bool) {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	times, _ := a.(*array.Timestamp)
	unit := arrow.Microsecond
	if t, ok := a.DataType().(*arrow.TimestampType); ok {
		unit = t.Unit
	}
	for row := range a.Len() {
		if times.IsValid(row) && times.Value(row).ToTime(unit).Before(s.start) {
			b.AppendNull()
			early = true
			continue
		}
		b.Append(int64(row))
	}
	return b.NewArray(), early
}
