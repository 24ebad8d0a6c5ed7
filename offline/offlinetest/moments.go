package offlinetest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// momentSentences list the contract of Moments.
func momentSentences() []Sentence {
	return []Sentence{
		{"moments are the distinct pairs of keys and event time of all views", moments},
		{"moments come by event time, then by keys", momentOrder},
		{"moments have the first view's columns and types of the keys, then the event time", momentSchema},
		{"both ends of moments are inclusive", momentBounds},
		{"rows without a key or an event time have no moment", momentNulls},
		{"moments without keys are event times", momentNoKeys},
		{"moments of no rows are a schema", momentsOfNone},
		{"moments may be many", manyMoments},
		{"moments fail as Range does", momentsFail},
	}
}

// momentsOf reads the moments of views.
func momentsOf(t testing.TB, b Backend, start, end time.Time, views ...offline.JoinView) []string {
	t.Helper()
	rows, err := attemptMoments(t, b, start, end, views...)
	if err != nil {
		t.Fatalf("Moments: %v: %v", err, fault.Cause(err))
	}
	return rows
}

func attemptMoments(t testing.TB, b Backend, start, end time.Time, views ...offline.JoinView) ([]string, error) {
	t.Helper()
	return gather(t, func() (array.RecordReader, error) {
		return joinerOf(t, b.Store()).Moments(t.Context(), views, start, end)
	})
}

// moment is how a moment of the first day of 2024 reads.
func moment(key, clock string) string { return "int " + key + " | time 2024-01-01T" + clock + "Z" }

func moments(t testing.TB, b Backend) {
	v := past(t, b, "v", "2 10 05:00", "1 10 05:00 06:00", "1 11 05:00 07:00", "1 12 06:00")
	w := past(t, b, "w", "1 20 05:00", "3 21 04:00", "1 22 06:00:00.000001")
	wantInOrder(t, momentsOf(t, b, day(0), day(1), v, w),
		moment("3", "04:00:00"), moment("1", "05:00:00"), moment("2", "05:00:00"), moment("1", "06:00:00"), moment("1", "06:00:00.000001"))
	wantInOrder(t, momentsOf(t, b, day(0), day(1), w, w), moment("3", "04:00:00"), moment("1", "05:00:00"), moment("1", "06:00:00.000001"))
}

func momentOrder(t testing.TB, b Backend) {
	v := past(t, b, "v", "10 1 06:00", "9 1 06:00", "-5 1 06:00", "300 1 05:00", "1000000 1 05:00", "-7000000000 1 05:00", "2 1 1969-12-31T00:00:00Z")
	wantInOrder(t, momentsOf(t, b, time.Time{}, day(1), v), "int 2 | time 1969-12-31T00:00:00Z",
		moment("-7000000000", "05:00:00"), moment("300", "05:00:00"), moment("1000000", "05:00:00"), moment("-5", "06:00:00"), moment("9", "06:00:00"), moment("10", "06:00:00"))
	v = pairs(t, b, strs("one", "b", "a", "a", "ab"), ints("two", "1", "10", "9", "1"))
	at := " | time 2024-01-01T05:00:00Z"
	wantInOrder(t, momentsOf(t, b, day(0), day(1), v), "text a | int 9"+at, "text a | int 10"+at, "text ab | int 1"+at, "text b | int 1"+at)
}

func momentSchema(t testing.TB, b Backend) {
	at := times("ts", "05:00")
	v := viewOf("v", writeNamed(t, b, "one", End, column{"loan", arrow.PrimitiveTypes.Int32, []string{"7"}}, strs("zip", "x"), ints("f", "1"), at, times("made", "05:00")))
	v.Keys = []offline.JoinKey{{Column: "zip", Entity: 0, Type: stringType}, {Column: "loan", Entity: 1, Type: int64Type}}
	w := viewOf("w", writeNamed(t, b, "two", End, ints("k", "8"), strs("town", "y"), ints("f", "1"), times("when", "06:00"), times("made", "05:00")))
	w.Keys, w.Timestamp = []offline.JoinKey{{Column: "town", Entity: 0, Type: stringType}, {Column: "k", Entity: 1, Type: int64Type}}, "when"
	for _, views := range [][]offline.JoinView{{v, w}, {w, v}} {
		r, err := joinerOf(t, b.Store()).Moments(t.Context(), views, day(0), day(1))
		if err != nil {
			t.Fatalf("Moments: %v: %v", err, fault.Cause(err))
		}
		first := views[0]
		wantFields(t, r.Schema().Fields(), first.Keys[0].Column, first.Keys[1].Column, first.Timestamp)
		wantSameTypes(t, b, r.Schema().Fields(), offline.Query{
			Source: first.Source, Timestamp: first.Timestamp,
			Columns: []string{first.Keys[0].Column, first.Keys[1].Column}, Types: []types.ValueType_Enum{stringType, int64Type},
		})
		wantInOrder(t, drain(t, r), "text x | int 7 | time 2024-01-01T05:00:00Z", "text y | int 8 | time 2024-01-01T06:00:00Z")
		r.Release()
	}
}

func momentBounds(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 1 05:00", "1 1 05:00:00.000001", "1 1 05:00:00.000002", "1 1 05:00:00.000003")
	at := day(0).Add(5 * time.Hour)
	wantInOrder(t, momentsOf(t, b, at.Add(1000), at.Add(2000), v), moment("1", "05:00:00.000001"), moment("1", "05:00:00.000002"))
	wantInOrder(t, momentsOf(t, b, at.Add(1001), at.Add(2999), v), moment("1", "05:00:00.000002"))
	wantInOrder(t, momentsOf(t, b, at, at, v), moment("1", "05:00:00"))
	wantInOrder(t, momentsOf(t, b, at.Add(time.Hour), at, v))
}

func momentNulls(t testing.TB, b Backend) {
	v := past(t, b, "v", "- 1 05:00", "1 1 -", "2 2 05:00", "- - -")
	wantInOrder(t, momentsOf(t, b, time.Time{}, day(1), v), moment("2", "05:00:00"))
	v = pairs(t, b, ints("one", "1", null, "3"), ints("two", null, "2", "3"))
	wantInOrder(t, momentsOf(t, b, day(0), day(1), v), "int 3 | int 3 | time 2024-01-01T05:00:00Z")
}

func momentNoKeys(t testing.TB, b Backend) {
	v, w := past(t, b, "v", "1 1 06:00", "2 1 05:00", "- 1 05:00"), past(t, b, "w", "1 1 05:00", "1 1 07:00")
	v.Keys, w.Keys = nil, nil
	wantInOrder(t, momentsOf(t, b, day(0), day(1), v, w), "time 2024-01-01T05:00:00Z", "time 2024-01-01T06:00:00Z", "time 2024-01-01T07:00:00Z")
}

func momentsOfNone(t testing.TB, b Backend) {
	v, w := past(t, b, "v"), past(t, b, "w", "1 1 05:00")
	r, err := joinerOf(t, b.Store()).Moments(t.Context(), []offline.JoinView{v, w}, day(1), day(2))
	if err != nil {
		t.Fatalf("Moments: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	wantFields(t, r.Schema().Fields(), "k", "ts")
	if rows := drain(t, r); len(rows) != 0 || r.Err() != nil {
		t.Errorf("rows %v, %v", rows, r.Err())
	}
}

func manyMoments(t testing.TB, b Backend) {
	v := offline.JoinView{Name: "v", Source: long(t, b, End), Keys: keyed("k", stringType), Timestamp: "ts"}
	rows := momentsOf(t, b, day(0), day(365), v, v)
	if len(rows) != longRows {
		t.Fatalf("%d rows, want %d", len(rows), longRows)
	}
	for i, row := range rows {
		if want := "text k" + strconv.Itoa(i) + " | time " + day(0).Add(time.Duration(i)*time.Second).Format(time.RFC3339); row != want {
			t.Fatalf("row %d is %s, want %s", i+1, row, want)
		}
	}
}

func momentsFail(t testing.TB, b Backend) {
	good := past(t, b, "good", "1 10 05:00")
	for i, change := range []func(*offline.JoinView){
		func(v *offline.JoinView) { v.Keys = keyed("elsewhere", int64Type) },
		func(v *offline.JoinView) { v.Timestamp = "elsewhere" },
	} {
		v := good
		change(&v)
		for _, views := range [][]offline.JoinView{{v}, {good, v}} {
			_, err := attemptMoments(t, b, day(0), day(1), views...)
			refused(t, err, absent, "good", "elsewhere")
			nothingHeld(t, b, fmt.Sprint("after refusal ", i))
		}
	}
	_, err := attemptMoments(t, b, day(0), day(1), good, pastThen(t, b, "bad", Damage, "1 10 05:00"))
	refused(t, err, unread, "bad")
	nothingHeld(t, b, "after a failure")
}
