package asof

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// Moments reads all rows of the views before it returns. The keys of a view pair
// with those of the first by their place.
func (j *Joiner) Moments(ctx context.Context, views []offline.JoinView, start, end time.Time) (array.RecordReader, error) {
	if len(views) == 0 {
		return nil, fault.New(fault.Internal, "moments of no views")
	}
	m := &moments{ctx: ctx, limit: j.opt.Memory / 2, dir: j.opt.Dir, found: newTable()}
	for _, v := range views {
		if err := m.read(j.store, v, start, end); err != nil {
			m.close()
			return nil, err
		}
	}
	if err := m.sort(m.limit); err != nil {
		m.close()
		return nil, err
	}
	return offline.NewReader(m.schema, m.batches, m.close), nil
}

// mostRuns is how many runs are merged at once: each takes some memory.
const mostRuns = 16

// moments is one call of Moments: distinct moments in memory, and runs of sorted
// ones on shelves, which are merged at the end.
type moments struct {
	ctx    context.Context //nolint:containedctx // lives as long as the reader
	limit  int64
	dir    string
	schema *arrow.Schema // the keys, then the event time
	kinds  []types.ValueType_Enum
	// found are the moments in memory, in the form of order, and shelf their keys.
	found *table
	shelf *shelf
	runs  []*shelf
}

// read adds the moments of a view.
func (m *moments) read(store offline.Store, v offline.JoinView, start, end time.Time) error {
	q := offline.Query{Source: v.Source, Timestamp: v.Timestamp, Start: start, End: end}
	for _, k := range v.Keys {
		q.Columns, q.Types = append(q.Columns, k.Column), append(q.Types, k.Type)
	}
	rows, err := store.Range(m.ctx, q)
	if err != nil {
		return fault.Of(err)
	}
	defer rows.Release()
	if err := m.begin(rows.Schema(), v, q.Types); err != nil {
		return err
	}
	columns := make([]int, len(v.Keys))
	for i := range columns {
		columns[i] = i
	}
	e, err := newEncoder(rows.Schema(), columns, q.Types)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := m.ctx.Err(); err != nil {
			return fault.Of(err)
		}
		if err := m.batch(v, e, rows.RecordBatch().Columns()); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fault.Of(err)
	}
	return nil
}

// begin finds the schema: the first view's keys, and the finest unit of all views'
// times.
func (m *moments) begin(source *arrow.Schema, v offline.JoinView, kinds []types.ValueType_Enum) error {
	if m.schema != nil {
		if !slices.Equal(kinds, m.kinds) {
			return fault.New(fault.Invalid, "view %s: its join keys have the types %v, those of the views beside it %v; views of one set need equal join keys", v.Name, kinds, m.kinds)
		}
		fields := m.schema.Fields()
		old, next := fields[len(fields)-1], source.Field(len(kinds))
		u, err := unitOf(old)
		if err != nil {
			return err
		}
		if w, err := unitOf(next); err != nil || w <= u {
			return err
		}
		fields[len(fields)-1].Type = next.Type
		m.schema = arrow.NewSchema(fields, nil)
		return nil
	}
	m.schema, m.kinds = plainSchema(source), kinds
	m.shelf = newShelf(m.schema.Fields()[:len(kinds)], m.limit, m.dir)
	return nil
}

// batch adds the moments of a batch.
func (m *moments) batch(v offline.JoinView, e *encoder, columns []arrow.Array) error {
	last := columns[len(columns)-1]
	at, err := timesOf(last)
	if err != nil {
		return err
	}
	unit, err := unitOf(arrow.Field{Type: last.DataType()})
	if err != nil {
		return err
	}
	var rows []int32
	var order []byte
	for i := range at {
		key, err := e.encode(columns, i)
		var bad keyError
		if errors.As(err, &bad) || key == nil || last.IsNull(i) {
			continue
		}
		order = appendOrder(order[:0], instantOf(int64(at[i]), unit), key, len(e.columns))
		if n := m.found.rows(); int(m.found.add(order)) == n {
			rows = append(rows, int32(i))
		}
	}
	keys, err := m.keys(v, columns[:len(columns)-1])
	if err != nil {
		return err
	}
	if err := m.shelf.add(keys, rows); err != nil {
		return err
	}
	if m.shelf.memory()+int64(m.found.memory()) <= m.limit {
		return nil
	}
	if err := m.sort(1); err != nil {
		return err
	}
	if len(m.runs) < mostRuns {
		return nil
	}
	return m.mergeAll()
}

// sort makes a run of what is in memory, of which some stays there.
func (m *moments) sort(stays int64) error {
	if err := m.shelf.flush(); err != nil {
		return err
	}
	ids := make([]int32, m.found.rows())
	for i := range ids {
		ids[i] = int32(i)
	}
	slices.SortFunc(ids, func(a, b int32) int { return bytes.Compare(m.found.key(a), m.found.key(b)) })
	run := newRun(m.schema, stays, m.dir)
	m.runs = append(m.runs, run.shelf)
	const step = 1024
	for len(ids) > 0 {
		n := min(step, len(ids))
		numbers := make([]int64, n)
		for i, id := range ids[:n] {
			numbers[i] = int64(id)
			run.orders.put(m.found.key(id))
			run.orders.end(true)
		}
		m.shelf.take(run.shelf.sinks[1:], numbers)
		if err := run.added(n); err != nil {
			return err
		}
		ids = ids[n:]
	}
	m.found = newTable()
	m.shelf = newShelf(m.schema.Fields()[:len(m.kinds)], m.limit, m.dir)
	return run.shelf.flush()
}

// batches yields the moments of all runs.
func (m *moments) batches(yield func(arrow.RecordBatch, error) bool) {
	out, err := newMomentRows(m.schema)
	if err != nil {
		yield(nil, err)
		return
	}
	err = merge(m.ctx, m.runs, func(c *cursor) error {
		if err := out.add(c); err != nil || !out.full() {
			return err
		}
		batch, err := out.finish()
		if err != nil {
			return err
		}
		if !yield(batch, nil) {
			return errStopped
		}
		return nil
	})
	switch {
	case errors.Is(err, errStopped):
		return
	case err == nil && out.rows > 0:
		var batch arrow.RecordBatch
		if batch, err = out.finish(); err == nil {
			yield(batch, nil)
			return
		}
	}
	if err != nil {
		yield(nil, err)
	}
}

var errStopped = errors.New("nobody reads on")

// mergeAll makes one run of all.
func (m *moments) mergeAll() error {
	old := m.runs
	run := newRun(m.schema, 1, m.dir)
	m.runs = append(m.runs, run.shelf)
	err := merge(m.ctx, old, func(c *cursor) error {
		for i, data := range c.columns {
			run.shelf.sinks[i].rows(data, []int32{int32(c.row)})
		}
		return run.added(1)
	})
	if err == nil {
		err = run.shelf.flush()
	}
	if err != nil {
		return err
	}
	for _, r := range old {
		r.close()
	}
	m.runs = []*shelf{run.shelf}
	return nil
}

func (m *moments) close() {
	for _, r := range m.runs {
		r.close()
	}
}
