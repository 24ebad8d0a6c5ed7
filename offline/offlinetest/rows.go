package offlinetest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// names lists the fields of a query's result and checks that the result has one
// row.
func names(t testing.TB, s offline.Store, q offline.Query) []string {
	t.Helper()
	r, err := s.Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	var got []string
	for _, f := range r.Schema().Fields() {
		got = append(got, f.Name)
	}
	if rows := drain(t, r); len(rows) != 1 || r.Err() != nil {
		t.Errorf("rows %v, %v; want one", rows, r.Err())
	}
	return got
}

func schema(t testing.TB, b Backend) {
	src := write(t, b, key("x"), ts(days(1)...), column{"made", micros, days(1)}, column{"a", str, []string{"y"}})
	for _, c := range []struct {
		columns []string
		created string
		want    string
	}{
		{[]string{"a", "k"}, "", "a k ts"},
		{[]string{"k", "a"}, "made", "k a ts made"},
	} {
		q := query(src, c.columns...)
		q.Created = c.created
		if got := strings.Join(names(t, b.Store(), q), " "); got != c.want {
			t.Errorf("the schema is %s, want %s", got, c.want)
		}
	}
}

func namedTwice(t testing.TB, b Backend) {
	src := write(t, b, key("x", null), ts(days(2)...))
	q := query(src, "k", "ts", "k")
	q.Created = "ts"
	want(t, read(t, b.Store(), q),
		"text x | time 2024-01-01T00:00:00Z | text x | time 2024-01-01T00:00:00Z | time 2024-01-01T00:00:00Z",
		"null | time 2024-01-02T00:00:00Z | null | time 2024-01-02T00:00:00Z | time 2024-01-02T00:00:00Z")
}

func noColumns(t testing.TB, b Backend) {
	src := write(t, b, key("x", "y"), ts(days(2)...))
	want(t, read(t, b.Store(), query(src)), "time 2024-01-01T00:00:00Z", "time 2024-01-02T00:00:00Z")
}

func manyColumns(t testing.TB, b Backend) {
	all := []column{ts(days(1)...)}
	var asked, cells []string
	for i := range 800 {
		text := strconv.Itoa(i)
		all = append(all, column{"column " + text, str, []string{"cell " + text}})
		asked, cells = append([]string{"column " + text}, asked...), append([]string{"text cell " + text}, cells...)
	}
	src := write(t, b, all...)
	want(t, read(t, b.Store(), query(src, asked...)), strings.Join(cells, " | ")+" | time 2024-01-01T00:00:00Z")
}

func anyNames(t testing.TB, b Backend) {
	odd := []string{"EmployeeID", "employeeid", "order", "a b", "100%", `say "x"`, "it's", "größe", "a.b", "source", "k"}
	all := []column{ts(days(1)...)}
	var cells []string
	for _, name := range odd {
		all = append(all, column{name, str, []string{"of " + name}})
		cells = append(cells, "text of "+name)
	}
	src := write(t, b, all...)
	want(t, read(t, b.Store(), query(src, odd...)), strings.Join(cells, " | ")+" | time 2024-01-01T00:00:00Z")
	got := names(t, b.Store(), query(src, odd...))
	if !slices.Equal(got, append(odd, "ts")) {
		t.Errorf("the names are %q", got)
	}
	src = write(t, b, key("x", "y"), column{`the "time"`, micros, days(2)}, column{"Created At", micros, days(2)}, column{"at", micros, []string{null, null}})
	q := offline.Query{Source: src, Columns: []string{"k"}, Timestamp: `the "time"`, Created: "Created At", Start: day(0), CreatedAfter: day(0)}
	wantKeys(t, b, q, "y")
	if got, err := b.Store().Span(t.Context(), q); err != nil || got.Rows != 1 {
		t.Errorf("span %+v, %v; want 1 row", got, err)
	}
}

// unasked has columns that no query could read as times.
func unasked(t testing.TB, b Backend) {
	src := write(t, b, key("x"), ts(days(1)...), column{"bad", str, []string{"no time"}}, column{"made", arrow.PrimitiveTypes.Int64, []string{"5"}})
	want(t, read(t, b.Store(), query(src, "k")), "text x | time 2024-01-01T00:00:00Z")
}

func repeats(t testing.TB, b Backend) {
	same := []string{"2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"}
	src := write(t, b, key("x", "x", "y"), ts(same...))
	row := func(k string) string { return "text " + k + " | time 2024-01-01T00:00:00Z" }
	want(t, read(t, b.Store(), query(src, "k")), row("x"), row("x"), row("y"))
}

func nullTimes(t testing.TB, b Backend) {
	src := write(t, b, key("x", "y", "z"), ts(null, "2024-01-01T00:00:00Z", null))
	want(t, read(t, b.Store(), query(src, "k")), "text y | time 2024-01-01T00:00:00Z")
	q := query(src, "k")
	q.Start, q.End = day(-9), day(9)
	want(t, read(t, b.Store(), q), "text y | time 2024-01-01T00:00:00Z")
}

func nullKeys(t testing.TB, b Backend) {
	src := write(t, b, key(null, "y"), ts(days(2)...), column{"made", micros, []string{null, null}})
	q := query(src, "k")
	q.Created = "made"
	want(t, read(t, b.Store(), q), "null | time 2024-01-01T00:00:00Z | null", "text y | time 2024-01-02T00:00:00Z | null")
}

func empty(t testing.TB, b Backend) {
	src := write(t, b, key(), column{"n", arrow.PrimitiveTypes.Int64, nil}, ts(), column{"made", micros, nil})
	q := query(src, "n", "k")
	q.Created = "made"
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	if r.Next() || r.Err() != nil {
		t.Errorf("there is a batch, or an error: %v", r.Err())
	}
	if r.Schema().NumFields() != 4 {
		t.Errorf("the schema is %v", r.Schema())
	}
	if columns, err := b.Store().Columns(t.Context(), src); err != nil || len(columns) != 4 {
		t.Errorf("columns %v, %v; want 4", columns, err)
	}
}

// week is a source of seven days.
func week(t testing.TB, b Backend) offline.Query {
	t.Helper()
	return query(write(t, b, key("d0", "d1", "d2", "d3", "d4", "d5", "d6"), ts(days(7)...)), "k")
}

// keys reads the keys of a query's rows.
func keys(t testing.TB, b Backend, q offline.Query) string {
	t.Helper()
	var got []string
	for _, row := range read(t, b.Store(), q) {
		k, _, _ := strings.Cut(strings.TrimPrefix(row, "text "), " |")
		got = append(got, k)
	}
	return strings.Join(got, " ")
}

func wantKeys(t testing.TB, b Backend, q offline.Query, want string) {
	t.Helper()
	if got := keys(t, b, q); got != want {
		t.Errorf("from %v to %v, created after %v: rows %s, want %s", q.Start, q.End, q.CreatedAfter, got, want)
	}
}

func inclusive(t testing.TB, b Backend) {
	q := week(t, b)
	q.Start, q.End = day(2), day(4)
	wantKeys(t, b, q, "d2 d3 d4")
	q.End = day(2)
	wantKeys(t, b, q, "d2")
	q.End = day(1) // before Start: nothing lies between
	wantKeys(t, b, q, "")
	seoul := time.FixedZone("KST", 9*60*60)
	q.Start, q.End = day(2).In(seoul), day(4).In(seoul)
	wantKeys(t, b, q, "d2 d3 d4")
}

// fineBounds checks bounds against a source of microseconds: the nanoseconds of
// a bound must be neither lost nor rounded.
func fineBounds(t testing.TB, b Backend) {
	at := func(nanos int) time.Time { return day(0).Add(time.Duration(nanos)) }
	q := query(write(t, b, key("u1", "u2", "u3"), ts("2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00.000002Z", "2024-01-01T00:00:00.000003Z")), "k")
	q.Start, q.End = at(1001), at(2999)
	wantKeys(t, b, q, "u2")
	q.Start, q.End = at(1999), at(2001)
	wantKeys(t, b, q, "u2")
	q.Start, q.End = at(2001), at(2999)
	wantKeys(t, b, q, "")
	q.Start, q.End = at(1000), at(3000)
	wantKeys(t, b, q, "u1 u2 u3")
}

func noBounds(t testing.TB, b Backend) {
	q := query(write(t, b, key("old", "epoch", "new", "late"), ts("1700-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2200-01-01T00:00:00Z")), "k")
	wantKeys(t, b, q, "epoch late new old")
	q.Start = time.Unix(0, 0)
	wantKeys(t, b, q, "epoch late new")
	q.Start, q.End = time.Time{}, time.Unix(0, 0)
	wantKeys(t, b, q, "epoch old")
}

// farBounds are bounds beyond the range of some stores.
func farBounds(t testing.TB, b Backend) {
	q := week(t, b)
	year := func(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, far := range [][2]int{{2, 9999}, {-3000, 20000}, {-400000, 400000}} {
		q.Start, q.End = year(far[0]), year(far[1])
		wantKeys(t, b, q, "d0 d1 d2 d3 d4 d5 d6")
		q.Start, q.End = year(far[1]), year(far[1])
		wantKeys(t, b, q, "")
		q.Start, q.End = year(far[0]), year(far[0])
		wantKeys(t, b, q, "")
	}
}

func createdAfter(t testing.TB, b Backend) {
	made := []string{"2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z", "2024-03-02T00:00:00.000001Z", null, "2024-03-03T00:00:00Z"}
	q := query(write(t, b, key("before", "at", "after", "never", "later"), ts(days(5)...), column{"made", micros, made}), "k")
	q.Created = "made"
	wantKeys(t, b, q, "after at before later never")
	q.CreatedAfter = time.Date(2024, 3, 2, 0, 0, 0, 0, time.UTC)
	wantKeys(t, b, q, "after later")
	q.End = day(2)
	wantKeys(t, b, q, "after")
	q.CreatedAfter = q.CreatedAfter.Add(999 * time.Nanosecond)
	wantKeys(t, b, q, "after")
}

func createdNeeded(t testing.TB, b Backend) {
	q := week(t, b)
	q.CreatedAfter = day(3)
	_, err := attempt(t, t.Context(), b.Store(), q)
	refused(t, err, invalid, "src")
	_, err = b.Store().Span(t.Context(), q)
	refused(t, err, invalid, "src")
}

func timestampNeeded(t testing.TB, b Backend) {
	q := week(t, b)
	q.Timestamp = ""
	_, err := attempt(t, t.Context(), b.Store(), q)
	refused(t, err, invalid, "src")
	_, err = b.Store().Span(t.Context(), q)
	refused(t, err, invalid, "src")
}
