package parquet

import (
	"context"
	"iter"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// Table streams all columns and rows of one file, in the order of the file: a table that
// belongs to no data source, such as entity rows. The file is Parquet, CSV, or Arrow
// record batches (.arrow, .feather).
//
// Cells of CSV are read as the value types in kinds, by the name of the column.
// Columns that kinds lacks have the first type that fits all their cells, as those that
// Columns reports. Errors, the end and memory are as those of Range.
func Table(ctx context.Context, path string, kinds map[string]types.ValueType_Enum) (array.RecordReader, error) {
	return Cells(ctx, path, kinds, nil)
}

// RefusedCell is a cell of CSV that does not fit its column.
type RefusedCell struct {
	Column string
	Row    int64  // from 0, within the file
	Text   string // cut to a length
	Err    error
}

// Cells is Table, but a cell of CSV that does not fit its column does not end the rows: it
// is null, and refused is told of it before the batch of its row is returned.
func Cells(ctx context.Context, path string, kinds map[string]types.ValueType_Enum, refused func(RefusedCell)) (array.RecordReader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, broken(path, err)
	}
	if isArrow(path) {
		return arrowTable(ctx, path)
	}
	p, err := openPart(path)
	if err != nil {
		return nil, err
	}
	text, _ := p.(*csvFile)
	if text != nil && text.separator() != "" {
		return nil, fault.New(fault.Invalid, "%s has columns separated by %s; separate them by commas", path, text.separator())
	}
	if text != nil {
		text.refused = refused
	}
	columns, err := p.columns(ctx)
	if err != nil {
		return nil, err
	}
	wants, fields := make([]want, len(columns)), make([]arrow.Field, len(columns))
	known := map[string]bool{}
	for i, c := range columns {
		if known[c.Name] {
			return nil, fault.New(fault.Invalid, "%s has two columns %q; rename one of them", path, c.Name)
		}
		known[c.Name] = true
		wants[i] = want{name: c.Name, kind: kinds[c.Name]}
		if text != nil && wants[i].kind == types.ValueType_INVALID && (c.Type == types.ValueType_INT64 || c.Type == types.ValueType_DOUBLE) {
			wants[i].kind = c.Type
		}
		t, err := p.typeOf(ctx, wants[i])
		if err != nil {
			return nil, err
		}
		fields[i] = arrow.Field{Name: c.Name, Type: t, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	return offline.NewReader(schema, tableBatches(ctx, p, schema, wants), nil), nil
}

func tableBatches(ctx context.Context, p part, schema *arrow.Schema, wants []want) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for c, err := range p.read(ctx, wants, bounds{}) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, fault.Of(err))
				return
			}
			batch := array.NewRecordBatch(schema, c.columns, int64(c.rows))
			c.release()
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// IsTable reports whether Table reads files of a name.
func IsTable(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".parquet", ".pq":
		return true
	}
	return isArrow(path)
}

func isArrow(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".arrow", ".feather":
		return true
	}
	return false
}
