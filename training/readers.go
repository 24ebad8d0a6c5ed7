package training

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
)

// projection reads some columns of another reader, under the names of its schema; at has
// their indexes, or dummyColumn. It owns the other reader.
type projection struct {
	in     array.RecordReader
	at     []int
	schema *arrow.Schema
	batch  arrow.RecordBatch
	count  atomic.Int64
}

// newProjection reads the columns at some indexes as the given fields. It owns in.
func newProjection(in array.RecordReader, at []int, fields []arrow.Field) *projection {
	p := &projection{in: in, at: at, schema: arrow.NewSchema(fields, nil)}
	p.count.Store(1)
	return p
}

func (p *projection) Retain() { p.count.Add(1) }

func (p *projection) Release() {
	if p.count.Add(-1) == 0 {
		p.forget()
		p.in.Release()
	}
}

func (p *projection) forget() {
	if p.batch != nil {
		p.batch.Release()
		p.batch = nil
	}
}

func (p *projection) Schema() *arrow.Schema          { return p.schema }
func (p *projection) RecordBatch() arrow.RecordBatch { return p.batch }
func (p *projection) Record() arrow.RecordBatch      { return p.batch }
func (p *projection) Err() error                     { return p.in.Err() }

func (p *projection) Next() bool {
	p.forget()
	if !p.in.Next() {
		return false
	}
	batch := p.in.RecordBatch()
	columns := make([]arrow.Array, len(p.at))
	for i, at := range p.at {
		if at == dummyColumn {
			columns[i] = dummies(int(batch.NumRows()))
			defer columns[i].Release()
			continue
		}
		columns[i] = batch.Column(at)
	}
	p.batch = array.NewRecordBatch(p.schema, columns, batch.NumRows())
	return true
}

// converted reads the columns of another reader, converted. It does not own the other
// reader.
type converted struct {
	in          array.RecordReader
	conversions []*conversion
	rows        int64
	columns     []arrow.Array
	used, have  int
}

// fill makes sure that there are rows; false at the end of the rows.
func (c *converted) fill() (bool, error) {
	for c.used == c.have {
		c.forget()
		if !c.in.Next() {
			return false, c.in.Err()
		}
		batch := c.in.RecordBatch()
		for i, conversion := range c.conversions {
			a, err := conversion.apply(batch.Column(i), c.rows)
			if err != nil {
				return false, err
			}
			c.columns = append(c.columns, a)
		}
		c.used, c.have = 0, int(batch.NumRows())
		c.rows += batch.NumRows()
	}
	return true, nil
}

// take appends the next n rows to columns.
func (c *converted) take(columns []arrow.Array, n int) []arrow.Array {
	for _, a := range c.columns {
		columns = append(columns, array.NewSlice(a, int64(c.used), int64(c.used+n)))
	}
	c.used += n
	return columns
}

func (c *converted) forget() {
	for _, a := range c.columns {
		a.Release()
	}
	c.columns, c.used, c.have = nil, 0, 0
}

// rows reads a training set: the columns of one reader, or of two side by side.
type rows struct {
	schema *arrow.Schema
	parts  []*converted
	// ended is called after the last row.
	ended func()
	batch arrow.RecordBatch
	err   error
	done  bool
	count atomic.Int64
}

// newRows makes the reader of a training set.
func newRows(parts ...*converted) *rows {
	var fields []arrow.Field
	for _, p := range parts {
		for _, c := range p.conversions {
			fields = append(fields, arrow.Field{Name: c.name, Type: c.to, Nullable: true})
		}
	}
	r := &rows{schema: arrow.NewSchema(fields, nil), parts: parts}
	r.count.Store(1)
	return r
}

func (r *rows) Retain() { r.count.Add(1) }

func (r *rows) Release() {
	if r.count.Add(-1) == 0 {
		r.forget()
		for _, p := range r.parts {
			p.forget()
		}
	}
}

func (r *rows) forget() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

func (r *rows) Schema() *arrow.Schema          { return r.schema }
func (r *rows) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *rows) Record() arrow.RecordBatch      { return r.batch }
func (r *rows) Err() error                     { return r.err }

func (r *rows) Next() bool {
	r.forget()
	if r.done {
		return false
	}
	n, err := r.available()
	if err != nil || n == 0 {
		r.done, r.err = true, err
		if err == nil && r.ended != nil {
			r.ended()
		}
		return false
	}
	columns := make([]arrow.Array, 0, r.schema.NumFields())
	for _, p := range r.parts {
		columns = p.take(columns, n)
	}
	r.batch = array.NewRecordBatch(r.schema, columns, int64(n))
	for _, c := range columns {
		c.Release()
	}
	return true
}

// available is how many rows all parts have at hand, 0 at the end.
func (r *rows) available() (int, error) {
	n, ended := batchRows, 0
	for _, p := range r.parts {
		more, err := p.fill()
		if err != nil {
			return 0, err
		}
		if !more {
			ended++
			continue
		}
		n = min(n, p.have-p.used)
	}
	switch ended {
	case 0:
		return n, nil
	case len(r.parts):
		return 0, nil
	}
	return 0, fault.New(fault.Internal, "a join gave another number of rows than there are entity rows")
}
