package offlinetest_test

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/value"
)

// writeModel is a minimal writer that meets the contract, except that it keeps the
// rows in memory. Each field that is set breaks it in one way.
type writeModel struct {
	*model
	mu     sync.Mutex
	tables map[string]offlinetest.Table
	down   bool
	made   map[string]bool
	// left are objects that a failure has left.
	left []string
	flaw writeFlaw
}

// writeFlaw is what a broken writer does otherwise.
type writeFlaw struct {
	// batch changes a batch that is given, schema the columns of the source, as the
	// writer sees them.
	batch  func(arrow.RecordBatch) arrow.RecordBatch
	schema func(*arrow.Schema) *arrow.Schema
	// convert converts a cell; false leaves it to the model.
	convert func(b array.Builder, a arrow.Array, row int) (bool, error)
	// err changes an error of the rows, place the number of a row.
	err   func(error) error
	place func(all, within int) int
	ctx   func(context.Context) context.Context
	// rows are those that are kept after an append of more to some; appends by
	// default.
	rows func(old, more []arrow.RecordBatch) []arrow.RecordBatch
	// The others leave out a check, or do one thing otherwise.
	noNone, noExtra, noMissing, noTwice, noSource, noReach, noMade, noConflict, noMark                  bool
	fromOld, early, leaves, leaks, releases, untilEmpty, needsOld, emptyIsNone, late, byPlace, keepsOld bool
}

func newWriteModel(flaw writeFlaw) *writeModel {
	return &writeModel{model: new(model), tables: map[string]offlinetest.Table{}, made: map[string]bool{}, flaw: flaw}
}

func (m *writeModel) Store() offline.Store { return m }

func (m *writeModel) Unreachable(testing.TB) offline.Store {
	down := newWriteModel(m.flaw)
	down.down = true
	return down
}

func (m *writeModel) reach() error {
	if m.down && !m.flaw.noReach {
		return fault.New(fault.Unavailable, "the model is down")
	}
	return nil
}

func (m *writeModel) Write(tb testing.TB, table offlinetest.Table) *core.DataSource {
	m.mu.Lock()
	defer m.mu.Unlock()
	if table.Then != offlinetest.Missing {
		m.tables[table.Name] = table
	}
	return m.model.Write(tb, table)
}

func refusal(src *core.DataSource, kind fault.Kind, says string) error {
	return fault.New(kind, "data source %s: %s", src.GetName(), says)
}

func missing(src *core.DataSource, what string) error {
	return refusal(src, fault.NotFound, "has no "+what)
}

func (*writeModel) Place(_ testing.TB, name string) *core.DataSource {
	return &core.DataSource{Name: name}
}

func (m *writeModel) Objects(testing.TB) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(slices.Sorted(maps.Keys(m.tables)), m.left...)
}

// find is the table of a source.
func (m *writeModel) find(src *core.DataSource) (offlinetest.Table, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	table, ok := m.tables[src.GetName()]
	return table, ok
}

func (m *writeModel) put(src *core.DataSource, schema *arrow.Schema, batches []arrow.RecordBatch) {
	table := offlinetest.Table{Name: src.GetName(), Schema: schema, Rows: slices.Values(batches)}
	m.tables[src.GetName()] = table
	m.model.Write(nil, table)
}

func (m *writeModel) Append(ctx context.Context, src *core.DataSource, rows array.RecordReader) (int64, error) {
	if err := m.reach(); err != nil {
		return 0, err
	}
	table, ok := m.find(src)
	switch {
	case ok && m.flaw.noMade && m.made[src.GetName()]:
		return 0, refusal(src, fault.Invalid, "was made by Create")
	case !ok && (m.flaw.noSource || m.down):
		table = offlinetest.Table{Schema: rows.Schema(), Rows: func(func(arrow.RecordBatch) bool) {}}
	case !ok:
		return 0, missing(src, "rows")
	}
	more, n, err := m.take(ctx, src, table.Schema, rows)
	if err != nil {
		return 0, err
	}
	m.pause(m.flaw.fromOld)
	m.mu.Lock()
	defer m.mu.Unlock()
	if now, ok := m.tables[src.GetName()]; ok && !m.flaw.fromOld {
		table = now
	}
	keep := m.flaw.rows
	if keep == nil {
		keep = func(old, more []arrow.RecordBatch) []arrow.RecordBatch { return append(old, more...) }
	}
	m.put(src, table.Schema, keep(slices.Collect(table.Rows), more))
	return n, nil
}

func (m *writeModel) Create(ctx context.Context, src *core.DataSource, rows array.RecordReader, replace bool) (int64, error) {
	if err := m.reach(); err != nil {
		return 0, err
	}
	check := func() error {
		_, ok := m.tables[src.GetName()]
		switch {
		case ok && m.flaw.noConflict:
		case ok && !replace:
			return refusal(src, fault.Conflict, "exists")
		case ok && !m.made[src.GetName()] && !m.flaw.noMark:
			return refusal(src, fault.Conflict, "was not made by Create")
		case !ok && replace && m.flaw.needsOld:
			return missing(src, "rows")
		}
		return nil
	}
	m.mu.Lock()
	err := check()
	m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	batches, n, err := m.take(ctx, src, rows.Schema(), rows)
	if err != nil {
		return 0, err
	}
	m.pause(m.flaw.late)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := check(); err != nil && !m.flaw.late {
		return 0, err
	}
	if n == 0 && m.flaw.emptyIsNone || m.made[src.GetName()] && m.flaw.keepsOld {
		return n, nil
	}
	m.put(src, rows.Schema(), batches)
	m.made[src.GetName()] = true
	return n, nil
}

// pause lets others write, for flaws that show only then.
func (m *writeModel) pause(flawed bool) {
	if flawed {
		<-time.After(5 * time.Millisecond)
	}
}

// take reads the rows and converts them to the columns of a source.
func (m *writeModel) take(ctx context.Context, src *core.DataSource, to *arrow.Schema, rows array.RecordReader) (batches []arrow.RecordBatch, n int64, err error) {
	if m.flaw.ctx != nil {
		ctx = m.flaw.ctx(ctx)
	}
	defer func() {
		if err != nil && m.flaw.leaves {
			m.left = append(m.left, "left")
		}
		if m.flaw.leaks {
			m.Hold()
		}
		if m.flaw.releases {
			rows.Release()
		}
	}()
	if m.flaw.schema != nil {
		to = m.flaw.schema(to)
	}
	at, err := m.match(src, to, rows.Schema())
	if err != nil {
		return nil, 0, err
	}
	for rows.Next() {
		if ctx.Err() != nil {
			return nil, 0, fault.Of(ctx.Err())
		}
		batch := rows.RecordBatch()
		if m.flaw.untilEmpty && batch.NumRows() == 0 {
			break
		}
		if m.flaw.batch != nil {
			batch = m.flaw.batch(batch)
		}
		made, err := m.convert(src, to, batch, at, int(n))
		if err != nil {
			return nil, 0, err
		}
		batches, n = append(batches, made), n+batch.NumRows()
		if m.flaw.early && len(batches) > 1 {
			m.mu.Lock()
			old := m.tables[src.GetName()]
			if old.Rows != nil {
				m.put(src, old.Schema, append(slices.Collect(old.Rows), made))
			} else {
				m.put(src, to, []arrow.RecordBatch{made})
			}
			m.mu.Unlock()
		}
	}
	if err := rows.Err(); err != nil && m.flaw.err != nil {
		return nil, 0, m.flaw.err(err)
	} else if err != nil {
		return nil, 0, err
	}
	if n == 0 && m.flaw.noNone {
		return nil, 0, refusal(src, fault.Invalid, "there are no rows")
	}
	return batches, n, nil
}

// match finds the columns of the source among those of the rows, -1 for one that is
// missing.
func (m *writeModel) match(src *core.DataSource, to, from *arrow.Schema) ([]int, error) {
	at := make([]int, to.NumFields())
	for i, f := range to.Fields() {
		found := from.FieldIndices(f.Name)
		switch {
		case len(found) > 0 && (len(found) == 1 || m.flaw.noTwice):
			at[i] = found[0]
		case len(found) > 1:
			return nil, refusal(src, fault.Invalid, "the rows have column "+f.Name+" twice")
		case !m.flaw.noMissing:
			return nil, refusal(src, fault.Invalid, "the rows lack column "+f.Name)
		default:
			at[i] = -1
		}
	}
	for i, f := range from.Fields() {
		if m.flaw.byPlace && i < len(at) && arrow.TypeEqual(f.Type, to.Field(i).Type) {
			at[i] = i
		}
		if len(to.FieldIndices(f.Name)) == 0 && !m.flaw.noExtra {
			return nil, refusal(src, fault.Invalid, "the rows have another column "+f.Name)
		}
	}
	return at, nil
}

func (m *writeModel) convert(src *core.DataSource, to *arrow.Schema, batch arrow.RecordBatch, at []int, before int) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(at))
	for i, from := range at {
		f := to.Field(i)
		if from < 0 {
			columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(batch.NumRows()))
			continue
		}
		a := batch.Column(from)
		if arrow.TypeEqual(a.DataType(), f.Type) {
			columns[i] = a
			continue
		}
		b := array.NewBuilder(memory.DefaultAllocator, f.Type)
		for row := range a.Len() {
			done, err := false, error(nil)
			if m.flaw.convert != nil {
				done, err = m.flaw.convert(b, a, row)
			}
			if !done && err == nil {
				err = convertCell(b, a, row)
			}
			if err != nil {
				place := before + row + 1
				if m.flaw.place != nil {
					place = m.flaw.place(place, row+1)
				}
				return nil, refusal(src, fault.Invalid, "column "+f.Name+", row "+strconv.Itoa(place)+": "+err.Error())
			}
		}
		columns[i] = b.NewArray()
	}
	return array.NewRecordBatch(to, columns, batch.NumRows()), nil
}

// convertCell converts a cell without a loss.
func convertCell(b array.Builder, a arrow.Array, row int) error {
	refused := fault.New(fault.Invalid, "%s is not held by %s", a.ValueStr(row), b.Type())
	if a.DataType().ID() == arrow.NULL || a.IsNull(row) {
		b.AppendNull()
		return nil
	}
	if d, ok := a.(*array.Dictionary); ok {
		return convertCell(b, d.Dictionary(), d.GetValueIndex(row))
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		if s, ok := a.(array.StringLike); ok {
			b.Append(s.Value(row))
			return nil
		}
	case *array.TimestampBuilder:
		at, err := timeOf(a, row)
		unit, isTime := b.Type().(*arrow.TimestampType)
		if err != nil || !isTime {
			return refused
		}
		v, err := arrow.TimestampFromTime(at, unit.Unit)
		if err != nil || !v.ToTime(unit.Unit).Equal(at) {
			return refused
		}
		b.Append(v)
		return nil
	case *array.Date32Builder:
		at, err := timeOf(a, row)
		if err == nil && arrow.Date32FromTime(at).ToTime().Equal(at) {
			b.Append(arrow.Date32FromTime(at))
			return nil
		}
	default:
		if arrow.IsInteger(a.DataType().ID()) || arrow.IsFloating(a.DataType().ID()) {
			return convertNumber(b, a, row, refused)
		}
	}
	return refused
}

// timeOf is a time that is not null.
func timeOf(a arrow.Array, row int) (at time.Time, err error) {
	switch a := a.(type) {
	case *array.Timestamp:
		if unit, ok := a.DataType().(*arrow.TimestampType); ok {
			return a.Value(row).ToTime(unit.Unit), nil
		}
	case *array.Date32:
		return a.Value(row).ToTime(), nil
	case *array.String:
		return value.ParseTime(a.Value(row))
	}
	return at, fault.New(fault.Invalid, "%s is not a time", a.DataType())
}

func convertNumber(b array.Builder, a arrow.Array, row int, refused error) error {
	text := a.ValueStr(row)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return refused
	}
	digits := -1
	if f == math.Trunc(f) {
		digits = 0 // the shortest text of a large one is not exact
	}
	exact := strconv.FormatFloat(f, 'f', digits, 64)
	whole := exact
	if arrow.IsInteger(a.DataType().ID()) {
		whole = text
	}
	switch b := b.(type) {
	case *array.Int32Builder:
		n, err := strconv.ParseInt(whole, 10, 32)
		if err != nil {
			return refused
		}
		b.Append(int32(n))
	case *array.Int64Builder:
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil {
			return refused
		}
		b.Append(n)
	case *array.Float32Builder:
		if math.IsInf(float64(float32(f)), 0) && !math.IsInf(f, 0) {
			return refused
		}
		b.Append(float32(f))
	case *array.Float64Builder:
		if whole != exact {
			return refused
		}
		b.Append(f)
	default:
		return refused
	}
	return nil
}

// eachColumn makes a change of each batch out of one of its columns.
func eachColumn(change func(arrow.Array) arrow.Array) func(arrow.RecordBatch) arrow.RecordBatch {
	return func(batch arrow.RecordBatch) arrow.RecordBatch {
		columns := make([]arrow.Array, batch.NumCols())
		for i, a := range batch.Columns() {
			columns[i] = change(a)
		}
		return array.NewRecordBatch(batch.Schema(), columns, batch.NumRows())
	}
}
