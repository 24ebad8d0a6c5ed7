package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/value"
)

// mark is the comment of the tables that Create made: only these are replaced.
const mark = "made by banquet, which may replace it"

// Create makes a table in one transaction: under another name first, so that the
// table which it replaces can be read until all rows are written.
func (s *Store) Create(ctx context.Context, source *core.DataSource, rows array.RecordReader, replace bool) (int64, error) {
	to, err := newRelation(source)
	if err != nil {
		return 0, err
	}
	path, err := pathOf(to)
	if err != nil {
		return 0, err
	}
	heads, err := headsOf(to, rows.Schema())
	if err != nil {
		return 0, err
	}
	t, err := s.beginAs(ctx, pgx.TxOptions{})
	if err != nil {
		return 0, err
	}
	defer t.end()
	old, err := t.replaceable(to, replace)
	if err != nil {
		return 0, err
	}
	switch {
	case old != nil:
		path = []string{old.schema, old.name}
	case len(path) == 1:
		if path, err = t.inSchema(to, path[0]); err != nil {
			return 0, err
		}
	}
	return t.create(to, path, heads, rows, old)
}

// create writes the rows to a new table and gives it its name.
func (t *transaction) create(to *relation, path, heads []string, rows array.RecordReader, old *entry) (int64, error) {
	name := path[len(path)-1]
	built := pgx.Identifier(append(path[:len(path)-1:len(path)-1], "banquet_"+uuid.NewString())).Sanitize()
	if err := t.exec(to, "CREATE TABLE "+built+" ("+strings.Join(heads, ", ")+"); COMMENT ON TABLE "+built+" IS '"+mark+"'"); err != nil {
		return 0, err
	}
	at := &relation{source: to.source, from: built}
	table, columns, err := t.writable(at)
	if err != nil {
		return 0, err
	}
	w := &feed{ctx: t.ctx, rows: rows, what: to.what()}
	if err := w.match(to, columns); err != nil {
		return 0, err
	}
	if err := t.copyRows(built, table, w); err != nil {
		return 0, err
	}
	if old != nil {
		if err := t.drop(to, old); err != nil {
			return 0, err
		}
	}
	if err := t.exec(to, "ALTER TABLE "+built+" RENAME TO "+pgx.Identifier{name}.Sanitize()); err != nil {
		return 0, err
	}
	return w.row, t.commit(to.what())
}

// drop removes the table that is replaced, unless it is another one by now. It
// waits only a moment for those who read it: all others would wait behind it.
func (t *transaction) drop(to *relation, old *entry) error {
	table := pgx.Identifier{old.schema, old.name}.Sanitize()
	if err := t.exec(to, "SET LOCAL lock_timeout = '5s'; LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return err
	}
	now, err := t.entry(&relation{source: to.source, from: table})
	if err != nil {
		return err
	}
	if now == nil || now.oid != old.oid || now.comment != mark {
		return to.refuse(fault.Conflict, "%s was changed by another writer meanwhile; it stays as it is", table)
	}
	return t.exec(to, "DROP TABLE "+table)
}

// exec runs statements that return nothing.
func (t *transaction) exec(to *relation, statements string) error {
	err := t.batch(statements)
	if err == nil {
		return nil
	}
	var server *pgconn.PgError
	if errors.As(err, &server) && t.ctx.Err() == nil {
		switch server.Code {
		case "42P07", "42710", "23505": // a relation or a type of that name; the last one if it was made just now
			return to.refuse(fault.Conflict, "%s exists already: another writer made it meanwhile", to.from).Because(err)
		case "2BP01":
			return to.refuse(fault.Conflict, "%s cannot be replaced, since other objects depend on it: %s", to.from, pg.Line(server.Message)).Because(err)
		}
	}
	return t.fault(err, to.what())
}

// replaceable finds what exists under the name; nil for nothing. Only what Create
// made may be replaced.
func (t *transaction) replaceable(to *relation, replace bool) (*entry, error) {
	old, err := t.entry(to)
	switch {
	case err != nil || old == nil:
		return nil, err
	case !replace:
		return nil, to.refuse(fault.Conflict, "%s exists already; choose another name, or allow that it is replaced", to.from)
	case old.kind != "r" || old.comment != mark:
		return nil, to.refuse(fault.Conflict, "%s exists already, and was not made by banquet, so it is not replaced; choose another name", to.from)
	}
	return old, nil
}

// inSchema adds the schema in which the server makes a table without one.
func (t *transaction) inSchema(to *relation, name string) ([]string, error) {
	var schema *string
	if err := t.tx.QueryRow(t.ctx, "SELECT pg_catalog.current_schema()::text").Scan(&schema); err != nil {
		return nil, t.fault(err, to.what())
	}
	if schema == nil {
		return nil, to.refuse(fault.NotFound, "no schema of %s exists, in which table %s could be made; create it, or correct db_schema", t.store.opt.SearchPath(), to.from)
	}
	return []string{*schema, name}, nil
}

// pathOf splits the name of a table.
func pathOf(to *relation) ([]string, error) {
	if to.query {
		return nil, to.refuse(fault.Invalid, "it is a query, to which nothing can be written; name a table in the data source")
	}
	var path []string
	for rest := to.from; rest != ""; {
		var name string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			name, rest = unquoted(quoted)
		} else {
			name, rest, _ = strings.Cut(rest, ".")
			name, rest = strings.ToLower(name), "."+rest
		}
		rest = strings.TrimPrefix(rest, ".")
		if len(name) > identifier {
			return nil, to.refuse(fault.Invalid, "the name %s has %d bytes, and PostgreSQL allows %d; shorten it", pg.Line(name), len(name), identifier)
		}
		path = append(path, name)
	}
	return path, nil
}

// unquoted reads a quoted name up to its closing quote.
func unquoted(text string) (name, rest string) {
	for {
		part, rest, _ := strings.Cut(text, `"`)
		name += part
		if !strings.HasPrefix(rest, `"`) {
			return name, rest
		}
		name, text = name+`"`, rest[1:]
	}
}

// tableColumns is the most columns that a table of PostgreSQL has.
const tableColumns = 1600

// headsOf is the columns of a table for rows.
func headsOf(to *relation, schema *arrow.Schema) ([]string, error) {
	if n := schema.NumFields(); n == 0 || n > tableColumns {
		return nil, to.refuse(fault.Invalid, "the rows have %d columns, and a table has 1 to %d", n, tableColumns)
	}
	heads := make([]string, schema.NumFields())
	for i, f := range schema.Fields() {
		switch {
		case f.Name == "":
			return nil, to.refuse(fault.Invalid, "column %d of the rows has no name", i+1)
		case len(f.Name) > identifier:
			return nil, to.refuse(fault.Invalid, "column %s has a name of %d bytes, and PostgreSQL allows %d; shorten it", pg.Line(f.Name), len(f.Name), identifier)
		case strings.IndexByte(f.Name, 0) >= 0:
			return nil, to.refuse(fault.Invalid, "column %s has a name with a NUL byte", pg.Line(f.Name))
		case schema.FieldIndices(f.Name)[0] != i:
			return nil, to.refuse(fault.Invalid, "the rows have two columns %s; rename one", pg.Line(f.Name))
		}
		of := typeFor(f.Type)
		if of == "" {
			return nil, to.refuse(fault.Invalid, "column %s is of type %s, for which PostgreSQL has no type; convert it", pg.Line(f.Name), f.Type)
		}
		heads[i] = pgx.Identifier{f.Name}.Sanitize() + " " + of
	}
	return heads, nil
}

// typeFor is the type of PostgreSQL that holds the cells of an Arrow type; empty if
// there is none.
func typeFor(dt arrow.DataType) string { //nolint:gocyclo // a table: one line for each type
	switch t := dt.(type) {
	case *value.DecimalText:
		return "numeric"
	case *arrow.DictionaryType:
		return typeFor(t.ValueType)
	case arrow.ExtensionType:
		return extensionType(t)
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return "timestamp"
		}
		return "timestamptz"
	case *arrow.StructType, *arrow.MapType:
		return "jsonb"
	case arrow.ListLikeType:
		return arrayType(t)
	}
	switch id := dt.ID(); id {
	case arrow.INT8, arrow.INT16, arrow.UINT8:
		return "smallint"
	case arrow.INT32, arrow.UINT16:
		return "integer"
	case arrow.INT64, arrow.UINT32:
		return "bigint"
	case arrow.FLOAT16, arrow.FLOAT32:
		return "real"
	case arrow.FLOAT64:
		return "double precision"
	case arrow.UINT64, arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return "numeric"
	case arrow.BOOL:
		return "boolean"
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.NULL:
		return "text"
	case arrow.DATE32, arrow.DATE64:
		return "date"
	case arrow.TIME32, arrow.TIME64:
		return "time"
	case arrow.DURATION:
		return "interval"
	}
	if isBytes(dt) {
		return "bytea"
	}
	return ""
}

func extensionType(t arrow.ExtensionType) string {
	switch t.ExtensionName() {
	case "arrow.uuid":
		return "uuid"
	case "arrow.json":
		return "jsonb"
	}
	return typeFor(t.StorageType())
}

// arrayType is an array, or JSON for lists of nested cells.
func arrayType(t arrow.ListLikeType) string {
	switch of := typeFor(t.Elem()); {
	case of == "":
		return ""
	case arrow.IsNested(t.Elem().ID()):
		return "jsonb"
	default:
		return fmt.Sprintf("%s[]", of)
	}
}
