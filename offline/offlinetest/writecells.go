package offlinetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/offline"
)

// wrote writes columns to a source that has them already, and to a new one, and
// compares what is read back.
func wrote(t testing.TB, b WriterBackend, columns ...column) {
	t.Helper()
	n := len(columns[0].cells)
	q := offline.Query{Timestamp: "ts"}
	for _, c := range columns {
		q.Columns, q.Types = append(q.Columns, c.name), append(q.Types, kind(c.of))
	}
	columns = append(columns, ts(days(n)...))
	batch := record(t, columns...)
	q.Source = write(t, b, columns...)
	add(t, b, q.Source, rowsOf(t, batch), int64(n))
	want(t, read(t, b.Store(), q), shown(batch, batch)...)
	q.Source = b.Place(t, "made")
	create(t, b, q.Source, rowsOf(t, batch), true, int64(n))
	want(t, read(t, b.Store(), q), shown(batch)...)
}

func writtenNumbers(t testing.TB, b WriterBackend) {
	wrote(t, b,
		column{"i32", arrow.PrimitiveTypes.Int32, []string{"-2147483648", "2147483647", "0", null}},
		column{"i64", arrow.PrimitiveTypes.Int64, []string{"-9223372036854775808", "9223372036854775807", "9007199254740993", null}},
		column{"f32", arrow.PrimitiveTypes.Float32, []string{"0.1", "-0", "+Inf", null}},
		column{"f64", arrow.PrimitiveTypes.Float64, []string{"1.7976931348623157e308", "5e-324", "-Inf", null}})
}

func writtenDecimals(t testing.TB, b WriterBackend) {
	wrote(t, b,
		column{"d2", &arrow.Decimal128Type{Precision: 9, Scale: 2}, []string{"12.30", "100.00", "-0.05", null}},
		column{"d20", &arrow.Decimal128Type{Precision: 38, Scale: 18}, []string{"9007199254740993.000000000000000001", "-0.000000000000000001", "1.100000000000000000", null}})
}

func writtenTexts(t testing.TB, b WriterBackend) {
	wrote(t, b,
		column{"s", str, []string{"plain", " blanks ", `quotes " and '`, "a,b;c\td", "two\nlines", "both\r\nkinds", `back\slash \N \\.`, `\.`, "größe 東京 \U0001f600", "e\u0301", "{1,2}", "12.30", "007", null}},
		column{"b", arrow.FixedWidthTypes.Boolean, []string{"true", "false", null, "true", "false", null, "true", "false", null, "true", "false", null, "true", "false"}})
	wrote(t, b, column{"alone", str, []string{null, "x"}})
}

func writtenBytes(t testing.TB, b WriterBackend) {
	wrote(t, b, column{"y", arrow.BinaryTypes.Binary, []string{"AAEC/f7/", "XA==", "", null}})
}

func writtenEmpty(t testing.TB, b WriterBackend) {
	wrote(t, b,
		column{"s", str, []string{"", null, "NULL", "nan"}},
		column{"f", arrow.PrimitiveTypes.Float64, []string{"NaN", null, "0", "1"}})
}

func writtenTimes(t testing.TB, b WriterBackend) {
	wrote(t, b,
		column{"us", micros, []string{"2024-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z", "1700-01-01T00:00:00Z", null}},
		column{"plain", &arrow.TimestampType{Unit: arrow.Microsecond}, []string{"2024-01-02 03:04:05.000006", "1969-12-31 23:59:59.999999", "1700-01-01 00:00:00", null}},
		column{"day", arrow.FixedWidthTypes.Date32, []string{"2024-02-29", "1969-12-31", "1700-01-01", null}})
}

func writtenLists(t testing.TB, b WriterBackend) {
	wrote(t, b,
		column{"ints", arrow.ListOf(arrow.PrimitiveTypes.Int64), []string{"[5, null, 9007199254740993]", "[null]", "[]", null}},
		column{"doubles", arrow.ListOf(arrow.PrimitiveTypes.Float64), []string{"[0.25, null, 1]", "[null]", "[]", null}},
		column{"texts", arrow.ListOf(str), []string{`["a", null, "", "NULL", "b,c", "\"q\"", "{}", "\\"]`, "[null]", `[""]`, null}},
		column{"flags", arrow.ListOf(arrow.FixedWidthTypes.Boolean), []string{"[true, null, false]", "[null]", "[]", null}},
		column{"times", arrow.ListOf(micros), []string{`["2024-01-02T03:04:05.000006Z", null]`, "[null]", `[]`, null}})
}

// cast is a cell of one type that is written to a column of another.
type cast struct {
	of   arrow.DataType
	cell string
	to   arrow.DataType
	// becomes is the cell that is read; empty if the cell is refused.
	becomes string
}

// The types between which cells are converted.
var (
	i32, i64 = arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64
	f32, f64 = arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64
	date     = arrow.FixedWidthTypes.Date32
	naive    = &arrow.TimestampType{Unit: arrow.Microsecond}
	ns       = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	seoul    = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Seoul"}
	words    = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: str}
)

// becomes appends the cell of each cast to a column that holds nulls.
func becomes(t testing.TB, b WriterBackend, casts ...cast) {
	t.Helper()
	old, added, read1 := []column{ts(days(1)...)}, []column{ts(days(1)...)}, []column(nil)
	q := offline.Query{Timestamp: "ts"}
	for i, c := range casts {
		name := fmt.Sprintf("%s to %s %d", c.of, c.to, i)
		old, added = append(old, column{name, c.to, []string{null}}), append(added, column{name, c.of, []string{c.cell}})
		read1 = append(read1, column{name, c.to, []string{c.becomes}})
		q.Columns, q.Types = append(q.Columns, name), append(q.Types, kind(c.to))
	}
	q.Source = write(t, b, old...)
	add(t, b, q.Source, rowsOf(t, record(t, added...)), 1)
	want(t, read(t, b.Store(), q), shown(record(t, append(slices.Clone(old[1:]), old[0])...), record(t, append(read1, added[0])...))...)
}

func converted(t testing.TB, b WriterBackend) {
	becomes(t, b,
		cast{i64, "7", i32, "7"},
		cast{arrow.PrimitiveTypes.Uint64, "9007199254740993", i64, "9007199254740993"},
		cast{f64, "7", i64, "7"},
		cast{f64, "1000000000000000128", i64, "1000000000000000128"},
		cast{i64, "7", f64, "7"},
		cast{i64, "1000000000000000128", f64, "1000000000000000128"},
		cast{f32, "0.5", f64, "0.5"},
		cast{ns, "2024-01-02T03:04:05.000006Z", micros, "2024-01-02T03:04:05.000006Z"},
		cast{date, "2024-01-02", micros, "2024-01-02T00:00:00Z"},
		cast{ns, "2024-01-02T00:00:00Z", date, "2024-01-02"},
		cast{str, "2024-01-02T03:04:05+09:00", micros, "2024-01-01T18:04:05Z"},
		cast{words, "one", str, "one"},
		cast{arrow.BinaryTypes.LargeString, "large", str, "large"},
		cast{arrow.Null, null, i64, null},
		cast{arrow.Null, null, str, null})
}

func convertedZones(t testing.TB, b WriterBackend) {
	becomes(t, b,
		cast{naive, "2024-01-02 03:04:05", micros, "2024-01-02T03:04:05Z"},
		cast{micros, "2024-01-02T03:04:05Z", naive, "2024-01-02 03:04:05"},
		cast{seoul, "2024-01-02T03:04:05+09:00", naive, "2024-01-01 18:04:05"},
		cast{str, "2024-01-02 03:04:05+09:00", naive, "2024-01-01 18:04:05"},
		cast{str, "2024-01-02 03:04:05", micros, "2024-01-02T03:04:05Z"})
}

func rounded(t testing.TB, b WriterBackend) {
	becomes(t, b, cast{f64, "0.1", f32, "0.1"}, cast{f64, "-0", f32, "-0"}, cast{f64, "+Inf", f32, "+Inf"})
}

// refusedCasts are cells that a column would change.
var refusedCasts = []cast{
	{of: i64, cell: "2147483648", to: i32},
	{of: i64, cell: "-2147483649", to: i32},
	{of: f64, cell: "1.5", to: i64},
	{of: f64, cell: "1e300", to: i64},
	{of: f64, cell: "NaN", to: i64},
	{of: f64, cell: "1e300", to: f32},
	{of: i64, cell: "9007199254740993", to: f64},
	{of: i64, cell: "1000000000000000100", to: f64}, // the shortest text of the nearest
	{of: arrow.PrimitiveTypes.Uint64, cell: "18446744073709551615", to: i64},
	{of: ns, cell: "2024-01-02T03:04:05.000000007Z", to: micros},
	{of: ns, cell: "2024-01-02T03:04:05Z", to: date},
	{of: str, cell: "no time", to: micros},
}

func misfits(t testing.TB, b WriterBackend) {
	for i, c := range refusedCasts {
		src := writeRows(t, b, "src", End, slices.Values([]arrow.RecordBatch{record(t, column{"narrow", c.to, []string{null}}, ts(days(1)...))}), column{"narrow", c.to, nil}, ts())
		before := b.Objects(t)
		err := addFails(t, b, src, rowsOf(t, record(t, column{"narrow", c.of, []string{null, c.cell, null}}, ts(days(3)...))))
		refused(t, err, invalid, "src", "narrow", "row 2")
		if t.Failed() {
			t.Errorf("case %d: %s %s to %s", i, c.of, c.cell, c.to)
		}
		nothingWritten(t, b, before)
	}
}

func lateMisfit(t testing.TB, b WriterBackend) {
	src := write(t, b, column{"narrow", i32, []string{"1"}}, ts(days(1)...))
	wide := func(cells ...string) arrow.RecordBatch {
		return record(t, column{"narrow", i64, cells}, ts(days(len(cells))...))
	}
	err := addFails(t, b, src, rowsOf(t, wide("1", "2"), wide("3"), wide(), wide("4", "5000000000", "6")))
	refused(t, err, invalid, "src", "narrow", "row 5")
	want(t, read(t, b.Store(), query(src, "narrow")), "int 1 | time 2024-01-01T00:00:00Z")
}

func otherTypes(t testing.TB, b WriterBackend) {
	for _, c := range []cast{
		{of: i64, cell: "5", to: str},
		{of: i64, cell: "5", to: micros},
		{of: f64, cell: "5", to: arrow.FixedWidthTypes.Boolean},
		{of: arrow.ListOf(i64), cell: "[5]", to: i64},
		{of: str, cell: "x", to: arrow.ListOf(i64)},
	} {
		src := writeRows(t, b, "src", End, slices.Values([]arrow.RecordBatch{record(t, column{"of another type", c.to, []string{null}}, ts(days(1)...))}), column{"of another type", c.to, nil}, ts())
		err := addFails(t, b, src, rowsOf(t, record(t, column{"of another type", c.of, []string{c.cell}}, ts(days(1)...))))
		refused(t, err, invalid, "src", "of another type")
		if t.Failed() {
			t.Errorf("%s %s to %s", c.of, c.cell, c.to)
		}
	}
}
