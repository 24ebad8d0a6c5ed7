package offlinetest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

func joinKeys(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "2 20 05:00", "-1 30 05:00", "0 40 05:00")
	wantFeatures(t, b, of(asked(t, "0 06:00", "2 06:00", "3 06:00", "-1 06:00", "1 06:00"), v), "40", "20", "-", "30", "10")
}

// pairs writes a source of two text keys, whose features are the numbers of the
// rows.
func pairs(t testing.TB, b Backend, first, second column) offline.JoinView {
	t.Helper()
	var fs, at []string
	for i := range first.cells {
		fs, at = append(fs, strconv.Itoa(i)), append(at, "05:00")
	}
	v := viewOf("v", writeNamed(t, b, "pairs", End, first, second, ints("f", fs...), times("ts", at...), times("made", at...)))
	v.Keys = []offline.JoinKey{{Column: first.name, Entity: 1, Type: kind(first.of)}, {Column: second.name, Entity: 0, Type: kind(second.of)}}
	return v
}

func joinSeveralKeys(t testing.TB, b Backend) {
	one, two := []string{"1", "12", "a", "a|b", "", "b", "x y", "x"}, []string{"23", "3", "b", "c", "ab", "a", "z", "y z"}
	v := pairs(t, b, strs("one", one...), strs("two", two...))
	at := slices.Repeat([]string{"06:00"}, len(one))
	want := features("0", "1", "2", "3", "4", "5", "6", "7")
	if _, kept := keptEmpty(t, b, v); !kept { // an empty text may be null in the source
		want[4] = "null"
	}
	wantJoined(t, b, of(entities(t, strs("a", two...), strs("b", one...), times("at", at...)), v), want...)
	wantFeatures(t, b, of(entities(t, strs("a", "3", "123", "", "c", "b"), strs("b", "1", "", "123", "a", "a|b"), times("at", at[:5]...)), v), "-", "-", "-", "-", "-")
	v = pairs(t, b, ints("one", "1", "1", "2", "2"), strs("two", "1", "2", "1", "2"))
	wantFeatures(t, b, of(entities(t, strs("a", "2", "1", "2", "3"), ints("b", "2", "2", "1", "1"), times("at", at[:4]...)), v), "3", "2", "1", "-")
}

// keptEmpty reports whether a source keeps an empty text apart from a null.
func keptEmpty(t testing.TB, b Backend, v offline.JoinView) (rows []string, kept bool) {
	t.Helper()
	rows = read(t, b.Store(), offline.Query{Source: v.Source, Columns: []string{v.Keys[0].Column}, Timestamp: v.Timestamp})
	return rows, slices.ContainsFunc(rows, func(row string) bool { return row == "text  | time 2024-01-01T05:00:00Z" })
}

func joinIntegerKeys(t testing.TB, b Backend) {
	sources := []column{
		{"k", arrow.PrimitiveTypes.Int16, []string{"7", "8"}},
		{"k", arrow.PrimitiveTypes.Int32, []string{"7", "8"}},
		{"k", arrow.PrimitiveTypes.Int64, []string{"7", "8"}},
		{"k", arrow.PrimitiveTypes.Float64, []string{"7", "8"}},
		{"k", &arrow.Decimal128Type{Precision: 9, Scale: 2}, []string{"7.00", "8.00"}},
		{"k", str, []string{"7", "8"}},
	}
	rows := []column{
		{"k", arrow.PrimitiveTypes.Uint8, []string{"8", "7", "9"}},
		{"k", arrow.PrimitiveTypes.Int32, []string{"8", "7", "9"}},
		{"k", arrow.PrimitiveTypes.Uint64, []string{"8", "7", "9"}},
		{"k", arrow.PrimitiveTypes.Float32, []string{"8", "7", "9"}},
		{"k", arrow.BinaryTypes.LargeString, []string{"8", "7", "9"}},
		{"k", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: str}, []string{"8", "7", "9"}},
	}
	for i, c := range sources {
		v := viewOf("v", writeNamed(t, b, "src", End, c, ints("f", "70", "80"), times("ts", "05:00", "05:00"), times("made", "05:00", "05:00")))
		for j, r := range rows {
			if v.Keys[0].Type = types.ValueType_INT64; (i+j)%2 == 1 {
				v.Keys[0].Type = types.ValueType_INT32
			}
			wantFeatures(t, b, of(entities(t, r, times("at", "06:00", "06:00", "06:00")), v), "80", "70", "-")
		}
	}
}

func joinKeyTypes(t testing.TB, b Backend) {
	const uuid, other = "6a1ad0ba-5a3b-4a6a-9b0e-000000000001", "6a1ad0ba-5a3b-4a6a-9b0e-000000000002"
	for _, c := range []struct {
		of     types.ValueType_Enum
		source column
		rows   column
		want   []string
	}{
		{types.ValueType_STRING, strs("k", "a", "A"), strs("k", "A", "a", "a "), []string{"2", "1", "-"}},
		{types.ValueType_STRING, strs("k", "größe", "日本"), strs("k", "日本", "gro", "größe"), []string{"2", "-", "1"}},
		{types.ValueType_UUID, strs("k", uuid, other), strs("k", other, uuid, "6a1ad0ba-5a3b-4a6a-9b0e-000000000003"), []string{"2", "1", "-"}},
		{types.ValueType_BOOL, column{"k", arrow.FixedWidthTypes.Boolean, []string{"true", "false"}}, column{"k", arrow.FixedWidthTypes.Boolean, []string{"false", "true", null}}, []string{"2", "1", "-"}},
		{types.ValueType_DOUBLE, column{"k", arrow.PrimitiveTypes.Float64, []string{"0.1", "2"}}, column{"k", arrow.PrimitiveTypes.Float64, []string{"2", "0.1", "0.10000000000000002"}}, []string{"2", "1", "-"}},
		{types.ValueType_FLOAT, column{"k", arrow.PrimitiveTypes.Float32, []string{"0.1", "2"}}, column{"k", arrow.PrimitiveTypes.Float32, []string{"2", "0.1", "0.2"}}, []string{"2", "1", "-"}},
		{types.ValueType_UNIX_TIMESTAMP, times("k", "01:00", "02:00"), times("k", "02:00", "01:00", "03:00"), []string{"2", "1", "-"}},
	} {
		v := viewOf("v", writeNamed(t, b, "src", End, c.source, ints("f", "1", "2"), times("ts", "05:00", "05:00"), times("made", "05:00", "05:00")))
		v.Keys[0].Type = c.of
		wantFeatures(t, b, of(entities(t, c.rows, times("at", "06:00", "06:00", "06:00")), v), c.want...)
	}
}

func joinBytes(t testing.TB, b Backend) {
	c := column{"k", arrow.BinaryTypes.Binary, []string{"AAEC/f7/", "AA=="}}
	v := viewOf("v", writeNamed(t, b, "src", End, c, ints("f", "1", "2"), times("ts", "05:00", "05:00"), times("made", "05:00", "05:00")))
	v.Keys[0].Type = types.ValueType_BYTES
	wantFeatures(t, b, of(entities(t, column{"k", arrow.BinaryTypes.Binary, []string{"AA==", "AAEC/f7/", "AAE="}}, times("at", "06:00", "06:00", "06:00")), v), "2", "1", "-")
}

func joinExactKeys(t testing.TB, b Backend) {
	v := past(t, b, "v", "9007199254740992 1 05:00", "9007199254740993 2 05:00", "9223372036854775807 3 05:00", "-9223372036854775808 4 05:00", "4294967297 5 05:00", "1 6 05:00")
	wantFeatures(t, b, of(asked(t, "9007199254740993 06:00", "9007199254740992 06:00", "9223372036854775807 06:00", "-9223372036854775808 06:00", "4294967297 06:00", "1 06:00", "9223372036854775806 06:00"), v),
		"2", "1", "3", "4", "5", "6", "-")
	text := entities(t, strs("k", "9007199254740993", "4294967297"), times("at", "06:00", "06:00"))
	wantFeatures(t, b, of(text, v), "2", "5")
}

// joinBadKey has a bad key in the second batch, so that the row's number counts
// all batches.
func joinBadKey(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	for _, c := range []struct {
		of   types.ValueType_Enum
		cell column
	}{
		{types.ValueType_INT64, strs("loan", "one")},
		{types.ValueType_INT64, column{"loan", arrow.PrimitiveTypes.Float64, []string{"7.5"}}},
		{types.ValueType_INT32, ints("loan", "4294967297")},
		{types.ValueType_BOOL, column{"loan", arrow.FixedWidthTypes.Date32, []string{"2024-01-01"}}},
	} {
		v.Keys[0].Type = c.of
		nothing := column{c.cell.name, c.cell.of, []string{null, null}}
		first, then := record(t, nothing, times("at", "06:00", "06:00")), record(t, c.cell, times("at", "06:00"))
		_, err := attemptJoin(t, b.Store(), of(batches(t, first.Schema(), first, then), v))
		refused(t, err, invalid, "loan", "row 3")
	}
	v.Keys[0].Type = int64Type
	wantFeatures(t, b, of(asked(t, "1 06:00"), v), "10")
}

func joinBadSourceKey(t testing.TB, b Backend) {
	v := viewOf("v", writeNamed(t, b, "src", End, strs("k", "one", "7", "7.5", "", "8x", "99999999999999999999"), ints("f", "1", "2", "3", "4", "5", "6"),
		times("ts", "05:00", "05:00", "05:00", "05:00", "05:00", "05:00"), times("made", "05:00", "05:00", "05:00", "05:00", "05:00", "05:00")))
	wantFeatures(t, b, of(asked(t, "7 06:00", "8 06:00", "0 06:00", "- 06:00"), v), "2", "-", "-", "-")
}

func joinNullKeys(t testing.TB, b Backend) {
	v := past(t, b, "v", "- 10 05:00", "1 11 05:00", "- 12 06:00")
	wantFeatures(t, b, of(asked(t, "- 07:00", "1 07:00", "- 07:00"), v), "-", "11", "-")
	wantFeatures(t, b, of(entities(t, column{"k", arrow.Null, []string{null, null}}, times("at", "07:00", "07:00")), v), "-", "-")
	v = pairs(t, b, ints("one", "1", null, "2", null), ints("two", null, "1", "2", null))
	at := times("at", "07:00", "07:00", "07:00", "07:00")
	wantFeatures(t, b, of(entities(t, ints("a", null, "1", null, "2"), ints("b", "1", null, null, "2"), at), v), "-", "-", "-", "2")
}

func joinNoKeys(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "- 11 06:00", "2 12 07:00")
	v.Keys = nil
	wantFeatures(t, b, of(asked(t, "9 06:30", "- 04:00", "1 08:00", "2 06:00"), v), "11", "-", "12", "11")
	wantFeatures(t, b, of(entities(t, times("at", "05:00", "07:00")), v), "10", "12")
}
