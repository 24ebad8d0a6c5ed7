package offlinetest_test

import (
	"cmp"
	"context"
	"errors"
	"regexp"
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
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/value"
)

func TestTheModelHoldsTheContract(t *testing.T) {
	offlinetest.Run(t, func(testing.TB) offlinetest.Backend { return new(model) })
}

// broken is a store that keeps the contract but for what is replaced.
type broken struct {
	*model
	query  func(*offline.Query)
	span   func(*offline.Query)
	ctx    func(context.Context) context.Context
	err    func(error) error
	reader func(array.RecordReader) array.RecordReader
	// cells changes a column of the source before it is written.
	cells func(arrow.Array) arrow.Array
}

func (b *broken) Store() offline.Store { return b }

func (b *broken) Unreachable(t testing.TB) offline.Store {
	down := *b
	down.model = &model{down: true}
	return &down
}

func (b *broken) Write(t testing.TB, table offlinetest.Table) *core.DataSource {
	if b.cells == nil || table.Rows == nil {
		return b.model.Write(t, table)
	}
	change := func(batch arrow.RecordBatch) arrow.RecordBatch {
		var columns []arrow.Array
		var fields []arrow.Field
		for i, a := range batch.Columns() {
			a = b.cells(a)
			columns, fields = append(columns, a), append(fields, arrow.Field{Name: batch.ColumnName(i), Type: a.DataType(), Nullable: true})
		}
		return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, batch.NumRows())
	}
	rows := table.Rows
	for batch := range rows {
		table.Schema = change(batch).Schema()
		break
	}
	table.Rows = func(yield func(arrow.RecordBatch) bool) {
		for batch := range rows {
			if !yield(change(batch)) {
				return
			}
		}
	}
	return b.model.Write(t, table)
}

func (b *broken) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	if b.ctx != nil {
		ctx = b.ctx(ctx)
	}
	if b.query != nil {
		b.query(&q)
	}
	r, err := b.model.Range(ctx, q)
	if err != nil {
		return nil, cmp.Or(b.told(err), err)
	}
	if b.err != nil {
		r = &telling{r, b.told}
	}
	if b.reader != nil {
		r = b.reader(r)
	}
	return r, nil
}

func (b *broken) told(err error) error {
	if err == nil || b.err == nil {
		return err
	}
	return b.err(err)
}

func (b *broken) Span(ctx context.Context, q offline.Query) (offline.Span, error) {
	if b.span != nil {
		b.span(&q)
	}
	span, err := b.model.Span(ctx, q)
	return span, cmp.Or(b.told(err), err)
}

// telling changes a reader's error.
type telling struct {
	array.RecordReader
	told func(error) error
}

func (r *telling) Err() error { return r.told(r.RecordReader.Err()) }

// hoarding keeps what it has read.
type hoarding struct {
	array.RecordReader
	all []arrow.RecordBatch
}

func (r *hoarding) Next() bool {
	if r.RecordReader.Next() {
		r.all = append(r.all, r.RecordBatch())
		return true
	}
	return false
}

// reusing reads each batch into the memory of the one before.
type reusing struct{ array.RecordReader }

func (r *reusing) Next() bool {
	if batch := r.RecordBatch(); batch != nil {
		for _, c := range batch.Columns() {
			for _, b := range c.Data().Buffers()[1:] {
				if b != nil {
					clear(b.Bytes())
				}
			}
		}
	}
	return r.RecordReader.Next()
}

// forgetful is closed only by its end.
type forgetful struct{ array.RecordReader }

func (r *forgetful) Release() {
	if !r.Next() {
		r.RecordReader.Release()
	}
}

// restless gives its last batch again when it has failed, and forgets why.
type restless struct {
	array.RecordReader
	failed int
}

func (r *restless) Next() bool {
	if r.failed > 0 || !r.RecordReader.Next() {
		r.failed++
		return r.failed == 3 && r.Err() != nil
	}
	return true
}

// cells changes the cells of the columns of a type, as Arrow's builders read
// them: times are numbers then, and lists those of integers.
func cells(of arrow.Type, to arrow.DataType, change func(text string, t arrow.DataType) string) func(arrow.Array) arrow.Array {
	return func(a arrow.Array) arrow.Array {
		if a.DataType().ID() != of || of == arrow.LIST && !arrow.TypeEqual(a.DataType(), arrow.ListOf(arrow.PrimitiveTypes.Int64)) {
			return a
		}
		t := a.DataType()
		if to != nil {
			t = to
		}
		b := array.NewBuilder(memory.DefaultAllocator, t)
		for i := range a.Len() {
			text := a.ValueStr(i)
			if ts, ok := a.(*array.Timestamp); ok && !a.IsNull(i) {
				text = strconv.FormatInt(int64(ts.Value(i)), 10)
			}
			if err := b.AppendValueFromString(change(text, a.DataType())); err != nil {
				panic(err) // a fault of this test
			}
		}
		return b.NewArray()
	}
}

// replaced changes one cell for another.
func replaced(from, to string) func(string, arrow.DataType) string {
	return func(text string, _ arrow.DataType) string {
		if text == from {
			return to
		}
		return text
	}
}

// Each store breaks the contract in one way; the suite must find it in the
// sentences named, and in no other.
func TestBrokenStoresFailInWhatTheyBreak(t *testing.T) {
	for name, c := range map[string]struct {
		broken broken
		in     []string
	}{
		"columns come sorted": {broken{query: func(q *offline.Query) {
			q.Columns = slices.Sorted(slices.Values(q.Columns))
		}}, []string{
			"the schema is Columns in order, then Timestamp, then Created if named",
			"a column named twice appears twice",
			"names are the source's own, whatever they hold",
			"decimals keep their digits and their scale",
			"times of other columns are timestamps or dates, exact",
			"lists are lists, and a null in one stays null",
		}},
		"the end is exclusive": {broken{query: func(q *offline.Query) {
			if !q.End.IsZero() {
				q.End = q.End.Add(-1)
			}
		}}, []string{
			"both bounds are inclusive", "a bound cuts between two microseconds", "a zero bound is none", "CreatedAfter leaves out rows whose created time is not later, or null", "bounds hold for times of every encoding",
		}},
		"bounds lose their nanoseconds": {broken{query: func(q *offline.Query) {
			q.Start, q.End = q.Start.Truncate(time.Microsecond), q.End.Truncate(time.Microsecond)
		}}, []string{
			"a bound cuts between two microseconds",
		}},
		"the epoch is no bound": {broken{query: func(q *offline.Query) {
			if q.Start.Unix() == 0 {
				q.Start = time.Time{}
			}
		}}, []string{
			"a zero bound is none",
		}},
		"late rows are all rows": {broken{query: func(q *offline.Query) { q.CreatedAfter = time.Time{} }}, []string{
			"names are the source's own, whatever they hold",
			"CreatedAfter leaves out rows whose created time is not later, or null",
			"CreatedAfter without Created is Invalid",
			"bounds hold for times of every encoding",
		}},
		"Span counts all rows": {broken{span: func(q *offline.Query) { q.Start, q.CreatedAfter = time.Time{}, time.Time{} }}, []string{
			"names are the source's own, whatever they hold",
			"CreatedAfter without Created is Invalid",
			"bounds hold for times of every encoding",
			"Span counts the rows of a query, from when to when",
			"Span of no rows is zero",
		}},
		"a null time is 1970": {broken{cells: cells(arrow.TIMESTAMP, nil, replaced(array.NullValueStr, "0"))}, []string{
			"rows whose event time is null are left out",
			"nulls of other columns are kept, those of keys too",
			"times of other columns are timestamps or dates, exact",
			"a column of nulls alone is read",
			"Span counts the rows of a query, from when to when",
		}},
		"a null text is empty": {broken{cells: cells(arrow.STRING, nil, replaced(array.NullValueStr, ""))}, []string{
			"a column named twice appears twice",
			"nulls of other columns are kept, those of keys too",
			"texts are strings as they are",
			"an empty text is not null",
			"a column of nulls alone is read",
		}},
		"an empty text is null": {broken{cells: cells(arrow.STRING, nil, replaced("", array.NullValueStr))}, []string{
			"an empty text is not null",
		}},
		"infinity is the lowest time": {broken{cells: cells(arrow.TIMESTAMP, nil, replaced(strconv.Itoa(value.Infinity), strconv.Itoa(-1<<63)))}, []string{
			"an infinite time is value.Infinity or value.MinusInfinity",
		}},
		"a time without a zone is Seoul's": {broken{cells: cells(arrow.TIMESTAMP, nil, func(text string, of arrow.DataType) string {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && of.(*arrow.TimestampType).TimeZone == "" {
				return strconv.FormatInt(n-9*60*60*1_000_000, 10)
			}
			return text
		})}, []string{
			"times of other columns are timestamps or dates, exact",
			"a time without a zone is UTC",
			"bounds hold for times of every encoding",
		}},
		"integers go through a float": {broken{cells: cells(arrow.INT64, nil, func(text string, _ arrow.DataType) string {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && n != 1<<63-1 {
				return strconv.FormatInt(int64(float64(n)), 10)
			}
			return text
		})}, []string{
			"whole numbers are exact integers",
		}},
		"decimals are floats": {broken{cells: cells(arrow.DECIMAL128, arrow.PrimitiveTypes.Float64, replaced("", ""))}, []string{
			"decimals keep their digits and their scale",
		}},
		"dates are texts": {broken{cells: cells(arrow.DATE32, arrow.BinaryTypes.String, replaced("", ""))}, []string{
			"times of other columns are timestamps or dates, exact",
		}},
		"a null in a list is zero": {broken{cells: cells(arrow.LIST, nil, func(text string, of arrow.DataType) string {
			if text == array.NullValueStr {
				return text
			}
			return strings.ReplaceAll(text, "null", "0")
		})}, []string{
			"lists are lists, and a null in one stays null",
		}},
		"an empty list is null": {broken{cells: cells(arrow.LIST, nil, replaced("[]", array.NullValueStr))}, []string{
			"an empty list is not null",
		}},
		"rows count from 0": {broken{err: func(err error) error {
			return fault.New(fault.KindOf(err), "%s", regexp.MustCompile(`row \d+`).ReplaceAllStringFunc(err.Error(), func(row string) string {
				n, _ := strconv.Atoi(row[4:])
				return "row " + strconv.Itoa(n-1)
			}))
		}}, []string{
			"a text that is no time is Invalid and named by row and column",
			"a row is named by its number in the order of reading",
			"an infinite event time is Invalid and named by row and column",
		}},
		"errors lose their kind": {broken{err: func(err error) error { return errors.New(err.Error()) }}, []string{
			"CreatedAfter without Created is Invalid",
			"a query without Timestamp is Invalid",
			"a number is no time",
			"a text that is no time is Invalid and named by row and column",
			"a row is named by its number in the order of reading",
			"an infinite event time is Invalid and named by row and column",
			"a missing source is NotFound or Invalid and named",
			"a missing column is NotFound or Invalid and named",
			"a wanted column that the source has twice is NotFound or Invalid and named",
			"an unreachable store is Unavailable",
			"a source that fails at once ends in an error",
			"a source that fails in the middle ends in an error",
			"a connection lost in the middle is Unavailable",
			"a context that is done ends a read before it begins",
			"a context that is done ends a read within a second",
			"a context that is done ends a wait for the source within a second",
		}},
		"a failure is an end": {broken{err: func(error) error { return nil }}, []string{
			"a text that is no time is Invalid and named by row and column",
			"a row is named by its number in the order of reading",
			"an infinite event time is Invalid and named by row and column",
			"a source that fails at once ends in an error",
			"a source that fails in the middle ends in an error",
			"a connection lost in the middle is Unavailable",
			"a failed reader gives no more",
			"a context that is done ends a read before it begins",
			"a context that is done ends a read within a second",
			"a context that is done ends a wait for the source within a second",
		}},
		"a failed reader goes on": {broken{reader: func(r array.RecordReader) array.RecordReader { return &restless{RecordReader: r} }}, []string{
			"a failed reader gives no more",
		}},
		"a caller who has gone is read for": {broken{ctx: context.WithoutCancel}, []string{
			"a context that is done ends a read before it begins",
			"a context that is done ends a read within a second",
			"a context that is done ends a wait for the source within a second",
		}},
		"only the end closes": {broken{reader: func(r array.RecordReader) array.RecordReader { return &forgetful{r} }}, []string{
			"nothing is held after Release, however far the reader was read",
		}},
		"memory is used again": {broken{reader: func(r array.RecordReader) array.RecordReader { return &reusing{r} }}, []string{
			"a retained batch outlives its reader",
		}},
		"all batches are kept": {broken{reader: func(r array.RecordReader) array.RecordReader { return &hoarding{RecordReader: r} }}, []string{
			"memory is bounded by the batch",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, c.in, func() offlinetest.Backend {
				b := c.broken
				b.model = new(model)
				return &b
			})
			if diff := gocmp.Diff(c.in, got); diff != "" {
				t.Errorf("sentences that fail (-want +got):\n%s", diff)
			}
		})
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

// failing lists the sentences that a store does not hold. Those that take their
// time are tried only where they are expected to fail.
func failing(t *testing.T, expected []string, open func() offlinetest.Backend) (names []string) {
	long := []string{
		"a row is named by its number in the order of reading", "a source that fails in the middle ends in an error", "a connection lost in the middle is Unavailable",
		"a context that is done ends a wait for the source within a second", "a retained reader lives on", "a retained batch outlives its reader", "readers do not disturb each other", "memory is bounded by the batch",
	}
	for _, s := range offlinetest.Sentences() {
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
