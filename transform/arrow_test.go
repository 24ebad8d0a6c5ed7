package transform

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// columnOf makes a column of Arrow from JSON.
func columnOf(t *testing.T, dt arrow.DataType, text string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}

// TestColumnsOfArrow holds columns of Arrow to the types that pandas gives them, and
// the outputs to the declared types.
func TestColumnsOfArrow(t *testing.T) {
	us := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	for _, c := range []struct {
		name, in, cells, expression string
		dt                          arrow.DataType
		out                         types.ValueType_Enum
		dtype, want                 string
	}{
		{"integers", "a", `[1, 2, 3]`, `df["a"] + 1`, arrow.PrimitiveTypes.Int64, types.ValueType_INT64, "int64", `[2,3,4]`},
		{"integers with a null are floats", "a", `[1, null, 3]`, `df["a"] + 1`, arrow.PrimitiveTypes.Int64, types.ValueType_DOUBLE, "float64", `[2,null,4]`},
		{"narrow integers stay narrow", "c", `[2147483647, 1]`, `df["c"] + 1`, arrow.PrimitiveTypes.Int32, types.ValueType_INT64, "int32", `[-2147483648,2]`},
		{"float32 stays float32", "f", `[0.1, 2]`, `df["f"] * 3`, arrow.PrimitiveTypes.Float32, types.ValueType_FLOAT, "float32", `[0.3,6]`},
		{"only nulls of a type are floats", "x", `[null, null]`, `df["x"].fillna(7)`, arrow.PrimitiveTypes.Float64, types.ValueType_DOUBLE, "float64", `[7,7]`},
		{"texts", "s", `["a", null]`, `df["s"].str.upper()`, arrow.BinaryTypes.String, types.ValueType_STRING, "object", `["A",null]`},
		{"bools with a null are objects", "p", `[true, null]`, `df["p"].fillna(False)`, arrow.FixedWidthTypes.Boolean, types.ValueType_BOOL, "bool", `[true,false]`},
		{"times keep their unit", "t", `["2024-02-29T12:00:00Z", null]`, `df["t"]`, us, types.ValueType_UNIX_TIMESTAMP, "datetime64[us, UTC]", `["2024-02-29 12:00:00Z",null]`},
		{"parts of times", "t", `["2024-02-29T12:00:00Z"]`, `df["t"].dt.day`, us, types.ValueType_INT32, "int32", `[29]`},
		{"no rows", "a", `[]`, `df["a"] * 2`, arrow.PrimitiveTypes.Int64, types.ValueType_INT64, "int64", `[]`},
		{"values that can only be null or not", "s", `["YQ==", null]`, `df["s"].isna()`, arrow.BinaryTypes.Binary, types.ValueType_BOOL, "bool", `[false,true]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "def fn(df):\n    out = pd.DataFrame()\n    out[\"o\"] = " + c.expression + "\n    return out\n"
			p, err := Compile(view("pandas", text, corpusInputs, nil, []Field{{"o", c.out}}), nil)
			if err != nil {
				t.Fatal(err)
			}
			a := columnOf(t, c.dt, c.cells)
			b := p.Acquire(a.Len())
			defer p.Release(b)
			if err := b.SetArrow(0, a); err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if got := dtypeName(b.outs[0]); got != c.dtype {
				t.Errorf("the column has type %s, want %s", got, c.dtype)
			}
			out, err := b.Arrow(0, memory.DefaultAllocator)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Release()
			want := columnOf(t, OutputType(c.out), c.want)
			if !array.Equal(out, want) {
				t.Errorf("got %s, want %s", out, want)
			}
		})
	}
}

// TestNullsOfOtherBatches holds SetNull to what pandas does with a whole table.
func TestNullsOfOtherBatches(t *testing.T) {
	p, err := Compile(view("pandas", "def fn(df):\n    return pd.DataFrame({\"o\": df[\"a\"].astype(str)})\n", corpusInputs, nil, []Field{{"o", types.ValueType_STRING}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := p.Acquire(1)
	if err := b.SetArrow(0, columnOf(t, arrow.PrimitiveTypes.Int64, `[5]`)); err != nil {
		t.Fatal(err)
	}
	b.SetNull(0)
	if err := p.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got := b.outs[0].at(0).s; got != "5.0" {
		t.Errorf("the text is %q, want 5.0", got)
	}
}
