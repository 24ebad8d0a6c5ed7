package postgres

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/offline"
)

// table is what the catalog says of a relation.
type table struct {
	// oid is 0 for what has no index of its own: queries, views, foreign tables.
	oid uint32
	// name is the qualified name.
	name string
	// place is the order of the rows: their places in the table, or else their
	// numbers as they come.
	place string
}

func (t *table) places() []string { return strings.Split(t.place, ", ") }

// order is an index of a table by the keys of a join and then by event time.
type order struct {
	// names are the index's name and those of its partitions.
	names []string
	// first is the name of the first column if it is a key.
	first string
	// newest is the order of the index in the direction in which the latest event
	// time of a key comes first: of its first column, if that is a key, and of the
	// event time.
	newest []string
}

// plainQuery is a query of all rows of one table, with all columns or some, as
// sources are often written. It is matched without comments.
func plainQuery() *regexp.Regexp {
	name := `(?:"(?:[^"]|"")+"|[a-z_][\w$]*)`
	return regexp.MustCompile(`(?is)^\s*select\s+(?:\*|` + name + `(?:\s*,\s*` + name + `)*)\s+from\s+(` + name + `(?:\s*\.\s*` + name + `)?)\s*$`)
}

// tableOf is the table whose rows a relation has: rows of tables have places, and
// tables have indexes.
func (r *relation) tableOf() (name string, ok bool) {
	if !r.query {
		return r.from, true
	}
	found := plainQuery().FindStringSubmatch(stripComments(strings.TrimSuffix(strings.TrimPrefix(r.from, "("), "\n)")))
	if found == nil {
		return "", false
	}
	return found[1], true
}

// lookTable asks the catalog for the view's table and for an index that fits.
func (t *transaction) lookTable(v *joined) error {
	v.table = &table{place: "row_number() OVER ()"}
	from, ok := v.tableOf()
	if !ok {
		return nil
	}
	var oid int64
	var kind, name string
	var parent, readable bool
	err := t.tx.QueryRow(t.ctx, `SELECT c.oid::int8, c.relkind::text, c.relhassubclass, pg_catalog.has_table_privilege(c.oid, 'SELECT'), pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`, from).
		Scan(&oid, &kind, &parent, &readable, &name)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // such as a function
		return nil
	case err != nil:
		return t.fault(err, v.what())
	case kind != "r" && kind != "p" && kind != "m" || !readable || !v.hasOnly(uint32(oid)): // the right to columns is none to places
		return nil
	}
	v.table = &table{oid: uint32(oid), name: name, place: "source.ctid"}
	v.described = &described{relation: &relation{source: v.source, from: from}, fields: v.fields}
	if kind == "p" || parent {
		v.table.place = "source.tableoid, source.ctid"
	}
	if kind == "r" && parent {
		v.table.oid = 0 // its indexes do not have the rows of its children
		return nil
	}
	v.order, err = t.orderOf(v)
	return err
}

// hasOnly reports whether all columns are those of a table, and not functions that
// look like columns.
func (d *described) hasOnly(table uint32) bool {
	for _, f := range d.fields {
		if f.TableOID != table || f.TableAttributeNumber == 0 {
			return false
		}
	}
	return true
}

// indexSQL lists the columns of indexes that are complete and ordered as the
// operators = and <= need it.
const indexSQL = `SELECT i.indexrelid::int8, c.relname::text, coalesce(a.attname::text, ''), k.option & 1 = 1, k.option & 2 = 2,
	coalesce(o.opcdefault AND k.coll = a.attcollation AND coalesce(l.collisdeterministic, true), false)
	FROM pg_catalog.pg_index i
	JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
	JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
	CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[]) WITH ORDINALITY AS k (number, class, coll, option, n)
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
	LEFT JOIN pg_catalog.pg_opclass o ON o.oid = k.class
	LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.coll
	WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND k.n <= i.indnkeyatts
	ORDER BY i.indexrelid, k.n`

// indexColumn is a column of an index.
type indexColumn struct {
	oid         int64
	index, name string
	// descending and nulls are the order: downwards, nulls first. usable reports
	// that the operators of the join are those of the index.
	descending, nulls, usable bool
}

// term is the column's order in an index that is read forwards or backwards.
func (c indexColumn) term(backwards bool) string {
	direction, nulls := "ASC", "LAST"
	if c.descending != backwards {
		direction = "DESC"
	}
	if c.nulls != backwards {
		nulls = "FIRST"
	}
	return columnName(c.name) + " " + direction + " NULLS " + nulls
}

// orderOf finds an index by the view's keys, in any order, and then by event time.
func (t *transaction) orderOf(v *joined) (*order, error) {
	rows, err := t.tx.Query(t.ctx, indexSQL, int64(v.table.oid))
	if err != nil {
		return nil, t.fault(err, v.what())
	}
	columns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c indexColumn, err error) {
		return c, row.Scan(&c.oid, &c.index, &c.name, &c.descending, &c.nulls, &c.usable)
	})
	if err != nil {
		return nil, t.fault(err, v.what())
	}
	keys := v.keyColumns()
	for len(columns) > 0 {
		n := 1
		for n < len(columns) && columns[n].oid == columns[0].oid {
			n++
		}
		if o := fitting(columns[:n], keys, v.event.field); o != nil {
			return o, t.partitionsOf(o, columns[0].oid)
		}
		columns = columns[n:]
	}
	return nil, nil
}

// keyColumns are the names of the key columns, each once.
func (v *joined) keyColumns() (names []string) {
	for _, k := range v.keys {
		if !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
	}
	return names
}

// fitting checks the columns of one index.
func fitting(columns []indexColumn, keys []string, event string) *order {
	if len(columns) <= len(keys) {
		return nil
	}
	left := slices.Clone(keys)
	for _, c := range columns[:len(keys)] {
		at := slices.Index(left, c.name)
		if at < 0 || !c.usable {
			return nil
		}
		left = slices.Delete(left, at, at+1)
	}
	last := columns[len(keys)]
	if last.name != event || !last.usable {
		return nil
	}
	o := &order{names: []string{last.index}, newest: []string{last.term(!last.descending)}}
	if len(keys) > 0 {
		o.first, o.newest = columns[0].name, append([]string{columns[0].term(!last.descending)}, o.newest...)
	}
	return o
}

// partitionsOf adds the names of an index's partitions.
func (t *transaction) partitionsOf(o *order, index int64) error {
	rows, err := t.tx.Query(t.ctx, `SELECT c.relname::text FROM pg_catalog.pg_partition_tree($1::int8::oid::regclass) p JOIN pg_catalog.pg_class c ON c.oid = p.relid`, index)
	if err != nil {
		return t.fault(err, "the indexes")
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	o.names = append(o.names, names...)
	return t.fault(err, "the indexes")
}

// MissingIndex returns the statement that makes the index with which point-in-time
// joins of a view are fast, or nothing if there is one, or if none can help.
func (s *Store) MissingIndex(ctx context.Context, view offline.JoinView) (statement string, err error) {
	if err := view.Check(); err != nil {
		return "", err
	}
	t, err := s.begin(ctx)
	if err != nil {
		return "", err
	}
	defer t.end()
	v, err := (&plan{t: t, entities: newEntityRows("")}).look(view, nil)
	switch {
	case errors.Is(err, errNotInSQL):
		return "", nil
	case err != nil || v.order != nil || v.table.oid == 0:
		return "", err
	}
	return t.indexStatement(v)
}

// indexStatement is the statement that makes the index, empty if a key has a
// collation that finds different texts equal: the join cannot use it then.
func (t *transaction) indexStatement(v *joined) (string, error) {
	var loose bool
	err := t.tx.QueryRow(t.ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
		WHERE a.attrelid = $1::oid AND a.attname = ANY ($2) AND NOT l.collisdeterministic)`, int64(v.table.oid), v.keyColumns()).Scan(&loose)
	if err != nil || loose {
		return "", t.fault(err, v.what())
	}
	var columns []string
	for _, name := range append(v.keyColumns(), v.event.field) {
		columns = append(columns, pgx.Identifier{name}.Sanitize())
	}
	return "CREATE INDEX ON " + v.table.name + " (" + strings.Join(columns, ", ") + ")", nil
}
