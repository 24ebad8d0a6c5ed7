package parquet

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// Range streams the rows of a query, file after file.
func (s *Store) Range(ctx context.Context, query offline.Query) (array.RecordReader, error) {
	parts, err := s.open(query.Source)
	if err != nil {
		return nil, err
	}
	plan, err := newScan(query, parts)
	if err != nil {
		closeAll(parts)
		return nil, err
	}
	return array.ReaderFromIter(plan.schema, plan.batches(ctx, parts)), nil
}

// scan says how the rows of a query are made.
type scan struct {
	query  offline.Query
	schema *arrow.Schema
	// times is how many of the last columns are times.
	times int
}

// newScan finds one schema for all files.
func newScan(query offline.Query, parts []part) (*scan, error) {
	p := &scan{query: query, times: 1}
	names := append(slices.Clone(query.Columns), query.Timestamp)
	if query.Created != "" {
		names, p.times = append(names, query.Created), 2
	}
	fields := make([]arrow.Field, len(names))
	for i, name := range names {
		f, err := unify(query.Source, name, parts)
		if err != nil {
			return nil, err
		}
		if i >= len(query.Columns) {
			if f.Type, err = timeType(query.Source, name, f.Type); err != nil {
				return nil, err
			}
		}
		fields[i] = arrow.Field{Name: name, Type: f.Type, Nullable: true}
	}
	p.schema = arrow.NewSchema(fields, nil)
	return p, nil
}

// unify finds the type of a column over all files. A file that lacks it gives
// nulls as long as another has it.
func unify(source *core.DataSource, name string, parts []part) (arrow.Field, error) {
	var found arrow.Field
	from := ""
	for _, p := range parts {
		t := columnType(p, name)
		switch {
		case t == nil:
		case found.Type == nil:
			found, from = arrow.Field{Name: name, Type: t}, p.name()
		default:
			wider, ok := widen(found.Type, t)
			if !ok {
				return found, fault.New(fault.Invalid, "data source %s: column %s is %s in %s and %s in %s; rewrite one of them",
					source.GetName(), name, found.Type, from, t, p.name()).About("data source", source.GetName(), source.GetProject())
			}
			found.Type = wider
		}
	}
	if found.Type == nil {
		return found, fault.New(fault.NotFound, "data source %s: %s has no column %s", source.GetName(), parts[0].name(), name).
			About("data source", source.GetName(), source.GetProject())
	}
	return found, nil
}

func columnType(p part, name string) arrow.DataType {
	for _, f := range p.fields() {
		if f.Name == name {
			return f.Type
		}
	}
	if v, ok := p.partitions()[name]; ok {
		return partitionType(v)
	}
	return nil
}

// partitionType is the type of a column that directories give.
func partitionType(v string) arrow.DataType {
	if _, err := strconv.ParseInt(v, 10, 64); err == nil {
		return arrow.PrimitiveTypes.Int64
	}
	return arrow.BinaryTypes.String
}

// widen finds the type that holds the values of both.
func widen(a, b arrow.DataType) (arrow.DataType, bool) {
	if arrow.TypeEqual(a, b) {
		return a, true
	}
	isInt := func(t arrow.DataType) bool { return arrow.IsInteger(t.ID()) && t.ID() != arrow.UINT64 }
	isFloat := func(t arrow.DataType) bool { return arrow.IsFloating(t.ID()) }
	isTime := func(t arrow.DataType) bool {
		return t.ID() == arrow.TIMESTAMP || t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64
	}
	isText := func(t arrow.DataType) bool { return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING }
	switch {
	case a.ID() == arrow.NULL:
		return b, true
	case b.ID() == arrow.NULL:
		return a, true
	case isInt(a) && isInt(b):
		return arrow.PrimitiveTypes.Int64, true
	case isFloat(a) && isFloat(b):
		return arrow.PrimitiveTypes.Float64, true
	case isTime(a) && isTime(b):
		return &arrow.TimestampType{Unit: finer(a, b), TimeZone: "UTC"}, true
	case isText(a) && isText(b):
		return arrow.BinaryTypes.String, true
	}
	return nil, false
}

// batches reads file after file and closes them at the end.
func (p *scan) batches(ctx context.Context, parts []part) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		defer closeAll(parts)
		for _, part := range parts {
			for batch, err := range part.batches(ctx, p.present(part), p.bounds()) {
				if err == nil {
					batch, err = p.shape(ctx, part, batch)
				}
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

func (p *scan) bounds() bounds {
	return bounds{column: p.query.Timestamp, start: p.query.Start, end: p.query.End}
}

// present lists the wanted columns that a file has, each once.
func (p *scan) present(part part) []string {
	var names []string
	for _, f := range part.fields() {
		if _, wanted := p.schema.FieldsByName(f.Name); wanted {
			names = append(names, f.Name)
		}
	}
	return names
}

// shape gives a batch the scan's columns and leaves out rows without an event
// time and those outside the bounds. It takes over batch.
func (p *scan) shape(ctx context.Context, part part, batch arrow.RecordBatch) (arrow.RecordBatch, error) {
	defer batch.Release()
	columns := make([]arrow.Array, p.schema.NumFields())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, f := range p.schema.Fields() {
		var err error
		if columns[i], err = p.column(ctx, part, batch, f, i >= p.schema.NumFields()-p.times); err != nil {
			return nil, err
		}
	}
	shaped := array.NewRecordBatch(p.schema, columns, batch.NumRows())
	mask, all := p.mask(columns[len(p.query.Columns):])
	defer mask.Release()
	if all {
		return shaped, nil
	}
	defer shaped.Release()
	kept, err := compute.FilterRecordBatch(ctx, shaped, mask, compute.DefaultFilterOptions())
	if err != nil {
		return nil, fault.New(fault.Internal, "rows of %s cannot be filtered", part.name()).Because(err)
	}
	return kept, nil
}

// column gives one column in the scan's type.
func (p *scan) column(ctx context.Context, part part, batch arrow.RecordBatch, f arrow.Field, isTime bool) (arrow.Array, error) {
	at := batch.Schema().FieldIndices(f.Name)
	if len(at) == 0 {
		return constant(f.Type, part.partitions()[f.Name], int(batch.NumRows()))
	}
	a := batch.Column(at[0])
	if isTime {
		return toTimes(a, f.Type, part.name()+", column "+f.Name)
	}
	if arrow.TypeEqual(a.DataType(), f.Type) {
		a.Retain()
		return a, nil
	}
	if a.DataType().ID() == arrow.TIMESTAMP || a.DataType().ID() == arrow.DATE32 || a.DataType().ID() == arrow.DATE64 {
		return toTimes(a, f.Type, part.name()+", column "+f.Name)
	}
	cast, err := compute.CastArray(ctx, a, compute.SafeCastOptions(f.Type))
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: column %s cannot be read as %s", part.name(), f.Name, f.Type).Because(err)
	}
	return cast, nil
}

// constant is a column of one value: what a directory says, or null.
func constant(t arrow.DataType, v string, rows int) (arrow.Array, error) {
	if v == "" {
		return array.MakeArrayOfNull(memory.DefaultAllocator, t, rows), nil
	}
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	for range rows {
		if err := b.AppendValueFromString(v); err != nil {
			return nil, fault.New(fault.Invalid, "partition value %q is no %s", v, t).Because(err)
		}
	}
	return b.NewArray(), nil
}

// mask marks the rows that belong to the answer, by their times.
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
