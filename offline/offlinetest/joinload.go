package offlinetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// entityBatch makes n entity rows from number first on, of the last hour of the
// first day of 2024.
func entityBatch(schema *arrow.Schema, first, n int, key func(i int) int64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	keys, _ := b.Field(0).(*array.Int64Builder)
	times, _ := b.Field(1).(*array.TimestampBuilder)
	for i := range n {
		keys.Append(key(first + i))
		times.Append(arrow.Timestamp(day(1).Add(-time.Duration((first+i)%3600) * time.Second).UnixMicro()))
	}
	return b.NewRecordBatch()
}

// longJoin joins as many entity rows as long has rows, each with one of them.
func longJoin(t testing.TB, b Backend, then Trouble) offline.Join {
	t.Helper()
	v := offline.JoinView{
		Name: "v", Source: long(t, b, then), Keys: keyed("k", stringType),
		Features: []string{"k"}, Types: []types.ValueType_Enum{stringType}, Timestamp: "ts",
	}
	return of(longEntities(t), v)
}

// longEntities are a row for each row of long, a year later.
func longEntities(t testing.TB) array.RecordReader {
	t.Helper()
	texts, times := array.NewStringBuilder(memory.DefaultAllocator), array.NewTimestampBuilder(memory.DefaultAllocator, micros)
	for i := range longRows {
		texts.Append("k" + strconv.Itoa(i))
		times.Append(arrow.Timestamp(day(365).UnixMicro()))
	}
	schema := record(t, key(), times2()).Schema()
	return batches(t, schema, array.NewRecordBatch(schema, []arrow.Array{texts.NewArray(), times.NewArray()}, longRows))
}

func times2() column { return column{"at", micros, nil} }

// begun is a join whose first batch was read.
func begun(t testing.TB, ctx context.Context, b Backend, join offline.Join) array.RecordReader { //nolint:revive // t first, as everywhere here
	t.Helper()
	r, err := joinerOf(t, b.Store()).PointInTime(ctx, join)
	if err != nil {
		t.Fatalf("PointInTime: %v: %v", err, fault.Cause(err))
	}
	if !r.Next() {
		defer r.Release()
		t.Fatalf("no batch: %v: %v", r.Err(), fault.Cause(r.Err()))
	}
	return r
}

func joinRetained(t testing.TB, b Backend) {
	r := begun(t, t.Context(), b, longJoin(t, b, End))
	kept := r.RecordBatch()
	kept.Retain()
	defer kept.Release()
	before := strings.Join(show(kept), "\n")
	for r.Next() {
		continue
	}
	r.Release()
	if strings.Join(show(kept), "\n") != before || !strings.HasPrefix(before, "text k0\ntext k1\n") {
		t.Error("the batch is not what it was")
	}
}

func joinRetainedReader(t testing.TB, b Backend) {
	r := begun(t, t.Context(), b, longJoin(t, b, End))
	rows := int(r.RecordBatch().NumRows())
	r.Retain()
	r.Release()
	for r.Next() {
		rows += int(r.RecordBatch().NumRows())
	}
	if r.Err() != nil || rows != longRows {
		t.Errorf("%d rows, %v; want %d", rows, r.Err(), longRows)
	}
	r.Release()
	nothingHeld(t, b, "after the last Release")
}

// concurrentRows is how many rows the joins of joinConcurrent have.
const concurrentRows = 70_000

// joinConcurrent reads two joins alternately, and many at once.
func joinConcurrent(t testing.TB, b Backend) {
	view := func(name string, feature int) offline.JoinView {
		rows := make([]string, 1000)
		for i := range rows {
			rows[i] = fmt.Sprintf("%d %d 05:00", i, feature)
		}
		return past(t, b, name, rows...)
	}
	schema := record(t, ints("k"), times("at")).Schema()
	batch := entityBatch(schema, 0, concurrentRows, func(i int) int64 { return int64(i % 1000) })
	one, two := of(nil, view("one", 1)), of(nil, view("two", 2))
	open := func(join offline.Join) array.RecordReader {
		join.Entities = batches(t, schema, batch)
		return begun(t, t.Context(), b, join)
	}
	first, second := open(one), open(two)
	defer first.Release()
	defer second.Release()
	counts := map[string]int{}
	for more := [2]bool{true, true}; more[0] || more[1]; {
		for i, r := range [2]array.RecordReader{first, second} {
			if more[i] {
				count(counts, r)
				more[i] = r.Next()
			}
		}
	}
	if first.Err() != nil || second.Err() != nil || counts["int 1"] != concurrentRows || counts["int 2"] != concurrentRows {
		t.Errorf("turn by turn: rows %v, %v, %v", counts, first.Err(), second.Err())
	}
	var group sync.WaitGroup
	for i := range 6 {
		join, want := one, "int 1"
		if i%2 == 1 {
			join, want = two, "int 2"
		}
		join.Entities = batches(t, schema, batch)
		group.Go(func() { ownJoin(t, b, join, want) })
	}
	group.Wait()
}

// ownJoin reads a join, all of whose rows are the same.
func ownJoin(t testing.TB, b Backend, join offline.Join, want string) {
	r, err := joinerOf(t, b.Store()).PointInTime(t.Context(), join)
	if err != nil {
		t.Errorf("PointInTime: %v", err)
		return
	}
	defer r.Release()
	counts := map[string]int{}
	for r.Next() {
		count(counts, r)
	}
	if r.Err() != nil || counts[want] != concurrentRows || len(counts) != 1 {
		t.Errorf("rows %v, %v; want %d of %s", counts, r.Err(), concurrentRows, want)
	}
}

// The texts of joinBounded are more than a join may hold.
const (
	joinWideRows   = 512
	joinHeapBounds = 96 << 20
)

func joinBounded(t testing.TB, b Backend) {
	letters := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), wideText) }
	v := offline.JoinView{
		Name: "v", Source: generated(t, b, "src", joinWideRows, letters),
		Features: []string{"k"}, Types: []types.ValueType_Enum{stringType}, Timestamp: "ts",
	}
	cells := make([]string, joinWideRows)
	for i := range cells { // each row has the text of a source's row of its own
		cells[i] = day(0).Add(time.Duration(joinWideRows-1-i) * time.Second).Format(time.RFC3339)
	}
	base := heap()
	r, err := joinerOf(t, b.Store()).PointInTime(t.Context(), of(entities(t, ts(cells...)), v))
	if err != nil {
		t.Fatalf("PointInTime: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	rows, unmeasured, most := 0, 0, heap()
	for r.Next() {
		texts, ok := r.RecordBatch().Column(0).(array.StringLike)
		for i := range int(r.RecordBatch().NumRows()) {
			if want := letters(joinWideRows - 1 - rows); !ok || texts.IsNull(i) || texts.Value(i) != want {
				t.Fatalf("row %d has another text than %.1s...", rows+1, want)
			}
			rows++
		}
		if unmeasured += int(r.RecordBatch().NumRows()) * wideText; unmeasured >= 8<<20 {
			unmeasured = 0
			most = max(most, heap())
		}
	}
	if r.Err() != nil || rows != joinWideRows {
		t.Errorf("%d rows, %v: %v; want %d", rows, r.Err(), fault.Cause(r.Err()), joinWideRows)
	}
	if most > base+joinHeapBounds {
		t.Errorf("%d MB are in use while %d MB are joined", (most-base)>>20, joinWideRows*wideText>>20)
	}
}

func joinLargeRows(t testing.TB, b Backend) {
	const size = 20 << 20
	text := func(i int) string { return strings.Repeat(string(rune('a'+i)), size) }
	v := offline.JoinView{
		Name: "v", Source: generated(t, b, "src", 2, text),
		Features: []string{"k"}, Types: []types.ValueType_Enum{stringType}, Timestamp: "ts",
	}
	second := day(0).Add(time.Second).Format(time.RFC3339)
	rows := joined(t, b, of(entities(t, ts(second, days(1)[0], second)), v))
	if len(rows) != 3 || rows[0] != "text "+text(1) || rows[1] != "text "+text(0) || rows[2] != rows[0] {
		t.Errorf("%d rows, which are not those of the source", len(rows))
	}
}
