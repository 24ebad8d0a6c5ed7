package asof

import (
	"context"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
)

// answers are the rows of one view for the rows of a block.
type answers struct {
	fields []arrow.Field
	// parts are those that were not read yet, in order. The first one is in memory
	// when it is read.
	parts []part
}

// part is the answers to the rows from first to end of a block.
type part struct {
	first, end int
	// numbers on the shelf of each row's answer; negative for none.
	numbers []int64
	shelf   *shelf
}

// mostParts is how many parts a part is split into: each takes some memory.
const mostParts = 16

// at makes sure that the answer to a row is in memory.
func (a *answers) at(ctx context.Context, row int, memory int64) (part, error) {
	for {
		p := a.parts[0]
		switch {
		case row >= p.end:
			p.shelf.close()
			a.parts = a.parts[1:]
		case p.shelf.disk == nil:
			return p, nil
		case p.end-p.first == 1 || p.shelf.diskBytes <= memory:
			if err := p.shelf.load(ctx); err != nil {
				return p, err
			}
		default:
			parts, err := p.split(ctx, memory)
			p.shelf.close()
			if a.parts = slices.Concat(parts, a.parts[1:]); err != nil {
				return p, err
			}
		}
	}
}

func (a *answers) close() {
	for _, p := range a.parts {
		p.shelf.close()
	}
}

// load reads the file of a shelf into memory.
func (s *shelf) load(ctx context.Context) error {
	n := int64(0)
	err := s.each(ctx, func(columns []arrow.ArrayData, rows int) error {
		s.segments = append(s.segments, segment{n, columns, variable(columns)})
		n += int64(rows)
		return nil
	})
	s.disk.Close()
	s.disk, s.bytes = nil, s.diskBytes
	return err
}

// each reads the file of a shelf.
func (s *shelf) each(ctx context.Context, batch func(columns []arrow.ArrayData, rows int) error) error {
	rows, err := s.disk.Reader()
	if err != nil {
		return err
	}
	defer rows.Release()
	for rows.Next() {
		if ctx.Err() != nil {
			return fault.Of(ctx.Err())
		}
		columns := make([]arrow.ArrayData, rows.RecordBatch().NumCols())
		for i, c := range rows.RecordBatch().Columns() {
			columns[i] = c.Data()
			columns[i].Retain()
		}
		if err := batch(columns, int(rows.RecordBatch().NumRows())); err != nil {
			return err
		}
	}
	return rows.Err()
}

// split sorts the rows of a file by the parts of the block that need them.
func (p part) split(ctx context.Context, memory int64) ([]part, error) {
	n := p.pieces(memory)
	parts, needed := make([]part, n), make([][]int64, n)
	for i := range parts {
		first, end := (p.end-p.first)*i/n, (p.end-p.first)*(i+1)/n
		q := part{first: p.first + first, end: p.first + end, numbers: p.numbers[first:end], shelf: p.shelf.like(memory / int64(n))}
		needed[i] = distinct(q.numbers)
		for j, number := range q.numbers {
			if number >= 0 {
				q.numbers[j] = int64(sort.Search(len(needed[i]), func(k int) bool { return needed[i][k] >= number }))
			}
		}
		parts[i] = q
	}
	at := int64(0)
	var rows []int32
	err := p.shelf.each(ctx, func(columns []arrow.ArrayData, count int) error {
		for i := range parts {
			rows = rows[:0]
			for ; len(needed[i]) > 0 && needed[i][0] < at+int64(count); needed[i] = needed[i][1:] {
				rows = append(rows, int32(needed[i][0]-at))
			}
			if err := parts[i].shelf.keep(columns, rows); err != nil {
				return err
			}
		}
		at += int64(count)
		return nil
	})
	for i := range parts {
		if err == nil {
			err = parts[i].shelf.flush()
		}
	}
	return parts, err
}

// pieces is into how many parts to split a part. A single one is split no more,
// but loses the rows that nothing needs.
func (p part) pieces(memory int64) int {
	live := int64(len(distinct(p.numbers)))
	if live*2 < p.shelf.n && p.shelf.diskBytes/p.shelf.n*live < memory {
		return 1
	}
	return int(min(max(2, 2*p.shelf.diskBytes/max(memory, 1)), mostParts, int64(p.end-p.first)))
}

// distinct are the numbers of rows in some numbers, each once and in order.
func distinct(numbers []int64) []int64 {
	var all []int64
	for _, n := range numbers {
		if n >= 0 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// like is an empty shelf for rows of the same types.
func (s *shelf) like(limit int64) *shelf {
	return newShelf(storageSchema(s.types).Fields(), limit, s.dir)
}

// keep puts rows on the shelf, whose rows are all needed.
func (s *shelf) keep(columns []arrow.ArrayData, rows []int32) error {
	if err := s.add(columns, rows); err != nil {
		return err
	}
	return s.trim()
}

// trim puts the rows into a file when they are too many for memory.
func (s *shelf) trim() error {
	if s.disk == nil && s.memory() > s.limit {
		return s.spill()
	}
	return nil
}

// batches yields the rows of all blocks.
func (r *run) batches(yield func(arrow.RecordBatch, error) bool) {
	for {
		if !r.answer(yield) {
			return
		}
		more, err := r.advance()
		if err != nil {
			yield(nil, err)
		}
		if err != nil || !more {
			return
		}
	}
}

// answer yields the rows of one block; false if that is the end.
func (r *run) answer(yield func(arrow.RecordBatch, error) bool) bool {
	var sinks []sink
	for _, f := range r.schema.Fields() {
		sinks = append(sinks, newSink(f.Type))
	}
	for row := 0; row < r.block.rows; {
		batch, err := r.rows(row, sinks)
		if err == nil {
			row += int(batch.NumRows())
		}
		if !yield(batch, err) || err != nil {
			return false
		}
	}
	return true
}

// rows makes one batch of the result from a row on.
func (r *run) rows(row int, sinks []sink) (arrow.RecordBatch, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	parts := make([]part, len(r.answers))
	end := min(row+batchRows, r.block.rows)
	for i, a := range r.answers {
		var err error
		if parts[i], err = a.at(r.ctx, row, r.partMemory()/int64(len(r.answers))); err != nil {
			return nil, err
		}
		end = min(end, parts[i].end)
	}
	end = fit(parts, row, end)
	first := 0
	for i, p := range parts {
		n := len(r.answers[i].fields)
		p.shelf.take(sinks[first:first+n], p.numbers[row-p.first:end-p.first])
		first += n
	}
	return finish(r.schema, sinks, end-row)
}

// finish makes a batch of what is in the sinks.
func finish(schema *arrow.Schema, sinks []sink, rows int) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(sinks))
	for i, c := range sinks {
		d, err := c.finish()
		if err != nil {
			return nil, err
		}
		columns[i] = array.MakeFromData(spool.Retyped(d, schema.Field(i).Type))
	}
	return array.NewRecordBatch(schema, columns, int64(rows)), nil
}

// fit is the last row, from first on and up to end, with which a batch is not too
// large. There is at least one row.
func fit(parts []part, first, end int) int {
	var fixed int64
	var rest []part
	for _, p := range parts {
		for _, t := range p.shelf.types {
			n, _ := width(t)
			fixed += int64(n)
		}
		if len(p.shelf.segments) > 0 && len(p.shelf.segments[0].large) > 0 {
			rest = append(rest, p)
		}
	}
	end = min(end, first+int(max(1, batchBytes/max(fixed, 1))))
	if len(rest) == 0 {
		return end
	}
	size := int64(0)
	for row := first; row < end; row++ {
		size += fixed
		for _, p := range rest {
			size += p.shelf.sizeOf(p.numbers[row-p.first])
		}
		if size > batchBytes && row > first {
			return row
		}
	}
	return end
}

// sizeOf is about how many bytes a row has in columns without a fixed size.
func (s *shelf) sizeOf(number int64) int64 {
	if number < 0 {
		return 0
	}
	g := s.segments[s.locate(number, 0)]
	return rowBytes(g.large, int(number-g.first))
}
