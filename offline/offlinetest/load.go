package offlinetest

import (
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// longRows is more rows than any store puts into two batches.
const longRows = 70_000

// long is a source of many short rows, a second apart.
func long(t testing.TB, b Backend, then Trouble) *core.DataSource {
	t.Helper()
	return writeRows(t, b, "src", then, slices.Values(longBatches()), key(), ts())
}

// longBatches are the rows of long. They are made once, since most checks of load read them.
var longBatches = sync.OnceValue(func() []arrow.RecordBatch { //nolint:gochecknoglobals // made once, then only read
	return slices.Collect(generate(longRows, func(i int) string { return "k" + strconv.Itoa(i) }))
})

// generated is a source of n rows, which are made as they are written.
func generated(t testing.TB, b Backend, name string, n int, text func(int) string) *core.DataSource {
	t.Helper()
	return writeRows(t, b, name, End, generate(n, text), key(), ts())
}

// batchBytes is about the size of a batch of generated rows.
const batchBytes = 1 << 19

// generate makes rows in batches of about batchBytes.
func generate(n int, text func(int) string) iter.Seq[arrow.RecordBatch] {
	return func(yield func(arrow.RecordBatch) bool) {
		fields := arrow.NewSchema([]arrow.Field{{Name: key().name, Type: key().of, Nullable: true}, {Name: ts().name, Type: ts().of, Nullable: true}}, nil)
		texts, times := array.NewStringBuilder(memory.DefaultAllocator), array.NewTimestampBuilder(memory.DefaultAllocator, micros)
		size := 0
		for i := range n {
			s := text(i)
			if size == 0 {
				texts.ReserveData(max(len(s), batchBytes))
			}
			texts.Append(s)
			times.Append(arrow.Timestamp(day(0).Add(time.Duration(i) * time.Second).UnixMicro()))
			if size += len(s) + 8; size < batchBytes && i < n-1 {
				continue
			}
			size = 0
			columns := []arrow.Array{texts.NewArray(), times.NewArray()}
			if !yield(array.NewRecordBatch(fields, columns, int64(columns[0].Len()))) {
				return
			}
		}
	}
}

// retained keeps the first batch while the rest is read and the reader is
// released.
func retained(t testing.TB, b Backend) {
	r := started(t, t.Context(), b.Store(), query(long(t, b, End), "k"))
	kept := r.RecordBatch()
	kept.Retain()
	defer kept.Release()
	before := strings.Join(show(kept), "\n")
	for r.Next() {
		continue
	}
	r.Release()
	if strings.Join(show(kept), "\n") != before {
		t.Error("the batch is not what it was")
	}
}

// retainedReader releases one of two references to a reader.
func retainedReader(t testing.TB, b Backend) {
	r := started(t, t.Context(), b.Store(), query(long(t, b, End), "k"))
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

// concurrent reads two sources alternately, and both by many goroutines at
// once.
func concurrent(t testing.TB, b Backend) {
	one := query(generated(t, b, "one", longRows, func(int) string { return "one" }), "k")
	two := query(generated(t, b, "two", longRows/2, func(int) string { return "two" }), "k")
	rowsOf := map[string]int{"text one": longRows, "text two": longRows / 2}
	first, second := started(t, t.Context(), b.Store(), one), started(t, t.Context(), b.Store(), two)
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
	if first.Err() != nil || second.Err() != nil || fmt.Sprint(counts) != fmt.Sprint(rowsOf) {
		t.Errorf("turn by turn: rows %v, %v, %v; want %v", counts, first.Err(), second.Err(), rowsOf)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if i%2 == 1 {
				ownRows(t, b, two, longRows/2)
				return
			}
			ownRows(t, b, one, longRows)
		})
	}
	group.Wait()
}

// ownRows checks the span of a source and reads it: it has so many rows, and
// none of another source.
func ownRows(t testing.TB, b Backend, q offline.Query, rows int64) {
	if got, err := b.Store().Span(t.Context(), q); err != nil || got.Rows != rows {
		t.Errorf("span %+v, %v; want %d rows", got, err, rows)
	}
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Errorf("Range: %v", err)
		return
	}
	defer r.Release()
	counts := map[string]int{}
	for r.Next() {
		count(counts, r)
	}
	if r.Err() != nil || len(counts) != 1 || counts["text "+q.Source.GetName()] != int(rows) {
		t.Errorf("rows %v, %v; want %d of %s", counts, r.Err(), rows, q.Source.GetName())
	}
}

// count counts the rows of a reader's batch by their first cell.
func count(counts map[string]int, r array.RecordReader) {
	batch := r.RecordBatch()
	for i := range int(batch.NumRows()) {
		counts[cell(batch.Column(0), i)]++
	}
}

// Wide rows are bounded by their bytes: together they exceed the size of a
// batch.
const (
	wideRows   = 384
	wideText   = 256 << 10
	heapBounds = 64 << 20
)

func bounded(t testing.TB, b Backend) {
	q := query(generated(t, b, "src", wideRows, func(i int) string { return strings.Repeat(string(rune('a'+i%26)), wideText) }), "k")
	base := heap()
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v", err)
	}
	defer r.Release()
	rows, unmeasured, most := 0, 0, uint64(0)
	for r.Next() {
		n := int(r.RecordBatch().NumRows())
		rows += n
		if unmeasured += n * wideText; unmeasured >= 8<<20 {
			unmeasured = 0
			most = max(most, heap())
		}
	}
	if r.Err() != nil || rows != wideRows {
		t.Errorf("%d rows, %v; want %d", rows, r.Err(), wideRows)
	}
	if most > base+heapBounds {
		t.Errorf("%d MB are in use while %d MB are read", (most-base)>>20, wideRows*wideText>>20)
	}
}

// largeRows are each larger than a batch may be.
func largeRows(t testing.TB, b Backend) {
	const size = 20 << 20
	text := func(i int) string { return strings.Repeat(string(rune('a'+i)), size) }
	q := query(generated(t, b, "src", 2, text), "k")
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v", err)
	}
	defer r.Release()
	found := map[string]int{}
	for r.Next() {
		count(found, r)
	}
	if r.Err() != nil || len(found) != 2 || found["text "+text(0)] != 1 || found["text "+text(1)] != 1 {
		t.Errorf("%d different rows, %v; want 2", len(found), r.Err())
	}
}

// heap is the memory in use, without garbage.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
