package asof

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/value"
)

// kinds are types of columns with three cells each.
var kinds = []struct {
	of    arrow.DataType
	cells [3]string
}{
	{arrow.PrimitiveTypes.Int64, [3]string{"1", "2", "3"}},
	{arrow.PrimitiveTypes.Float32, [3]string{"1.5", "2", "3"}},
	{arrow.PrimitiveTypes.Int8, [3]string{"1", "2", "3"}},
	{&arrow.Decimal128Type{Precision: 9, Scale: 2}, [3]string{"1.50", "2.00", "3.25"}},
	{arrow.FixedWidthTypes.Boolean, [3]string{"true", "false", "true"}},
	{arrow.BinaryTypes.String, [3]string{"a", "", "ccc"}},
	{arrow.BinaryTypes.LargeString, [3]string{"a", "", "ccc"}},
	{arrow.Null, [3]string{array.NullValueStr, array.NullValueStr, array.NullValueStr}},
	{arrow.ListOf(arrow.BinaryTypes.String), [3]string{`["a",null]`, `[]`, `["b","c","d"]`}},
	{arrow.LargeListOf(arrow.PrimitiveTypes.Int64), [3]string{`[1,null]`, `[]`, `[2,3]`}},
	{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int64), [3]string{`[1,null]`, `[4,5]`, `[2,3]`}},
	{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}), [3]string{`{"a":1}`, `{"a":null}`, `{"a":3}`}},
	{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, [3]string{"x", "y", "x"}},
	{value.NewDecimalText(), [3]string{"1.50", "NaN", "3"}},
}

// cellsOf makes a column whose cells repeat, with a null behind each three, and
// cuts off its first row.
func cellsOf(t *testing.T, of arrow.DataType, cells [3]string) arrow.Array {
	t.Helper()
	inner := of
	if e, ok := of.(arrow.ExtensionType); ok {
		inner = e.StorageType()
	}
	b := array.NewBuilder(memory.DefaultAllocator, inner)
	defer b.Release()
	for i := range 9 {
		text := array.NullValueStr
		if i%4 < 3 {
			text = cells[i%4]
		}
		if text == array.NullValueStr {
			b.AppendNull()
			continue
		}
		if err := b.AppendValueFromString(text); err != nil {
			t.Fatalf("%s: %s: %v", of, text, err)
		}
	}
	a := b.NewArray()
	return array.NewSlice(array.MakeFromData(spool.Retyped(a.Data(), of)), 1, 9)
}

// TestSinks copies rows, spans and nulls of slices of columns of all types, twice
// with the same sink, beginning with more nulls than fit into any first buffer.
func TestSinks(t *testing.T) {
	rows := []int32{7, 0, -1, 3, 3, 1, 6}
	const nulls = 20_000
	for _, k := range kinds {
		t.Run(k.of.String(), func(t *testing.T) {
			from := cellsOf(t, k.of, k.cells)
			s := newSink(k.of)
			for range 2 {
				s.nulls(nulls)
				s.rows(from.Data(), rows)
				s.span(from.Data(), 2, 4)
				s.rows(from.Data(), nil)
				d, err := s.finish()
				if err != nil {
					t.Fatal(err)
				}
				got := array.MakeFromData(spool.Retyped(d, plain(k.of)))
				if !arrow.TypeEqual(got.DataType(), plain(k.of)) || got.Len() != nulls+len(rows)+4 {
					t.Fatalf("%d rows of type %s", got.Len(), got.DataType())
				}
				for i, row := range append(append([]int32{-1}, rows...), 2, 3, 4, 5) {
					want := array.NullValueStr
					if row >= 0 {
						want = from.ValueStr(int(row))
					}
					if text := got.ValueStr(nulls - 1 + i); text != want {
						t.Errorf("row %d is %s, want %s", i, text, want)
					}
				}
			}
		})
	}
}

// TestSizesOfRows: a batch must not be larger than it claims to be.
func TestSizesOfRows(t *testing.T) {
	for _, k := range kinds {
		from := cellsOf(t, k.of, k.cells)
		sum := int64(0)
		for i := range from.Len() {
			sum += spanBytes(from.Data(), i, i+1)
		}
		if all := spanBytes(from.Data(), 0, from.Len()); all != sum || k.of.ID() != arrow.NULL && sum == 0 {
			t.Errorf("%s: %d bytes in rows, %d in all", k.of, sum, all)
		}
	}
}
