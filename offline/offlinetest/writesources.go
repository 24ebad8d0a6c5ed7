package offlinetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// conflict is the fault of a source that exists.
const conflict kinds = 1 << fault.Conflict

// appendedAtOnce appends from many goroutines, each several times.
func appendedAtOnce(t testing.TB, b WriterBackend) {
	const writers, times = 6, 4
	src := write(t, b, key("a"), ts(days(1)...))
	batches := []arrow.RecordBatch{pair(t, "a")}
	all := make([][]*given, writers)
	for i := range all {
		for j := range times {
			batch := pair(t, fmt.Sprintf("%d.%d", i, j), "too")
			batches = append(batches, batch)
			all[i] = append(all[i], rowsOf(t, batch))
		}
	}
	var group sync.WaitGroup
	for _, own := range all {
		group.Go(func() {
			for _, rows := range own {
				if n, err := writer(t, b.Store()).Append(t.Context(), src, rows); err != nil || n != 2 {
					t.Errorf("Append: %d, %v (%v)", n, err, fault.Cause(err))
				}
			}
		})
	}
	group.Wait()
	want(t, read(t, b.Store(), query(src, "k")), shown(batches...)...)
}

func created(t testing.TB, b WriterBackend) {
	made := b.Place(t, "made")
	batch := record(t, key("a", null), column{"n", i64, []string{"1", null}}, ts(days(2)...))
	create(t, b, made, rowsOf(t, batch, batch), false, 4)
	q := query(made, "k", "n")
	q.Types = []types.ValueType_Enum{types.ValueType_STRING, types.ValueType_INT64}
	want(t, read(t, b.Store(), q), shown(batch, batch)...)
	columns, err := b.Store().Columns(t.Context(), made)
	if err != nil || len(columns) != 3 || columns[0].Name != "k" || columns[1].Name != "n" || columns[2].Name != "ts" {
		t.Errorf("columns %v, %v", columns, err)
	}
}

func createdEmpty(t testing.TB, b WriterBackend) {
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, pair(t)), false, 0)
	want(t, read(t, b.Store(), query(made, "k")))
	if columns, err := b.Store().Columns(t.Context(), made); err != nil || len(columns) != 2 {
		t.Errorf("columns %v, %v; want 2", columns, err)
	}
}

func createdThenAppended(t testing.TB, b WriterBackend) {
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, pair(t, "a")), false, 1)
	add(t, b, made, rowsOf(t, pair(t, "b", "c")), 2)
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "a"), pair(t, "b", "c"))...)
	create(t, b, made, rowsOf(t, pair(t, "d")), true, 1)
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "d"))...)
}

func createdTwice(t testing.TB, b WriterBackend) {
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, pair(t, "a")), false, 1)
	before := b.Objects(t)
	refused(t, createFails(t, b, made, rowsOf(t, pair(t, "b")), false), conflict, "made")
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "a"))...)
	src := write(t, b, key("a"), ts(days(1)...))
	refused(t, createFails(t, b, src, rowsOf(t, pair(t, "b")), false), conflict, "src")
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
	if len(b.Objects(t)) != len(before)+1 {
		t.Errorf("there were %q and the source, now there are %q", before, b.Objects(t))
	}
}

// replaced has other columns the second time.
func replaced(t testing.TB, b WriterBackend) {
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, pair(t, "a", "b")), false, 2)
	other := record(t, column{"v", str, []string{"x"}}, ts(days(1)...))
	create(t, b, made, rowsOf(t, other), true, 1)
	want(t, read(t, b.Store(), query(made, "v")), shown(other)...)
	create(t, b, made, rowsOf(t, pair(t, "c")), true, 1)
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "c"))...)
}

func replacedNothing(t testing.TB, b WriterBackend) {
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, pair(t, "a")), true, 1)
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "a"))...)
}

func replacedForeign(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	before := b.Objects(t)
	refused(t, createFails(t, b, src, rowsOf(t, pair(t, "b")), true), conflict, "src")
	nothingWritten(t, b, before)
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
}

func createdAtOnce(t testing.TB, b WriterBackend) {
	const writers = 4
	made := b.Place(t, "made")
	var all []*given
	for range writers {
		all = append(all, rowsOf(t, pair(t, "a")))
	}
	errs := make([]error, writers)
	var group sync.WaitGroup
	for i, rows := range all {
		group.Go(func() { _, errs[i] = writer(t, b.Store()).Create(t.Context(), made, rows, false) })
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		refused(t, err, conflict, "made")
	}
	if won != 1 {
		t.Errorf("%d of %d callers made the source", won, writers)
	}
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "a"))...)
}
