package offlinetest

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// null is how a null is written among the cells of a column.
const null = array.NullValueStr

// column is a column of a table with its cells, as Arrow's builders read them.
type column struct {
	name  string
	of    arrow.DataType
	cells []string
}

// The types that most checks need.
var (
	str    = arrow.BinaryTypes.String
	micros = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
)

func key(cells ...string) column { return column{"k", str, cells} }

// ts is the event time of most checks.
func ts(cells ...string) column { return column{"ts", micros, cells} }

// days gives n times, a day apart, from the first of 2024.
func days(n int) []string {
	cells := make([]string, n)
	for i := range cells {
		cells[i] = day(i).Format(time.RFC3339)
	}
	return cells
}

func day(i int) time.Time { return time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC) }

// record joins columns of equal length.
func record(t testing.TB, columns ...column) arrow.RecordBatch {
	t.Helper()
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.of, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, c := range columns {
		for _, cell := range c.cells {
			if err := b.Field(i).AppendValueFromString(cell); err != nil {
				t.Fatalf("column %s, cell %q: %v", c.name, cell, err)
			}
		}
	}
	return b.NewRecordBatch()
}

// write makes a source named src.
func write(t testing.TB, b Backend, columns ...column) *core.DataSource {
	t.Helper()
	return writeThen(t, b, End, columns...)
}

func writeThen(t testing.TB, b Backend, then Trouble, columns ...column) *core.DataSource {
	t.Helper()
	return writeRows(t, b, "src", then, slices.Values([]arrow.RecordBatch{record(t, columns...)}), columns...)
}

func writeRows(t testing.TB, b Backend, name string, then Trouble, rows iter.Seq[arrow.RecordBatch], columns ...column) *core.DataSource {
	t.Helper()
	heads := slices.Clone(columns)
	for i := range heads {
		heads[i].cells = nil
	}
	return b.Write(t, Table{Name: name, Schema: record(t, heads...).Schema(), Rows: rows, Then: then})
}

// query requests columns of a source whose event time is ts.
func query(source *core.DataSource, columns ...string) offline.Query {
	return offline.Query{Source: source, Columns: columns, Timestamp: "ts"}
}

// patience is how long a check waits for something that would otherwise never come: on a
// busy machine, calls that move much data take half a minute.
const patience = 2 * time.Minute

// within runs f and fails when it takes longer than limit.
func within(t testing.TB, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatalf("%s has not ended after %v", what, limit)
	}
}

// read returns all rows of a query as texts, sorted.
func read(t testing.TB, s offline.Store, q offline.Query) (rows []string) {
	t.Helper()
	rows, err := attempt(t, t.Context(), s, q)
	if err != nil {
		t.Fatalf("reading: %v: %v", err, fault.Cause(err))
	}
	return rows
}

// attempt is read for queries that may fail. It returns the rows before the
// failure.
func attempt(t testing.TB, ctx context.Context, s offline.Store, q offline.Query) (rows []string, err error) { //nolint:revive // t first, as everywhere here
	t.Helper()
	within(t, patience, "a read", func() {
		var r array.RecordReader
		if r, err = s.Range(ctx, q); err != nil {
			return
		}
		defer r.Release()
		rows = drain(t, r)
		err = r.Err()
	})
	slices.Sort(rows)
	return rows, err
}

// drain reads a reader to its end.
func drain(t testing.TB, r array.RecordReader) (rows []string) {
	t.Helper()
	for r.Next() {
		batch := r.RecordBatch()
		if !batch.Schema().Equal(r.Schema()) {
			t.Errorf("a batch of another schema than the reader's: %v, want %v", batch.Schema(), r.Schema())
		}
		rows = append(rows, show(batch)...)
	}
	return rows
}

// show writes the rows of a batch as texts.
func show(batch arrow.RecordBatch) []string {
	rows := make([]string, batch.NumRows())
	cells := make([]string, batch.NumCols())
	for i := range rows {
		for c := range cells {
			cells[c] = cell(batch.Column(c), i)
		}
		rows[i] = strings.Join(cells, " | ")
	}
	return rows
}

// want compares rows in any order.
func want(t testing.TB, got []string, rows ...string) {
	t.Helper()
	rows = slices.Clone(rows)
	slices.Sort(rows)
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// refused checks that an error is a fault of one of the kinds, in one line that
// contains all the texts.
func refused(t testing.TB, err error, allowed kinds, says ...string) {
	t.Helper()
	if err == nil {
		t.Error("there is no error")
		return
	}
	if allowed&(1<<fault.KindOf(err)) == 0 {
		t.Errorf("%v: the fault is of kind %v (%v)", err, fault.KindOf(err), fault.Cause(err))
	}
	if strings.TrimSpace(err.Error()) == "" || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is not one line", err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not name %q", err, text)
		}
	}
}

// cell writes a cell with its kind, so that two different cells never read
// alike: "int 5", "text 5", "decimal 5.0".
func cell(a arrow.Array, row int) string {
	if isNull(a, row) {
		return "null"
	}
	switch a := a.(type) {
	case *array.Boolean:
		return "bool " + strconv.FormatBool(a.Value(row))
	case *array.Binary:
		return "bytes " + hex.EncodeToString(a.Value(row))
	case *array.LargeBinary:
		return "bytes " + hex.EncodeToString(a.Value(row))
	case array.StringLike:
		return "text " + a.Value(row)
	case *array.Timestamp, *array.Date32, *array.Date64:
		return "time " + timeText(a, row)
	case *value.DecimalTextArray, *array.Decimal128:
		return "decimal " + plain(a, row)
	case array.ListLike:
		from, to := a.ValueOffsets(row)
		cells := make([]string, 0, to-from)
		for i := from; i < to; i++ {
			cells = append(cells, cell(a.ListValues(), int(i)))
		}
		return "[" + strings.Join(cells, ", ") + "]"
	}
	if number, ok := number(a, row); ok {
		return number
	}
	return fmt.Sprintf("%s %s", a.DataType(), a.ValueStr(row))
}

// number writes a number of a fixed width. Integers of all widths look alike.
func number(a arrow.Array, row int) (string, bool) {
	switch id := a.DataType().ID(); {
	case arrow.IsInteger(id):
		return "int " + a.ValueStr(row), true
	case id == arrow.FLOAT32:
		return "float " + a.ValueStr(row), true
	case id == arrow.FLOAT64:
		return "double " + a.ValueStr(row), true
	}
	return "", false
}

// timeText writes a time in UTC to the nanosecond.
func timeText(a arrow.Array, row int) string {
	var t time.Time
	switch a := a.(type) {
	case *array.Timestamp:
		switch int64(a.Value(row)) {
		case value.Infinity:
			return "infinity"
		case value.MinusInfinity:
			return "-infinity"
		case math.MinInt64:
			return "the lowest"
		}
		if unit, ok := a.DataType().(*arrow.TimestampType); ok {
			t = a.Value(row).ToTime(unit.Unit)
		}
	case *array.Date32:
		t = a.Value(row).ToTime()
	case *array.Date64:
		t = a.Value(row).ToTime()
	}
	return t.Format(time.RFC3339Nano)
}

func sorted(rows []string) []string {
	slices.Sort(rows)
	return rows
}
