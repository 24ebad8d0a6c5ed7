package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/stores"
)

// Plan compares the tables with those of the schema, and refuses names that would
// be cut or that two views would share, and what the user may not do.
func (s *Store) Plan(ctx context.Context, tables stores.Tables) (stores.TablePlan, error) {
	p := stores.TablePlan{Findings: stores.Collisions(tables, stores.Table.SQLName, func(name string) string { return name })}
	there, err := s.layouts(ctx)
	if err != nil {
		return p, s.fault(ctx, err, stores.Table{})
	}
	creates := 0
	for _, spec := range tables.Keep {
		name := spec.Table.SQLName()
		if len(name) > maxName {
			p.Findings = append(p.Findings, stores.Finding{
				Table: spec.Table, Refused: true,
				Text: fmt.Sprintf("table %s of feature view %s has a name of %d bytes; PostgreSQL keeps only 63; shorten the name of the view or of the project", name, spec.Table.View, len(name)),
			})
			continue
		}
		change := stores.Change{Spec: spec, Name: name}
		l, found := there.tables[name]
		if found {
			p.Findings = append(p.Findings, s.rights(&spec, l)...)
		}
		if !found {
			creates++
		} else if change.Action, change.Detail = stores.Alter, l.lacks(&spec); change.Detail == "" {
			continue
		}
		p.Changes = append(p.Changes, change)
	}
	for _, t := range tables.Drop {
		if l, found := there.tables[t.SQLName()]; found {
			if !l.owned {
				p.Findings = append(p.Findings, s.notOwned(t, "drop it"))
			}
			p.Changes = append(p.Changes, stores.Change{Action: stores.Drop, Spec: stores.TableSpec{Table: t}, Name: t.SQLName()})
		}
	}
	if creates > 0 && !there.mayCreate {
		p.Findings = append(p.Findings, stores.Finding{
			Table: tables.Keep[0].Table, Refused: true,
			Text: fmt.Sprintf("user %s may not create tables in schema %s of PostgreSQL at %s; grant CREATE on the schema", s.opt.User, s.schema(), s.opt.Address()),
		})
	}
	return p, nil
}

// rights finds what the user may not do with a table. Rows may be written by another user,
// but a table that apply must change has to be the user's own.
func (s *Store) rights(spec *stores.TableSpec, l layout) []stores.Finding {
	var found []stores.Finding
	if !l.written {
		found = append(found, stores.Finding{Table: spec.Table, Text: fmt.Sprintf("user %s may not read and write table %s of feature view %s in PostgreSQL at %s; to materialize, grant SELECT, INSERT and UPDATE on it",
			s.opt.User, spec.Table.SQLName(), spec.Table.View, s.opt.Address())})
	}
	if lacks := l.lacks(spec); lacks != "" && !l.owned {
		found = append(found, s.notOwned(spec.Table, "add "+lacks))
	}
	return found
}

func (s *Store) notOwned(t stores.Table, to string) stores.Finding {
	return stores.Finding{Table: t, Refused: true, Text: fmt.Sprintf("user %s does not own table %s of feature view %s in PostgreSQL at %s and may not %s; run this as its owner, or make %s a member of that role",
		s.opt.User, t.SQLName(), t.View, s.opt.Address(), to, s.opt.User)}
}

// layout is what a table has of Feast's layout, and what the user may do with it.
type layout struct{ text, key, search, written, owned bool }

// lacks says what create adds to a table.
func (l layout) lacks(spec *stores.TableSpec) string {
	name := spec.Table.SQLName()
	var missing []string
	if !l.text {
		missing = append(missing, "column value_text")
	}
	if !l.key && len(name+keyIndex) <= maxName {
		missing = append(missing, "index "+name+keyIndex)
	}
	if !l.search && hasText(spec) && len(name+searchIndex) <= maxName {
		missing = append(missing, "index "+name+searchIndex)
	}
	return strings.Join(missing, ", ")
}

// schemaLayout is what exists in the schema.
type schemaLayout struct {
	tables    map[string]layout
	mayCreate bool
}

// layouts reads the catalog.
func (s *Store) layouts(ctx context.Context) (schemaLayout, error) {
	out := schemaLayout{tables: map[string]layout{}}
	schema := literal(s.schema())
	sql := `SELECT c.relname,
		EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'value_text' AND NOT a.attisdropped),
		EXISTS (SELECT 1 FROM pg_class AS i WHERE i.relnamespace = n.oid AND i.relname = c.relname || ` + literal(keyIndex) + `),
		EXISTS (SELECT 1 FROM pg_class AS i WHERE i.relnamespace = n.oid AND i.relname = c.relname || ` + literal(searchIndex) + `),
		has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE'), pg_has_role(c.relowner, 'USAGE')
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = ` + schema + ` AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
		SELECT COALESCE((SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace AS n WHERE n.nspname = ` + schema + `),
			has_database_privilege(current_database(), 'CREATE'))`
	err := s.with(ctx, func(c *pgconn.PgConn) error {
		results, err := c.Exec(ctx, sql).ReadAll()
		if err != nil {
			return err
		}
		yes := func(cell []byte) bool { return string(cell) == "t" }
		for _, r := range results[0].Rows {
			out.tables[string(r[0])] = layout{text: yes(r[1]), key: yes(r[2]), search: yes(r[3]), written: yes(r[4]), owned: yes(r[5])}
		}
		out.mayCreate = yes(results[1].Rows[0][0])
		return nil
	})
	return out, err
}

// Do creates and drops tables as Feast does, in one transaction per table.
func (s *Store) Do(ctx context.Context, changes []stores.Change) ([]stores.Finding, error) {
	var first error
	run := func(t stores.Table, statements ...string) {
		err := s.with(ctx, func(c *pgconn.PgConn) error {
			// Statements sent together are one transaction.
			_, err := c.Exec(ctx, strings.Join(append([]string{"SELECT pg_advisory_xact_lock(hashtext('banquet'), hashtext('tables'))"}, statements...), ";\n")).ReadAll()
			return err
		})
		if first == nil {
			first = s.fault(ctx, err, t)
		}
	}
	for i := range changes {
		switch c := &changes[i]; c.Action {
		case stores.Drop:
			run(c.Spec.Table, "DROP TABLE IF EXISTS "+s.qualified(c.Spec.Table))
		default:
			run(c.Spec.Table, s.create(&c.Spec)...)
		}
	}
	return nil, first
}

// The ends of the names of a table's indexes.
const (
	keyIndex    = "_ek"
	searchIndex = "_fts_idx"
)

// hasText reports whether the table gets Feast's index for text search.
func hasText(spec *stores.TableSpec) bool {
	for _, f := range spec.Features {
		if f.Type == "STRING" {
			return true
		}
	}
	return false
}

// create returns the statements that create a table. An index whose name would be
// cut is left out: the primary key serves every read.
func (s *Store) create(spec *stores.TableSpec) []string {
	name, table := spec.Table.SQLName(), s.qualified(spec.Table)
	// A user without the right to create schemas may still use an existing one.
	schema := "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = " + literal(s.schema()) + ") THEN CREATE SCHEMA " +
		pgx.Identifier{s.schema()}.Sanitize() + " AUTHORIZATION " + pgx.Identifier{s.opt.User}.Sanitize() + "; END IF; END $$"
	statements := []string{schema, "CREATE TABLE IF NOT EXISTS " + table + " (entity_key BYTEA, feature_name TEXT, value BYTEA, value_text TEXT NULL, vector_value BYTEA NULL, " +
		"event_ts TIMESTAMPTZ, created_ts TIMESTAMPTZ, PRIMARY KEY(entity_key, feature_name))"}
	index := func(suffix, on string) {
		if len(name+suffix) <= maxName {
			statements = append(statements, "CREATE INDEX IF NOT EXISTS "+pgx.Identifier{name + suffix}.Sanitize()+" ON "+table+" "+on)
		}
	}
	statements = append(statements, "ALTER TABLE "+table+" ADD COLUMN IF NOT EXISTS value_text TEXT NULL") // for tables of an older Feast
	index(keyIndex, "(entity_key)")
	if hasText(spec) {
		index(searchIndex, "USING GIN (to_tsvector('english', value_text))")
	}
	return statements
}
