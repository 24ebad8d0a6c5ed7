package offlinetest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// SliceSentences lists the contract of offline.Slicer, except for what only a
// store that can change shows: that all readers show one moment.
func SliceSentences() []Sentence {
	return []Sentence{
		{"the readers together have exactly the rows of Range", slicesWhole},
		{"the bounds of a query hold in every reader", slicesBounds},
		{"there are one to n readers", slicesCount},
		{"all readers have one schema", slicesSchema},
		{"readers one after the other are in the source's order", slicesOrder},
		{"readers may be read at the same time", slicesAtOnce},
		{"a reader that is released leaves the others alone", slicesApart},
		{"what Range refuses, Slices refuses", slicesRefused},
		{"a failure is an error of Slices or of a reader", slicesFail},
		{"a done context ends all readers", slicesDone},
		{"nothing is held after the readers, however far they were read", slicesReleased},
	}
}

// RunSlices checks every sentence of offline.Slicer, each with a fresh store. The
// backend's Store is an offline.Slicer, too, which divides sources of so many rows
// as these checks have.
func RunSlices(t *testing.T, open func(testing.TB) Backend, exceptions ...Exception) {
	t.Helper()
	run(t, SliceSentences(), open, exceptions)
}

// Sliced is a backend whose Range reads by three readers, one after the other, so
// that Run holds Slices to all that Store promises of Range.
func Sliced(b Backend) Backend { return slicedBackend{b} }

type slicedBackend struct{ Backend }

func (b slicedBackend) Store() offline.Store { return slicedStore{b.Backend.Store()} }

func (b slicedBackend) Unreachable(tb testing.TB) offline.Store {
	return slicedStore{b.Backend.Unreachable(tb)}
}

type slicedStore struct{ offline.Store }

func (s slicedStore) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	slicer, ok := s.Store.(offline.Slicer)
	if !ok {
		return nil, fault.New(fault.Internal, "the store, a %T, is no offline.Slicer", s.Store)
	}
	readers, err := slicer.Slices(ctx, q, 3)
	if err != nil {
		return nil, err
	}
	return offline.NewReader(readers[0].Schema(), oneByOne(readers), func() { releaseAll(readers) }), nil
}

// oneByOne are the batches of all readers, in order.
func oneByOne(readers []array.RecordReader) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for _, r := range readers {
			for r.Next() {
				batch := r.RecordBatch()
				batch.Retain()
				if !yield(batch, nil) {
					return
				}
			}
			if r.Err() != nil {
				yield(nil, r.Err())
				return
			}
		}
	}
}

func releaseAll(readers []array.RecordReader) {
	for _, r := range readers {
		r.Release()
	}
}

// opened are the readers of a query.
func opened(t testing.TB, ctx context.Context, b Backend, q offline.Query, n int) []array.RecordReader { //nolint:revive // t first, as everywhere here
	t.Helper()
	readers, err := slicesOf(t, ctx, b.Store(), q, n)
	if err != nil {
		t.Fatalf("Slices: %v: %v", err, fault.Cause(err))
	}
	if len(readers) == 0 {
		t.Fatal("Slices returned no reader and no error")
	}
	return readers
}

func slicesOf(t testing.TB, ctx context.Context, s offline.Store, q offline.Query, n int) (readers []array.RecordReader, err error) { //nolint:revive // t first, as everywhere here
	t.Helper()
	slicer, ok := s.(offline.Slicer)
	if !ok {
		t.Fatalf("the store, a %T, is no offline.Slicer", s)
	}
	within(t, patience, "Slices", func() { readers, err = slicer.Slices(ctx, q, n) })
	return readers, err
}

// several are at least two readers of a long source.
func several(t testing.TB, ctx context.Context, b Backend, q offline.Query) []array.RecordReader { //nolint:revive // t first, as everywhere here
	t.Helper()
	readers := opened(t, ctx, b, q, 3)
	if len(readers) < 2 {
		releaseAll(readers)
		t.Fatal("a long source has one reader")
	}
	return readers
}

// sliceRows reads a query by at most n readers, one after the other.
func sliceRows(t testing.TB, b Backend, q offline.Query, n int) (rows []string) {
	t.Helper()
	readers := opened(t, t.Context(), b, q, n)
	defer releaseAll(readers)
	for i, r := range readers {
		rows = append(rows, drain(t, r)...)
		if r.Err() != nil {
			t.Errorf("reader %d of %d: %v", i+1, len(readers), r.Err())
		}
	}
	return rows
}

func slicesWhole(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	rows := read(t, b.Store(), q)
	if len(rows) != longRows {
		t.Errorf("Range has %d rows, want %d", len(rows), longRows)
	}
	for _, n := range []int{1, 2, 3, 7} {
		if got := sorted(sliceRows(t, b, q, n)); !slices.Equal(got, rows) {
			t.Errorf("%d readers: %d rows, which are not the %d of Range", n, len(got), len(rows))
		}
	}
	none := query(writeRows(t, b, "none", End, func(func(arrow.RecordBatch) bool) {}, key(), ts()), "k")
	if got := sliceRows(t, b, none, 3); len(got) > 0 {
		t.Errorf("an empty source has %d rows", len(got))
	}
}

func slicesBounds(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	at := func(i int) time.Time { return day(0).Add(time.Duration(i) * time.Second) }
	for _, c := range [][2]int{{10, longRows / 2}, {longRows / 2, longRows}, {longRows + 1, longRows + 2}, {longRows / 3, longRows/3 + 1}} {
		q.Start, q.End = at(c[0]), at(c[1])
		rows := read(t, b.Store(), q)
		if got := sorted(sliceRows(t, b, q, 3)); !slices.Equal(got, rows) {
			t.Errorf("seconds %d to %d: %d rows, which are not the %d of Range", c[0], c[1], len(got), len(rows))
		}
	}
}

func slicesCount(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	for _, n := range []int{-1, 0, 1, 2, 5} {
		readers := opened(t, t.Context(), b, q, n)
		if len(readers) > max(n, 1) {
			t.Errorf("%d readers, want at most %d", len(readers), max(n, 1))
		}
		drainAll(t, readers)
	}
	drainAll(t, several(t, t.Context(), b, q))
}

// drainAll reads readers to their ends and releases them.
func drainAll(t testing.TB, readers []array.RecordReader) {
	t.Helper()
	for _, r := range readers {
		for r.Next() {
			continue
		}
		if r.Err() != nil {
			t.Errorf("a reader: %v", r.Err())
		}
		r.Release()
	}
}

func slicesSchema(t testing.TB, b Backend) {
	q := offline.Query{Source: long(t, b, End), Columns: []string{"k", "ts", "k"}, Timestamp: "ts", Created: "ts"}
	one, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v", err)
	}
	defer one.Release()
	readers := several(t, t.Context(), b, q)
	defer drainAll(t, readers)
	for _, r := range readers {
		if !r.Schema().Equal(one.Schema()) {
			t.Errorf("schema %v, want that of Range: %v", r.Schema(), one.Schema())
		}
	}
}

// slicesOrder reads a source which Range returns in the order in which it was
// written, as all stores do while nothing changes it.
func slicesOrder(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	readers := several(t, t.Context(), b, q)
	defer releaseAll(readers)
	var rows []string
	for i := len(readers) - 1; i >= 0; i-- { // read in another order
		rows = append(drain(t, readers[i]), rows...)
	}
	one, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v", err)
	}
	defer one.Release()
	if !slices.Equal(rows, drain(t, one)) {
		t.Error("the rows are not in the order of Range")
	}
}

func slicesAtOnce(t testing.TB, b Backend) {
	readers := several(t, t.Context(), b, query(long(t, b, End), "k"))
	defer releaseAll(readers)
	rows := make([]int64, len(readers))
	within(t, patience, "a read", func() {
		var group sync.WaitGroup
		for i, r := range readers {
			group.Go(func() {
				for r.Next() {
					rows[i] += r.RecordBatch().NumRows()
				}
				if r.Err() != nil {
					t.Errorf("reader %d: %v", i+1, r.Err())
				}
			})
		}
		group.Wait()
	})
	total := int64(0)
	for i, n := range rows {
		total += n
		if n == 0 {
			t.Errorf("reader %d of %d has no rows", i+1, len(rows))
		}
	}
	if total != longRows {
		t.Errorf("%d rows, want %d", total, longRows)
	}
}

func slicesApart(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	for i := range 2 { // the one that stays
		readers := several(t, t.Context(), b, q)
		for j, r := range readers {
			if j != i {
				r.Next()
				r.Release()
			}
		}
		if rows := drain(t, readers[i]); len(rows) == 0 || readers[i].Err() != nil {
			t.Errorf("reader %d: %d rows, %v", i+1, len(rows), readers[i].Err())
		}
		readers[i].Release()
		nothingHeld(t, b, "after the last Release")
	}
}

func slicesRefused(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k", "elsewhere")
	_, err := slicesOf(t, t.Context(), b.Store(), q, 3)
	refused(t, err, absent, "src", "elsewhere")
	q = query(q.Source, "k")
	q.Timestamp = ""
	_, err = slicesOf(t, t.Context(), b.Store(), q, 3)
	refused(t, err, invalid, "src")
	nothingHeld(t, b, "after what was refused")
	q.Timestamp = "ts"
	_, err = slicesOf(t, t.Context(), b.Unreachable(t), q, 3)
	refused(t, err, gone)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if readers, err := slicesOf(t, ctx, b.Store(), q, 3); err == nil { // then the readers tell it
		defer releaseAll(readers)
		readers[0].Next()
		refused(t, readers[0].Err(), canceled)
	} else {
		refused(t, err, canceled)
	}
}

func slicesFail(t testing.TB, b Backend) {
	readers, err := slicesOf(t, t.Context(), b.Store(), query(long(t, b, Damage), "k"), 3)
	if err == nil {
		defer releaseAll(readers)
	}
	for i := 0; i < len(readers) && err == nil; i++ {
		drain(t, readers[i])
		err = readers[i].Err()
	}
	refused(t, err, unread, "src")
}

func slicesDone(t testing.TB, b Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	readers := several(t, ctx, b, query(long(t, b, End), "k"))
	defer releaseAll(readers)
	readers[0].Next()
	cancel()
	for _, r := range readers {
		within(t, second, "a read whose context is done", func() {
			for r.Next() {
				continue
			}
		})
		refused(t, r.Err(), canceled)
	}
}

func slicesReleased(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	releaseAll(several(t, t.Context(), b, q))
	nothingHeld(t, b, "after readers that were not read")
	readers := several(t, t.Context(), b, q)
	readers[len(readers)-1].Next()
	releaseAll(readers)
	nothingHeld(t, b, "after readers of which one was read halfway")
	readers = several(t, t.Context(), b, q)
	for _, r := range readers {
		drain(t, r)
	}
	nothingHeld(t, b, "at the end of all readers")
	releaseAll(readers)
}
