package value

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// BenchmarkArrow measures a cell of each kind of column that sources have.
func BenchmarkArrow(b *testing.B) {
	const rows = 1000
	for _, c := range []struct {
		name string
		dt   arrow.DataType
		t    types.ValueType_Enum
		cell func(row int) string
	}{
		{"int64", arrow.PrimitiveTypes.Int64, types.ValueType_INT64, func(row int) string { return fmt.Sprint(row * 1001) }},
		{"int32", arrow.PrimitiveTypes.Int32, types.ValueType_INT32, func(row int) string { return fmt.Sprint(row * 1001) }},
		{"double", arrow.PrimitiveTypes.Float64, types.ValueType_DOUBLE, func(row int) string { return fmt.Sprintf("%d.25", row) }},
		{"float", arrow.PrimitiveTypes.Float32, types.ValueType_FLOAT, func(row int) string { return fmt.Sprintf("%d.25", row) }},
		{"string", arrow.BinaryTypes.String, types.ValueType_STRING, func(row int) string { return fmt.Sprintf(`"customer %d"`, row) }},
		{"bool", arrow.FixedWidthTypes.Boolean, types.ValueType_BOOL, func(int) string { return "true" }},
		{"timestamp", arrow.FixedWidthTypes.Timestamp_us, types.ValueType_UNIX_TIMESTAMP, func(row int) string {
			return fmt.Sprintf(`"2024-01-02T03:04:05.%06dZ"`, row)
		}},
		{"decimal as double", &arrow.Decimal128Type{Precision: 18, Scale: 2}, types.ValueType_DOUBLE, func(row int) string { return fmt.Sprintf(`"%d.25"`, row) }},
		{"doubles", arrow.ListOf(arrow.PrimitiveTypes.Float64), types.ValueType_DOUBLE_LIST, func(int) string {
			return "[" + strings.Repeat("0.25,", 63) + "1]"
		}},
		{"strings", arrow.ListOf(arrow.BinaryTypes.String), types.ValueType_STRING_LIST, func(int) string { return `["a","bb","ccc","dddd"]` }},
		{
			"struct", arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String}),
			types.ValueType_MAP, func(row int) string { return fmt.Sprintf(`{"a":%d,"b":"x"}`, row) },
		},
		{"json as map", arrow.BinaryTypes.String, types.ValueType_MAP, func(row int) string { return fmt.Sprintf(`"{\"a\":%d,\"b\":[1.5,2.5]}"`, row) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			cells := make([]string, rows)
			for i := range cells {
				cells[i] = c.cell(i)
			}
			column, _, err := array.FromJSON(memory.DefaultAllocator, c.dt, strings.NewReader("["+strings.Join(cells, ",")+"]"))
			if err != nil {
				b.Fatal(err)
			}
			defer column.Release()
			encoder := NewArrowEncoder(c.dt, c.t)
			var buf []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if buf, err = encoder.AppendFeature(buf[:0], column, i%rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
