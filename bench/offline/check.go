package offline

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/bench/fake"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// expected is the training set of a number of entity rows, over views of a number of
// rows.
type expected struct {
	views []*table
	// rows[v][i] is the row of view v for entity row i; -1 for none.
	rows  [][]int
	total counts
}

func expect(entityRows, viewRows int) *expected {
	e := &expected{views: []*table{zipcodes(), credits()}, rows: make([][]int, 2), total: counts{Rows: entityRows}}
	for i := range entityRows {
		x := entityOf(i)
		for v, k := range []int{x.zip, x.ssn} {
			row := newest(viewRows, k, x.at)
			e.rows[v] = append(e.rows[v], row)
			if row < 0 {
				continue
			}
			for _, c := range e.views[v].features() {
				if c.at(row) != nil {
					e.total.Filled++
				}
			}
		}
	}
	return e
}

// check compares every feature of a training set in a Parquet file; its rows may be in
// any order.
func (e *expected) check(ctx context.Context, path string) (n counts, err error) {
	f, err := os.Open(path)
	if err != nil {
		return n, err
	}
	defer f.Close()
	p, err := file.NewParquetReader(f)
	if err != nil {
		return n, fmt.Errorf("%s: %w", path, err)
	}
	r, err := pqarrow.NewFileReader(p, pqarrow.ArrowReadProperties{BatchSize: batch}, memory.DefaultAllocator)
	if err != nil {
		return n, err
	}
	batches, err := r.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return n, err
	}
	defer batches.Release()
	seen := make([]bool, e.total.Rows)
	for batches.Next() {
		if err := e.batch(batches.RecordBatch(), seen, &n); err != nil {
			return n, err
		}
	}
	if err := batches.Err(); err != nil {
		return n, err
	}
	if n != e.total {
		return n, fmt.Errorf("%d rows with %d features, want %d with %d", n.Rows, n.Filled, e.total.Rows, e.total.Filled)
	}
	return n, nil
}

func (e *expected) batch(b arrow.RecordBatch, seen []bool, n *counts) error {
	at := b.Schema().FieldIndices("entity_row")
	if len(at) != 1 {
		return fmt.Errorf("the training set has %d columns entity_row", len(at))
	}
	for r := range int(b.NumRows()) {
		i, ok := cellOf(b.Column(at[0]), r).(int64)
		if !ok || i < 0 || int(i) >= len(seen) || seen[i] {
			return fmt.Errorf("the training set has entity row %v, or twice", i)
		}
		seen[i] = true
	}
	n.Rows += int(b.NumRows())
	for v, t := range e.views {
		for _, c := range t.features() {
			index := b.Schema().FieldIndices(c.name)
			if len(index) != 1 {
				return fmt.Errorf("the training set has %d columns %s", len(index), c.name)
			}
			for r := range int(b.NumRows()) {
				i := cellOf(b.Column(at[0]), r).(int64)
				var want any
				if row := e.rows[v][i]; row >= 0 {
					want = c.at(row)
				}
				got := cellOf(b.Column(index[0]), r)
				if got != want {
					return fmt.Errorf("entity row %d: %s is %v, not %v", i, c.name, got, want)
				}
				if got != nil {
					n.Filled++
				}
			}
		}
	}
	return nil
}

// cellOf is a cell as a column makes it.
func cellOf(a arrow.Array, r int) any {
	if a.IsNull(r) {
		return nil
	}
	switch a := a.(type) {
	case *array.Int64:
		return a.Value(r)
	case *array.Float64:
		return a.Value(r)
	case *array.Float32:
		return a.Value(r)
	case *array.String:
		return a.Value(r)
	case *array.LargeString:
		return a.Value(r)
	case *array.Boolean:
		return a.Value(r)
	}
	return a.ValueStr(r)
}

// checkItems compares what was written with the first rows of the table.
func checkItems(t *table, rows int, w fake.Written) error {
	if w.Items != int64(rows) {
		return fmt.Errorf("%d items are stored, not %d", w.Items, rows)
	}
	if len(w.Sample) < rows/2000 {
		return fmt.Errorf("only %d of %d items are compared", len(w.Sample), rows)
	}
	sample := map[string]json.RawMessage{}
	for _, raw := range w.Sample {
		var item struct {
			ID struct{ S string } `json:"entity_id"`
		}
		if err := json.Unmarshal(raw, &item); err != nil {
			return err
		}
		sample[item.ID.S] = raw
	}
	for i := range rows {
		id, err := dataset.EntityID(t.key(), &types.Value{Val: &types.Value_Int64Val{Int64Val: t.columns[0].at(i).(int64)}})
		if err != nil {
			return err
		}
		if raw, ok := sample[id]; ok {
			if err := checkItem(t, i, raw); err != nil {
				return fmt.Errorf("%w in %s", err, raw)
			}
			delete(sample, id)
		}
	}
	if len(sample) > 0 {
		return fmt.Errorf("%d items have keys that no row has", len(sample))
	}
	return nil
}

// checkItem compares an item with row i.
func checkItem(t *table, i int, raw []byte) error {
	var item struct {
		At     struct{ S string } `json:"event_ts"`
		Values struct{ M map[string]struct{ B string } }
	}
	if err := json.Unmarshal(raw, &item); err != nil {
		return err
	}
	at, err := time.Parse("2006-01-02 15:04:05.999999Z07:00", strings.Replace(item.At.S, "+00:00", "Z", 1))
	if err != nil || !at.Equal(t.time(i)) || len(item.Values.M) != len(t.features()) {
		return errors.New("another time, or other features")
	}
	for _, c := range t.features() {
		b, err := base64.StdEncoding.DecodeString(item.Values.M[c.name].B)
		if err != nil {
			return err
		}
		v := &types.Value{}
		if err := proto.Unmarshal(b, v); err != nil {
			return err
		}
		if got := dataset.Plain(v); got != c.at(i) {
			return fmt.Errorf("%s is %v, not %v", c.name, got, c.at(i))
		}
	}
	return nil
}
