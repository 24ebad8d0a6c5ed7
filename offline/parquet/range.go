package parquet

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// Range streams the rows of a query, file after file.
func (s *Store) Range(ctx context.Context, query offline.Query) (array.RecordReader, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	parts, err := s.open(query.Source)
	if err != nil {
		return nil, err
	}
	plan, err := newScan(ctx, query, parts)
	if err != nil {
		return nil, err
	}
	return offline.NewReader(plan.schema, plan.batches(ctx), nil), nil
}

// scan says how to make the rows of a query.
type scan struct {
	query  offline.Query
	parts  []part
	schema *arrow.Schema
	wants  []want
	// times is the index of the event time; a created time follows it.
	times int
}

// newScan finds one schema for all files.
func newScan(ctx context.Context, query offline.Query, parts []part) (*scan, error) {
	p := &scan{query: query, parts: parts, times: len(query.Columns)}
	for i, name := range query.Columns {
		w := want{name: name}
		if len(query.Types) > 0 {
			w.kind = query.Types[i]
		}
		p.wants = append(p.wants, w)
	}
	p.wants = append(p.wants, want{name: query.Timestamp, time: true})
	if query.Created != "" {
		p.wants = append(p.wants, want{name: query.Created, time: true})
	}
	fields := make([]arrow.Field, len(p.wants))
	for i, w := range p.wants {
		t, err := unify(ctx, query.Source, w, parts)
		if err != nil {
			return nil, err
		}
		fields[i] = arrow.Field{Name: w.name, Type: t, Nullable: true}
	}
	p.schema = arrow.NewSchema(fields, nil)
	return p, nil
}

// bounds are those of the query.
func (p *scan) bounds() bounds {
	return bounds{column: p.query.Timestamp, start: p.query.Start, end: p.query.End}
}

// batches reads one file after the other.
func (p *scan) batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		when := p.bounds()
		for _, part := range p.parts {
			if err := ctx.Err(); err != nil {
				yield(nil, fault.Of(err))
				return
			}
			for c, err := range part.read(ctx, p.wants, when) {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					yield(nil, fault.Of(err))
					return
				}
				batch, err := p.shape(ctx, part, c)
				if err == nil && batch.NumRows() == 0 {
					batch.Release()
					continue
				}
				if !yield(batch, err) || err != nil {
					return
				}
			}
		}
	}
}

// shape gives a chunk the scan's columns and leaves out rows without an event
// time and those outside the bounds. It takes over c.
func (p *scan) shape(ctx context.Context, part part, c *chunk) (arrow.RecordBatch, error) {
	defer c.release()
	columns := make([]arrow.Array, p.schema.NumFields())
	defer func() {
		for _, a := range columns {
			if a != nil {
				a.Release()
			}
		}
	}()
	for i := range columns {
		var err error
		if columns[i], err = p.column(ctx, part, c, i); err != nil {
			return nil, err
		}
	}
	shaped := array.NewRecordBatch(p.schema, columns, int64(c.rows))
	mask, all := p.mask(columns[p.times:])
	defer mask.Release()
	if all {
		return shaped, nil
	}
	defer shaped.Release()
	var kept arrow.RecordBatch
	err := guard(func() (err error) {
		kept, err = compute.FilterRecordBatch(ctx, shaped, mask, compute.DefaultFilterOptions())
		return err
	})
	if err != nil {
		return nil, broken(part.at().path, err)
	}
	return kept, nil
}

// column returns one column in the scan's type.
func (p *scan) column(ctx context.Context, part part, c *chunk, i int) (arrow.Array, error) {
	w, t, a := p.wants[i], p.schema.Field(i).Type, c.columns[i]
	place := func(row int) string { return fmt.Sprintf("%s, column %s", c.place(row), w.name) }
	switch {
	case a == nil && w.time:
		return dated(t, part.at().partitions()[w.name], c.rows, part.at().path+", column "+w.name)
	case a == nil:
		return constant(t, part.at().partitions()[w.name], c.rows, part.at().path+", column "+w.name)
	case w.time:
		return toTimes(a, t, place)
	}
	return adapt(ctx, a, t, place)
}

// dated is a time column that holds one value.
func dated(t arrow.DataType, v string, rows int, where string) (arrow.Array, error) {
	text, err := constant(arrow.BinaryTypes.String, v, rows, where)
	if err != nil {
		return nil, err
	}
	defer text.Release()
	return toTimes(text, t, func(int) string { return where })
}

// constant is a column that holds one value: one from a directory's name, or
// null.
func constant(t arrow.DataType, v string, rows int, where string) (arrow.Array, error) {
	if v == "" {
		return array.MakeArrayOfNull(memory.DefaultAllocator, t, rows), nil
	}
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	for range rows {
		if err := appendCell(b, v); err != nil {
			return nil, fault.New(fault.Invalid, "%s: %s", where, fault.Of(err).Text).Because(err)
		}
	}
	return b.NewArray(), nil
}

// mask marks the rows that the query selects by their times.
func (p *scan) mask(times []arrow.Array) (mask arrow.Array, all bool) {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	event, _ := times[0].(*array.Timestamp)
	b.Reserve(event.Len())
	low, high := limits(event, p.query.Start, p.query.End)
	late := func(int) bool { return true }
	if after := p.query.CreatedAfter; !after.IsZero() {
		created, _ := times[len(times)-1].(*array.Timestamp)
		_, newest := limits(created, time.Time{}, after)
		late = func(i int) bool { return !created.IsNull(i) && int64(created.Value(i)) > newest }
	}
	all = true
	for i := range event.Len() {
		in := !event.IsNull(i) && int64(event.Value(i)) >= low && int64(event.Value(i)) <= high && late(i)
		all = all && in
		b.UnsafeAppend(in)
	}
	return b.NewArray(), all
}

// names joins some names of columns for an error message.
func names(columns []string) string {
	const most = 20
	if len(columns) > most {
		return fmt.Sprintf("%q and %d more", slices.Clone(columns[:most]), len(columns)-most)
	}
	return fmt.Sprintf("%q", columns)
}
