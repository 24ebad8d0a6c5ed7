package postgres

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// feed turns rows into the text that COPY reads.
type feed struct {
	ctx  context.Context //nolint:containedctx // lives as long as the COPY
	rows array.RecordReader
	what string
	// names are the columns in the order in which they are sent, from their
	// places among the rows' columns, and puts write their cells.
	names []string
	from  []int
	puts  []put

	batch arrow.RecordBatch
	next  int   // the row of the batch that comes next
	row   int64 // how many rows were sent
	text  []byte
	sent  int
	cell  []byte
	err   error
}

// match finds the columns of the rows.
func (w *feed) match(to *relation, columns []target) error {
	schema := w.rows.Schema()
	known := map[string]bool{}
	for _, c := range columns {
		known[c.name] = true
		at := schema.FieldIndices(c.name)
		if c.computed {
			if len(at) > 0 {
				return to.refuse(fault.Invalid, "column %s is computed by the database; leave it out of the rows", pg.Line(c.name))
			}
			continue
		}
		if len(at) != 1 {
			continue
		}
		f := schema.Field(at[0])
		p := putFor(c.kind, c.mod, f.Type)
		if p == nil {
			return to.refuse(fault.Invalid, "column %s is %s, which does not hold cells of type %s; convert the column of the rows", pg.Line(c.name), c.kind.name, f.Type)
		}
		w.names, w.from, w.puts = append(w.names, c.name), append(w.from, at[0]), append(w.puts, p)
	}
	return w.refuseOthers(to, columns, known)
}

// refuseOthers refuses rows that lack a column or have another.
func (w *feed) refuseOthers(to *relation, columns []target, known map[string]bool) error {
	schema := w.rows.Schema()
	var missing, extra []string
	for _, c := range columns {
		if !c.computed && len(schema.FieldIndices(c.name)) == 0 {
			missing = append(missing, pg.Line(c.name))
		}
	}
	for i, f := range schema.Fields() {
		if schema.FieldIndices(f.Name)[0] != i {
			return to.refuse(fault.Invalid, "the rows have two columns %s; rename one", pg.Line(f.Name))
		}
		if !known[f.Name] {
			extra = append(extra, pg.Line(f.Name))
		}
	}
	switch {
	case len(missing) > 0 && len(extra) > 0:
		return to.refuse(fault.Invalid, "the rows lack its columns %s, and have others: %s", listed(missing), listed(extra))
	case len(missing) > 0:
		return to.refuse(fault.Invalid, "the rows lack its columns %s", listed(missing))
	case len(extra) > 0:
		return to.refuse(fault.Invalid, "the rows have columns that it lacks: %s", listed(extra))
	case len(w.names) == 0:
		return to.refuse(fault.Invalid, "the rows have no columns")
	}
	return nil
}

func listed(names []string) string {
	if len(names) > shown {
		names = append(slices.Clone(names[:shown]), "…")
	}
	return strings.Join(names, ", ")
}

// Read writes the next rows. It ends with an error at the first cell that does
// not fit.
func (w *feed) Read(p []byte) (int, error) {
	if w.sent == len(w.text) {
		if w.err != nil {
			return 0, w.err
		}
		w.text, w.sent = w.text[:0], 0
		if err := w.fill(); err != nil {
			if !errors.Is(err, io.EOF) {
				w.err = err
			}
			return 0, err
		}
	}
	n := copy(p, w.text[w.sent:])
	w.sent += n
	return n, nil
}

// chunkBytes is about how much text is made at once.
const chunkBytes = 64 << 10

// fill makes the text of some rows.
func (w *feed) fill() error {
	for len(w.text) < chunkBytes {
		if w.batch == nil || w.next == int(w.batch.NumRows()) {
			if err := w.ctx.Err(); err != nil {
				return fault.Of(err)
			}
			if !w.rows.Next() {
				w.batch = nil
				if err := w.rows.Err(); err != nil {
					return err
				}
				if len(w.text) == 0 {
					return io.EOF
				}
				return nil
			}
			w.batch, w.next = w.rows.RecordBatch(), 0
			continue
		}
		if err := w.line(); err != nil {
			return err
		}
	}
	return nil
}

// line makes the text of one row.
func (w *feed) line() error {
	for i, at := range w.from {
		if i > 0 {
			w.text = append(w.text, '\t')
		}
		a := w.batch.Column(at)
		if isNull(a, w.next) {
			w.text = append(w.text, '\\', 'N')
			continue
		}
		var err error
		if w.cell, err = w.puts[i](w.cell[:0], a, w.next); err != nil {
			return refuseCell(w.what, w.names[i], w.row+1, err)
		}
		w.text = appendEscaped(w.text, w.cell)
	}
	w.text = append(w.text, '\n')
	w.next++
	w.row++
	return nil
}

// appendEscaped writes a cell as COPY reads it:
// https://www.postgresql.org/docs/current/sql-copy.html.
func appendEscaped(dst, cell []byte) []byte {
	for _, c := range cell {
		switch c {
		case '\\':
			dst = append(dst, '\\', '\\')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
