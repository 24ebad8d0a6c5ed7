package asof

import (
	"context"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
)

// run is one call of PointInTime.
type run struct {
	ctx    context.Context //nolint:containedctx // lives as long as the reader
	joiner *Joiner
	views  []offline.JoinView
	schema *arrow.Schema
	block  *block
	// rest are the entity rows behind the first block, nil if there are none, and
	// read from next on.
	rest *spool.Spool
	next array.RecordReader
	// The rest of a batch that did not fit into the block.
	left arrow.RecordBatch
	// The times of all entity rows, in their unit.
	lowest, highest int64
	timed           bool
	// sources are the rows of the views, if they are needed once more.
	sources []*spool.Spool
	answers []*answers
}

// What the parts of a run may take of the memory.
func (r *run) blockMemory() int64 { return r.joiner.opt.Memory / 2 }
func (r *run) cellMemory() int64  { return r.joiner.opt.Memory / 4 }
func (r *run) partMemory() int64  { return r.joiner.opt.Memory / 8 }

// begin reads the entity rows and joins the first block.
func (r *run) begin(entities array.RecordReader) error {
	for i := range r.views {
		if err := r.views[i].Check(); err != nil {
			return err
		}
	}
	if err := r.ctx.Err(); err != nil {
		return fault.Of(err)
	}
	var err error
	if r.block, err = newBlock(entities.Schema(), r.views); err != nil {
		return err
	}
	r.lowest, r.highest = math.MaxInt64, math.MinInt64
	if err := r.read(entities); err != nil {
		return err
	}
	return r.join()
}

// read fills the first block and keeps the rest.
func (r *run) read(entities array.RecordReader) error {
	rows := &watched{RecordReader: entities, see: r.see}
	left, err := r.block.fill(r.ctx, rows, r.blockMemory())
	if err != nil || left == nil {
		return err
	}
	defer left.Release()
	r.rest = spool.New(entities.Schema(), spool.Options{Dir: r.joiner.opt.Dir, Memory: r.partMemory()})
	if err := r.rest.Write(left); err != nil {
		return err
	}
	if err := r.rest.ReadFrom(r.ctx, rows); err != nil {
		return fault.Of(err)
	}
	r.next, err = r.rest.Reader()
	return err
}

// see notes the times of entity rows.
func (r *run) see(batch arrow.RecordBatch) error {
	column := batch.Column(int(batch.NumCols()) - 1)
	times, err := timesOf(column)
	for i, v := range times {
		if column.IsValid(i) {
			r.lowest, r.highest, r.timed = min(r.lowest, int64(v)), max(r.highest, int64(v)), true
		}
	}
	return err
}

// watched shows each batch once, and ends when that fails.
type watched struct {
	array.RecordReader
	see func(arrow.RecordBatch) error
	err error
}

func (w *watched) Next() bool {
	if w.err != nil || !w.RecordReader.Next() {
		return false
	}
	w.err = w.see(w.RecordBatch())
	return w.err == nil
}

func (w *watched) Err() error {
	if w.err != nil {
		return w.err
	}
	return w.RecordReader.Err()
}

// join finds the answers of all views to the rows of the block.
func (r *run) join() error {
	r.block.sort()
	spare := r.cellMemory()
	again := r.sources != nil
	if r.rest != nil && !again {
		r.sources = make([]*spool.Spool, len(r.views))
	}
	var fields []arrow.Field
	for i := range r.views {
		m := &matcher{view: r.views[i], block: r.block, space: r.block.spaces[r.block.spaceOf[i]]}
		read := r.source
		if again {
			read = r.replay
		}
		if err := read(i, m, spare); err != nil {
			m.close()
			return err
		}
		a, err := m.answers()
		if err != nil {
			m.close()
			return err
		}
		r.answers = append(r.answers, a)
		fields = append(fields, m.fields...)
		spare = max(spare-m.shelf.bytes, 0)
	}
	r.schema = arrow.NewSchema(fields, nil)
	r.block.forget()
	return nil
}

// source reads the rows of a view from the store.
func (r *run) source(i int, m *matcher, spare int64) error {
	rows, err := r.joiner.store.Range(r.ctx, r.query(r.views[i]))
	if err != nil {
		return fault.Of(err)
	}
	defer rows.Release()
	if r.sources != nil {
		r.sources[i] = spool.New(rows.Schema(), spool.Options{Dir: r.joiner.opt.Dir, Memory: 1})
		rows = &watched{RecordReader: rows, see: r.sources[i].Write}
	}
	return r.match(m, rows, spare)
}

// replay reads the rows of a view once more.
func (r *run) replay(i int, m *matcher, spare int64) error {
	rows, err := r.sources[i].Reader()
	if err != nil {
		return err
	}
	defer rows.Release()
	return r.match(m, rows, spare)
}

// match shows all rows of a view to a matcher.
func (r *run) match(m *matcher, rows array.RecordReader, spare int64) error {
	if err := m.begin(rows.Schema(), spare, r.joiner.opt.Dir); err != nil {
		return err
	}
	for rows.Next() {
		if err := r.ctx.Err(); err != nil {
			return fault.Of(err)
		}
		if err := m.batch(rows.RecordBatch()); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fault.Of(err)
	}
	return nil
}

// query requests the rows of a view that some entity row may need.
func (r *run) query(v offline.JoinView) offline.Query {
	q := offline.Query{Source: v.Source, Timestamp: v.Timestamp, Created: v.Created}
	for _, k := range v.Keys {
		q.Columns, q.Types = append(q.Columns, k.Column), append(q.Types, k.Type)
	}
	q.Columns, q.Types = append(q.Columns, v.Features...), append(q.Types, v.Types...)
	if !r.timed { // no row is needed, but what is wrong with the source should be told
		q.Start = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		q.End = q.Start
		return q
	}
	q.End = instantOf(r.highest, r.block.unit).bound()
	if low := instantOf(r.lowest, r.block.unit).bound(); v.TTL > 0 && !low.IsZero() {
		q.Start = low.Add(-v.TTL)
	}
	return q
}

// advance joins the next block; false if there is none.
func (r *run) advance() (bool, error) {
	if r.next == nil {
		return false, nil
	}
	r.drop()
	r.block.clear(r.block.first + int64(r.block.rows))
	rows := array.RecordReader(&pushed{RecordReader: r.next, first: r.left})
	left, err := r.block.fill(r.ctx, rows, r.blockMemory())
	if r.left != nil {
		r.left.Release()
	}
	r.left = left
	if err != nil || len(r.block.times) == 0 {
		return false, err
	}
	return true, r.join()
}

// pushed is a reader with a batch before its own.
type pushed struct {
	array.RecordReader
	first, now arrow.RecordBatch
}

func (p *pushed) Next() bool {
	p.now, p.first = p.first, nil
	return p.now != nil || p.RecordReader.Next()
}

func (p *pushed) RecordBatch() arrow.RecordBatch {
	if p.now != nil {
		return p.now
	}
	return p.RecordReader.RecordBatch()
}

// drop frees the answers of a block.
func (r *run) drop() {
	for _, a := range r.answers {
		a.close()
	}
	r.answers = nil
}

// close frees everything.
func (r *run) close() {
	r.drop()
	if r.left != nil {
		r.left.Release()
		r.left = nil
	}
	if r.next != nil {
		r.next.Release()
		r.next = nil
	}
	if r.rest != nil {
		r.rest.Close()
	}
	for _, s := range r.sources {
		if s != nil {
			s.Close()
		}
	}
}
