package offlinetest

import (
	"cmp"
	"context"
	"slices"
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

// Moments sorts all distinct moments.
func (o Oracle) Moments(ctx context.Context, views []offline.JoinView, start, end time.Time) (array.RecordReader, error) {
	var fields []arrow.Field
	var found []*sourceRow
	seen := map[string]bool{}
	for i, v := range views {
		q, kinds := keyQuery(offline.JoinView{Source: v.Source, Timestamp: v.Timestamp, Keys: v.Keys})
		q.Start, q.End = start, end
		rows, schema, err := o.rowsOf(ctx, q, func(s *arrow.Schema) keyOf { return keysAt(s, upTo(len(v.Keys)), kinds) })
		if err != nil {
			return nil, err
		}
		if i == 0 {
			fields = schema.Fields()
		}
		for _, r := range rows {
			if moment := r.key + strconv.FormatInt(r.at.seconds, 10) + "." + strconv.FormatInt(r.at.nanos, 10); !seen[moment] {
				seen[moment] = true
				found = append(found, r)
			}
		}
	}
	slices.SortFunc(found, func(a, b *sourceRow) int {
		order := cmp.Or(cmp.Compare(a.at.seconds, b.at.seconds), cmp.Compare(a.at.nanos, b.at.nanos))
		for c := 0; order == 0 && c < len(fields)-1; c++ {
			order = compareCells(a.batch.Column(c).ValueStr(a.row), b.batch.Column(c).ValueStr(b.row))
		}
		return order
	})
	return momentRows(ctx, fields, found)
}

// compareCells orders integers by number, and texts by their bytes.
func compareCells(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// momentRows writes the cells of all views in the types of the first.
func momentRows(ctx context.Context, fields []arrow.Field, found []*sourceRow) (array.RecordReader, error) {
	columns := make([][]piece, len(fields))
	for c, f := range fields {
		b := array.NewBuilder(memory.DefaultAllocator, f.Type)
		for _, r := range found {
			a := r.batch.Column(c)
			if arrow.TypeEqual(a.DataType(), f.Type) {
				columns[c] = append(columns[c], piece{a, r.row})
				continue
			}
			text := a.ValueStr(r.row)
			if at, ok := instantAt(a, r.row); ok {
				text = time.Unix(at.seconds, at.nanos).UTC().Format("2006-01-02 15:04:05.999999999Z")
			}
			if err := b.AppendValueFromString(text); err != nil {
				return nil, fault.New(fault.Invalid, "column %s: %s is no %s", f.Name, text, f.Type)
			}
			columns[c] = append(columns[c], piece{b.NewArray(), 0})
		}
	}
	return results(ctx, fields, columns, len(found))
}

// Latest keeps the newest row of each key.
func (o Oracle) Latest(ctx context.Context, query offline.Query, keys []int) (array.RecordReader, error) {
	rows, schema, err := o.rowsOf(ctx, query, func(s *arrow.Schema) keyOf { return valuesAt(s, keys, query.Types) })
	if err != nil {
		return nil, err
	}
	newest := map[string]*sourceRow{}
	var order []string
	for _, r := range rows {
		if newest[r.key] == nil {
			order = append(order, r.key)
		}
		if r.newer(newest[r.key]) {
			newest[r.key] = r
		}
	}
	columns := make([][]piece, schema.NumFields())
	for c := range columns {
		for _, key := range order {
			columns[c] = append(columns[c], piece{newest[key].batch.Column(c), newest[key].row})
		}
	}
	return results(ctx, schema.Fields(), columns, len(order))
}

// valuesAt makes one text of the cells of a row. Cells that are no value of
// their type are themselves, and null is a value.
func valuesAt(schema *arrow.Schema, keys []int, kinds []types.ValueType_Enum) keyOf {
	return func(batch arrow.RecordBatch, row int) (string, bool, error) {
		text := ""
		for _, k := range keys {
			one := cell(batch.Column(k), row)
			if len(kinds) > 0 {
				if encoded, err := value.NewArrowKeyEncoder(schema.Field(k).Type, kinds[k]).Append(nil, batch.Column(k), row); err == nil {
					one = "value " + string(encoded)
				}
			}
			text += strconv.Itoa(len(one)) + " " + one
		}
		return text, true, nil
	}
}
