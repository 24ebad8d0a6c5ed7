package postgres

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
)

var _ offline.Writer = (*Store)(nil)

// Append adds rows to a table by one COPY. A view is refused, since COPY cannot
// write to it. The rows leave out columns that the database computes. The
// transaction has the mode that the role or the database gives it: one that is
// read-only stays so.
func (s *Store) Append(ctx context.Context, source *core.DataSource, rows array.RecordReader) (int64, error) {
	to, err := newRelation(source)
	if err != nil {
		return 0, err
	}
	if to.query {
		return 0, to.refuse(fault.Invalid, "it is a query, to which nothing can be written; name a table in the data source")
	}
	t, err := s.beginAs(ctx, pgx.TxOptions{})
	if err != nil {
		return 0, err
	}
	defer t.end()
	columns, err := t.writable(to)
	if err != nil {
		return 0, err
	}
	w := &feed{ctx: t.ctx, rows: rows, what: to.what()}
	if err := w.match(to, columns); err != nil {
		return 0, err
	}
	if err := t.copyRows(to.from, w); err != nil {
		return 0, err
	}
	return w.row, t.commit(to.what())
}

// commit ends the transaction. A connection that is lost meanwhile leaves open
// whether the rows were written.
func (t *transaction) commit(what string) error {
	err := t.tx.Commit(t.ctx)
	if err == nil {
		return nil
	}
	if f := t.fault(err, what); fault.KindOf(f) != fault.Unavailable && t.ctx.Err() == nil {
		return f
	}
	opt := &t.store.opt
	kind := fault.KindOf(t.fault(err, what))
	return fault.Store(kind, "%s: PostgreSQL at %s did not confirm the end of the transaction: the rows are there, or none of them; look before you write them again", what, opt.Address()).
		About("PostgreSQL", opt.Address(), "").Because(err)
}

// target is a column to write.
type target struct {
	name string
	kind *kind
	// mod is what limits the values of the type, such as the scale of a numeric; -1
	// for none.
	mod int32
	// computed reports that the database makes the values.
	computed bool
}

// targetsSQL lists the columns of a table. A type that is a domain has the limits
// of the innermost domain that has some.
const targetsSQL = `WITH RECURSIVE typed AS (
	SELECT a.attnum, a.attname, a.attgenerated <> '' AS computed, a.atttypid AS type, a.atttypid AS below, a.atttypmod AS mod
	FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT c.attnum, c.attname, c.computed, c.type, t.typbasetype, t.typtypmod
	FROM typed c JOIN pg_catalog.pg_type t ON t.oid = c.below AND t.typtype = 'd'
) SELECT c.attname::text, c.computed, c.type::int8, c.mod
FROM typed c JOIN pg_catalog.pg_type t ON t.oid = c.below AND t.typtype <> 'd' ORDER BY c.attnum`

// entry is what the catalog says of a relation.
type entry struct {
	oid          uint32
	kind         string // pg_class.relkind
	schema, name string
	comment      string
}

const entrySQL = `SELECT c.oid::int8, c.relkind::text, n.nspname::text, c.relname::text, COALESCE(pg_catalog.obj_description(c.oid, 'pg_class'), '')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`

// entry looks up a relation by its name in SQL; nil if there is none.
func (t *transaction) entry(r *relation) (*entry, error) {
	e := &entry{}
	var oid int64
	err := t.tx.QueryRow(t.ctx, entrySQL, r.from).Scan(&oid, &e.kind, &e.schema, &e.name, &e.comment)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, t.fault(err, r.what())
	}
	e.oid = uint32(oid)
	return e, nil
}

// writable lists the columns of a table; other relations are refused.
func (t *transaction) writable(r *relation) ([]target, error) {
	e, err := t.entry(r)
	if err != nil {
		return nil, err
	}
	if e == nil {
		_, err := t.describe(r) // says what is missing: the schema or the table
		if err == nil {
			err = r.refuse(fault.NotFound, "relation %s does not exist", r.from)
		}
		return nil, err
	}
	if !strings.Contains("rpf", e.kind) { // a table, a partitioned or a foreign one
		return nil, r.refuse(fault.Invalid, "%s is not a table, and nothing can be written to it; write to the table from which it reads", r.from)
	}
	rows, err := t.tx.Query(t.ctx, targetsSQL, e.oid)
	if err != nil {
		return nil, t.fault(err, r.what())
	}
	var columns []target
	var types []uint32
	for rows.Next() {
		var c target
		var oid int64
		if err := rows.Scan(&c.name, &c.computed, &oid, &c.mod); err != nil {
			rows.Close()
			return nil, t.fault(err, r.what())
		}
		columns, types = append(columns, c), append(types, uint32(oid))
	}
	if err := rows.Err(); err != nil {
		return nil, t.fault(err, r.what())
	}
	for i := range columns {
		if columns[i].kind, err = t.kindOf(types[i]); err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// copyRows writes the rows of a feed to a table.
func (t *transaction) copyRows(table string, w *feed) error {
	defer w.stop()
	names := make([]string, len(w.names))
	for i, name := range w.names {
		names[i] = pgx.Identifier{name}.Sanitize()
	}
	tag, err := t.conn().CopyFrom(t.ctx, w, "COPY "+table+" ("+strings.Join(names, ", ")+") FROM STDIN")
	w.stop()
	switch {
	case w.err != nil:
		return w.err
	case err != nil:
		return t.copyFault(err, w)
	case tag.RowsAffected() != w.row:
		return fault.New(fault.Invalid, "%s: a trigger of the table left out %d of %d rows, so none was added", w.what, w.row-tag.RowsAffected(), w.row)
	}
	return nil
}

// feed turns rows into the text that COPY reads. A Read of it runs in a goroutine
// of the driver, which may go on for a moment after the COPY has failed: stop
// waits for it.
type feed struct {
	ctx  context.Context //nolint:containedctx // lives as long as the COPY
	rows array.RecordReader
	what string
	// names are the columns in the order in which they are sent, from their
	// places among the rows' columns, and puts write their cells.
	names []string
	from  []int
	puts  []put

	mu      sync.Mutex
	stopped bool
	batch   arrow.RecordBatch
	next    int   // the row of the batch that comes next
	row     int64 // how many rows were sent
	text    []byte
	sent    int
	cell    []byte
	err     error
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

// stop ends the use of the rows.
func (w *feed) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
}

var errStopped = errors.New("the COPY has ended")

// Read writes the next rows. It ends with an error at the first cell that does
// not fit.
func (w *feed) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return 0, errStopped
	}
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
