package offlinetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// joinsPerWorld is how many joins are made of the same tables.
const joinsPerWorld = 20

// JoinsAgainstOracle compares random joins of small random tables with the
// Oracle: many ties, nulls, repeated keys, and types of keys and times.
// BANQUET_TEST_CASES is how many joins to compare instead of cases.
func JoinsAgainstOracle(t testing.TB, b Backend, cases int) {
	t.Helper()
	if text, ok := os.LookupEnv("BANQUET_TEST_CASES"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("BANQUET_TEST_CASES is %q, want the number of random joins", text)
		}
		cases = n
	}
	for seed := uint64(1); cases > 0; seed++ {
		n := min(cases, joinsPerWorld)
		random := rand.New(rand.NewPCG(seed, 0))
		compareWorld(t, b, &world{dice: random.IntN, name: fmt.Sprint("seed ", seed)}, n)
		if t.Failed() {
			return
		}
		cases -= n
	}
}

// JoinAgainstOracle compares joins of the tables that some bytes describe with
// the Oracle. All bytes describe tables.
func JoinAgainstOracle(t testing.TB, b Backend, choices []byte) {
	t.Helper()
	dice := func(n int) int {
		if len(choices) == 0 {
			return 0
		}
		one := int(choices[0])
		choices = choices[1:]
		return one % n
	}
	compareWorld(t, b, &world{dice: dice, name: fmt.Sprintf("choices %q", choices)}, 3)
}

// world makes tables and joins by throwing dice.
type world struct {
	dice     func(n int) int
	name     string
	families [2]family
	sources  []offline.JoinView
}

// family is a set of types of keys that may equal each other.
type family struct {
	kinds []types.ValueType_Enum
	// source and entity are the types of the columns on both sides.
	source, entity []arrow.DataType
	cells          []string
}

func families() []family {
	text, dictionary := arrow.DataType(str), &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: str}
	seconds := &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
	return []family{
		{
			[]types.ValueType_Enum{types.ValueType_INT64, types.ValueType_INT32},
			[]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Float64, text},
			[]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int8, text, arrow.BinaryTypes.LargeString, dictionary},
			[]string{"0", "1", "2", "12", "-3"},
		},
		{
			[]types.ValueType_Enum{types.ValueType_STRING},
			[]arrow.DataType{text},
			[]arrow.DataType{text, arrow.BinaryTypes.LargeString, dictionary},
			[]string{"a", "ab", "b", "A", "a b", "1", "ä"},
		},
		{
			[]types.ValueType_Enum{types.ValueType_BOOL},
			[]arrow.DataType{arrow.FixedWidthTypes.Boolean},
			[]arrow.DataType{arrow.FixedWidthTypes.Boolean},
			[]string{"true", "false"},
		},
		{
			[]types.ValueType_Enum{types.ValueType_DOUBLE},
			[]arrow.DataType{arrow.PrimitiveTypes.Float64},
			[]arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32},
			[]string{"0", "-0", "1.5", "NaN", "+Inf"},
		},
		{
			[]types.ValueType_Enum{types.ValueType_UNIX_TIMESTAMP},
			[]arrow.DataType{micros, seconds},
			[]arrow.DataType{micros, seconds},
			[]string{"2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "1969-12-31T23:59:59Z"},
		},
	}
}

// choose returns one of some things, the first one most often if they are dice of zeros.
func choose[T any](w *world, all ...T) T { return all[w.dice(len(all))] }

// nullable writes a cell, or null once in a while.
func (w *world) nullable(cell string) string {
	if w.dice(8) == 7 {
		return null
	}
	return cell
}

// moment is one of few times.
func (w *world) moment() time.Time {
	at := choose(w, day(0), day(1), day(0).Add(time.Hour), time.Unix(0, 0).UTC(), day(2))
	return at.Add(choose(w, 0, time.Microsecond, -time.Microsecond, time.Second, time.Nanosecond, time.Hour, 0, 0))
}

// timed writes times as cells of a type.
func (w *world) timed(name string, of arrow.DataType, n int) column {
	c := column{name: name, of: of}
	for range n {
		at, layout := w.moment(), "2006-01-02T15:04:05.999999999Z07:00"
		switch of := of.(type) {
		case *arrow.TimestampType:
			at = at.Truncate(of.Unit.Multiplier())
			if of.TimeZone == "" {
				layout = "2006-01-02 15:04:05.999999999"
			}
		case *arrow.Date32Type:
			layout = time.DateOnly
		}
		c.cells = append(c.cells, w.nullable(at.Format(layout)))
	}
	return c
}

func (w *world) cells(f family, name string, of arrow.DataType, n int) column {
	c := column{name: name, of: of}
	for range n {
		c.cells = append(c.cells, w.nullable(choose(w, f.cells...)))
	}
	return c
}

// source writes a table and makes a view of it.
func (w *world) source(t testing.TB, b Backend, name string) offline.JoinView {
	t.Helper()
	n := w.dice(25)
	at := []arrow.DataType{micros, &arrow.TimestampType{Unit: arrow.Microsecond}, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, arrow.FixedWidthTypes.Date32, str}
	columns := []column{w.timed("ts", choose(w, at...), n), w.timed("made", choose(w, at...), n)}
	v := offline.JoinView{Name: name, Timestamp: "ts"}
	for i, f := range w.families {
		key := offline.JoinKey{Column: fmt.Sprint("k", i), Type: choose(w, f.kinds...)}
		columns = append(columns, w.cells(f, key.Column, choose(w, f.source...), n))
		v.Keys = append(v.Keys, key)
	}
	numbers, texts := ints("f"), strs("g")
	for i := range n {
		numbers.cells, texts.cells = append(numbers.cells, strconv.Itoa(i)), append(texts.cells, w.nullable("text "+strconv.Itoa(i)))
	}
	v.Source = writeNamed(t, b, name, End, append(columns, numbers, texts)...)
	return v
}

// view varies a view: its keys, features and rules.
func (w *world) view() offline.JoinView {
	v := choose(w, w.sources...)
	keys := v.Keys
	v.Keys = nil
	for i, k := range keys {
		if k.Entity = choose(w, i, i, i+2); w.dice(4) != 3 {
			v.Keys = append(v.Keys, k)
		}
	}
	v.Features, v.Types = []string{"f", "g"}, []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_STRING}
	if w.dice(5) == 4 {
		v.Features, v.Types = append(v.Features, "ts", keys[0].Column), append(v.Types, types.ValueType_UNIX_TIMESTAMP, keys[0].Type)
	}
	if w.dice(3) > 0 {
		v.Created = "made"
		v.CreatedBefore = w.dice(3) == 2
	}
	v.TTL = choose(w, 0, time.Hour, time.Second, 24*time.Hour, time.Nanosecond, time.Hour+time.Microsecond, 0)
	return v
}

// asking makes entity rows in two batches: two columns of each family, then the
// time.
func (w *world) asking(t testing.TB) []arrow.RecordBatch {
	t.Helper()
	of := choose(w, arrow.Microsecond, arrow.Nanosecond, arrow.Second, arrow.Millisecond)
	var heads [5]arrow.DataType
	for i := range 4 {
		heads[i] = choose(w, w.families[i%2].entity...)
	}
	heads[4] = &arrow.TimestampType{Unit: of, TimeZone: "UTC"}
	var all []arrow.RecordBatch
	for range 2 {
		n := w.dice(8)
		columns := make([]column, 5)
		for i := range 4 {
			columns[i] = w.cells(w.families[i%2], fmt.Sprint("e", i), heads[i], n)
		}
		columns[4] = w.timed("at", heads[4], n)
		all = append(all, record(t, columns...))
	}
	return all
}

// compareWorld makes tables and compares joins of them.
func compareWorld(t testing.TB, b Backend, w *world, joins int) {
	t.Helper()
	all := families()
	w.families = [2]family{choose(w, all...), choose(w, all...)}
	for i := range 2 + w.dice(2) {
		w.sources = append(w.sources, w.source(t, b, fmt.Sprint("source", i)))
	}
	for i := range joins {
		rows := w.asking(t)
		var views []offline.JoinView
		for range 1 + w.dice(3) {
			views = append(views, w.view())
		}
		asking := func(j offline.Joiner) (array.RecordReader, error) {
			return j.PointInTime(t.Context(), of(batches(t, rows[0].Schema(), rows...), views...))
		}
		compare(t, b, fmt.Sprintf("%s, join %d of %s\n%s", w.name, i+1, describe(views), strings.Join(append(show(rows[0]), show(rows[1])...), "\n")), asking)
		if t.Failed() {
			return
		}
	}
	q := latestOf(choose(w, w.sources...))
	q.Columns, q.Types, q.Created = append(q.Columns, "f"), append(q.Types, types.ValueType_INT64), choose(w, "made", "")
	keys := choose(w, []int{0, 1}, []int{0}, []int{1, 0}, nil)
	compareSorted(t, b, fmt.Sprintf("%s, Latest of %v by %v", w.name, q.Columns, keys), func(j offline.Joiner) (array.RecordReader, error) {
		return j.Latest(t.Context(), q, keys)
	})
	start := w.moment()
	compareSorted(t, b, w.name+", Moments", func(j offline.Joiner) (array.RecordReader, error) {
		return j.Moments(t.Context(), w.sources[:1], start, start.Add(24*time.Hour))
	})
}

func describe(views []offline.JoinView) string {
	var all []string
	for _, v := range views {
		all = append(all, fmt.Sprintf("{%s by %v, created %q before %v, TTL %v}", v.Name, v.Keys, v.Created, v.CreatedBefore, v.TTL))
	}
	return strings.Join(all, ", ")
}

// answer is what a joiner says: rows, or the kind of a failure.
func answer(t testing.TB, j offline.Joiner, ask func(offline.Joiner) (array.RecordReader, error)) (rows []string, fields, failure string) {
	t.Helper()
	rows, err := gather(t, func() (array.RecordReader, error) {
		r, err := ask(j)
		if err == nil {
			fields = r.Schema().String()
		}
		return r, err
	})
	if err != nil {
		return nil, "", fault.KindOf(err).String()
	}
	return rows, fields, ""
}

// compare compares the answers of a backend and of the oracle, row by row.
func compare(t testing.TB, b Backend, what string, ask func(offline.Joiner) (array.RecordReader, error)) {
	t.Helper()
	compareAs(t, b, what, ask, func(rows []string) []string { return rows })
}

// compareSorted compares rows in any order.
func compareSorted(t testing.TB, b Backend, what string, ask func(offline.Joiner) (array.RecordReader, error)) {
	t.Helper()
	compareAs(t, b, what, ask, sorted)
}

func compareAs(t testing.TB, b Backend, what string, ask func(offline.Joiner) (array.RecordReader, error), order func([]string) []string) {
	t.Helper()
	wantRows, wantFields, wantFailure := answer(t, Oracle{b.Store()}, ask)
	rows, fields, failure := answer(t, joinerOf(t, b.Store()), ask)
	if diff := gocmp.Diff(order(wantRows), order(rows)); diff != "" || fields != wantFields || failure != wantFailure {
		t.Errorf("%s\nthe oracle: %s %s\nthe store: %s %s\nrows (-want +got):\n%s", what, wantFailure, wantFields, failure, fields, diff)
	}
}
