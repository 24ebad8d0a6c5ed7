package offlinetest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

const (
	int64Type  = types.ValueType_INT64
	stringType = types.ValueType_STRING
)

// kindsOf repeats a value type.
func kindsOf(t types.ValueType_Enum, n int) []types.ValueType_Enum {
	all := make([]types.ValueType_Enum, n)
	for i := range all {
		all[i] = t
	}
	return all
}

// joinFields lists the fields of a join and checks that it has one row.
func joinFields(t testing.TB, b Backend, join offline.Join) []arrow.Field {
	t.Helper()
	r, err := joinerOf(t, b.Store()).PointInTime(t.Context(), join)
	if err != nil {
		t.Fatalf("PointInTime: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	if rows := drain(t, r); len(rows) != 1 || r.Err() != nil {
		t.Errorf("rows %v, %v; want one", rows, r.Err())
	}
	return r.Schema().Fields()
}

func wantFields(t testing.TB, fields []arrow.Field, want ...string) {
	t.Helper()
	var got []string
	for _, f := range fields {
		got = append(got, f.Name)
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("the fields are %q, want %q", got, want)
	}
}

func joinSchema(t testing.TB, b Backend) {
	src := writeNamed(t, b, "src", End, ints("k", "1"), ints("z", "5"), strs("a", "x"), ts(days(1)...))
	v := offline.JoinView{Name: "v", Source: src, Keys: keyed("k", int64Type), Features: []string{"z", "a"}, Types: []types.ValueType_Enum{int64Type, stringType}, Timestamp: "ts"}
	w := past(t, b, "other", "1 6 05:00 06:00")
	wantFields(t, joinFields(t, b, of(asked(t, "1 07:00"), v, w)), "z", "a", "f")
	wantFields(t, joinFields(t, b, of(asked(t, "1 07:00"), w, v)), "f", "z", "a")
	wantJoined(t, b, of(asked(t, "1 07:00"), w, v), "int 6 | int 5 | text x")
}

func joinNamedTwice(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	w := past(t, b, "w", "1 20 05:00")
	v.Features, v.Types = []string{"f", "k", "f"}, kindsOf(int64Type, 3)
	join := of(asked(t, "1 07:00"), v, w)
	wantFields(t, joinFields(t, b, join), "f", "k", "f", "f")
	wantJoined(t, b, of(asked(t, "1 07:00"), v, w), "int 10 | int 1 | int 10 | int 20")
	v.Features, v.Types = []string{"ts", "made"}, kindsOf(types.ValueType_UNIX_TIMESTAMP, 2)
	wantJoined(t, b, of(asked(t, "1 07:00"), v), "time 2024-01-01T05:00:00Z | null")
}

func joinNoFeatures(t testing.TB, b Backend) {
	v, w := past(t, b, "v", "1 10 05:00"), past(t, b, "w", "1 20 05:00")
	v.Features, v.Types = nil, nil
	wantFeatures(t, b, of(asked(t, "1 07:00", "2 07:00", "1 09:00"), v, w), "20", "-", "20")
	wantJoined(t, b, of(asked(t, "1 07:00", "2 07:00"), v), "", "")
	wantJoined(t, b, of(asked(t, "1 07:00", "2 07:00", "- -")), "", "", "")
}

// joinManyFeatures asks for more features than an SQL statement may have columns.
func joinManyFeatures(t testing.TB, b Backend) {
	const width, sources = 750, 4
	var views []offline.JoinView
	var cells []string
	for s := range sources {
		all := []column{ints("k", "1"), ts(days(1)...)}
		v := offline.JoinView{Name: fmt.Sprint("view ", s), Keys: keyed("k", int64Type), Timestamp: "ts", Types: kindsOf(int64Type, width)}
		for i := range width {
			name, cell := fmt.Sprint("feature ", i), strconv.Itoa(s*width+i)
			all = append(all, ints(name, cell))
			v.Features, cells = append(v.Features, name), append(cells, "int "+cell)
		}
		v.Source = writeNamed(t, b, fmt.Sprint("src", s), End, all...)
		views = append(views, v)
	}
	nothing := strings.TrimSuffix(strings.Repeat("null | ", width*sources), " | ")
	wantJoined(t, b, of(asked(t, "2 05:00", "1 05:00", "1 05:00"), views...), nothing, strings.Join(cells, " | "), strings.Join(cells, " | "))
}

// joinAnyNames gives the columns of both sides names that a query must quote, or
// that it uses itself.
func joinAnyNames(t testing.TB, b Backend) {
	odd := []string{"EmployeeID", "employeeid", "order", "a b", "100%", `say "x"`, "it's", "größe", "a.b", "row", "source", "entity", "event_timestamp", "$1", "?", ":x", strings.Repeat("long", 15)}
	all := []column{ints(`the "key"`, "7", "8"), times(`the 'time'`, "05:00", "05:00"), times("Created At", "05:00", "05:00")}
	v := offline.JoinView{Name: `a "view"`, Keys: keyed(`the "key"`, int64Type), Timestamp: `the 'time'`, Created: "Created At", CreatedBefore: true, Types: kindsOf(stringType, len(odd))}
	var cells []string
	for _, name := range odd {
		all = append(all, strs(name, "of "+name, "other"))
		v.Features, cells = append(v.Features, name), append(cells, "text of "+name)
	}
	v.Source = writeNamed(t, b, "src", End, all...)
	for _, name := range []string{"k", "order", `the "key"`, "row", "größe", "f", strings.Repeat("long", 20)} {
		wantJoined(t, b, of(entities(t, ints(name, "7"), times(name, "05:00")), v), strings.Join(cells, " | "))
	}
	wantFields(t, joinFields(t, b, of(asked(t, "7 06:00"), v)), odd...)
}

func joinOrder(t testing.TB, b Backend) {
	v := past(t, b, "v", "2 20 05:00", "1 10 05:00", "1 11 06:00", "1 10 05:00", "2 20 05:00", "3 30 05:00 05:00", "3 30 05:00 05:00")
	rows := []string{"3 07:00", "3 07:00", "1 07:00", "2 07:00", "1 05:30", "9 07:00", "1 07:00", "1 07:00", "3 07:00", "2 04:00", "1 05:00"}
	wantFeatures(t, b, of(asked(t, rows...), v), "30", "30", "11", "20", "10", "-", "11", "11", "30", "-", "10")
	wantFeatures(t, b, of(asked(t, rows[5]), v), "-")
}

// joinBatches has batches of all sizes, empty ones too, and so many rows that
// the answer has several batches.
func joinBatches(t testing.TB, b Backend) {
	const keys, rows = 5000, 150_000
	ks, fs, at := make([]string, keys), make([]string, keys), make([]string, keys)
	for i := range keys {
		ks[i], fs[i], at[i] = strconv.Itoa(i*7919%keys), strconv.Itoa(i*7919%keys*2), "05:00"
	}
	v := viewOf("v", writeNamed(t, b, "v", End, ints("k", ks...), ints("f", fs...), times("ts", at...), times("made", at...)))
	schema := record(t, ints("k"), times("at")).Schema()
	var all []arrow.RecordBatch
	for first, n := 0, 0; first < rows; first, n = first+n, (n*3+1)%40_000 {
		n = min(n, rows-first)
		all = append(all, entityBatch(schema, first, n, func(i int) int64 { return int64(i * 31 % (keys + 1)) }))
	}
	r, err := joinerOf(t, b.Store()).PointInTime(t.Context(), of(batches(t, schema, all...), v))
	if err != nil {
		t.Fatalf("PointInTime: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	i := 0
	for _, row := range drain(t, r) {
		want := "int " + strconv.Itoa(i*31%(keys+1)*2)
		if i*31%(keys+1) == keys {
			want = "null"
		}
		if row != want {
			t.Fatalf("row %d is %s, want %s", i+1, row, want)
		}
		i++
	}
	if i != rows || r.Err() != nil {
		t.Errorf("%d rows, %v; want %d", i, r.Err(), rows)
	}
}

func joinNobody(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	schema := record(t, ints("k"), times("at")).Schema()
	for _, rows := range [][]arrow.RecordBatch{nil, {record(t, ints("k"), times("at"))}} {
		r, err := joinerOf(t, b.Store()).PointInTime(t.Context(), of(batches(t, schema, rows...), v))
		if err != nil {
			t.Fatalf("PointInTime: %v: %v", err, fault.Cause(err))
		}
		if got := drain(t, r); len(got) != 0 || r.Err() != nil {
			t.Errorf("rows %v, %v", got, r.Err())
		}
		wantFields(t, r.Schema().Fields(), "f")
		r.Release()
	}
}

// joinCells compares the cells of a join with those of Range.
func joinCells(t testing.TB, b Backend) {
	cells := []column{
		{"i16", arrow.PrimitiveTypes.Int16, []string{"-32768", "32767", "0", null}},
		{"i32", arrow.PrimitiveTypes.Int32, []string{"-2147483648", "2147483647", "0", null}},
		{"i64", arrow.PrimitiveTypes.Int64, []string{"-9223372036854775808", "9223372036854775807", "9007199254740993", null}},
		{"f32", arrow.PrimitiveTypes.Float32, []string{"0.1", "-0", "+Inf", null}},
		{"f64", arrow.PrimitiveTypes.Float64, []string{"0.1", "NaN", "5e-324", null}},
		{"d2", &arrow.Decimal128Type{Precision: 9, Scale: 2}, []string{"12.30", "100.00", "-0.05", null}},
		{"s", str, []string{"größe 東京 \U0001f600", "", "null", null}},
		{"y", arrow.BinaryTypes.Binary, []string{"AAEC/f7/", "", "AA==", null}},
		{"b", arrow.FixedWidthTypes.Boolean, []string{"true", "false", "true", null}},
		{"us", micros, []string{"2024-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z", "1700-01-01T00:00:00Z", null}},
		{"day", arrow.FixedWidthTypes.Date32, []string{"2024-02-29", "1969-12-31", "1700-01-01", null}},
		{"ints", arrow.ListOf(arrow.PrimitiveTypes.Int64), []string{"[5, null, 9007199254740993]", "[]", "[null]", null}},
		{"texts", arrow.ListOf(str), []string{`["a", null, "", "b,c"]`, "[null]", `[""]`, null}},
		{"none", arrow.Null, []string{null, null, null, null}},
	}
	v := offline.JoinView{Name: "v", Keys: keyed("k", int64Type), Timestamp: "ts"}
	for _, c := range cells {
		v.Features, v.Types = append(v.Features, c.name), append(v.Types, kind(c.of))
	}
	v.Source = writeNamed(t, b, "src", End, append(cells, ints("k", "1", "2", "3", "4"), ts(days(4)...))...)
	q := offline.Query{Source: v.Source, Columns: v.Features, Types: v.Types, Timestamp: "ts"}
	byTime := map[string]string{}
	for _, row := range read(t, b.Store(), q) {
		at := strings.LastIndex(row, " | ")
		byTime[row[at+3:]] = row[:at]
	}
	var want []string
	for i := range 4 {
		want = append(want, byTime["time "+day(i).Format(time.RFC3339)])
	}
	rows := func() offline.Join {
		return of(entities(t, ints("k", "4", "2", "3", "1", "5"), ts(days(5)[4], days(5)[4], days(5)[4], days(5)[4], days(5)[4])), v)
	}
	wantJoined(t, b, rows(), want[3], want[1], want[2], want[0], strings.TrimSuffix(strings.Repeat("null | ", len(cells)), " | "))
	wantTypes(t, b, rows(), q)
}

// wantTypes checks that a join has the types that Range gives.
func wantTypes(t testing.TB, b Backend, join offline.Join, q offline.Query) {
	t.Helper()
	j, err := joinerOf(t, b.Store()).PointInTime(t.Context(), join)
	if err != nil {
		t.Fatalf("PointInTime: %v", err)
	}
	defer j.Release()
	wantSameTypes(t, b, j.Schema().Fields(), q)
	for _, f := range j.Schema().Fields() {
		if !f.Nullable {
			t.Errorf("column %s cannot be null", f.Name)
		}
	}
}

// wantSameTypes compares fields with those that Range gives first.
func wantSameTypes(t testing.TB, b Backend, fields []arrow.Field, q offline.Query) {
	t.Helper()
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v", err)
	}
	defer r.Release()
	want := r.Schema().Fields()
	for i := range min(len(fields), len(want)) {
		if !arrow.TypeEqual(fields[i].Type, want[i].Type) && fields[i].Name == want[i].Name {
			t.Errorf("column %s is %s, want %s", fields[i].Name, fields[i].Type, want[i].Type)
		}
	}
}

func joinTwice(t testing.TB, b Backend) {
	home := past(t, b, "v", "1 10 05:00", "2 20 05:00", "2 21 06:00")
	work := home
	work.Name = "work"
	work.Keys = []offline.JoinKey{{Column: "k", Entity: 1, Type: int64Type}}
	rows := entities(t, ints("home", "1", "2", "3", "2"), ints("work", "2", "1", "2", "2"), times("at", "05:30", "07:00", "07:00", "07:00"))
	wantJoined(t, b, of(rows, home, work), "int 10 | int 20", "int 21 | int 10", "null | int 21", "int 21 | int 21")
}

func joinViews(t testing.TB, b Backend) {
	v, w, x := past(t, b, "v", "1 10 05:00", "2 11 05:00"), past(t, b, "w", "1 20 05:00", "1 21 06:00"), past(t, b, "x", "2 30 05:00", "1 31 04:00")
	w.TTL, x.Keys = time.Hour, nil
	wantJoined(t, b, of(asked(t, "1 05:30", "2 07:01", "1 07:01", "1 07:00", "3 04:00"), v, w, x),
		"int 10 | int 20 | int 30", "int 11 | null | int 30", "int 10 | null | int 30", "int 10 | int 21 | int 30", "null | null | int 31")
}
