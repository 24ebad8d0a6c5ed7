package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
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
	table, columns, err := t.writable(to)
	if err != nil {
		return 0, err
	}
	w := &feed{ctx: t.ctx, rows: rows, what: to.what()}
	if err := w.match(to, columns); err != nil {
		return 0, err
	}
	if err := t.copyRows(to.from, table, w); err != nil {
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

// writable gives the plain name of a table and its columns; other relations are
// refused.
func (t *transaction) writable(r *relation) (name string, columns []target, err error) {
	e, err := t.entry(r)
	if err != nil {
		return "", nil, err
	}
	if e == nil {
		_, err := t.describe(r) // says what is missing: the schema or the table
		if err == nil {
			err = r.refuse(fault.NotFound, "relation %s does not exist", r.from)
		}
		return "", nil, err
	}
	if !strings.Contains("rpf", e.kind) { // a table, a partitioned or a foreign one
		return "", nil, r.refuse(fault.Invalid, "%s is not a table, and nothing can be written to it; write to the table from which it reads", r.from)
	}
	rows, err := t.tx.Query(t.ctx, targetsSQL, e.oid)
	if err != nil {
		return "", nil, t.fault(err, r.what())
	}
	var types []uint32
	for rows.Next() {
		var c target
		var oid int64
		if err := rows.Scan(&c.name, &c.computed, &oid, &c.mod); err != nil {
			rows.Close()
			return "", nil, t.fault(err, r.what())
		}
		columns, types = append(columns, c), append(types, uint32(oid))
	}
	if err := rows.Err(); err != nil {
		return "", nil, t.fault(err, r.what())
	}
	for i := range columns {
		if columns[i].kind, err = t.kindOf(types[i]); err != nil {
			return "", nil, err
		}
	}
	return e.name, columns, nil
}

// copyRows writes the rows of a feed to a table, given in SQL and by its plain name.
func (t *transaction) copyRows(sql, table string, w *feed) error {
	names := make([]string, len(w.names))
	for i, name := range w.names {
		names[i] = pgx.Identifier{name}.Sanitize()
	}
	tag, err := t.copyFrom(w, "COPY "+sql+" ("+strings.Join(names, ", ")+") FROM STDIN")
	switch {
	case w.err != nil:
		return w.err
	case err != nil:
		return t.copyFault(err, table, w)
	case tag.RowsAffected() != w.row:
		return fault.New(fault.Invalid, "%s: a trigger of the table left out %d of %d rows, so none was added", w.what, w.row-tag.RowsAffected(), w.row)
	}
	return nil
}
