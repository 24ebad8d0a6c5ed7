package parquet

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// declaredCell reports whether a cell that is about to be written will be read as the
// type of its column. CSV has no types: one cell that does not fit would make the whole
// source unreadable.
type declaredCell func(cell string) error

// declared are the checks of a file's columns; nil where nothing is known.
func (d *draft) declared(header []string) []declaredCell {
	checks := make([]declaredCell, len(header))
	for i, name := range header {
		switch {
		case name == d.source.GetTimestampField(), name == d.source.GetCreatedTimestampColumn():
			checks[i] = func(cell string) error {
				_, err := value.ParseTime(cell)
				return err
			}
		case cellType(d.kinds[name]).ID() != arrow.STRING:
			checks[i] = cellOf(d.kinds[name])
		}
	}
	return checks
}

func cellOf(kind types.ValueType_Enum) declaredCell {
	b := array.NewBuilder(memory.DefaultAllocator, cellType(kind))
	return func(cell string) error {
		defer func() { b.NewArray().Release() }()
		if err := appendCell(b, cell); err != nil {
			return err
		}
		if n, ok := b.(*array.Int64Builder); ok && kind == types.ValueType_INT32 && (n.Value(0) > math.MaxInt32 || n.Value(0) < math.MinInt32) {
			return fault.New(fault.Invalid, "%q does not fit an integer of 32 bits", cell)
		}
		return nil
	}
}
