package postgres

import (
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// limit bounds the content of a record batch, except that of a single row.
type limit struct{ rows, bytes int }

// among divides the limit among readers.
func (l limit) among(readers int) limit {
	n := max(1, readers)
	return limit{rows: max(1, l.rows/n), bytes: max(1, l.bytes/n)}
}

// cellBytes is about the size of a cell besides its content, and of a null.
const cellBytes = 8

// reader turns rows into record batches as they arrive. It is an
// array.RecordReader and runs in the caller's goroutine, so it leaves none
// behind.
type reader struct {
	t       *transaction
	what    string
	rows    rows
	schema  *arrow.Schema
	columns []*column
	times   []*timeColumn
	stamps  []stamp
	// hidden is how many columns follow that are not part of the batches; inspect
	// checks a row by them.
	hidden  int
	inspect func(row int64, hidden [][]byte) error
	builder *array.RecordBuilder
	batch   arrow.RecordBatch
	// row is the number of the row being read, from the page part of the table on.
	row  int64
	part int64
	// sharers is how many readers share the memory of one batch; 0 is one.
	sharers int
	err     error
	ended   bool
	retains atomic.Int64
}

// rows is the result of a statement as it arrives.
type rows interface {
	NextRow() bool
	Values() [][]byte
	Close() (pgconn.CommandTag, error)
}

// stamp is a time of the row being read.
type stamp struct {
	v    arrow.Timestamp
	null bool
}

var _ array.RecordReader = (*reader)(nil)

// build makes the schema and the builders of batches.
func (r *reader) build(names []string) {
	fields := make([]arrow.Field, 0, len(names)+len(r.times))
	for i, c := range r.columns {
		fields = append(fields, arrow.Field{Name: names[i], Type: c.dt, Nullable: true})
	}
	for _, c := range r.times {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.dt, Nullable: true})
	}
	r.stamps = make([]stamp, len(r.times))
	r.schema = arrow.NewSchema(fields, nil)
	r.builder = array.NewRecordBuilder(memory.DefaultAllocator, r.schema)
	r.retains.Store(1)
}

// Schema is the schema of the batches.
func (r *reader) Schema() *arrow.Schema { return r.schema }

// RecordBatch is the batch that Next read.
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }

// Record is the old name of RecordBatch.
func (r *reader) Record() arrow.RecordBatch { return r.batch }

// Err tells why there was no next batch; nil at the end of the rows.
func (r *reader) Err() error { return r.err }

// Retain adds a reference.
func (r *reader) Retain() { r.retains.Add(1) }

// Release drops a reference; dropping the last one ends a running query.
func (r *reader) Release() {
	if r.retains.Add(-1) != 0 {
		return
	}
	r.drop()
	r.end(nil)
	r.builder.Release()
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

// end gives the transaction back. It does not read the remaining rows: it ends
// the query on the server.
func (r *reader) end(err error) {
	if r.ended {
		return
	}
	r.ended, r.err = true, err
	r.t.cancel()
	_, _ = r.rows.Close()
	r.t.end()
}

// Next reads a batch.
func (r *reader) Next() bool {
	r.drop()
	if r.ended {
		return false
	}
	if err := r.t.ctx.Err(); err != nil { // what has arrived could be read still
		r.end(r.t.fault(err, r.what))
		return false
	}
	rows, size := 0, 0
	most := r.t.store.batch.among(r.sharers)
	for rows < most.rows && size < most.bytes {
		if !r.rows.NextRow() {
			_, err := r.rows.Close()
			r.end(r.t.fault(err, r.what))
			break
		}
		r.row++
		cells := r.rows.Values()
		taken, err := r.take(cells)
		if err != nil {
			r.end(err)
			break
		}
		if !taken {
			continue
		}
		rows++
		for _, cell := range cells {
			size += len(cell) + cellBytes
		}
	}
	if r.err != nil || rows == 0 {
		return false
	}
	if r.schema.NumFields() == 0 { // the builder would lose the number of rows
		r.batch = array.NewRecordBatch(r.schema, nil, int64(rows))
		return true
	}
	r.batch = r.builder.NewRecordBatch()
	return true
}

// take appends a row, if it belongs to the query.
func (r *reader) take(cells [][]byte) (bool, error) {
	n := len(r.columns)
	if want := n + len(r.times) + r.hidden; len(cells) != want {
		return false, fault.New(fault.Internal, "%s: the server sent %d columns, want %d", r.what, len(cells), want)
	}
	if r.inspect != nil {
		if err := r.inspect(r.row, cells[n+len(r.times):]); err != nil {
			return false, err
		}
	}
	for i, c := range r.times {
		var ok bool
		var err error
		if r.stamps[i].v, r.stamps[i].null, ok, err = c.read(cells[n+i]); err != nil {
			return false, r.refuse(n+i, err)
		}
		if !ok {
			return false, nil
		}
	}
	for i, c := range r.columns {
		if err := c.append(r.builder.Field(i), cells[i]); err != nil {
			return false, r.refuse(i, err)
		}
	}
	for i, s := range r.stamps {
		if s.null {
			r.builder.Field(n + i).AppendNull()
			continue
		}
		r.builder.Field(n + i).(*array.TimestampBuilder).Append(s.v)
	}
	return true, nil
}

// refuse names the cell that cannot be read.
func (r *reader) refuse(field int, err error) error {
	column := r.schema.Field(field).Name
	if r.part == 0 {
		return refuseCell(r.what, column, r.row, err)
	}
	return fault.New(fault.Invalid, "%s, column %s, row %d of those whose ctid is '(%d,0)' or later: %s", r.what, pg.Line(column), r.row, r.part, pg.Line(err.Error())).Because(err)
}

func refuseCell(what, column string, row int64, err error) error {
	return fault.New(fault.Invalid, "%s, column %s, row %d: %s", what, pg.Line(column), row, pg.Line(err.Error())).Because(err)
}
