package offlinetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// given is a reader of rows that notes how it is used.
type given struct {
	schema *arrow.Schema
	next   func() (arrow.RecordBatch, bool)
	stop   func()
	// before runs before each batch; an error of it is that of the rows.
	before   func(batch int) error
	batch    arrow.RecordBatch
	batches  int
	err      error
	ended    bool
	released bool
}

var _ array.RecordReader = (*given)(nil)

// rowsOf gives batches of rows.
func rowsOf(t testing.TB, batches ...arrow.RecordBatch) *given {
	t.Helper()
	return flow(t, batches[0].Schema(), slices.Values(batches))
}

func flow(t testing.TB, schema *arrow.Schema, batches iter.Seq[arrow.RecordBatch]) *given {
	t.Helper()
	g := &given{schema: schema}
	g.next, g.stop = iter.Pull(batches)
	t.Cleanup(g.stop)
	return g
}

func (g *given) Retain()                        {}
func (g *given) Release()                       { g.released = true }
func (g *given) Schema() *arrow.Schema          { return g.schema }
func (g *given) RecordBatch() arrow.RecordBatch { return g.batch }
func (g *given) Record() arrow.RecordBatch      { return g.batch }
func (g *given) Err() error                     { return g.err }

func (g *given) Next() bool {
	if g.ended {
		return false
	}
	if g.before != nil {
		g.err = g.before(g.batches)
	}
	var more bool
	if g.err == nil {
		g.batch, more = g.next()
	}
	g.batches++
	g.ended = !more
	return more
}

// add appends rows that fit.
func add(t testing.TB, b WriterBackend, source *core.DataSource, rows *given, want int64) {
	t.Helper()
	within(t, patience, "an Append", func() {
		n, err := writer(t, b.Store()).Append(t.Context(), source, rows)
		if err != nil || n != want {
			t.Errorf("Append: %d, %v (%v); want %d", n, err, fault.Cause(err), want)
		}
	})
}

// addFails appends rows that do not fit.
func addFails(t testing.TB, b WriterBackend, source *core.DataSource, rows *given) (err error) {
	t.Helper()
	within(t, patience, "an Append", func() {
		_, err = writer(t, b.Store()).Append(t.Context(), source, rows)
	})
	return err
}

// create makes a source.
func create(t testing.TB, b WriterBackend, source *core.DataSource, rows *given, replace bool, want int64) {
	t.Helper()
	within(t, patience, "a Create", func() {
		n, err := writer(t, b.Store()).Create(t.Context(), source, rows, replace)
		if err != nil || n != want {
			t.Errorf("Create: %d, %v (%v); want %d", n, err, fault.Cause(err), want)
		}
	})
}

func createFails(t testing.TB, b WriterBackend, source *core.DataSource, rows *given, replace bool) (err error) {
	t.Helper()
	within(t, patience, "a Create", func() {
		_, err = writer(t, b.Store()).Create(t.Context(), source, rows, replace)
	})
	return err
}

// pair is a batch with a key for each of a number of days.
func pair(t testing.TB, keys ...string) arrow.RecordBatch {
	t.Helper()
	return record(t, key(keys...), ts(days(len(keys))...))
}

// shown are the rows of batches, sorted.
func shown(batches ...arrow.RecordBatch) (rows []string) {
	for _, batch := range batches {
		rows = append(rows, show(batch)...)
	}
	slices.Sort(rows)
	return rows
}

// nothingWritten checks that nothing has been written or left.
func nothingWritten(t testing.TB, b WriterBackend, before []string) {
	t.Helper()
	if diff := cmp.Diff(before, b.Objects(t)); diff != "" {
		t.Errorf("what is stored (-before +after):\n%s", diff)
	}
}

func appended(t testing.TB, b WriterBackend) {
	old, more, last := pair(t, "a", "b"), pair(t, "c", "a"), pair(t, "d")
	src := write(t, b, key("a", "b"), ts(days(2)...))
	add(t, b, src, rowsOf(t, more, last), 3)
	want(t, read(t, b.Store(), query(src, "k")), shown(old, more, last)...)
	add(t, b, src, rowsOf(t, last), 1)
	want(t, read(t, b.Store(), query(src, "k")), shown(old, more, last, last)...)
}

func appendedNone(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a", "b"), ts(days(2)...))
	add(t, b, src, rowsOf(t, pair(t)), 0)
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a", "b"))...)
	empty := writeRows(t, b, "empty", End, slices.Values([]arrow.RecordBatch{pair(t)}), key(), ts())
	add(t, b, empty, rowsOf(t, pair(t, "x")), 1)
	want(t, read(t, b.Store(), query(empty, "k")), shown(pair(t, "x"))...)
}

func appendedByName(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...), column{"v", str, []string{"of a"}})
	add(t, b, src, rowsOf(t, record(t, column{"v", str, []string{"of b"}}, ts(days(1)...), key("b"))), 1)
	want(t, read(t, b.Store(), query(src, "k", "v")), "text a | text of a | time 2024-01-01T00:00:00Z", "text b | text of b | time 2024-01-01T00:00:00Z")
}

func appendedAnyNames(t testing.TB, b WriterBackend) {
	odd := []string{"EmployeeID", "employeeid", "order", "a b", "100%", `say "x"`, "it's", "größe", "a.b"}
	first, second := []column{ts(days(1)...)}, []column{ts(days(1)...)}
	for _, name := range odd {
		first, second = append(first, column{name, str, []string{"1 of " + name}}), append(second, column{name, str, []string{"2 of " + name}})
	}
	src := write(t, b, first...)
	add(t, b, src, rowsOf(t, record(t, second...)), 1)
	rows := read(t, b.Store(), query(src, odd...))
	last := func(columns []column) []column { return append(slices.Clone(columns[1:]), columns[0]) }
	want(t, rows, shown(record(t, last(first)...), record(t, last(second)...))...)
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, record(t, first...)), false, 1)
	want(t, read(t, b.Store(), query(made, odd...)), shown(record(t, last(first)...))...)
}

func appendedWithout(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...), column{"lacking", str, []string{"x"}})
	before := b.Objects(t)
	refused(t, addFails(t, b, src, rowsOf(t, pair(t, "b"))), invalid, "src", "lacking")
	nothingWritten(t, b, before)
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
}

func appendedWithOther(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	refused(t, addFails(t, b, src, rowsOf(t, record(t, key("b"), ts(days(1)...), column{"surplus", str, []string{"x"}}))), invalid, "src", "surplus")
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
}

func appendedTwice(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	twice := record(t, key("b"), ts(days(1)...), key("c"))
	refused(t, addFails(t, b, src, rowsOf(t, twice)), invalid, "src", "k")
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
	refused(t, createFails(t, b, b.Place(t, "made"), rowsOf(t, twice), false), invalid, "made", "k")
}

func appendedNowhere(t testing.TB, b WriterBackend) {
	before := b.Objects(t)
	refused(t, addFails(t, b, b.Place(t, "nowhere"), rowsOf(t, pair(t, "a"))), absent, "nowhere")
	nothingWritten(t, b, before)
}

func readToEnd(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	made := rowsOf(t, pair(t, "b"), pair(t), pair(t, "c"))
	added := rowsOf(t, pair(t, "b"), pair(t), pair(t, "c"))
	add(t, b, src, added, 2)
	create(t, b, b.Place(t, "made"), made, false, 2)
	for _, g := range []*given{added, made} {
		if !g.ended || g.released {
			t.Errorf("read to the end: %t, released: %t", g.ended, g.released)
		}
	}
}

func failedRows(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	before := b.Objects(t)
	broken := errors.New("the rows are broken")
	failing := func() *given {
		rows := rowsOf(t, pair(t, "b"), pair(t, "c"), pair(t, "d"))
		rows.before = func(batch int) error {
			if batch == 2 {
				return broken
			}
			return nil
		}
		return rows
	}
	if err := addFails(t, b, src, failing()); err != broken { //nolint:errorlint // as it is
		t.Errorf("Append: %v, want %v", err, broken)
	}
	if err := createFails(t, b, b.Place(t, "made"), failing(), false); err != broken { //nolint:errorlint // as it is
		t.Errorf("Create: %v, want %v", err, broken)
	}
	nothingWritten(t, b, before)
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
}

// nothingLeft has rows that fail at the end, after several batches.
func nothingLeft(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	made := b.Place(t, "made")
	create(t, b, made, rowsOf(t, pair(t, "m")), false, 1)
	before := b.Objects(t)
	bad := func() *given {
		rows := flow(t, pair(t).Schema(), generate(longRows, func(int) string { return "long" }))
		rows.before = func(batch int) error {
			if batch > 0 {
				return errors.New("the rows are broken")
			}
			return nil
		}
		return rows
	}
	for name, err := range map[string]error{
		"Append":       addFails(t, b, src, bad()),
		"Create":       createFails(t, b, b.Place(t, "new"), bad(), false),
		"a replace":    createFails(t, b, made, bad(), true),
		"a new record": createFails(t, b, b.Place(t, "other"), bad(), true),
	} {
		if err == nil {
			t.Errorf("%s has no error", name)
		}
	}
	nothingWritten(t, b, before)
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "m"))...)
}

// unseen reads the sources while rows are written to them.
func unseen(t testing.TB, b WriterBackend) {
	src, made, fresh := write(t, b, key("a"), ts(days(1)...)), b.Place(t, "made"), b.Place(t, "fresh")
	create(t, b, made, rowsOf(t, pair(t, "m")), false, 1)
	looking := func(look func()) *given {
		rows := rowsOf(t, pair(t, "b"), pair(t, "c"))
		rows.before = func(int) error {
			look()
			return nil
		}
		return rows
	}
	add(t, b, src, looking(func() { want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...) }), 2)
	create(t, b, made, looking(func() { want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "m"))...) }), true, 2)
	create(t, b, fresh, looking(func() {
		_, err := attempt(t, t.Context(), b.Store(), query(fresh, "k"))
		refused(t, err, absent, "fresh")
	}), false, 2)
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"), pair(t, "b"), pair(t, "c"))...)
	want(t, read(t, b.Store(), query(made, "k")), shown(pair(t, "b"), pair(t, "c"))...)
	want(t, read(t, b.Store(), query(fresh, "k")), shown(pair(t, "b"), pair(t, "c"))...)
}

// doneWriting has contexts that are done before the first row and after it.
func doneWriting(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	before := b.Objects(t)
	for _, at := range []int{-1, 1} {
		for _, how := range []string{"Append", "Create"} {
			ctx, cancel := context.WithCancel(t.Context())
			rows := flow(t, pair(t).Schema(), generate(longRows, func(int) string { return "long" }))
			rows.before = func(batch int) error {
				if batch == at {
					cancel()
				}
				return nil
			}
			if at < 0 {
				cancel()
			}
			within(t, second, "a write whose context is done", func() {
				var err error
				if how == "Append" {
					_, err = writer(t, b.Store()).Append(ctx, src, rows)
				} else {
					_, err = writer(t, b.Store()).Create(ctx, b.Place(t, "made"), rows, false)
				}
				refused(t, err, canceled)
			})
			cancel()
		}
	}
	nothingWritten(t, b, before)
	nothingHeld(t, b, "after writes whose contexts were done")
	want(t, read(t, b.Store(), query(src, "k")), shown(pair(t, "a"))...)
}

func unreachableToWrite(t testing.TB, b WriterBackend) {
	src, w := write(t, b, key("a"), ts(days(1)...)), writer(t, b.Unreachable(t))
	_, err := w.Append(t.Context(), src, rowsOf(t, pair(t, "b")))
	refused(t, err, gone)
	_, err = w.Create(t.Context(), b.Place(t, "made"), rowsOf(t, pair(t, "b")), false)
	refused(t, err, gone)
}

func writtenHeld(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	add(t, b, src, rowsOf(t, pair(t, "b")), 1)
	nothingHeld(t, b, "after an Append")
	create(t, b, b.Place(t, "made"), rowsOf(t, pair(t, "b")), false, 1)
	nothingHeld(t, b, "after a Create")
	_ = addFails(t, b, src, rowsOf(t, record(t, key("b"))))
	nothingHeld(t, b, "after an Append that failed")
	_ = createFails(t, b, src, rowsOf(t, pair(t, "b")), false)
	nothingHeld(t, b, "after a Create that failed")
}

// writtenWide is how many wide rows are written: more bytes than may be held.
const writtenWide = 300

func writtenBounded(t testing.TB, b WriterBackend) {
	src := write(t, b, key("a"), ts(days(1)...))
	base, most, measured := heap(), uint64(0), 0
	wide := func() *given {
		rows := flow(t, pair(t).Schema(), generate(writtenWide, func(i int) string { return noise(i, wideText) }))
		rows.before = func(int) error {
			if measured++; measured%16 == 0 {
				most = max(most, heap())
			}
			return nil
		}
		return rows
	}
	add(t, b, src, wide(), writtenWide)
	create(t, b, b.Place(t, "made"), wide(), false, writtenWide)
	if most > base+heapBounds {
		t.Errorf("%d MB are in use while %d MB are written", (most-base)>>20, writtenWide*wideText>>20)
	}
	if got, err := b.Store().Span(t.Context(), query(src)); err != nil || got.Rows != writtenWide+1 {
		t.Errorf("span %+v, %v; want %d rows", got, err, writtenWide+1)
	}
}

// noise is a text that no compression makes small.
func noise(seed, size int) string {
	text := make([]byte, size)
	state := uint64(seed) + 1
	for i := range text {
		state = state*6364136223846793005 + 1442695040888963407
		text[i] = 'a' + byte(state>>59)%26
	}
	return string(text)
}
