package offlinetest

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// kind is the value type for which a column of an Arrow type is read.
func kind(of arrow.DataType) types.ValueType_Enum {
	switch of.ID() {
	case arrow.INT16, arrow.INT32:
		return types.ValueType_INT32
	case arrow.INT64:
		return types.ValueType_INT64
	case arrow.FLOAT32:
		return types.ValueType_FLOAT
	case arrow.FLOAT64:
		return types.ValueType_DOUBLE
	case arrow.DECIMAL128:
		return types.ValueType_DECIMAL
	case arrow.BINARY:
		return types.ValueType_BYTES
	case arrow.BOOL:
		return types.ValueType_BOOL
	case arrow.TIMESTAMP, arrow.DATE32:
		return types.ValueType_UNIX_TIMESTAMP
	}
	if list, ok := of.(*arrow.ListType); ok {
		return kind(list.Elem()) + types.ValueType_BYTES_LIST - types.ValueType_BYTES
	}
	return types.ValueType_STRING
}

// same reads columns of one length back and compares them with what was
// written.
func same(t testing.TB, b Backend, columns ...column) {
	t.Helper()
	n := len(columns[0].cells)
	var q offline.Query
	for _, c := range columns {
		q.Columns, q.Types = append(q.Columns, c.name), append(q.Types, kind(c.of))
	}
	columns = append(columns, ts(days(n)...))
	q.Source, q.Timestamp = write(t, b, columns...), "ts"
	want(t, read(t, b.Store(), q), show(record(t, columns...))...)
}

func integers(t testing.TB, b Backend) {
	same(t, b,
		column{"i16", arrow.PrimitiveTypes.Int16, []string{"-32768", "32767", "0", null}},
		column{"i32", arrow.PrimitiveTypes.Int32, []string{"-2147483648", "2147483647", "0", null}},
		column{"i64", arrow.PrimitiveTypes.Int64, []string{"-9223372036854775808", "9223372036854775807", "9007199254740993", null}})
}

func floats(t testing.TB, b Backend) {
	same(t, b,
		column{"f32", arrow.PrimitiveTypes.Float32, []string{"0.1", "-0", "+Inf", "3.4028235e38", "1e-45", null}},
		column{"f64", arrow.PrimitiveTypes.Float64, []string{"0.1", "-0", "-Inf", "1.7976931348623157e308", "5e-324", null}})
}

func notNumbers(t testing.TB, b Backend) {
	same(t, b,
		column{"f32", arrow.PrimitiveTypes.Float32, []string{"NaN", null}},
		column{"f64", arrow.PrimitiveTypes.Float64, []string{"NaN", null}})
}

func decimals(t testing.TB, b Backend) {
	same(t, b,
		column{"d2", &arrow.Decimal128Type{Precision: 9, Scale: 2}, []string{"12.30", "100.00", "-0.05", "0.00", null}},
		column{"d20", &arrow.Decimal128Type{Precision: 38, Scale: 18}, []string{"9007199254740993.000000000000000001", "12345678901234567890.000000000000000000", "-0.000000000000000001", "1.100000000000000000", null}},
		column{"d0", &arrow.Decimal128Type{Precision: 20}, []string{"9007199254740993", "18446744073709551615", "-1", "100", null}})
}

func texts(t testing.TB, b Backend) {
	same(t, b, column{"s", str, []string{
		"plain", " blanks ", `quotes " and '`, "a,b;c\td", "two\nlines", `back\slash \N \\.`, "größe 東京 \U0001f600", "é", "e\u0301", "{1,2}", "12.30", null,
	}})
}

func emptyTexts(t testing.TB, b Backend) { same(t, b, column{"s", str, []string{"", null, "x"}}) }

func binaries(t testing.TB, b Backend) {
	same(t, b, column{"y", arrow.BinaryTypes.Binary, []string{"AAEC/f7/", "", null}})
}

func bools(t testing.TB, b Backend) {
	same(t, b, column{"b", arrow.FixedWidthTypes.Boolean, []string{"true", "false", null}})
}

func timeCells(t testing.TB, b Backend) {
	same(t, b,
		column{"us", micros, []string{"2024-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z", "1700-01-01T00:00:00Z", null}},
		column{"plain", &arrow.TimestampType{Unit: arrow.Microsecond}, []string{"2024-01-02 03:04:05.000006", "1969-12-31 23:59:59.999999", "1700-01-01 00:00:00", null}},
		column{"day", arrow.FixedWidthTypes.Date32, []string{"2024-02-29", "1969-12-31", "1700-01-01", null}})
}

var (
	infinity      = strconv.FormatInt(value.Infinity, 10)
	minusInfinity = strconv.FormatInt(value.MinusInfinity, 10)
)

func infinities(t testing.TB, b Backend) {
	both := array.NewListBuilder(memory.DefaultAllocator, micros)
	defer both.Release()
	both.Append(true)
	if values, ok := both.ValueBuilder().(*array.TimestampBuilder); ok {
		values.AppendValues([]arrow.Timestamp{value.Infinity, value.MinusInfinity}, nil)
	}
	both.Append(true)
	heads := []column{{"at", micros, []string{infinity, minusInfinity}}, {"list", arrow.ListOf(micros), nil}, ts(days(2)...)}
	plain := record(t, heads[0], heads[2])
	schema := record(t, column{"at", micros, nil}, column{"list", arrow.ListOf(micros), nil}, ts()).Schema()
	rows := array.NewRecordBatch(schema, []arrow.Array{plain.Column(0), both.NewArray(), plain.Column(1)}, 2)
	src := writeRows(t, b, "src", End, slices.Values([]arrow.RecordBatch{rows}), heads...)
	want(t, read(t, b.Store(), query(src, "at", "list")), show(rows)...)
}

func lists(t testing.TB, b Backend) {
	same(t, b,
		column{"ints", arrow.ListOf(arrow.PrimitiveTypes.Int64), []string{"[5, null, 9007199254740993]", "[null]", "[0]", null}},
		column{"doubles", arrow.ListOf(arrow.PrimitiveTypes.Float64), []string{"[0.25, null, 1]", "[null]", "[0]", null}},
		column{"texts", arrow.ListOf(str), []string{`["a", null, "", "NULL", "b,c", "\"q\"", "{}", "\\"]`, "[null]", `[""]`, null}},
		column{"flags", arrow.ListOf(arrow.FixedWidthTypes.Boolean), []string{"[true, null, false]", "[null]", "[false]", null}},
		column{"times", arrow.ListOf(micros), []string{`["2024-01-02T03:04:05.000006Z", null]`, "[null]", `["1970-01-01T00:00:00Z"]`, null}})
}

func emptyLists(t testing.TB, b Backend) {
	same(t, b, column{"l", arrow.ListOf(arrow.PrimitiveTypes.Int64), []string{"[]", null, "[1]"}})
}

func allNull(t testing.TB, b Backend) {
	none := []string{null, null}
	same(t, b,
		column{"untyped", arrow.Null, none}, column{"text", str, none}, column{"int", arrow.PrimitiveTypes.Int64, none},
		column{"double", arrow.PrimitiveTypes.Float64, none}, column{"at", micros, none})
}

// wantTimes reads a source whose event and created times have a type, and
// compares them with the given times.
func wantTimes(t testing.TB, b Backend, of arrow.DataType, cells, times []string) {
	t.Helper()
	src := write(t, b, column{"ts", of, cells}, column{"made", of, cells})
	q := query(src)
	q.Created = "made"
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: Range: %v: %v", of, err, fault.Cause(err))
	}
	defer r.Release()
	for _, f := range r.Schema().Fields() {
		if at, ok := f.Type.(*arrow.TimestampType); !ok || at.TimeZone != "UTC" {
			t.Errorf("%s: column %s comes as %s, want a timestamp in UTC", of, f.Name, f.Type)
		}
	}
	rows := drain(t, r)
	if r.Err() != nil {
		t.Fatalf("%s: %v: %v", of, r.Err(), fault.Cause(r.Err()))
	}
	expected := make([]string, len(times))
	for i, at := range times {
		expected[i] = "time " + at + " | time " + at
	}
	want(t, sorted(rows), expected...)
}

func timesInUTC(t testing.TB, b Backend) {
	wantTimes(t, b, micros, []string{"2024-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z"}, []string{"2024-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z"})
	wantTimes(t, b, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Seoul"}, []string{"2024-01-02T03:04:05.006+09:00"}, []string{"2024-01-01T18:04:05.006Z"})
}

func fineTimes(t testing.TB, b Backend) {
	wantTimes(t, b, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"},
		[]string{"2024-01-02T03:04:05.000000500Z", "2024-01-02T03:04:05.000001Z"}, []string{"2024-01-02T03:04:05.0000005Z", "2024-01-02T03:04:05.000001Z"})
}

func zoneless(t testing.TB, b Backend) {
	wantTimes(t, b, &arrow.TimestampType{Unit: arrow.Microsecond}, []string{"2024-03-10 02:30:00.000001", "1969-12-31 23:59:59"}, []string{"2024-03-10T02:30:00.000001Z", "1969-12-31T23:59:59Z"})
}

func dates(t testing.TB, b Backend) {
	wantTimes(t, b, arrow.FixedWidthTypes.Date32, []string{"2024-02-29", "1969-12-31"}, []string{"2024-02-29T00:00:00Z", "1969-12-31T00:00:00Z"})
}

func textTimes(t testing.TB, b Backend) {
	wantTimes(t, b, str,
		[]string{"2024-01-02 03:04:05.000006+09", "2024-01-02T03:04:05Z", "2024-01-02 03:04", "2024-01-02", "2024-01-02 03:04:05 UTC"},
		[]string{"2024-01-01T18:04:05.000006Z", "2024-01-02T03:04:05Z", "2024-01-02T03:04:00Z", "2024-01-02T00:00:00Z", "2024-01-02T03:04:05Z"})
}

func boundsOfEncodings(t testing.TB, b Backend) {
	for _, c := range []struct {
		of    arrow.DataType
		cells [3]string
	}{
		{arrow.FixedWidthTypes.Date32, [3]string{"2024-01-01", "2024-01-02", "2024-01-03"}},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, [3]string{"2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-03 00:00:00"}},
		{&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Seoul"}, [3]string{"2024-01-01T09:00:00+09:00", "2024-01-02T09:00:00+09:00", "2024-01-03T09:00:00+09:00"}},
		{&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, [3]string{"2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"}},
		{str, [3]string{"2024-01-01T09:00:00+09:00", "2024-01-02", "2024-01-02 19:00:00-05"}}, // in the order of text the last would not be last
	} {
		src := write(t, b, key("d0", "d1", "d2"), column{"ts", c.of, c.cells[:]}, column{"made", c.of, c.cells[:]})
		q := query(src, "k")
		q.Start, q.End = day(1), day(1)
		wantKeys(t, b, q, "d1")
		got, err := b.Store().Span(t.Context(), q)
		if err != nil || got.Rows != 1 || !got.First.Equal(day(1)) || !got.Last.Equal(day(1)) {
			t.Errorf("%s: span %+v, %v; want one row at %v", c.of, got, err, day(1))
		}
		q = query(src, "k")
		q.Created, q.CreatedAfter = "made", day(1)
		wantKeys(t, b, q, "d2")
	}
}

func numberTimes(t testing.TB, b Backend) {
	src := write(t, b, key("x"), ts(days(1)...), column{"seconds", arrow.PrimitiveTypes.Int64, []string{"1704067200"}}, column{"double", arrow.PrimitiveTypes.Float64, []string{"1704067200.5"}})
	for _, name := range []string{"seconds", "double"} {
		q := query(src, "k")
		q.Timestamp = name
		_, err := attempt(t, t.Context(), b.Store(), q)
		refused(t, err, invalid, "src", name)
		_, err = b.Store().Span(t.Context(), q)
		refused(t, err, invalid, "src", name)
		q.Timestamp, q.Created = "ts", name
		_, err = attempt(t, t.Context(), b.Store(), q)
		refused(t, err, invalid, "src", name)
	}
}

// refusedRow expects an error about the row, or about one of several. A text
// file's first line is the header.
func refusedRow(t testing.TB, err error, column string, rows ...int) {
	t.Helper()
	refused(t, err, invalid, "src", column)
	if err == nil {
		return
	}
	for _, row := range rows {
		if regexp.MustCompile(fmt.Sprintf(`\b(row %d|line %d)\b`, row, row+1)).MatchString(err.Error()) {
			return
		}
	}
	t.Errorf("%q does not name row %v", err, rows)
}

func badTimes(t testing.TB, b Backend) {
	good, bad := []string{"2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"}, []string{"2024-01-01", "2024-01-02", "20:00 EST", "2024-01-04"}
	src := write(t, b, key("a", "b", "c", "d"), column{"ts", str, good}, column{"made", str, bad})
	q := query(src, "k")
	q.Timestamp = "made"
	_, err := attempt(t, t.Context(), b.Store(), q)
	refusedRow(t, err, "made", 3)
	q.Timestamp, q.Created = "ts", "made"
	_, err = attempt(t, t.Context(), b.Store(), q)
	refusedRow(t, err, "made", 3)
}

// lateBadTime has its bad cell after the first batch.
func lateBadTime(t testing.TB, b Backend) {
	const bad = longRows - 1000
	cells := slices.Repeat([]string{"2024-01-01"}, longRows)
	cells[bad-1] = "yesterday"
	src := write(t, b, key(cells...), column{"at", str, cells})
	q := query(src)
	q.Timestamp = "at"
	_, err := attempt(t, t.Context(), b.Store(), q)
	refusedRow(t, err, "at", bad)
}

// farTimes are beyond the range of 64 bits of nanoseconds, or finer than
// microseconds, or, in one source of text, both.
func farTimes(t testing.TB, b Backend) {
	const old, fine = "0001-01-01T00:00:00Z", "2024-01-01T00:00:00.0000005Z"
	near := slices.Clip([]string{days(1)[0], days(2)[1]})
	for _, c := range []struct {
		of    arrow.DataType
		cells []string
		rows  []int // those that may be refused
	}{
		{micros, append(near, old), []int{3}},
		{micros, append(near, "1582-10-14T00:00:00Z"), []int{3}},
		{micros, append(near, "9999-12-31T23:59:59.999999Z"), []int{3}},
		{str, append(near, old), []int{3}},
		{str, append(near, "9999-12-31T23:59:59.999999Z"), []int{3}},
		{str, append(near, fine), []int{3}},
		{str, []string{old, days(1)[0], fine}, []int{1, 3}},
		{str, []string{fine, days(1)[0], old}, []int{1, 3}},
	} {
		q := query(write(t, b, column{"far", c.of, c.cells}))
		q.Timestamp = "far"
		rows, err := attempt(t, t.Context(), b.Store(), q)
		if err != nil {
			refusedRow(t, err, "far", c.rows...)
			continue
		}
		want(t, rows, "time "+c.cells[0], "time "+c.cells[1], "time "+c.cells[2])
	}
}

func infiniteTimes(t testing.TB, b Backend) {
	for _, cell := range []string{infinity, minusInfinity} {
		src := write(t, b, key("a", "b", "c", "d"), ts(days(4)...), column{"made", micros, []string{days(4)[0], null, cell, days(4)[3]}}, column{"at", micros, []string{days(4)[0], days(4)[1], cell, days(4)[3]}})
		q := query(src, "k")
		q.Timestamp = "at"
		_, err := attempt(t, t.Context(), b.Store(), q)
		refusedRow(t, err, "at", 3)
		q.Timestamp, q.Created = "ts", "made"
		_, err = attempt(t, t.Context(), b.Store(), q)
		refusedRow(t, err, "made", 3)
	}
}

func columns(t testing.TB, b Backend) {
	src := write(t, b,
		column{"z", str, []string{"x"}}, column{"n", arrow.PrimitiveTypes.Int64, []string{"1"}}, ts(days(1)...),
		column{"b", arrow.FixedWidthTypes.Boolean, []string{"true"}}, column{"x", arrow.PrimitiveTypes.Float64, []string{"0.5"}})
	got, err := b.Store().Columns(t.Context(), src)
	if err != nil {
		t.Fatalf("Columns: %v: %v", err, fault.Cause(err))
	}
	for i, c := range got {
		if c.Native == "" {
			t.Errorf("column %s has no native type", c.Name)
		}
		got[i].Native = "" // the source's own name of it
	}
	expected := []offline.Column{
		{Name: "z", Type: types.ValueType_STRING},
		{Name: "n", Type: types.ValueType_INT64},
		{Name: "ts", Type: types.ValueType_UNIX_TIMESTAMP},
		{Name: "b", Type: types.ValueType_BOOL},
		{Name: "x", Type: types.ValueType_DOUBLE},
	}
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		t.Errorf("columns %v, want %v", got, expected)
	}
}

func span(t testing.TB, b Backend) {
	made := []string{"2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z", null, "2024-03-03T00:00:00Z", "2024-03-04T00:00:00Z", null}
	all := query(write(t, b, key("a", null, "c", "d", "e", "f"), ts(append(days(5), null)...), column{"made", micros, made}))
	bounded, created, both := all, all, all
	bounded.Start, bounded.End = day(1), day(3)
	created.Created, created.CreatedAfter = "made", day(61) // 2024-03-02
	both.Created, both.CreatedAfter, both.End = "made", day(61), day(3)
	for _, c := range []struct {
		q           offline.Query
		rows        int64
		first, last int
	}{{all, 5, 0, 4}, {bounded, 3, 1, 3}, {created, 2, 3, 4}, {both, 1, 3, 3}} {
		got, err := b.Store().Span(t.Context(), c.q)
		if err != nil {
			t.Fatalf("Span: %v: %v", err, fault.Cause(err))
		}
		if got.Rows != c.rows || !got.First.Equal(day(c.first)) || !got.Last.Equal(day(c.last)) {
			t.Errorf("span %+v, want %d rows from %v to %v", got, c.rows, day(c.first), day(c.last))
		}
	}
}

func spanColumns(t testing.TB, b Backend) {
	q := week(t, b)
	q.Columns = []string{"no such column"}
	if got, err := b.Store().Span(t.Context(), q); err != nil || got.Rows != 7 {
		t.Errorf("span %+v, %v; want 7 rows", got, err)
	}
}

func spanFails(t testing.TB, b Backend) {
	q := query(write(t, b, column{"at", str, []string{"2024-01-01", "20:00 EST"}}))
	q.Timestamp = "at"
	_, err := b.Store().Span(t.Context(), q)
	refused(t, err, invalid, "src", "at")
}

// spanOfInfinities has a source whose last time is infinite, or, if the source
// has no infinity, far in the future.
func spanOfInfinities(t testing.TB, b Backend) {
	for _, cell := range []string{infinity, minusInfinity} {
		q := query(write(t, b, column{"at", micros, []string{days(1)[0], cell}}))
		q.Timestamp = "at"
		got, err := b.Store().Span(t.Context(), q)
		if err != nil {
			refused(t, err, invalid, "src", "at")
			continue
		}
		if _, err := attempt(t, t.Context(), b.Store(), q); err != nil && got != (offline.Span{Rows: 1, First: day(0), Last: day(0)}) {
			t.Errorf("span %+v, want one row at %v", got, day(0))
		}
	}
}

func spanOfNone(t testing.TB, b Backend) {
	q := query(write(t, b, key("x", "y"), ts("2024-01-01T00:00:00Z", null)))
	q.Start = day(math.MaxInt8)
	if got, err := b.Store().Span(t.Context(), q); err != nil || got != (offline.Span{}) {
		t.Errorf("span %+v, %v; want the zero Span", got, err)
	}
}
