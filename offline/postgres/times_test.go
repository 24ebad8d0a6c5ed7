package postgres_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/value"
)

var noon = time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)

// The same rows are found whatever type the times have, and whatever zone the
// database is set to. Bounds are inclusive, except the one on the created time.
func TestWindowsOfEveryTypeOfTime(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET timezone = 'Asia/Seoul'; ALTER DATABASE "+opt.Database+" SET datestyle = 'SQL, DMY'; CREATE DOMAIN stamp AS timestamptz; CREATE DOMAIN words AS text")
	store := postgres.New(opt)
	t.Cleanup(store.Close)
	for name, ts := range map[string]string{
		"timestamptz":     "timestamptz '2024-01-01 00:00:00Z' + i * interval '1 day'",
		"timestamp":       "timestamp '2024-01-01 00:00:00' + i * interval '1 day'",
		"a date":          "date '2024-01-01' + i",
		"a domain":        "(timestamptz '2024-01-01 00:00:00Z' + i * interval '1 day')::stamp",
		"text":            "to_char(date '2024-01-01' + i, 'YYYY-MM-DD')",
		"text of a zone":  "to_char(date '2024-01-01' + i, 'YYYY-MM-DD') || ' 09:00:00+09'",
		"varchar":         "to_char(date '2024-01-01' + i, 'YYYY-MM-DD\"T\"HH24:MI:SS')::varchar(30)",
		"padded":          "to_char(date '2024-01-01' + i, 'YYYY-MM-DD')::char(30)",
		"a domain's text": "to_char(date '2024-01-01' + i, 'YYYY-MM-DD')::words",
	} {
		t.Run(name, func(t *testing.T) {
			q := offline.Query{
				Source:  source("", "SELECT i AS k, CASE WHEN i < 9 THEN "+ts+" END AS ts, CASE WHEN i <> 3 THEN "+ts+" END AS made FROM generate_series(0, 9) i"),
				Columns: []string{"k"}, Timestamp: "ts", Created: "made", Start: noon.AddDate(0, 0, 1).Add(-12 * time.Hour), End: noon.AddDate(0, 0, 4).Add(-12 * time.Hour),
			}
			day := func(n string) string { return "2024-01-0" + n + "T00:00:00Z" }
			want := []string{"1|" + day("2") + "|" + day("2"), "2|" + day("3") + "|" + day("3"), "3|" + day("4") + "|(null)", "4|" + day("5") + "|" + day("5")}
			if diff := cmp.Diff(want, rows(t, store, q)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			span, err := store.Span(t.Context(), q)
			if wanted := (offline.Span{Rows: 4, First: q.Start, Last: q.End}); err != nil || span != wanted {
				t.Errorf("span %+v, %v, want %+v", span, err, wanted)
			}
			q.CreatedAfter = q.Start
			if diff := cmp.Diff([]string{want[1], want[3]}, rows(t, store, q)); diff != "" {
				t.Errorf("created later (-want +got)\n%s", diff)
			}
			span, err = store.Span(t.Context(), q)
			if err != nil || span.Rows != 2 || !span.First.Equal(q.Start.AddDate(0, 0, 1)) {
				t.Errorf("span of what is created later %+v, %v", span, err)
			}
			q.Start, q.End = noon.AddDate(10, 0, 0), time.Time{}
			if span, err := store.Span(t.Context(), q); err != nil || span != (offline.Span{}) {
				t.Errorf("span of nothing %+v, %v", span, err)
			}
		})
	}
}

// A query or a view converts times in the zone that the role or the database is set
// to, as for every other client of the server.
func TestQueriesRunInTheZoneOfTheDatabase(t *testing.T) {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET timezone = 'Asia/Seoul'")
	pgtest.Exec(t, opt, `CREATE TABLE t AS SELECT 1 AS k, timestamptz '2024-01-01 20:30:00Z' AS ts, timestamp '2024-01-01 20:30:00' AS naive;
		CREATE VIEW v AS SELECT extract(hour FROM ts)::int AS hour, date_trunc('day', ts) AS day, ts::date AS date, ts::text AS text, naive::timestamptz AS zoned, naive, ts FROM t WHERE ts >= '2024-01-02'`)
	opt.Schema = "public"
	store := postgres.New(opt)
	t.Cleanup(store.Close)
	for name, s := range map[string]*core.DataSource{"a view": source("v", ""), "a query": source("", `SELECT extract(hour FROM ts)::int AS hour, date_trunc('day', ts) AS day,
		ts::date AS date, ts::text AS text, naive::timestamptz AS zoned, naive, ts FROM t WHERE ts >= '2024-01-02'`)} {
		got := rows(t, store, offline.Query{Source: s, Columns: []string{"hour", "day", "date", "text", "zoned", "naive"}, Timestamp: "ts"})
		want := []string{"5|2024-01-01T15:00:00Z|2024-01-02T00:00:00Z|2024-01-02 05:30:00+09|2024-01-01T11:30:00Z|2024-01-01T20:30:00Z|2024-01-01T20:30:00Z"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// A created time without a zone counts as later only where it is so in UTC and in
// the zone of the database, whose clock often writes it: no row that a run has read
// seems to have arrived after it.
func TestCreatedTimesOfTheDatabasesClock(t *testing.T) {
	for zone, hours := range map[string]int{"Asia/Seoul": 9, "America/Caracas": -4} {
		opt := pgtest.Options(t)
		pgtest.Exec(t, opt, "ALTER DATABASE "+opt.Database+" SET timezone = '"+zone+"'")
		store := postgres.New(opt)
		t.Cleanup(store.Close)
		for _, made := range []string{"timestamp", "date"} {
			for _, c := range []struct{ at, want int }{{-1, 0}, {48, 1}} { // hours after the last run
				sql := fmt.Sprintf("SELECT timestamptz '2024-01-01 10:00Z' AS ts, (timestamp '2024-01-01 12:00' + interval '%d hours')::%s AS made", hours+c.at, made)
				span, err := store.Span(t.Context(), offline.Query{Source: source("", sql), Timestamp: "ts", Created: "made", CreatedAfter: noon})
				if err != nil || span.Rows != int64(c.want) {
					t.Errorf("%s in %s, %d hours after: %+v, %v, want %d rows", made, zone, c.at, span, err, c.want)
				}
			}
		}
	}
}

// Bounds finer than the server's microseconds neither add nor drop a row next
// to them.
func TestBoundsBetweenMicroseconds(t *testing.T) {
	store := open(t, `CREATE TABLE t AS SELECT i AS k, timestamptz '2024-01-01 12:00:00Z' + i * interval '1 microsecond' AS ts FROM generate_series(0, 3) i`)
	for _, c := range []struct {
		start, end time.Duration
		want       int
	}{{1000, 2000, 2}, {999, 2001, 2}, {1001, 2999, 1}, {0, 0, 1}, {1, 999, 0}} {
		got := rows(t, store, offline.Query{Source: source("t", ""), Columns: []string{"k"}, Timestamp: "ts", Start: noon.Add(c.start), End: noon.Add(c.end)})
		if len(got) != c.want {
			t.Errorf("from %v to %v: %v, want %d rows", c.start, c.end, got, c.want)
		}
	}
	far := offline.Query{Source: source("t", ""), Columns: []string{"k"}, Timestamp: "ts", Start: time.Date(-20000, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(900000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if got := rows(t, store, far); len(got) != 4 {
		t.Errorf("far bounds: %v", got)
	}
}

// Texts finer than microseconds keep their digits. Times out of range are
// refused with their row, unless the bounds leave them out.
func TestTimesOfTextAreExact(t *testing.T) {
	store := open(t, "CREATE TABLE t (ts text); INSERT INTO t VALUES ('2024-01-01T12:00:00.000000001Z'), ('2024-01-01 12:00:00.000001'), ('9999-12-31'), ('0001-01-01')")
	q := offline.Query{Source: source("t", ""), Timestamp: "ts", Start: noon.Add(1), End: noon.Add(1000)}
	if diff := cmp.Diff([]string{"2024-01-01T12:00:00.000000001Z", "2024-01-01T12:00:00.000001Z"}, rows(t, store, q)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	span, err := store.Span(t.Context(), q)
	if err != nil || span.Rows != 2 || !span.First.Equal(q.Start) || !span.Last.Equal(q.End) {
		t.Errorf("span %+v, %v", span, err)
	}
	q.Start, q.End = time.Time{}, time.Time{}
	if _, err := window(t, store, q); err == nil || !strings.Contains(err.Error(), "column ts, row 3: the time lies outside of the years 1678 to 2261") {
		t.Errorf("far times: %v", err)
	}
}

// A query that lacks a column is refused.
func TestQueriesThatSayTooLittle(t *testing.T) {
	store := open(t, "CREATE TABLE t (ts timestamptz)")
	for _, q := range []offline.Query{{Source: source("t", "")}, {Source: source("t", ""), Timestamp: "ts", CreatedAfter: noon}} {
		_, read := window(t, store, q)
		_, span := store.Span(t.Context(), q)
		if fault.KindOf(read) != fault.Invalid || fault.KindOf(span) != fault.Invalid {
			t.Errorf("%v, %v", read, span)
		}
	}
}

// Columns of other types than time are refused with what to write instead;
// other unreadable cells are refused with their row.
func TestTimesThatAreNone(t *testing.T) {
	store := open(t, "")
	for _, c := range []struct{ name, query, says string }{
		{"bigint", "SELECT 1 AS k, 1704067200::bigint AS ts", `column ts is bigint, not a time; if it holds seconds since 1970, write to_timestamp("ts") AS "ts" in the query of the data source`},
		{"numeric", "SELECT 1 AS k, 1704067200.5 AS ts", "column ts is numeric, not a time; if it holds seconds"},
		{"a time of day", "SELECT 1 AS k, time '10:00' AS ts", "column ts is time without time zone, not a time"},
		{"a list", "SELECT 1 AS k, ARRAY[now()] AS ts", "column ts is timestamp with time zone[], not a time"},
		{"json", "SELECT 1 AS k, '1'::json AS ts", "column ts is json, not a time"},
		{"a text that is none", "SELECT i AS k, CASE WHEN i = 3 THEN 'tomorrow' ELSE '2024-01-01' END AS ts FROM generate_series(1, 4) i", `column ts, row 3: "tomorrow" is not a time`},
		{"infinity", "SELECT i AS k, CASE WHEN i = 3 THEN timestamptz 'infinity' ELSE '2024-01-01' END AS ts FROM generate_series(1, 4) i", "column ts, row 3: the time is infinite; leave such rows out in the query"},
		{"minus infinity of a date", "SELECT 1 AS k, date '-infinity' AS ts", "column ts, row 1: the time is infinite"},
		{"a text without end", "SELECT 1 AS k, repeat('x', 1000000) AS ts", "column ts, row 1: \"" + strings.Repeat("x", 59) + "... is not a time"},
		{"beyond 64 bits", "SELECT 1 AS k, date '5000000-01-01' AS ts", "column ts, row 1: the time lies after the year 294246"},
		{"beyond 64 bits since 1970", "SELECT 1 AS k, timestamp '294276-12-31' AS ts", "column ts, row 1: the time lies after the year 294246"},
	} {
		_, err := window(t, store, offline.Query{Source: source("", c.query), Columns: []string{"k"}, Timestamp: "ts"})
		if fault.KindOf(err) != fault.Invalid || err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "data source src") {
			t.Errorf("%s: %v (%v)", c.name, err, fault.KindOf(err))
		}
		if strings.Contains(c.name, "beyond") {
			continue
		}
		_, span := store.Span(t.Context(), offline.Query{Source: source("", c.query), Timestamp: "ts"})
		if text := strings.Contains(c.name, "text"); span == nil == (text || strings.Contains(c.says, "not a time")) {
			t.Errorf("%s: the span gives %v", c.name, span)
		} else if text && span.Error() != err.Error() {
			t.Errorf("%s: the span gives %v, want %v", c.name, span, err)
		}
	}
	_, err := window(t, store, offline.Query{Source: source("", "SELECT 1 AS k, now() AS ts, timestamptz 'infinity' AS made"), Columns: []string{"k"}, Timestamp: "ts", Created: "made"})
	if err == nil || !strings.Contains(err.Error(), "column made, row 1: the time is infinite") {
		t.Errorf("an infinite created time: %v", err)
	}
}

// Infinities of features are those of package value, never a null, also in
// lists.
func TestInfinitiesOfFeatures(t *testing.T) {
	store := open(t, "")
	r, err := store.Range(t.Context(), offline.Query{
		Source: source("", `SELECT timestamptz 'infinity' AS a, timestamp '-infinity' AS b, date 'infinity' AS c, '{infinity,-infinity,NULL}'::timestamptz[] AS d,
			'{-infinity}'::date[] AS e, now() AS ts`), Columns: strings.Fields("a b c d e"), Timestamp: "ts",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	var got []int64
	for i := range 5 {
		a := r.RecordBatch().Column(i)
		if l, ok := a.(*array.List); ok {
			a = l.ListValues()
		}
		ts, ok := a.(*array.Timestamp)
		if !ok {
			t.Fatalf("column %d is %T", i, a)
		}
		for j := range ts.Len() {
			if !ts.IsNull(j) {
				got = append(got, int64(ts.Value(j)))
			}
		}
	}
	want := []int64{value.Infinity, value.MinusInfinity, value.Infinity, value.Infinity, value.MinusInfinity, value.MinusInfinity}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Cells that cannot be read are refused with column and row.
func TestCellsThatCannotBeRead(t *testing.T) {
	store := open(t, "")
	for _, c := range []struct{ name, cell, says string }{
		{"two dimensions", "'{{1,2},{3,4}}'::int8[]", "the array has 2 dimensions; only arrays of one dimension can be read"},
		{"two dimensions of text", "'{{1 day},{2 days}}'::interval[]", "the array has 2 dimensions; only arrays of one dimension can be read"},
		{"two dimensions and bounds", "'[0:0][0:1]={{1 day,1 day}}'::interval[]", "the array has 2 dimensions; only arrays of one dimension can be read"},
		{"a date beyond 64 bits", "date '5000000-01-01'", "the time lies after the year 294246, the last one that 64 bits of microseconds can represent"},
	} {
		_, err := window(t, store, offline.Query{Source: source("", "SELECT CASE WHEN i = 3 THEN "+c.cell+" END AS v, now() AS ts FROM generate_series(1, 4) i"), Columns: []string{"v"}, Timestamp: "ts"})
		if want := "data source src, column v, row 3: " + c.says; err == nil || err.Error() != want || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want %s", c.name, err, want)
		}
	}
}

// Columns are found by their names alone.
func TestColumnsAreFoundByName(t *testing.T) {
	store := open(t, "CREATE TABLE t (k int8, ts timestamptz); INSERT INTO t VALUES (1, now())")
	for _, c := range []struct {
		name, query, column string
		kind                fault.Kind
		says                string
	}{
		{"two of one name", "SELECT 1 AS v, 2 AS v, now() AS ts", "v", fault.Invalid, "data source src: it has two columns v; give each column of the query a name of its own"},
		{"a function of the row", "SELECT * FROM t", "to_json", fault.NotFound, "data source src: it has no column to_json; it has k, ts"},
		{"another case", "SELECT * FROM t", "K", fault.NotFound, "it has no column K; it has k, ts"},
		{"a time", "SELECT 1 AS v, now() AS at", "v", fault.NotFound, "it has no column ts; it has v, at"},
		{"no columns at all", "SELECT", "v", fault.NotFound, "it has no column v; it has none"},
		{"a parameter", "SELECT $1::timestamptz AS v, now() AS ts", "v", fault.Invalid, "data source src: its query has a parameter, $1, which gets no value"},
		{"the place of an error", "SELECT nope FROM t", "v", fault.NotFound, `column "nope" does not exist (character 8)`},
	} {
		_, err := window(t, store, offline.Query{Source: source("", c.query), Columns: []string{c.column}, Timestamp: "ts"})
		if fault.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%v)", c.name, err, fault.KindOf(err))
		}
	}
	long := strings.Repeat("länge", 13)
	got := rows(t, store, offline.Query{Source: source("", `SELECT 7 AS "`+long+`", timestamptz '2024-01-01' AS ts`), Columns: []string{long}, Timestamp: "ts"})
	if diff := cmp.Diff([]string{"7|2024-01-01T00:00:00Z"}, got); diff != "" {
		t.Errorf("a name that the server cuts (-want +got)\n%s", diff)
	}
}

// Batches are bounded by bytes, too: of rows with a megabyte each, only a few
// are in memory.
func TestMemoryIsThatOfABatch(t *testing.T) {
	store := open(t, "")
	r, err := store.Range(t.Context(), offline.Query{
		Source:  source("", "SELECT repeat('x', 1 << 20) AS v, ARRAY[i::text] AS l, now() AS ts FROM generate_series(1, 150) i"),
		Columns: []string{"v", "l"}, Timestamp: "ts",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var total, most int64
	var peak uint64
	for r.Next() {
		total += r.RecordBatch().NumRows()
		most = max(most, r.RecordBatch().NumRows())
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	if r.Err() != nil || total != 150 || most > 8 || peak > 64<<20 {
		t.Errorf("%d rows, %d in a batch, %d MiB, %v", total, most, peak>>20, r.Err())
	}
}

// A caller that makes another request while it reads does not block itself,
// however few connections are allowed.
func TestAskingWhileReading(t *testing.T) {
	opt := pgtest.Options(t)
	opt.MaxConn = 1
	store := postgres.New(opt)
	t.Cleanup(store.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	q := offline.Query{Source: source("", "SELECT 1 AS k, timestamptz '2024-01-01' AS ts"), Columns: []string{"k"}, Timestamp: "ts"}
	r, err := store.Range(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if span, err := store.Span(ctx, q); err != nil || span.Rows != 1 {
		t.Errorf("span %+v, %v", span, err)
	}
	if !r.Next() {
		t.Error(r.Err())
	}
}

// Data that was handed on is still intact when the next batch is read.
func TestBatchesThatAreKept(t *testing.T) {
	store := postgres.SmallBatches(open(t, ""), 2)
	r, err := store.Range(t.Context(), offline.Query{
		Source:  source("", "SELECT i AS v, i::numeric AS n, ARRAY[i::text] AS l, now() AS ts FROM generate_series(1, 5) i"),
		Columns: []string{"v", "n", "l"}, Timestamp: "ts",
	})
	if err != nil {
		t.Fatal(err)
	}
	var kept []arrow.RecordBatch
	for r.Next() {
		b := r.RecordBatch()
		b.Retain()
		kept = append(kept, b)
	}
	r.Release()
	var got []string
	for _, b := range kept {
		for i := range int(b.NumRows()) {
			got = append(got, cell(b.Column(0), i)+cell(b.Column(1), i)+cell(b.Column(2), i))
		}
		b.Release()
	}
	if diff := cmp.Diff(strings.Fields(`11["1"] 22["2"] 33["3"] 44["4"] 55["5"]`), got); diff != "" || r.Err() != nil {
		t.Errorf("%v (-want +got)\n%s", r.Err(), diff)
	}
}
