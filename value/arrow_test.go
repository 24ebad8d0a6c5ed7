package value_test

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// column makes a column out of JSON.
func column(t testing.TB, dt arrow.DataType, cells string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader(cells))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}

// texts makes a column of texts, UTF-8 or not.
func texts(t testing.TB, cells ...string) arrow.Array {
	t.Helper()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, c := range cells {
		b.Append(c)
	}
	a := b.NewArray()
	t.Cleanup(a.Release)
	return a
}

// decimals makes a column of PostgreSQL's numerics.
func decimals(t testing.TB, cells ...string) arrow.Array {
	t.Helper()
	return array.NewExtensionArrayWithStorage(value.NewDecimalText(), texts(t, cells...))
}

// times makes a column of microseconds.
func times(t testing.TB, cells ...int64) arrow.Array {
	t.Helper()
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})
	defer b.Release()
	for _, c := range cells {
		b.Append(arrow.Timestamp(c))
	}
	a := b.NewArray()
	t.Cleanup(a.Release)
	return a
}

func TestNullsFitEveryValueType(t *testing.T) {
	wide := []arrow.Array{
		array.NewNull(1), column(t, arrow.BinaryTypes.String, "[null]"), column(t, arrow.PrimitiveTypes.Float64, "[null]"),
		column(t, arrow.ListOf(arrow.PrimitiveTypes.Date32), "[null]"), column(t, arrow.FixedWidthTypes.MonthInterval, "[null]"),
	}
	for _, a := range wide {
		for name, kind := range kinds() {
			got, err := value.NewArrowEncoder(a.DataType(), kind).AppendFeature(nil, a, 0)
			if k := value.Kind(got); err != nil || len(got) > 0 && k != types.ValueType_UNIX_TIMESTAMP {
				t.Errorf("null of %s as %s: %x, %v", a.DataType(), name, got, err)
			}
			if got, err := value.NewArrowKeyEncoder(a.DataType(), kind).Append(nil, a, 0); err != nil || len(got) > 0 {
				t.Errorf("null key of %s as %s: %x, %v", a.DataType(), name, got, err)
			}
		}
	}
}

func TestDecimalsOfPostgreSQL(t *testing.T) {
	for _, c := range []struct {
		cell string
		kind types.ValueType_Enum
		want string
	}{
		{"12.30", types.ValueType_DECIMAL, "12.30"},
		{"100.00", types.ValueType_DECIMAL, "100.00"},
		{"0.0000001", types.ValueType_DECIMAL, "0.0000001"},
		{"12.30", types.ValueType_STRING, "12.3"},
		{"100", types.ValueType_STRING, "100.0"},
		{"-0.5", types.ValueType_STRING, "-0.5"},
		{"10000000000000000000000", types.ValueType_STRING, "1e+22"},
		{"9007199254740993", types.ValueType_STRING, "9007199254740993"},
		{"0.12345678901234567890", types.ValueType_STRING, "0.12345678901234567890"},
		{"1" + strings.Repeat("0", 400), types.ValueType_STRING, "1" + strings.Repeat("0", 400)},
		{"Infinity", types.ValueType_STRING, "inf"},
		{"0", types.ValueType_STRING, "0.0"},
		{"NaN", types.ValueType_STRING, "null"},
		{"12.30", types.ValueType_JSON, "12.3"},
		{"9007199254740993.10", types.ValueType_JSON, "9007199254740993.10"},
		{"NaN", types.ValueType_DOUBLE, "null"},
		{"NaN", types.ValueType_INT64, "null"},
		{"9007199254740993", types.ValueType_INT64, "9007199254740993"},
		{"9223372036854775807.9", types.ValueType_INT64, "9223372036854775807"},
		{"-7.5", types.ValueType_INT64, "-7"},
		{"0.9", types.ValueType_INT32, "0"},
		{"0.1", types.ValueType_DOUBLE, "0.1"},
		{"-Infinity", types.ValueType_DOUBLE, "-Infinity"},
	} {
		a := decimals(t, c.cell)
		got, err := value.NewArrowEncoder(a.DataType(), c.kind).AppendFeature(nil, a, 0)
		if text := shown(t, got); err != nil || text != c.want {
			t.Errorf("%s as %s: %s, %v; want %s", c.cell, c.kind, text, err, c.want)
		}
	}
}

func TestListsOfNumeric(t *testing.T) {
	for kind, want := range map[types.ValueType_Enum]string{
		types.ValueType_DECIMAL_LIST: `["12.30","NaN"]`, types.ValueType_DOUBLE_LIST: `[12.3,"NaN"]`, types.ValueType_JSON_LIST: `["12.3","null"]`,
		types.ValueType_JSON: `[12.3, null]`,
	} {
		a := listOf(t, decimals(t, "12.30", "NaN"))
		got, err := value.NewArrowEncoder(a.DataType(), kind).Append(nil, a, 0)
		if text := shown(t, got); err != nil || text != want {
			t.Errorf("%s: %s, %v; want %s", kind, text, err, want)
		}
	}
	a := listOf(t, decimals(t, "9007199254740993", "7.00"))
	got, err := value.NewArrowEncoder(a.DataType(), types.ValueType_INT64_LIST).Append(nil, a, 0)
	if text := shown(t, got); err != nil || text != "[9007199254740993,7]" {
		t.Errorf("%s, %v", text, err)
	}
}

func TestNullInJSONTextIsNull(t *testing.T) {
	a := texts(t, " null\n")
	for _, kind := range []types.ValueType_Enum{types.ValueType_MAP, types.ValueType_STRUCT, types.ValueType_MAP_LIST, types.ValueType_STRUCT_LIST} {
		if got, err := value.NewArrowEncoder(a.DataType(), kind).AppendFeature(nil, a, 0); err != nil || len(got) > 0 {
			t.Errorf("%s: %x, %v", kind, got, err)
		}
	}
}

// shown is a Value's JSON without quotes.
func shown(t testing.TB, b []byte) string {
	t.Helper()
	out, err := value.AppendJSON(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(string(out), `"`)
}

// TestCellsRefused lists cells that cannot be stored, each with its error.
func TestCellsRefused(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60)
	list := arrow.ListOf
	for _, c := range []struct {
		name string
		a    arrow.Array
		kind types.ValueType_Enum
		want string
	}{
		{"infinity", times(t, value.Infinity), types.ValueType_UNIX_TIMESTAMP, "infinity"},
		{"-infinity", times(t, value.MinusInfinity), types.ValueType_UNIX_TIMESTAMP, "-infinity"},
		{"infinity as text", times(t, value.Infinity), types.ValueType_STRING, "infinity"},
		{"infinity in a list", listOf(t, times(t, 0, value.Infinity)), types.ValueType_UNIX_TIMESTAMP_LIST, "element 2: the time is infinity"},
		{"infinity in a set", listOf(t, times(t, value.MinusInfinity)), types.ValueType_UNIX_TIMESTAMP_SET, "element 1: the time is -infinity"},
		{"infinity in a list of lists", listOf(t, listOf(t, times(t, value.Infinity))), types.ValueType_VALUE_LIST, "element 1: element 1: the time is infinity"},
		{"infinity in a struct", structOf(t, times(t, value.Infinity)), types.ValueType_MAP, `key "f": the time is infinity`},
		{"infinity of numeric", decimals(t, "Infinity"), types.ValueType_INT64, "Infinity is not an integer"},
		{"null among integers", column(t, list(arrow.PrimitiveTypes.Int64), "[[5,null,7]]"), types.ValueType_INT64_LIST, "element 2: a null"},
		{"null in a set of texts", column(t, list(arrow.BinaryTypes.String), `[["a",null]]`), types.ValueType_STRING_SET, "element 2: a null"},
		{"null map in a list", column(t, list(arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true})), `[[null]]`), types.ValueType_MAP_LIST, "element 1: a null"},
		{"null among integers as text", column(t, list(arrow.PrimitiveTypes.Int64), "[[5,null]]"), types.ValueType_STRING_LIST, "element 2: a null"},
		{"null among decimals as text", column(t, list(&arrow.Decimal128Type{Precision: 9, Scale: 2}), `[["1.50",null]]`), types.ValueType_STRING_LIST, "element 2: a null"},
		{"null in a list of lists", column(t, list(list(arrow.BinaryTypes.String)), `[[["a",null]]]`), types.ValueType_VALUE_LIST, "element 1: element 2: a null"},
		{"null boolean in a list of lists", column(t, list(list(arrow.FixedWidthTypes.Boolean)), `[[[true,null]]]`), types.ValueType_VALUE_LIST, "element 1: element 2: a null"},
		{"integer beyond a double in a list", column(t, list(arrow.PrimitiveTypes.Int64), "[[9007199254740993]]"), types.ValueType_DOUBLE_LIST, "element 1: 9007199254740993 does not fit value type DOUBLE exactly"},
		{"integer beyond a float in a list", column(t, list(arrow.PrimitiveTypes.Int32), "[[16777217]]"), types.ValueType_FLOAT_LIST, "exactly"},
		{"times as JSON", column(t, list(arrow.FixedWidthTypes.Timestamp_ns), "[[null]]"), types.ValueType_JSON, "does not fit value type JSON"},
		{"fraction in a list", column(t, list(arrow.PrimitiveTypes.Float64), "[[1.5]]"), types.ValueType_INT64_LIST, "element 1: 1.5 has a fraction"},
		{"INT32", column(t, arrow.PrimitiveTypes.Int64, "[2147483648]"), types.ValueType_INT32, "2147483648 does not fit value type INT32"},
		{"uint64", column(t, arrow.PrimitiveTypes.Uint64, "[9223372036854775808]"), types.ValueType_INT64, "does not fit a signed integer"},
		{"uint64 as DOUBLE", column(t, arrow.PrimitiveTypes.Uint64, "[9007199254740993]"), types.ValueType_DOUBLE, "exactly"},
		{"float beyond INT64", column(t, arrow.PrimitiveTypes.Float64, "[9.3e18]"), types.ValueType_INT64, "does not fit a signed integer"},
		{"FLOAT", column(t, arrow.PrimitiveTypes.Float64, "[1e300]"), types.ValueType_FLOAT, "1e+300 does not fit value type FLOAT"},
		{"numeric beyond DOUBLE", decimals(t, "1"+strings.Repeat("0", 400)), types.ValueType_DOUBLE, "does not fit value type DOUBLE"},
		{"numeric beyond INT64", decimals(t, "9223372036854775808"), types.ValueType_INT64, "does not fit a signed integer"},
		{"bool", column(t, arrow.PrimitiveTypes.Int32, "[2]"), types.ValueType_BOOL, "2 is neither 0 nor 1"},
		{"float as bool", column(t, arrow.PrimitiveTypes.Float64, "[1.0]"), types.ValueType_BOOL, "does not fit value type BOOL"},
		{"text with a fraction", texts(t, "7.5"), types.ValueType_INT64, `"7.5" is not an integer`},
		{"not UTF-8", texts(t, "a\xff"), types.ValueType_STRING, "is not UTF-8"},
		{"not UTF-8 JSON", texts(t, "\"\xff\""), types.ValueType_JSON, "is not UTF-8"},
		{"not UTF-8 MAP", texts(t, "{\"\xff\":1}"), types.ValueType_MAP, "is not UTF-8"},
		{"not UTF-8 in a list", listOf(t, texts(t, "a", "\xff")), types.ValueType_STRING_LIST, "element 2: the text"},
		{"not UTF-8 in a struct", structOf(t, texts(t, "\xff")), types.ValueType_MAP, `key "f": the text`},
		{"no JSON", texts(t, "{"), types.ValueType_JSON, `the text "{" is not JSON`},
		{"trailing", texts(t, `{"a":1} x`), types.ValueType_MAP, "is not a JSON object"},
		{"null list object", texts(t, `[null]`), types.ValueType_MAP_LIST, "element 1: a null"},
		{"NaN in a list of integers", listOf(t, decimals(t, "NaN")), types.ValueType_INT64_LIST, "element 1: NaN"},
		{"NaN in a list of texts", listOf(t, decimals(t, "1", "NaN")), types.ValueType_STRING_LIST, "element 2: NaN"},
		{"infinity as JSON", decimals(t, "Infinity"), types.ValueType_JSON, "JSON has no number Infinity"},
		{"time in text", texts(t, "2024-01-02"), types.ValueType_UNIX_TIMESTAMP, "make it a timestamp in the source"},
		{"big integer", texts(t, `{"a":9223372036854775808}`), types.ValueType_MAP, `key "a": 9223372036854775808 does not fit a signed integer`},
		{"big number", texts(t, `{"a":[1e400]}`), types.ValueType_MAP, `key "a": element 1: 1e400 does not fit value type DOUBLE`},
		{"half a surrogate pair", texts(t, `{"a":"\ud800"}`), types.ValueType_MAP, "half of a surrogate pair"},
		{"deep", texts(t, deep), types.ValueType_MAP, "nested too deep"},
		{"very deep", texts(t, strings.Repeat(`{"a":`, 100000)), types.ValueType_MAP, "is not a JSON object"},
		{"no string keys", column(t, arrow.MapOf(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String), `[[{"key":1,"value":"a"}]]`), types.ValueType_MAP, "does not fit value type MAP"},
		{"a key twice", column(t, arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), `[[{"key":"a","value":1},{"key":"a","value":2}]]`), types.ValueType_MAP, `the key "a" twice`},
		{"a key twice as JSON", column(t, arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), `[[{"key":"a","value":1},{"key":"a","value":2}]]`), types.ValueType_JSON, `the key "a" twice`},
		{"scalar map", column(t, arrow.MapOf(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String), `[[]]`), types.ValueType_SCALAR_MAP, "does not fit value type SCALAR_MAP"},
		{"zoned", times(t, 0), types.ValueType_ZONED_TIMESTAMP, "does not fit value type ZONED_TIMESTAMP"},
		{"long", texts(t, strings.Repeat("x", 1000)), types.ValueType_INT64, strings.Repeat("x", 60) + `"... is not an integer`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := value.NewArrowEncoder(c.a.DataType(), c.kind).AppendFeature(nil, c.a, 0)
			if err == nil {
				t.Fatalf("stored as %x", got)
			}
			if text := fault.Of(err).Text; !strings.Contains(text, c.want) || fault.KindOf(err) != fault.Invalid || strings.Contains(text, "*") {
				t.Errorf("%v: %s; want %q", fault.KindOf(err), text, c.want)
			}
		})
	}
}

// listOf makes one list of all cells.
func listOf(t testing.TB, cells arrow.Array) arrow.Array {
	t.Helper()
	offsets := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes([]int32{0, int32(cells.Len())}))
	data := array.NewData(arrow.ListOf(cells.DataType()), 1, []*memory.Buffer{nil, offsets}, []arrow.ArrayData{cells.Data()}, 0, 0)
	defer data.Release()
	a := array.NewListData(data)
	t.Cleanup(a.Release)
	return a
}

// structOf makes a struct with one field f.
func structOf(t testing.TB, cells arrow.Array) arrow.Array {
	t.Helper()
	a, err := array.NewStructArray([]arrow.Array{cells}, []string{"f"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}

// TestKeysAreExact stores a key exactly or refuses it.
func TestKeysAreExact(t *testing.T) {
	for _, c := range []struct {
		a       arrow.Array
		kind    types.ValueType_Enum
		want    string // empty: refused
		feature string
	}{
		{column(t, arrow.PrimitiveTypes.Float64, "[7.5]"), types.ValueType_INT64, "", "7"},
		{column(t, arrow.PrimitiveTypes.Float64, "[7.0]"), types.ValueType_INT64, "7", "7"},
		{column(t, arrow.PrimitiveTypes.Float32, "[7.5]"), types.ValueType_INT32, "", "7"},
		{column(t, &arrow.Decimal128Type{Precision: 20, Scale: 2}, `["9007199254740993.50"]`), types.ValueType_INT64, "", "9007199254740993"},
		{column(t, &arrow.Decimal128Type{Precision: 20, Scale: 2}, `["9007199254740993.00"]`), types.ValueType_INT64, "9007199254740993", "9007199254740993"},
		{column(t, &arrow.Decimal128Type{Precision: 20, Scale: 2}, `["7.50"]`), types.ValueType_STRING, "7.50", "7.50"},
		{decimals(t, "9007199254740993"), types.ValueType_INT64, "9007199254740993", "9007199254740993"},
		{decimals(t, "7.5"), types.ValueType_INT64, "", "7"},
		{decimals(t, "7.00"), types.ValueType_INT32, "7", "7"},
		{texts(t, " 7 "), types.ValueType_INT64, "7", "7"},
		{texts(t, "७"), types.ValueType_INT64, "7", "7"},
		{texts(t, "𝟗९"), types.ValueType_INT64, "99", "99"},
		{texts(t, "7.5"), types.ValueType_INT64, "", ""},
		{column(t, arrow.PrimitiveTypes.Uint64, "[18446744073709551615]"), types.ValueType_STRING, "18446744073709551615", "18446744073709551615"},
		{column(t, arrow.PrimitiveTypes.Uint64, "[18446744073709551615]"), types.ValueType_INT64, "", ""},
		{column(t, arrow.PrimitiveTypes.Float64, "[1.5]"), types.ValueType_UNIX_TIMESTAMP, "", "1"},
	} {
		key, err := value.NewArrowKeyEncoder(c.a.DataType(), c.kind).Append(nil, c.a, 0)
		if (err != nil) != (c.want == "") || err == nil && shown(t, key) != c.want {
			t.Errorf("key %v as %s: %x, %v; want %q", c.a, c.kind, key, err, c.want)
		}
		feature, err := value.NewArrowEncoder(c.a.DataType(), c.kind).Append(nil, c.a, 0)
		if (err != nil) != (c.feature == "") || err == nil && shown(t, feature) != c.feature {
			t.Errorf("feature %v as %s: %x, %v; want %q", c.a, c.kind, feature, err, c.feature)
		}
	}
}

func TestCellsKeepTheirText(t *testing.T) {
	for _, c := range []struct {
		a    arrow.Array
		kind types.ValueType_Enum
		want string
	}{
		{texts(t, "a\x00b"), types.ValueType_STRING, "a\x00b"},
		{texts(t, ` {"a" : NaN, "b":"NaN Infinity", "c":[-Infinity]} `), types.ValueType_JSON, ` {"a" : NaN, "b":"NaN Infinity", "c":[-Infinity]} `},
		{texts(t, `{"a":1e400}`), types.ValueType_JSON, `{"a":1e400}`},
		{column(t, arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String}), `[{"a":"é\u2028\"\\\n\u007f😀"}]`), types.ValueType_JSON, `{"a": "\u00e9\u2028\"\\\n\u007f\ud83d\ude00"}`},
		{column(t, arrow.BinaryTypes.Binary, `["J1wiYQk="]`), types.ValueType_STRING, `b'\'\\"a\t'`},
	} {
		got, err := value.NewArrowEncoder(c.a.DataType(), c.kind).Append(nil, c.a, 0)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := value.AppendText(nil, c.kind, c.want); !bytes.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// FuzzCellText gives text of a source to every value type: every reader accepts
// what is stored.
func FuzzCellText(f *testing.F) {
	for _, s := range []string{"7", "7.5", `{"a":[1,2.5,null,{"b":"é"}]}`, "[{}]", "NaN", "\xff", `{"a":NaN}`, "1e400", "-.5", "00.10", "٧_0", `{"a":"\ud800"}`, "Infinity"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range []arrow.Array{texts(t, s), decimals(t, s), listOf(t, texts(t, s)), structOf(t, texts(t, s))} {
			for name, kind := range kinds() {
				got, err := value.NewArrowEncoder(a.DataType(), kind).AppendFeature(nil, a, 0)
				if err != nil {
					if fault.KindOf(err) != fault.Invalid || len(fault.Of(err).Text) > 1000 {
						t.Fatalf("%q as %s: %v", s, name, err)
					}
					continue
				}
				if _, isDecimal := a.DataType().(*value.DecimalText); isDecimal {
					continue // from a server, not from outside
				}
				if err := value.Check(got); err != nil {
					t.Fatalf("%q as %s: %v", s, name, err)
				}
			}
		}
	})
}

// TestHalfFloats has numpy's texts; all 65536 half floats were compared once.
func TestHalfFloats(t *testing.T) {
	b := array.NewFloat16Builder(memory.DefaultAllocator)
	defer b.Release()
	cells := map[uint16]string{
		0x0001: "6e-08", 0x2400: "0.01563", 0x3400: "0.25", 0x3c01: "1.001", 0x6400: "1.024e+03", 0x63cf: "999.5",
		0x7bff: "6.55e+04", 0x8000: "-0.0", 0xfc00: "-inf", 0x7c01: "",
	}
	bits := slices.Sorted(maps.Keys(cells))
	for _, v := range bits {
		b.Append(float16.FromBits(v))
	}
	a := b.NewArray()
	defer a.Release()
	for i, v := range bits {
		got, err := value.NewArrowEncoder(a.DataType(), types.ValueType_STRING).Append(nil, a, i)
		if s, _ := value.String(got); err != nil || s != cells[v] {
			t.Errorf("%04x: %q, %v; want %q", v, s, err, cells[v])
		}
	}
	got, err := value.NewArrowEncoder(a.DataType(), types.ValueType_DOUBLE).Append(nil, a, 0)
	if f, _ := value.Float64(got); err != nil || f != 5.960464477539063e-08 {
		t.Errorf("the smallest is %v, %v", f, err)
	}
}

func TestTimesAtTheEnds(t *testing.T) {
	nanos := func(v int64) arrow.Array {
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Nanosecond})
		defer b.Release()
		b.Append(arrow.Timestamp(v))
		a := b.NewArray()
		t.Cleanup(a.Release)
		return a
	}
	for _, c := range []struct {
		a    arrow.Array
		want int64
	}{
		{nanos(math.MaxInt64), 9223372036}, // the last time of pandas is not an infinity
		{nanos(-math.MaxInt64), -9223372037},
		{nanos(math.MinInt64), math.MinInt64},
		{times(t, math.MinInt64), math.MinInt64},
		{times(t, -1), -1},
		{times(t, math.MaxInt64-1), 9223372036854}, // the last one that microseconds can represent
		{column(t, arrow.PrimitiveTypes.Date32, "[2147483647]"), 2147483647 * 86400},
	} {
		got, err := value.NewArrowEncoder(c.a.DataType(), types.ValueType_UNIX_TIMESTAMP).AppendFeature(nil, c.a, 0)
		if v, _ := value.Int64(got); err != nil || v != c.want {
			t.Errorf("%v: %d, %v; want %d", c.a, v, err, c.want)
		}
	}
	got, err := value.NewArrowEncoder(arrow.FixedWidthTypes.Timestamp_us, types.ValueType_STRING).Append(nil, times(t, math.MaxInt64-1), 0)
	if s, _ := value.String(got); err != nil || s != "294247-01-10T04:00:54.775806" {
		t.Errorf("%q, %v", s, err)
	}
}
