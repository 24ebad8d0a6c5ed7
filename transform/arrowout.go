package transform

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendScalar appends a value that coerce made to a column of its type.
func appendScalar(out array.Builder, x val) bool {
	if x.k == kNone || x.k == kNaT {
		out.AppendNull()
		return true
	}
	switch out := out.(type) {
	case *array.Int32Builder:
		out.Append(int32(x.i))
	case *array.Int64Builder:
		out.Append(x.i)
	case *array.Float32Builder:
		out.Append(float32(x.f))
	case *array.Float64Builder:
		out.Append(x.f)
	case *array.BooleanBuilder:
		out.Append(x.i != 0)
	case *array.StringBuilder:
		out.Append(x.s)
	case *array.TimestampBuilder:
		out.Append(arrow.Timestamp(x.i * 1_000_000))
	case *array.ListBuilder:
		items, ok := x.ref.(*list)
		if !ok {
			return false
		}
		out.Append(true)
		for _, item := range items.items {
			if !appendScalar(out.ValueBuilder(), item) {
				return false
			}
		}
	default:
		return false
	}
	return true
}
