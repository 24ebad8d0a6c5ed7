package parquet

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/banquet-fs/banquet/fault"
)

// parquetFile is a Parquet file.
type parquetFile struct {
	path   string
	reader *file.Reader
	arrow  *pqarrow.FileReader
	schema *arrow.Schema
}

func openParquet(path string) (part, error) {
	refuse := func(err error) error {
		return fault.New(fault.Invalid, "%s is no Parquet file, or a damaged one", path).Because(err)
	}
	reader, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, refuse(err)
	}
	fr, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		_ = reader.Close()
		return nil, refuse(err)
	}
	schema, err := fr.Schema()
	if err != nil {
		_ = reader.Close()
		return nil, refuse(err)
	}
	return &parquetFile{path: path, reader: reader, arrow: fr, schema: schema}, nil
}

func (p *parquetFile) fields() []arrow.Field         { return p.schema.Fields() }
func (p *parquetFile) name() string                  { return p.path }
func (p *parquetFile) partitions() map[string]string { return partitionsOf(p.path) }
func (p *parquetFile) close() error                  { return p.reader.Close() }

// batches reads the row groups whose statistics do not rule them out.
func (p *parquetFile) batches(ctx context.Context, columns []string, when bounds) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		fail := func(err error) {
			yield(nil, fault.New(fault.Unavailable, "%s cannot be read to its end", p.path).Because(err))
		}
		groups := p.groups(when)
		if len(groups) == 0 {
			return
		}
		reader, err := p.arrow.GetRecordReader(ctx, p.leaves(columns), groups)
		if err != nil {
			fail(err)
			return
		}
		defer reader.Release()
		for reader.Next() {
			if err := ctx.Err(); err != nil {
				yield(nil, fault.Of(err))
				return
			}
			batch := reader.RecordBatch()
			batch.Retain()
			if !yield(batch, nil) {
				return
			}
		}
		if err := reader.Err(); err != nil {
			fail(err)
		}
	}
}

// leaves are the leaf columns that the named columns are made of.
func (p *parquetFile) leaves(columns []string) []int {
	wanted := map[string]bool{}
	for _, c := range columns {
		wanted[c] = true
	}
	var leaves []int
	var collect func(f *pqarrow.SchemaField)
	collect = func(f *pqarrow.SchemaField) {
		if f.ColIndex >= 0 && len(f.Children) == 0 {
			leaves = append(leaves, f.ColIndex)
		}
		for i := range f.Children {
			collect(&f.Children[i])
		}
	}
	for i := range p.arrow.Manifest.Fields {
		if f := &p.arrow.Manifest.Fields[i]; wanted[f.Field.Name] {
			collect(f)
		}
	}
	return leaves
}

// groups lists the row groups that may hold a time within the bounds.
func (p *parquetFile) groups(when bounds) []int {
	var groups []int
	leaf := p.leaves([]string{when.column})
	unit, isTime := p.unit(when.column)
	for i := range p.reader.NumRowGroups() {
		if isTime && len(leaf) == 1 && p.outside(i, leaf[0], unit, when) {
			continue
		}
		groups = append(groups, i)
	}
	return groups
}

func (p *parquetFile) unit(column string) (arrow.TimeUnit, bool) {
	fields, ok := p.schema.FieldsByName(column)
	if !ok {
		return 0, false
	}
	t, ok := fields[0].Type.(*arrow.TimestampType)
	if !ok {
		return 0, false
	}
	return t.Unit, true
}

// outside reports whether the statistics of a row group rule out every row.
func (p *parquetFile) outside(group, leaf int, unit arrow.TimeUnit, when bounds) bool {
	chunk, err := p.reader.MetaData().RowGroup(group).ColumnChunk(leaf)
	if err != nil {
		return false
	}
	stats, err := chunk.Statistics()
	if err != nil || stats == nil || !stats.HasMinMax() {
		return false
	}
	times, ok := stats.(*metadata.Int64Statistics)
	if !ok { // INT96 has no order to rely on
		return false
	}
	first, last := arrow.Timestamp(times.Min()).ToTime(unit), arrow.Timestamp(times.Max()).ToTime(unit)
	return !when.start.IsZero() && last.Before(when.start) || !when.end.IsZero() && first.After(when.end)
}
