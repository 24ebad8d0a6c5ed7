package offlinetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

func joinNotAfter(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "1 11 06:00", "1 12 06:00:00.000002")
	wantFeatures(t, b, of(asked(t, "1 05:00", "1 04:59:59.999999", "1 05:59:59.999999", "1 06:00", "1 06:00:00.000001", "1 06:00:00.000002", "1 23:59:59.999999"), v),
		"10", "-", "10", "11", "11", "12", "12")
}

func nanos(name string, cells ...string) column {
	return column{name, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, clocks(cells)}
}

func joinNanos(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00:00.000001", "1 11 05:00:00.000002", "2 20 1969-12-31T23:59:59.999999Z")
	ask := func(k string, at ...string) offline.Join {
		return of(entities(t, ints("k", slices.Repeat([]string{k}, len(at))...), nanos("at", at...)), v)
	}
	wantFeatures(t, b, ask("1", "05:00:00.000000999", "05:00:00.000001000", "05:00:00.000001999", "05:00:00.000002"), "-", "10", "10", "11")
	wantFeatures(t, b, ask("2", "1969-12-31T23:59:59.999998999Z", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999001Z"), "-", "20", "20")
	v.TTL = 500 * time.Nanosecond
	wantFeatures(t, b, ask("1", "05:00:00.000001500", "05:00:00.000001501", "05:00:00.000002500", "05:00:00.000002501"), "10", "-", "11", "-")
	v.TTL = time.Nanosecond
	wantFeatures(t, b, ask("2", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999001Z", "1969-12-31T23:59:59.999999002Z"), "20", "20", "-")
	v.TTL, v.CreatedBefore = 0, true
	v.Source = writeNamed(t, b, "made", End, ints("k", "1"), ints("f", "10"), times("ts", "05:00"), times("made", "05:00:00.000002"))
	wantFeatures(t, b, ask("1", "05:00:00.000001999", "05:00:00.000002"), "-", "10")
}

func joinSourceNanos(t testing.TB, b Backend) {
	v := viewOf("v", writeNamed(t, b, "src", End, ints("k", "1", "1", "1"), ints("f", "10", "12", "11"),
		nanos("ts", "05:00:00.000000500", "05:00:00.000001500", "05:00:00.000001"), nanos("made", "05:00:00.000000500", "05:00:00.000000700", "05:00:00.000001001")))
	rows := func() offline.Join {
		return of(entities(t, ints("k", "1", "1", "1", "1"), nanos("at", "05:00:00.000000499", "05:00:00.000000500", "05:00:00.000001", "05:00:00.000001500")), v)
	}
	wantFeatures(t, b, rows(), "-", "10", "11", "12")
	wantFeatures(t, b, of(asked(t, "1 05:00", "1 05:00:00.000001", "1 05:00:00.000002"), v), "-", "11", "12")
	v.CreatedBefore = true
	wantFeatures(t, b, rows(), "-", "10", "10", "12")
	v.CreatedBefore, v.TTL = false, 500*time.Nanosecond
	wantFeatures(t, b, of(asked(t, "1 05:00:00.000001", "1 05:00:00.000002", "1 05:00:00.000003"), v), "11", "12", "-")
}

func joinUnits(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "1 11 05:00:01", "1 12 05:00:01.000001")
	v.TTL = 10 * time.Second
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		at := column{"at", &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, clocks([]string{"04:59:59", "05:00", "05:00:01", "05:00:02", "05:00:11", "05:00:12"})}
		wantFeatures(t, b, of(entities(t, ints("k", "1", "1", "1", "1", "1", "1"), at), v), "-", "10", "11", "12", "12", "-")
	}
}

// joinEncodings has the same three times in several encodings.
func joinEncodings(t testing.TB, b Backend) {
	plain := []string{"2024-03-10T00:00:00Z", "2024-03-11T00:00:00Z", "2024-03-09T00:00:00Z"}
	for _, c := range []column{
		{"ts", micros, plain},
		{"ts", &arrow.TimestampType{Unit: arrow.Microsecond}, []string{"2024-03-10 00:00:00", "2024-03-11 00:00:00", "2024-03-09 00:00:00"}},
		{"ts", &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Seoul"}, []string{"2024-03-10T09:00:00+09:00", "2024-03-11T09:00:00+09:00", "2024-03-09T09:00:00+09:00"}},
		{"ts", arrow.FixedWidthTypes.Date32, []string{"2024-03-10", "2024-03-11", "2024-03-09"}},
		{"ts", str, []string{"2024-03-09 14:00:00-10:00", "2024-03-11", "2024-03-09T01:00:00.000+01:00"}},
	} {
		made := c
		made.name, made.cells = "made", []string{c.cells[1], c.cells[1], c.cells[1]}
		v := viewOf("v", writeNamed(t, b, "src", End, ints("k", "1", "1", "1"), ints("f", "10", "11", "9"), c, made))
		rows := func() offline.Join {
			return of(asked(t, "1 2024-03-08T23:59:59.999999Z", "1 2024-03-09T00:00:00Z", "1 2024-03-10T23:59:59.999999Z", "1 2024-03-11T00:00:00Z"), v)
		}
		wantFeatures(t, b, rows(), "-", "9", "10", "11")
		v.CreatedBefore = true
		wantFeatures(t, b, rows(), "-", "-", "-", "11")
	}
}

// joinFarTimes asks with times that neither nanoseconds nor most databases hold.
func joinFarTimes(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "1 9 1700-01-01T00:00:00Z", "1 11 2200-01-01T00:00:00Z")
	const year = 365 * 24 * 60 * 60
	var far []string
	for _, years := range []int64{-5000, -300_000, 5000, 300_000, -290_000_000_000, 290_000_000_000} {
		far = append(far, strconv.FormatInt(years*year, 10))
	}
	rows := func() offline.Join {
		at := column{"at", &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, far}
		return of(entities(t, ints("k", "1", "1", "1", "1", "1", "1"), at), v)
	}
	wantFeatures(t, b, rows(), "-", "-", "11", "11", "-", "11")
	v.TTL = time.Hour
	wantFeatures(t, b, rows(), "-", "-", "-", "-", "-", "-")
	v.TTL, v.CreatedBefore = 0, true
	wantFeatures(t, b, rows(), "-", "-", "-", "-", "-", "-")
	v.CreatedBefore, v.TTL = false, 1<<63-1 // 292 years
	wantFeatures(t, b, of(asked(t, "1 1992-04-10T00:00:00Z", "1 1992-04-12T00:00:00Z", "1 2200-01-01T00:00:00Z"), v), "9", "-", "11")
}

func joinTTL(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "1 11 05:30", "2 20 05:00:00.000001")
	v.TTL = time.Hour
	wantFeatures(t, b, of(asked(t, "1 05:00", "1 06:30", "1 06:30:00.000001", "2 06:00:00.000001", "2 06:00:00.000002", "1 23:00"), v), "10", "11", "-", "20", "-", "-")
	v.TTL = time.Hour + 999
	wantFeatures(t, b, of(asked(t, "1 06:30", "1 06:30:00.000001"), v), "11", "-")
	v.TTL = time.Hour + time.Microsecond
	wantFeatures(t, b, of(asked(t, "1 06:30:00.000001", "1 06:30:00.000002"), v), "11", "-")
	v.TTL = time.Nanosecond
	wantFeatures(t, b, of(asked(t, "1 05:00", "1 05:00:00.000001"), v), "10", "-")
	for _, v.TTL = range []time.Duration{-1, -time.Hour} { // Feast keeps such a TTL, and finds no row
		wantFeatures(t, b, of(asked(t, "1 05:00", "1 05:00:00.000001", "1 06:30"), v), "-", "-", "-")
	}
}

func joinNoTTL(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 1700-01-01T00:00:00Z", "2 20 1970-01-01T00:00:00Z")
	wantFeatures(t, b, of(asked(t, "1 2200-01-01T00:00:00Z", "2 1970-01-01T00:00:00Z", "1 1969-12-31T23:59:59Z"), v), "10", "20", "10")
}

func joinNewest(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 7 07:00", "1 3 03:00", "1 9 09:00", "1 5 05:00", "1 1 01:00", "1 8 08:00")
	wantFeatures(t, b, of(asked(t, "1 06:00", "1 02:00", "1 08:30", "1 10:00", "1 04:00"), v), "5", "1", "8", "9", "3")
}

func joinCreated(t testing.TB, b Backend) {
	v := past(t, b, "v",
		"1 10 05:00 06:00", "1 11 05:00 07:00", "1 12 05:00 06:30", // the one in the middle
		"2 20 05:00 -", "2 21 05:00 01:00", "3 30 05:00 01:00", "3 31 05:00 -", // null is the oldest
		"4 40 05:00 09:00", "4 41 06:00 08:00", // the event time counts first
		"5 50 05:00 -", "5 51 04:00 09:00",
		"6 60 05:00 06:00", "6 61 05:00 06:00:00.000001")
	wantFeatures(t, b, of(asked(t, "1 08:00", "2 08:00", "3 08:00", "4 08:00", "5 08:00", "6 08:00", "1 05:00"), v), "11", "21", "30", "41", "50", "61", "11")
}

// joinTies has rows that only the order of the source tells apart, also far from
// each other.
func joinTies(t testing.TB, b Backend) {
	rows := []string{"1 10 05:00 06:00", "1 11 05:00 06:00", "1 12 05:00 06:00", "2 20 05:00 -", "2 21 05:00 -", "1 13 05:00 06:00"}
	for i := range 2000 {
		rows = append(rows, "3 "+strconv.Itoa(i)+" 03:00 06:00")
	}
	v := past(t, b, "v", append(rows, "1 14 05:00 06:00", "4 41 05:00 07:00", "4 40 05:00 06:00")...)
	for range 3 {
		wantFeatures(t, b, of(asked(t, "1 08:00", "2 08:00", "3 08:00", "1 05:00", "4 06:00"), v), "10", "20", "0", "10", "41")
	}
	v.Created = ""
	wantFeatures(t, b, of(asked(t, "4 08:00", "1 08:00", "2 08:00", "3 04:00"), v), "41", "10", "20", "0")
}

func joinOneRow(t testing.TB, b Backend) {
	v := viewOf("v", writeNamed(t, b, "src", End, ints("k", "1", "1", "2", "2"), ints("f", "10", null, "20", "21"), strs("g", "a", "b", null, null),
		times("ts", "05:00", "06:00", "05:00", "05:00"), times("made", "09:00", "01:00", "05:00", "06:00")))
	v.Features, v.Types = []string{"f", "g"}, []types.ValueType_Enum{int64Type, stringType}
	wantJoined(t, b, of(asked(t, "1 07:00", "2 07:00", "1 05:00"), v), "null | text b", "int 21 | null", "int 10 | text a")
}

func joinNullTimes(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00", "1 11 -", "2 20 -")
	w := past(t, b, "w", "1 30 05:00")
	w.Keys = nil
	wantJoined(t, b, of(asked(t, "1 -", "1 07:00", "2 07:00", "- -"), v, w), "null | null", "int 10 | int 30", "null | int 30", "null | null")
}

func joinNothing(t testing.TB, b Backend) {
	v, w := past(t, b, "v", "1 10 05:00"), past(t, b, "w")
	x := past(t, b, "x", "1 30 05:00")
	v.Features, v.Types = []string{"f", "k", "ts"}, []types.ValueType_Enum{int64Type, int64Type, types.ValueType_UNIX_TIMESTAMP}
	wantJoined(t, b, of(asked(t, "1 07:00", "2 07:00"), v, w, x), "int 10 | int 1 | time 2024-01-01T05:00:00Z | null | int 30", "null | null | null | null | null")
}

func joinCreatedBefore(t testing.TB, b Backend) {
	v := past(t, b, "v",
		"1 10 05:00 05:10", "1 11 06:00 08:00", "1 12 06:00 07:00", "1 13 04:00 04:00",
		"2 20 05:00 -", "2 21 04:00 04:00", "3 30 05:00 -",
		"4 40 05:00 02:00", "4 41 04:00 09:00")
	v.CreatedBefore = true
	wantFeatures(t, b, of(asked(t, "1 08:00", "1 07:59:59.999999", "1 07:00", "1 06:59:59.999999", "1 05:10", "1 05:09:59", "1 03:59", "2 09:00", "3 09:00", "4 09:00", "4 04:30", "4 04:00"), v),
		"11", "12", "12", "10", "10", "13", "-", "21", "-", "40", "-", "-")
	v.TTL = time.Hour
	wantFeatures(t, b, of(asked(t, "1 07:00", "1 08:00", "1 06:30", "1 05:05", "1 05:00", "4 06:00"), v), "12", "-", "-", "-", "13", "40")
	v.CreatedBefore = false
	wantFeatures(t, b, of(asked(t, "1 06:30", "3 06:00", "2 05:30"), v), "11", "30", "20")
}

func joinCreatedNeeded(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	v.Created, v.CreatedBefore = "", true
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 07:00"), v))
	refused(t, err, invalid, "created_timestamp_column")
}
