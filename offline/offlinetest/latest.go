package offlinetest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// latestSentences list the contract of Latest.
func latestSentences() []Sentence {
	return []Sentence{
		{"Latest gives the newest row of each key", latest},
		{"Latest chooses as a join does", latestTies},
		{"the schema of Latest is that of Range", latestSchema},
		{"all keys count for Latest", latestSeveralKeys},
		{"without keys Latest gives the newest row of all", latestNoKeys},
		{"a null key is a value for Latest", latestNullKeys},
		{"Latest keeps to the query's bounds", latestBounds},
		{"Latest of no rows is a schema", latestOfNone},
		{"Latest's keys may be many", latestOfMany},
		{"Latest fails as Range does", latestFails},
		{"Latest's memory is bounded by the batch", latestBounded},
	}
}

// latestRows reads the newest rows, sorted.
func latestRows(t testing.TB, b Backend, q offline.Query, keys ...int) []string {
	t.Helper()
	rows, err := attemptLatest(t, b, q, keys...)
	if err != nil {
		t.Fatalf("Latest: %v: %v", err, fault.Cause(err))
	}
	return sorted(rows)
}

func attemptLatest(t testing.TB, b Backend, q offline.Query, keys ...int) ([]string, error) {
	t.Helper()
	return gather(t, func() (array.RecordReader, error) { return joinerOf(t, b.Store()).Latest(t.Context(), q, keys) })
}

func latest(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "2 20 07:00", "1 11 06:00", "2 21 04:00", "3 30 1700-01-01T00:00:00Z", "1 9 03:00", "4 40 -")
	q := latestOf(v)
	q.Created = ""
	want(t, latestRows(t, b, q, 0), "int 1 | int 11 | time 2024-01-01T06:00:00Z", "int 2 | int 20 | time 2024-01-01T07:00:00Z", "int 3 | int 30 | time 1700-01-01T00:00:00Z")
}

func latestTies(t testing.TB, b Backend) {
	v := past(t, b, "v",
		"1 10 05:00 06:00", "1 11 05:00 07:00", "1 12 05:00 06:30",
		"2 20 05:00 -", "2 21 05:00 01:00", "3 30 05:00 01:00", "3 31 05:00 -",
		"4 40 05:00 09:00", "4 41 06:00 08:00",
		"5 50 05:00 06:00", "5 51 05:00 06:00", "6 60 05:00 -", "6 61 05:00 -")
	q := latestOf(v)
	var rows []string
	for i, f := range []string{"11", "21", "30", "41", "50", "60"} {
		rows = append(rows, "int "+strconv.Itoa(i+1)+" | int "+f)
	}
	for range 3 {
		got := latestRows(t, b, q, 0)
		for i := range got {
			got[i] = got[i][:len(rows[0])]
		}
		want(t, got, rows...)
	}
}

func latestSchema(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00 06:00")
	q := latestOf(v)
	q.Columns, q.Types = []string{"f", "k", "f", "made"}, []types.ValueType_Enum{int64Type, int64Type, int64Type, types.ValueType_UNIX_TIMESTAMP}
	r, err := joinerOf(t, b.Store()).Latest(t.Context(), q, []int{1})
	if err != nil {
		t.Fatalf("Latest: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	wantFields(t, r.Schema().Fields(), "f", "k", "f", "made", "ts", "made")
	wantSameTypes(t, b, r.Schema().Fields(), q)
	wantInOrder(t, drain(t, r), "int 10 | int 1 | int 10 | time 2024-01-01T06:00:00Z | time 2024-01-01T05:00:00Z | time 2024-01-01T06:00:00Z")
}

func latestSeveralKeys(t testing.TB, b Backend) {
	v := pairs(t, b, strs("one", "1", "12", "1", "12"), strs("two", "23", "3", "23", "4"))
	q := latestOf(v)
	q.Created = ""
	at := " | time 2024-01-01T05:00:00Z"
	want(t, latestRows(t, b, q, 0, 1), "text 1 | text 23 | int 0"+at, "text 12 | text 3 | int 1"+at, "text 12 | text 4 | int 3"+at)
	want(t, latestRows(t, b, q, 0), "text 1 | text 23 | int 0"+at, "text 12 | text 3 | int 1"+at)
}

func latestNoKeys(t testing.TB, b Backend) {
	q := latestOf(past(t, b, "v", "1 10 05:00", "2 20 07:00 08:00", "- 30 06:00", "3 21 07:00 07:00"))
	want(t, latestRows(t, b, q), "int 2 | int 20 | time 2024-01-01T07:00:00Z | time 2024-01-01T08:00:00Z")
}

func latestNullKeys(t testing.TB, b Backend) {
	q := latestOf(past(t, b, "v", "- 10 05:00", "1 11 05:00", "- 12 06:00", "0 13 05:00"))
	q.Created = ""
	want(t, latestRows(t, b, q, 0), "null | int 12 | time 2024-01-01T06:00:00Z", "int 0 | int 13 | time 2024-01-01T05:00:00Z", "int 1 | int 11 | time 2024-01-01T05:00:00Z")
	q = latestOf(pairs(t, b, ints("one", "1", null, null, null, "1"), ints("two", null, "1", null, null, null)))
	q.Created = ""
	at := " | time 2024-01-01T05:00:00Z"
	want(t, latestRows(t, b, q, 0, 1), "int 1 | null | int 0"+at, "null | int 1 | int 1"+at, "null | null | int 2"+at)
}

func latestBounds(t testing.TB, b Backend) {
	q := latestOf(past(t, b, "v", "1 10 05:00 05:00", "1 11 06:00 06:00", "1 12 07:00 07:00", "2 20 08:00 08:00", "2 21 08:00:00.000001 06:00"))
	clock := func(hours int) time.Time { return day(0).Add(time.Duration(hours) * time.Hour) }
	row := func(k, f, at, made string) string {
		return "int " + k + " | int " + f + " | time 2024-01-01T" + at + ":00Z | time 2024-01-01T" + made + ":00Z"
	}
	q.End = clock(6)
	want(t, latestRows(t, b, q, 0), row("1", "11", "06:00", "06:00"))
	q.Start, q.End = clock(7), clock(8)
	want(t, latestRows(t, b, q, 0), row("1", "12", "07:00", "07:00"), row("2", "20", "08:00", "08:00"))
	q.Start, q.End, q.CreatedAfter = time.Time{}, time.Time{}, clock(6)
	want(t, latestRows(t, b, q, 0), row("1", "12", "07:00", "07:00"), row("2", "20", "08:00", "08:00"))
}

func latestOfNone(t testing.TB, b Backend) {
	q := latestOf(past(t, b, "v"))
	for _, keys := range [][]int{{0}, nil} {
		r, err := joinerOf(t, b.Store()).Latest(t.Context(), q, keys)
		if err != nil {
			t.Fatalf("Latest: %v: %v", err, fault.Cause(err))
		}
		wantFields(t, r.Schema().Fields(), "k", "f", "ts", "made")
		if rows := drain(t, r); len(rows) != 0 || r.Err() != nil {
			t.Errorf("rows %v, %v", rows, r.Err())
		}
		r.Release()
	}
}

func latestOfMany(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	rows := latestRows(t, b, q, 0)
	for i := range rows {
		if i > 0 && rows[i] == rows[i-1] {
			t.Fatalf("%s comes twice", rows[i])
		}
	}
	if len(rows) != longRows {
		t.Errorf("%d rows, want %d", len(rows), longRows)
	}
	last := fmt.Sprintf("text k%d | time %s", longRows-1, day(0).Add((longRows-1)*time.Second).Format(time.RFC3339))
	want(t, latestRows(t, b, q), last)
}

func latestFails(t testing.TB, b Backend) {
	v := past(t, b, "good", "1 10 05:00")
	q := latestOf(v)
	q.Columns = []string{"k", "elsewhere"}
	_, err := attemptLatest(t, b, q, 0)
	refused(t, err, absent, "good", "elsewhere")
	nothingHeld(t, b, "after a refusal")
	q = latestOf(v)
	q.Created, q.CreatedAfter = "", day(0)
	_, err = attemptLatest(t, b, q, 0)
	refused(t, err, invalid, "good")
	for _, rows := range [][]string{nil, {"1 10 05:00"}} {
		_, err = attemptLatest(t, b, latestOf(pastThen(t, b, "bad", Damage, rows...)), 0)
		refused(t, err, unread, "bad")
		nothingHeld(t, b, "after a failure")
	}
}

func latestBounded(t testing.TB, b Backend) {
	v := generated(t, b, "src", joinWideRows, func(i int) string { return strings.Repeat("0", wideText-6) + fmt.Sprintf("%06d", i) })
	base := heap()
	r, err := joinerOf(t, b.Store()).Latest(t.Context(), query(v, "k"), []int{0})
	if err != nil {
		t.Fatalf("Latest: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	rows, unmeasured, most := 0, 0, heap()
	for r.Next() {
		n := int(r.RecordBatch().NumRows())
		rows += n
		if unmeasured += n * wideText; unmeasured >= 8<<20 {
			unmeasured = 0
			most = max(most, heap())
		}
	}
	if r.Err() != nil || rows != joinWideRows {
		t.Errorf("%d rows, %v: %v; want %d", rows, r.Err(), fault.Cause(r.Err()), joinWideRows)
	}
	if most > base+joinHeapBounds {
		t.Errorf("%d MB are in use while %d MB are read", (most-base)>>20, joinWideRows*wideText>>20)
	}
}
