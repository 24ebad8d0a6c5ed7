package offlinetest

import (
	"context"
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// Oracle joins a store's rows in the plainest way: it reads whole sources into
// memory and looks at every row that has the key. It meets the contract of
// offline.Joiner, except that its memory has no bound.
type Oracle struct{ offline.Store }

var _ offline.Joiner = Oracle{}

// instant is a time in seconds and nanoseconds since 1970. It holds the times of
// all Arrow units.
type instant struct{ seconds, nanos int64 }

func (a instant) before(b instant) bool {
	return a.seconds < b.seconds || a.seconds == b.seconds && a.nanos < b.nanos
}

func (a instant) minus(d time.Duration) instant {
	a.seconds, a.nanos = a.seconds-int64(d/time.Second), a.nanos-int64(d%time.Second)
	if a.nanos < 0 {
		a.seconds, a.nanos = a.seconds-1, a.nanos+int64(time.Second)
	}
	return a
}

// instantAt is the time of a row; false if it is null.
func instantAt(a arrow.Array, row int) (instant, bool) {
	ts, ok := a.(*array.Timestamp)
	if !ok || a.IsNull(row) {
		return instant{}, false
	}
	unit, _ := ts.DataType().(*arrow.TimestampType)
	v, per := int64(ts.Value(row)), int64(time.Second/unit.Unit.Multiplier())
	out := instant{v / per, v % per * int64(unit.Unit.Multiplier())}
	if out.nanos < 0 {
		out.seconds, out.nanos = out.seconds-1, out.nanos+int64(time.Second)
	}
	return out, true
}

// sourceRow is a row of a source.
type sourceRow struct {
	batch   arrow.RecordBatch
	row     int
	key     string
	at      instant
	created instant
	known   bool // created is not null
}

// newer reports whether r is chosen rather than other, which was read before.
func (r *sourceRow) newer(other *sourceRow) bool {
	switch {
	case other == nil || other.at.before(r.at):
		return true
	case r.at.before(other.at) || !r.known:
		return false
	}
	return !other.known || other.created.before(r.created)
}

// keyOf makes one text of the key columns of a row; false if a key is null or no
// value of its type.
type keyOf func(batch arrow.RecordBatch, row int) (key string, ok bool, err error)

// rowsOf reads all rows of a query.
func (o Oracle) rowsOf(ctx context.Context, q offline.Query, key func(*arrow.Schema) keyOf) (rows []*sourceRow, schema *arrow.Schema, err error) {
	r, err := o.Range(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	defer r.Release()
	keyed := key(r.Schema())
	for r.Next() {
		batch := r.RecordBatch()
		batch.Retain()
		for i := range int(batch.NumRows()) {
			row := &sourceRow{batch: batch, row: i}
			var ok bool
			if row.key, ok, err = keyed(batch, i); err != nil || !ok {
				continue
			}
			row.at, _ = instantAt(batch.Column(len(q.Columns)), i)
			if q.Created != "" {
				row.created, row.known = instantAt(batch.Column(len(q.Columns)+1), i)
			}
			rows = append(rows, row)
		}
	}
	return rows, r.Schema(), r.Err()
}

// keysAt encodes the keys in some columns.
func keysAt(schema *arrow.Schema, columns []int, kinds []types.ValueType_Enum) keyOf {
	encoders := make([]*value.ArrowEncoder, len(columns))
	for i, c := range columns {
		encoders[i] = value.NewArrowKeyEncoder(schema.Field(c).Type, kinds[i])
	}
	return func(batch arrow.RecordBatch, row int) (string, bool, error) {
		var key []byte
		for i, c := range columns {
			encoded, err := encoders[i].Append(nil, batch.Column(c), row)
			if err != nil {
				return "", false, fault.New(fault.Invalid, "column %s: %s", schema.Field(c).Name, fault.Of(err).Text)
			}
			if len(encoded) == 0 {
				return "", false, nil
			}
			key = append(binary.AppendUvarint(key, uint64(len(encoded))), encoded...)
		}
		return string(key), true, nil
	}
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// keyQuery requests the keys of a view and its features.
func keyQuery(v offline.JoinView) (q offline.Query, kinds []types.ValueType_Enum) {
	q = offline.Query{Source: v.Source, Timestamp: v.Timestamp, Created: v.Created}
	for _, k := range v.Keys {
		q.Columns, kinds = append(q.Columns, k.Column), append(kinds, k.Type)
	}
	q.Columns, q.Types = append(q.Columns, v.Features...), append(append(q.Types, kinds...), v.Types...)
	return q, kinds
}

// entityRow is a row that asks for features.
type entityRow struct {
	batch arrow.RecordBatch
	row   int
	at    instant
	timed bool
}

func readEntities(r array.RecordReader) (rows []entityRow, err error) {
	last := r.Schema().NumFields() - 1
	for r.Next() {
		batch := r.RecordBatch()
		batch.Retain()
		for i := range int(batch.NumRows()) {
			at, ok := instantAt(batch.Column(last), i)
			rows = append(rows, entityRow{batch, i, at, ok})
		}
	}
	if r.Err() != nil {
		return nil, fault.Of(r.Err())
	}
	return rows, nil
}

// PointInTime looks for the row of each view and entity row.
func (o Oracle) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	rows, err := readEntities(join.Entities)
	if err != nil {
		return nil, err
	}
	var fields []arrow.Field
	var columns [][]piece
	for _, v := range join.Views {
		if v.CreatedBefore && v.Created == "" {
			return nil, fault.New(fault.Invalid, "view %s: a join by created time needs a created_timestamp_column", v.Name)
		}
		more, found, err := o.view(ctx, join.Entities.Schema(), rows, v)
		if err != nil {
			return nil, err
		}
		for i, f := range more {
			column := make([]piece, len(rows))
			for n, row := range found {
				if row != nil {
					column[n] = piece{row.batch.Column(len(v.Keys) + i), row.row}
				}
			}
			fields, columns = append(fields, f), append(columns, column)
		}
	}
	return results(ctx, fields, columns, len(rows))
}

// view finds the source's row for each entity row.
func (o Oracle) view(ctx context.Context, entities *arrow.Schema, rows []entityRow, v offline.JoinView) ([]arrow.Field, []*sourceRow, error) {
	q, kinds := keyQuery(v)
	all, schema, err := o.rowsOf(ctx, q, func(s *arrow.Schema) keyOf { return keysAt(s, upTo(len(v.Keys)), kinds) })
	if err != nil {
		return nil, nil, err
	}
	byKey := map[string][]*sourceRow{}
	for _, r := range all {
		byKey[r.key] = append(byKey[r.key], r)
	}
	columns := make([]int, len(v.Keys))
	for i, k := range v.Keys {
		columns[i] = k.Entity
	}
	keyed := keysAt(entities, columns, kinds)
	found := make([]*sourceRow, len(rows))
	for i, row := range rows {
		if ctx.Err() != nil {
			return nil, nil, fault.Of(ctx.Err())
		}
		key, ok, err := keyed(row.batch, row.row)
		if err != nil {
			return nil, nil, fault.New(fault.Invalid, "entity rows, row %d, %s", i+1, fault.Of(err).Text)
		}
		if !ok || !row.timed {
			continue
		}
		for _, r := range byKey[key] {
			if fits(v, row.at, r) && r.newer(found[i]) {
				found[i] = r
			}
		}
	}
	return schema.Fields()[len(v.Keys):len(q.Columns)], found, nil
}

// fits reports whether a row may answer a question about a time.
func fits(v offline.JoinView, at instant, r *sourceRow) bool {
	if at.before(r.at) || v.CreatedBefore && (!r.known || at.before(r.created)) {
		return false
	}
	lowest := instant{seconds: math.MinInt64 + int64(max(v.TTL, 0)/time.Second) + 1}
	return v.TTL == 0 || at.before(lowest) || !r.at.before(at.minus(v.TTL))
}

// piece is a cell of a result; the zero piece is null.
type piece struct {
	from arrow.Array
	row  int
}

// resultRows is how many rows a batch of the oracle has.
const resultRows = 1 << 15

// results makes batches of cells.
func results(ctx context.Context, fields []arrow.Field, columns [][]piece, rows int) (array.RecordReader, error) {
	for i := range fields {
		fields[i].Nullable = true
	}
	schema := arrow.NewSchema(fields, nil)
	var all []arrow.RecordBatch
	for first := 0; first < rows; first += resultRows {
		n := min(resultRows, rows-first)
		arrays := make([]arrow.Array, len(fields))
		for c, f := range fields {
			pieces := make([]arrow.Array, n)
			nothing := array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, 1)
			for i, p := range columns[c][first : first+n] {
				if pieces[i] = nothing; p.from != nil {
					pieces[i] = array.NewSlice(p.from, int64(p.row), int64(p.row)+1)
				}
			}
			var err error
			if arrays[c], err = array.Concatenate(pieces, memory.DefaultAllocator); err != nil {
				return nil, fault.New(fault.Internal, "column %s, batch %s: the oracle cannot copy it", f.Name, strconv.Itoa(first)).Because(err)
			}
		}
		all = append(all, array.NewRecordBatch(schema, arrays, int64(n)))
	}
	r, err := array.NewRecordReader(schema, all)
	if err != nil {
		return nil, fault.Of(err)
	}
	return &told{RecordReader: r, ctx: ctx}, nil
}

// told ends when its context is done.
type told struct {
	array.RecordReader
	ctx context.Context //nolint:containedctx // lives as long as the reader
	err error
}

func (r *told) Next() bool {
	if r.err == nil && r.ctx.Err() != nil {
		r.err = fault.Of(r.ctx.Err())
	}
	return r.err == nil && r.RecordReader.Next()
}

func (r *told) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.RecordReader.Err()
}
