package offlinetest_test

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/value"
)

func TestTheModelHoldsTheContract(t *testing.T) {
	offlinetest.Run(t, func(testing.TB) offlinetest.Backend { return new(model) })
}

// flaw is one way to break the contract, with the sentences that find it.
type flaw struct {
	name   string
	broken broken
	in     []string
}

// rowFlaws return other rows or columns than those requested.
func rowFlaws() []flaw {
	return []flaw{
		{"columns come sorted", broken{query: func(q *offline.Query) {
			q.Columns = slices.Sorted(slices.Values(q.Columns))
		}}, []string{
			"the schema is Columns in order, then Timestamp, then Created if named",
			"a column named twice appears twice",
			"Columns may be many",
			"names are the source's own, whatever they hold",
			"decimals keep their digits and their scale",
			"times of other columns are timestamps or dates, exact",
			"lists are lists, and a null in one stays null",
		}},
		{"the end is exclusive", broken{query: func(q *offline.Query) {
			if !q.End.IsZero() {
				q.End = q.End.Add(-1)
			}
		}}, []string{
			"both bounds are inclusive", "a bound cuts between two microseconds", "a zero bound is none", "CreatedAfter leaves out rows whose created time is not later, or null", "bounds hold for times of every encoding",
		}},
		{"bounds lose their nanoseconds", broken{query: func(q *offline.Query) {
			q.Start, q.End = q.Start.Truncate(time.Microsecond), q.End.Truncate(time.Microsecond)
		}}, []string{
			"a bound cuts between two microseconds",
		}},
		{"the epoch is no bound", broken{query: func(q *offline.Query) {
			if q.Start.Unix() == 0 {
				q.Start = time.Time{}
			}
		}}, []string{
			"a zero bound is none",
		}},
		{"late rows are all rows", broken{query: func(q *offline.Query) { q.CreatedAfter = time.Time{} }}, []string{
			"names are the source's own, whatever they hold",
			"CreatedAfter leaves out rows whose created time is not later, or null",
			"CreatedAfter without Created is Invalid",
			"bounds hold for times of every encoding",
		}},
		{"Span counts all rows", broken{span: func(q *offline.Query) { q.Start, q.CreatedAfter = time.Time{}, time.Time{} }}, []string{
			"names are the source's own, whatever they hold",
			"CreatedAfter without Created is Invalid",
			"bounds hold for times of every encoding",
			"Span counts the rows of a query, from when to when",
			"Span of no rows is zero",
		}},
		{"bounds go through nanoseconds of 64 bits", broken{query: func(q *offline.Query) {
			for _, at := range []*time.Time{&q.Start, &q.End} {
				if !at.IsZero() {
					*at = time.Unix(0, at.UnixNano())
				}
			}
		}}, []string{
			"a bound may be any time",
		}},
		{"some columns are always read", broken{query: func(q *offline.Query) {
			if len(q.Columns) == 0 {
				q.Columns = []string{"k"}
			}
		}}, []string{
			"Columns may be empty",
			"event and created times are timestamps in UTC",
			"the unit of a time loses nothing of the source's",
			"a time without a zone is UTC",
			"a date is its midnight in UTC",
			"a text is the time that value.ParseTime reads",
			"a far time is exact, or Invalid and named by row and column",
		}},
		{"Columns come backwards", broken{columns: slices.Reverse[[]offline.Column]}, []string{"the columns of a source come in its own order with their value types"}},
		{"Span reads Columns", broken{span: func(q *offline.Query) {
			if len(q.Columns) > 0 {
				q.Timestamp = q.Columns[0]
			}
		}}, []string{"names are the source's own, whatever they hold", "bounds hold for times of every encoding", "a number is not a time", "nothing is held after Release, however far the reader was read", "Span's Columns do not count"}},
	}
}

// cellFlaws misread a cell of the source.
func cellFlaws() []flaw {
	return []flaw{
		{"a null text is empty", broken{cells: cells(arrow.STRING, nil, replaced(array.NullValueStr, ""))}, []string{
			"a column named twice appears twice",
			"nulls of other columns are kept, those of keys too",
			"texts are strings as they are",
			"an empty text is not null",
			"a column of nulls alone is read",
		}},
		{"an empty text is null", broken{cells: cells(arrow.STRING, nil, replaced("", array.NullValueStr))}, []string{
			"an empty text is not null",
		}},
		{"integers go through a float", broken{cells: cells(arrow.INT64, nil, func(text string, _ arrow.DataType) string {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && n != 1<<63-1 {
				return strconv.FormatInt(int64(float64(n)), 10)
			}
			return text
		})}, []string{
			"whole numbers are exact integers",
		}},
		{"NaN is null", broken{cells: cells(arrow.FLOAT64, nil, replaced("NaN", array.NullValueStr))}, []string{"NaN is not null"}},
		{"no number is negative", broken{cells: cells(arrow.FLOAT32, nil, func(text string, _ arrow.DataType) string { return strings.TrimPrefix(text, "-") })}, []string{"numbers of floating point are floats of their size"}},
		{"long texts are cut", broken{cells: cells(arrow.STRING, nil, func(text string, _ arrow.DataType) string { return text[:min(len(text), 16<<20)] })}, []string{"a row may be larger than a batch"}},
		{"false is null", broken{cells: cells(arrow.BOOL, nil, replaced("false", array.NullValueStr))}, []string{"truth values are truth values"}},
		{"bytes are texts", broken{cells: cells(arrow.BINARY, arrow.BinaryTypes.String, replaced("", ""))}, []string{"bytes are binary as they are"}},
		{"decimals are floats", broken{cells: cells(arrow.DECIMAL128, arrow.PrimitiveTypes.Float64, replaced("", ""))}, []string{
			"decimals keep their digits and their scale",
		}},
		{"a null in a list is zero", broken{cells: cells(arrow.LIST, nil, func(text string, of arrow.DataType) string {
			if text == array.NullValueStr {
				return text
			}
			return strings.ReplaceAll(text, "null", "0")
		})}, []string{
			"lists are lists, and a null in one stays null",
		}},
		{"an empty list is null", broken{cells: cells(arrow.LIST, nil, replaced("[]", array.NullValueStr))}, []string{
			"an empty list is not null",
		}},
	}
}

// timeFlaws misread a time of the source.
func timeFlaws() []flaw {
	offset := regexp.MustCompile(`(:\d\d(?:\.\d+)?)[+-]\d\d(:\d\d)?$`)
	return []flaw{
		{"a null time is 1970", broken{cells: cells(arrow.TIMESTAMP, nil, replaced(array.NullValueStr, "0"))}, []string{
			"rows whose event time is null are left out",
			"nulls of other columns are kept, those of keys too",
			"times of other columns are timestamps or dates, exact",
			"a column of nulls alone is read",
			"Span counts the rows of a query, from when to when",
		}},
		{"infinity is the lowest time", broken{cells: cells(arrow.TIMESTAMP, nil, replaced(strconv.Itoa(value.Infinity), strconv.Itoa(-1<<63)))}, []string{
			"an infinite time is value.Infinity or value.MinusInfinity",
		}},
		{"a time without a zone is Seoul's", broken{cells: shifted(func(n int64, of *arrow.TimestampType) int64 {
			if of.TimeZone == "" {
				n -= 9 * 60 * 60 * 1_000_000
			}
			return n
		})}, []string{
			"times of other columns are timestamps or dates, exact",
			"a time without a zone is UTC",
			"bounds hold for times of every encoding",
		}},
		{"zones are forgotten", broken{cells: shifted(func(n int64, of *arrow.TimestampType) int64 {
			if of.TimeZone == "Asia/Seoul" {
				n += 9 * 60 * 60 * 1_000
			}
			return n
		})}, []string{
			"event and created times are timestamps in UTC",
			"bounds hold for times of every encoding",
		}},
		{"times lose their nanoseconds", broken{cells: shifted(func(n int64, of *arrow.TimestampType) int64 {
			if of.Unit == arrow.Nanosecond {
				n -= n % 1000
			}
			return n
		})}, []string{
			"the unit of a time loses nothing of the source's",
		}},
		{"times go through nanoseconds of 64 bits", broken{cells: shifted(func(n int64, of *arrow.TimestampType) int64 {
			if of.Unit == arrow.Microsecond {
				n = n * 1000 / 1000
			}
			return n
		})}, []string{
			"a far time is exact, or Invalid and named by row and column",
		}},
		{"there is no date before 1970", broken{cells: cells(arrow.DATE32, nil, replaced("1969-12-31", "1970-01-01"))}, []string{
			"times of other columns are timestamps or dates, exact",
			"a date is its midnight in UTC",
		}},
		{"offsets are ignored", broken{cells: cells(arrow.STRING, nil, func(text string, _ arrow.DataType) string {
			return offset.ReplaceAllString(text, "$1")
		})}, []string{
			"a text is the time that value.ParseTime reads",
		}},
		{"dates are texts", broken{cells: cells(arrow.DATE32, arrow.BinaryTypes.String, replaced("", ""))}, []string{
			"times of other columns are timestamps or dates, exact",
		}},
	}
}

// endFlaws do not end as they should.
func endFlaws() []flaw {
	var only atomic.Pointer[impatient]
	return []flaw{
		{"equal rows are one", broken{reader: func(r array.RecordReader) array.RecordReader { return &distinct{r} }}, []string{"ties and repeats are kept"}},
		{"no rows are a fault", broken{reader: func(r array.RecordReader) array.RecordReader { return &needy{RecordReader: r} }}, []string{
			"an empty source gives a schema and no rows",
			"both bounds are inclusive",
			"a bound cuts between two microseconds",
			"a bound may be any time",
		}},
		{"the first Release ends", broken{reader: func(r array.RecordReader) array.RecordReader { return &single{r} }}, []string{"a retained reader lives on"}},
		{"there is one reader", broken{reader: func(r array.RecordReader) array.RecordReader {
			next := &impatient{RecordReader: r}
			if before := only.Swap(next); before != nil {
				before.ended.Store(true)
			}
			return next
		}}, []string{"readers do not disturb each other"}},
		{"what is refused is held", broken{leaks: true}, []string{"nothing is held after a failure or a context that is done"}},
		{"Check asks nobody", broken{blind: true}, []string{"Check reaches the store, or says in one line why it cannot"}},
		{"a failed reader goes on", broken{reader: func(r array.RecordReader) array.RecordReader { return &restless{RecordReader: r} }}, []string{
			"a failed reader gives no more",
		}},
		{"a caller who has gone is read for", broken{ctx: context.WithoutCancel}, []string{
			"a context that is done ends a read before it begins",
			"a context that is done between Range and Next ends the read",
			"a context that is done ends a read within a second",
			"a context that is done ends a wait for the source within a second",
		}},
		{"only the end closes", broken{reader: func(r array.RecordReader) array.RecordReader { return &forgetful{r} }}, []string{
			"nothing is held after Release, however far the reader was read",
		}},
		{"memory is used again", broken{reader: func(r array.RecordReader) array.RecordReader { return &reusing{r} }}, []string{
			"a retained batch outlives its reader",
		}},
		{"all batches are kept", broken{reader: func(r array.RecordReader) array.RecordReader { return &hoarding{RecordReader: r} }}, []string{
			"memory is bounded by the batch",
		}},
	}
}

// errorFlaws do not say what happened.
func errorFlaws() []flaw {
	row := regexp.MustCompile(`row \d+`)
	return []flaw{
		{"rows count from 0", broken{err: func(err error) error {
			return fault.New(fault.KindOf(err), "%s", row.ReplaceAllStringFunc(err.Error(), func(text string) string {
				n, _ := strconv.Atoi(text[4:])
				return "row " + strconv.Itoa(n-1)
			}))
		}}, []string{
			"a text that is not a time is Invalid and named by row and column",
			"a row is named by its number in the order of reading",
			"a far time is exact, or Invalid and named by row and column",
			"an infinite event time is Invalid and named by row and column",
		}},
		{"errors lose their kind", broken{err: func(err error) error { return errors.New(err.Error()) }}, []string{
			"CreatedAfter without Created is Invalid",
			"a query without Timestamp is Invalid",
			"a number is not a time",
			"a text that is not a time is Invalid and named by row and column",
			"a row is named by its number in the order of reading",
			"a far time is exact, or Invalid and named by row and column",
			"an infinite event time is Invalid and named by row and column",
			"a missing source is NotFound or Invalid and named",
			"a missing column is NotFound or Invalid and named",
			"a wanted column that the source has twice is NotFound or Invalid and named",
			"an unreachable store is Unavailable",
			"a source that fails at once ends in an error",
			"a source that fails in the middle ends in an error",
			"a connection lost in the middle is Unavailable",
			"a context that is done ends a read before it begins",
			"a context that is done between Range and Next ends the read",
			"a context that is done ends a read within a second",
			"a context that is done ends a wait for the source within a second",
			"Span fails as Range does",
			"Span leaves out a time that is infinite, or refuses it",
			"Check reaches the store, or says in one line why it cannot",
		}},
		{"a failure is an end", broken{err: func(error) error { return nil }}, []string{
			"a text that is not a time is Invalid and named by row and column",
			"a row is named by its number in the order of reading",
			"a far time is exact, or Invalid and named by row and column",
			"an infinite event time is Invalid and named by row and column",
			"a source that fails at once ends in an error",
			"a source that fails in the middle ends in an error",
			"a connection lost in the middle is Unavailable",
			"a failed reader gives no more",
			"a context that is done ends a read before it begins",
			"a context that is done between Range and Next ends the read",
			"a context that is done ends a read within a second",
			"a context that is done ends a wait for the source within a second",
		}},
	}
}

// Each store breaks the contract in one way; the suite must find it in the
// sentences named, and in no other. Every sentence must find some flaw.
func TestBrokenStoresFailInWhatTheyBreak(t *testing.T) {
	found := map[string]bool{"a column that is not asked for does not matter": true} // what would break it?
	for _, c := range slices.Concat(rowFlaws(), cellFlaws(), timeFlaws(), endFlaws(), errorFlaws()) {
		t.Run(c.name, func(t *testing.T) {
			besideOthers(t, c.in)
			got := failing(t, offlinetest.Sentences(), c.in, func() offlinetest.Backend {
				b := c.broken
				b.model = new(model)
				return &b
			})
			if diff := gocmp.Diff(c.in, got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
		for _, name := range c.in {
			found[name] = true
		}
	}
	for _, s := range offlinetest.Sentences() {
		if !found[s.Name] {
			t.Errorf("no store breaks %q", s.Name)
		}
	}
}

// besideOthers runs the checks of a flaw while those of others wait for a time limit, except
// where the memory of the process is measured.
func besideOthers(t *testing.T, sentences []string) {
	t.Helper()
	if !slices.ContainsFunc(sentences, func(s string) bool { return strings.Contains(s, "memory is bounded") }) {
		t.Parallel()
	}
}

// verdict is a testing.TB that notes whether a check fails.
type verdict struct {
	testing.TB
	mu     sync.Mutex
	failed bool
}

func (v *verdict) fail() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = true
}

func (v *verdict) Helper()               {}
func (v *verdict) Error(...any)          { v.fail() }
func (v *verdict) Errorf(string, ...any) { v.fail() }
func (v *verdict) Fatal(...any)          { v.fail(); runtime.Goexit() }
func (v *verdict) Fatalf(string, ...any) { v.fail(); runtime.Goexit() }
func (v *verdict) Failed() bool          { v.mu.Lock(); defer v.mu.Unlock(); return v.failed }

// failing lists the sentences that a store does not meet. Slow sentences run
// only where they are expected to fail.
func failing(t *testing.T, sentences []offlinetest.Sentence, expected []string, open func() offlinetest.Backend) (names []string) {
	long := []string{
		"a row is named by its number in the order of reading", "a source that fails in the middle ends in an error", "a connection lost in the middle is Unavailable",
		"a context that is done ends a wait for the source within a second", "a retained reader lives on", "a retained batch outlives its reader", "readers do not disturb each other", "memory is bounded by the batch",
		"a row may be larger than a batch",

		"entity rows may come in many batches", "a join of a source that fails ends in an error", "a context that is done ends a join", "nothing is held after a join, however far it was read",
		"a context that is done ends a join's wait for the source within a second", "a retained reader of a join lives on", "a retained batch of a join outlives its reader", "joins do not disturb each other",
		"features may be many", "nothing is held after a failed join", "a join whose connection is lost is Unavailable",
		"a join's memory is bounded by the batch", "Latest's memory is bounded by the batch", "a joined row may be larger than a batch", "moments may be many", "Latest's keys may be many",

		"the readers together have exactly the rows of Range", "the bounds of a query hold in every reader", "there are one to n readers", "all readers have one schema",
		"nothing is held after the readers, however far they were read",
	}
	for _, s := range sentences {
		if slices.Contains(long, s.Name) && !slices.Contains(expected, s.Name) {
			continue
		}
		v := &verdict{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Check(v, open())
		}()
		<-done
		if v.failed {
			names = append(names, s.Name)
		}
	}
	return names
}
