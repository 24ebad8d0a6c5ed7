package postgres

import (
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// kind describes a PostgreSQL type.
type kind struct {
	// oid is that of the type below all domains.
	oid uint32
	// name is PostgreSQL's name of the type.
	name string
	// text reports that the type is a kind of text.
	text bool
	// element is the type of an array's elements, nil for other types;
	// delimiter separates elements in the array's text.
	element   *kind
	delimiter byte
}

// scalars are the types that are known without a query to the catalog.
func scalars(oid uint32) (name string, text, ok bool) { //nolint:gocyclo // a table: one line for each type
	switch oid {
	case pgtype.BoolOID:
		return "boolean", false, true
	case pgtype.Int2OID:
		return "smallint", false, true
	case pgtype.Int4OID:
		return "integer", false, true
	case pgtype.Int8OID:
		return "bigint", false, true
	case pgtype.Float4OID:
		return "real", false, true
	case pgtype.Float8OID:
		return "double precision", false, true
	case pgtype.NumericOID:
		return "numeric", false, true
	case pgtype.ByteaOID:
		return "bytea", false, true
	case pgtype.TimestamptzOID:
		return "timestamp with time zone", false, true
	case pgtype.TimestampOID:
		return "timestamp without time zone", false, true
	case pgtype.DateOID:
		return "date", false, true
	case pgtype.JSONOID:
		return "json", false, true
	case pgtype.JSONBOID:
		return "jsonb", false, true
	case pgtype.UUIDOID:
		return "uuid", false, true
	case pgtype.TextOID:
		return "text", true, true
	case pgtype.VarcharOID:
		return "character varying", true, true
	case pgtype.BPCharOID:
		return "character", true, true
	}
	return "", false, false
}

// elements are the array types that are known without a query, by their
// element.
func elements(oid uint32) uint32 { //nolint:gocyclo // a table: one line for each type
	switch oid {
	case pgtype.BoolArrayOID:
		return pgtype.BoolOID
	case pgtype.Int2ArrayOID:
		return pgtype.Int2OID
	case pgtype.Int4ArrayOID:
		return pgtype.Int4OID
	case pgtype.Int8ArrayOID:
		return pgtype.Int8OID
	case pgtype.Float4ArrayOID:
		return pgtype.Float4OID
	case pgtype.Float8ArrayOID:
		return pgtype.Float8OID
	case pgtype.NumericArrayOID:
		return pgtype.NumericOID
	case pgtype.ByteaArrayOID:
		return pgtype.ByteaOID
	case pgtype.TimestamptzArrayOID:
		return pgtype.TimestamptzOID
	case pgtype.TimestampArrayOID:
		return pgtype.TimestampOID
	case pgtype.DateArrayOID:
		return pgtype.DateOID
	case pgtype.JSONArrayOID:
		return pgtype.JSONOID
	case pgtype.JSONBArrayOID:
		return pgtype.JSONBOID
	case pgtype.UUIDArrayOID:
		return pgtype.UUIDOID
	case pgtype.TextArrayOID:
		return pgtype.TextOID
	case pgtype.VarcharArrayOID:
		return pgtype.VarcharOID
	case pgtype.BPCharArrayOID:
		return pgtype.BPCharOID
	}
	return 0
}

// catalogSQL looks up a type. It treats only real arrays as arrays: some vector
// types of the system have elements, too, but another text form.
const catalogSQL = `SELECT pg_catalog.format_type(t.oid, NULL), t.typcategory = 'S', t.typbasetype::int8, t.typdelim::text,
	CASE WHEN t.typinput = 'pg_catalog.array_in'::pg_catalog.regproc THEN t.typelem::int8 ELSE 0 END
	FROM pg_catalog.pg_type t WHERE t.oid = `

// nested bounds domains of domains and arrays of them.
const nested = 32

// kindOf looks up a type.
func (t *transaction) kindOf(oid uint32) (*kind, error) {
	if k := t.kinds[oid]; k != nil {
		return k, nil
	}
	k, err := t.kindWithin(oid, nested)
	if err != nil {
		return nil, err
	}
	t.kinds[oid] = k
	return k, nil
}

func (t *transaction) kindWithin(oid uint32, depth int) (*kind, error) {
	if name, text, ok := scalars(oid); ok {
		return &kind{oid: oid, name: name, text: text}, nil
	}
	if of := elements(oid); of != 0 {
		inner, err := t.kindWithin(of, depth)
		if err != nil {
			return nil, err
		}
		return &kind{oid: oid, name: inner.name + "[]", element: inner, delimiter: ','}, nil
	}
	k := &kind{oid: oid, name: "type " + strconv.FormatUint(uint64(oid), 10)}
	var base, element int64
	var delimiter string
	err := t.tx.QueryRow(t.ctx, catalogSQL+strconv.FormatUint(uint64(oid), 10)).Scan(&k.name, &k.text, &base, &delimiter, &element)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || depth == 0:
		return k, nil
	case err != nil:
		return nil, t.fault(err, "the types of "+t.store.opt.Database)
	case base != 0:
		return t.kindWithin(uint32(base), depth-1)
	case element != 0 && len(delimiter) == 1:
		k.delimiter = delimiter[0]
		k.element, err = t.kindWithin(uint32(element), depth-1)
	}
	return k, err
}

// described is a relation with its columns.
type described struct {
	*relation
	fields []pgconn.FieldDescription
}

const describeSQL = "SELECT * FROM "

// describe asks the server for the columns of a relation. It executes nothing.
func (t *transaction) describe(r *relation) (*described, error) {
	statement, err := t.conn().Prepare(t.ctx, "", describeSQL+r.from+" AS source", nil)
	if err != nil {
		return nil, t.fault(r.inQuery(err, len(describeSQL)), r.what())
	}
	if len(statement.ParamOIDs) > 0 {
		return nil, r.refuse(fault.Invalid, "its query has a parameter, $%d, which gets no value", len(statement.ParamOIDs))
	}
	return &described{relation: r, fields: statement.Fields}, nil
}

// inQuery translates the position of an error into one in the user's query,
// which follows a prefix of so many letters and a bracket.
func (r *relation) inQuery(err error, before int) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) || server.Position == 0 {
		return err
	}
	moved := *server
	moved.Position -= int32(before + 1)
	if !r.query || moved.Position < 0 {
		moved.Position = 0
	}
	return &moved
}

// identifier is the longest name in bytes; the server truncates longer ones.
const identifier = 63

// column finds a column by its name.
func (d *described) column(name string) (pgconn.FieldDescription, error) {
	found := -1
	cut := strings.ToValidUTF8(name[:min(identifier, len(name))], "")
	for i, f := range d.fields {
		if f.Name != name && f.Name != cut {
			continue
		}
		if found >= 0 {
			return pgconn.FieldDescription{}, d.refuse(fault.Invalid, "it has two columns %s; give each column of the query a name of its own", name)
		}
		found = i
	}
	if found < 0 {
		return pgconn.FieldDescription{}, d.refuse(fault.NotFound, "it has no column %s; it has %s", name, d.names())
	}
	return d.fields[found], nil
}

// shown is how many columns an error lists.
const shown = 20

func (d *described) names() string {
	var names []string
	for i, f := range d.fields {
		if i == shown {
			names = append(names, "…")
			break
		}
		names = append(names, pg.Line(f.Name))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
