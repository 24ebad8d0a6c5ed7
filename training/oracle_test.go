package training_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/value"
)

// oracle joins as plainly as possible: it looks at all rows of a source for each entity
// row.
type oracle struct {
	offline.Store
	t testing.TB
	// broken changes the rows of the join.
	broken func(arrow.RecordBatch) arrow.RecordBatch
}

// table is a source, or the entity rows, in memory.
type table struct {
	schema  *arrow.Schema
	columns []arrow.Array
	rows    int
}

func readAll(t testing.TB, r array.RecordReader) (table, error) {
	t.Helper()
	all := table{schema: r.Schema()}
	parts := make([][]arrow.Array, r.Schema().NumFields())
	for r.Next() {
		for i, c := range r.RecordBatch().Columns() {
			c.Retain()
			parts[i] = append(parts[i], c)
		}
		all.rows += int(r.RecordBatch().NumRows())
	}
	if r.Err() != nil {
		return all, r.Err()
	}
	for i, f := range r.Schema().Fields() {
		if len(parts[i]) == 0 {
			b := array.NewBuilder(memory.DefaultAllocator, f.Type)
			all.columns = append(all.columns, b.NewArray())
			continue
		}
		c, err := array.Concatenate(parts[i], memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		all.columns = append(all.columns, c)
	}
	return all, nil
}

// keysOf encodes the keys of all rows; a row without a key has none.
func (b table) keysOf(t testing.TB, columns []int, kinds []types.ValueType_Enum) []string {
	t.Helper()
	keys := make([]string, b.rows)
	for row := range keys {
		for i, c := range columns {
			part, err := value.NewArrowKeyEncoder(b.columns[c].DataType(), kinds[i]).Append(nil, b.columns[c], row)
			if err != nil {
				t.Fatalf("key in row %d: %v", row, err)
			}
			if len(part) == 0 {
				keys[row] = ""
				break
			}
			keys[row] += fmt.Sprintf("%d:%s", len(part), part)
		}
		if len(columns) == 0 {
			keys[row] = "all"
		}
	}
	return keys
}

func (b table) times(column int) []time.Time {
	times := make([]time.Time, b.rows)
	c, _ := b.columns[column].(*array.Timestamp)
	unit := c.DataType().(*arrow.TimestampType).Unit //nolint:forcetypeassert // a column of times
	for row := range times {
		if c.IsValid(row) {
			times[row] = c.Value(row).ToTime(unit)
		}
	}
	return times
}

func (o *oracle) source(ctx context.Context, v offline.JoinView, start, end time.Time) (table, error) {
	q := offline.Query{Source: v.Source, Timestamp: v.Timestamp, Created: v.Created, Start: start, End: end}
	for _, k := range v.Keys {
		q.Columns, q.Types = append(q.Columns, k.Column), append(q.Types, k.Type)
	}
	q.Columns, q.Types = append(q.Columns, v.Features...), append(q.Types, v.Types...)
	r, err := o.Range(ctx, q)
	if err != nil {
		return table{}, err
	}
	defer r.Release()
	return readAll(o.t, r)
}

// PointInTime is that of offline.Joiner.
func (o *oracle) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	entities, err := readAll(o.t, join.Entities)
	if err != nil {
		return nil, err
	}
	at := entities.times(entities.schema.NumFields() - 1)
	var fields []arrow.Field
	var columns []arrow.Array
	for _, v := range join.Views {
		rows, err := o.source(ctx, v, time.Time{}, time.Time{})
		if err != nil {
			return nil, err
		}
		index := o.chosen(v, rows, entities, at)
		for i := range v.Features {
			c, err := compute.TakeArray(ctx, rows.columns[len(v.Keys)+i], index)
			if err != nil {
				o.t.Fatal(err)
			}
			fields, columns = append(fields, rows.schema.Field(len(v.Keys)+i)), append(columns, c)
		}
	}
	schema := arrow.NewSchema(fields, nil)
	batch := array.NewRecordBatch(schema, columns, int64(entities.rows))
	if o.broken != nil {
		batch = o.broken(batch)
	}
	var batches []arrow.RecordBatch
	const step = 1000 // not the size of a batch of entity rows
	for from := int64(0); from < batch.NumRows(); from += step {
		batches = append(batches, batch.NewSlice(from, min(from+step, batch.NumRows())))
	}
	return array.NewRecordReader(schema, batches)
}

// chosen gives the row of the source for each entity row.
func (o *oracle) chosen(v offline.JoinView, rows, entities table, at []time.Time) arrow.Array {
	var kinds []types.ValueType_Enum
	var here, there []int
	for i, k := range v.Keys {
		kinds, here, there = append(kinds, k.Type), append(here, k.Entity), append(there, i)
	}
	want, have := entities.keysOf(o.t, here, kinds), rows.keysOf(o.t, there, kinds)
	timeColumn := len(v.Keys) + len(v.Features)
	event, created := rows.times(timeColumn), make([]time.Time, rows.rows)
	if v.Created != "" {
		created = rows.times(timeColumn + 1)
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for e := range entities.rows {
		best := -1
		for r := range rows.rows {
			switch {
			case want[e] == "" || want[e] != have[r] || at[e].IsZero() || event[r].After(at[e]),
				v.TTL > 0 && event[r].Before(at[e].Add(-v.TTL)),
				v.CreatedBefore && (created[r].IsZero() || created[r].After(at[e])):
				continue
			case best < 0 || cmp.Or(event[r].Compare(event[best]), created[r].Compare(created[best])) > 0:
				best = r
			}
		}
		if best < 0 {
			b.AppendNull()
			continue
		}
		b.Append(int64(best))
	}
	return b.NewArray()
}

// Moments is that of offline.Joiner.
func (o *oracle) Moments(ctx context.Context, views []offline.JoinView, start, end time.Time) (array.RecordReader, error) {
	type moment struct {
		table table
		row   int
		at    time.Time
		key   string
	}
	seen := map[string]moment{}
	var first table
	for n, v := range views {
		rows, err := o.source(ctx, v, start, end)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			first = rows
		}
		var kinds []types.ValueType_Enum
		columns := make([]int, len(v.Keys))
		for i, k := range v.Keys {
			columns[i] = i
			kinds = append(kinds, k.Type)
		}
		event := rows.times(len(v.Keys) + len(v.Features))
		for row, key := range rows.keysOf(o.t, columns, kinds) {
			if key != "" {
				seen[fmt.Sprint(event[row].UnixNano(), key)] = moment{rows, row, event[row], key}
			}
		}
	}
	var list []moment
	for _, m := range seen {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b moment) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.key, b.key)) })
	var fields []arrow.Field
	for i := range views[0].Keys {
		fields = append(fields, first.schema.Field(i))
	}
	fields = append(fields, arrow.Field{Name: views[0].Timestamp, Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}})
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, m := range list {
		for i := range views[0].Keys {
			if err := b.Field(i).AppendValueFromString(m.table.columns[i].ValueStr(m.row)); err != nil {
				o.t.Fatal(err)
			}
		}
		b.Field(len(views[0].Keys)).(*array.TimestampBuilder).AppendTime(m.at) //nolint:forcetypeassert // as the schema says
	}
	return array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
}

// Latest is not used here.
func (o *oracle) Latest(context.Context, offline.Query, []int) (array.RecordReader, error) {
	panic("training sets do not read the latest rows")
}

// Query reads a query as a data source.
func (o *oracle) Query(ctx context.Context, sql string) (array.RecordReader, error) {
	options, err := json.Marshal(map[string]string{"query": sql})
	if err != nil {
		o.t.Fatal(err)
	}
	source := &core.DataSource{Name: "entity rows", Options: &core.DataSource_CustomOptions{
		CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: options},
	}}
	columns, err := o.Columns(ctx, source)
	if err != nil {
		return nil, err
	}
	q := offline.Query{Source: source, Timestamp: "event_timestamp"}
	for _, c := range columns {
		if c.Name != q.Timestamp {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	r, err := o.Range(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := readAll(o.t, r)
	if err != nil {
		return nil, err
	}
	fields, arrays := make([]arrow.Field, len(columns)), make([]arrow.Array, len(columns))
	for i, c := range columns {
		at := rows.schema.FieldIndices(c.Name)[0]
		fields[i], arrays[i] = rows.schema.Field(at), rows.columns[at]
	}
	schema := arrow.NewSchema(fields, nil)
	return array.NewRecordReader(schema, []arrow.RecordBatch{array.NewRecordBatch(schema, arrays, int64(rows.rows))})
}
