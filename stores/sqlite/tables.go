package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// Plan compares the tables with those of the file, and refuses tables that would
// share a name; SQLite does not distinguish upper and lower case.
func (s *Store) Plan(ctx context.Context, tables stores.Tables) (stores.TablePlan, error) {
	p := stores.TablePlan{Findings: stores.Collisions(tables, stores.Table.SQLName, strings.ToLower)}
	there, err := s.layouts(ctx)
	if err != nil {
		return p, err
	}
	for _, spec := range tables.Keep {
		name := spec.Table.SQLName()
		change := stores.Change{Spec: spec, Name: name}
		if l := there[strings.ToLower(name)]; l.table {
			if change.Action, change.Detail = stores.Alter, l.lacks(name); change.Detail == "" {
				continue
			}
		}
		p.Changes = append(p.Changes, change)
	}
	for _, t := range tables.Drop {
		if there[strings.ToLower(t.SQLName())].table {
			p.Changes = append(p.Changes, stores.Change{Action: stores.Drop, Spec: stores.TableSpec{Table: t}, Name: t.SQLName()})
		}
	}
	return p, nil
}

// layout is what exists of a table.
type layout struct{ table, text, index bool }

// lacks says what create adds to a table.
func (l layout) lacks(name string) string {
	var missing []string
	if !l.text {
		missing = append(missing, "column value_text")
	}
	if !l.index {
		missing = append(missing, "index "+name+"_ek")
	}
	return strings.Join(missing, ", ")
}

// layouts returns the tables of the file by their names in lower case. A file that
// does not exist has none.
func (s *Store) layouts(ctx context.Context) (map[string]layout, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && info.IsDir():
		return nil, fault.New(fault.Invalid, "online_store.path %s is a directory; it must be a file", s.path)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT lower(t.name),
		EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'value_text'),
		EXISTS (SELECT 1 FROM sqlite_master AS i WHERE i.type = 'index' AND lower(i.name) = lower(t.name) || '_ek')
		FROM sqlite_master AS t WHERE t.type = 'table'`)
	if err != nil {
		return nil, s.fault(err, "read")
	}
	defer rows.Close()
	there := map[string]layout{}
	for rows.Next() {
		name, l := "", layout{table: true}
		if err := rows.Scan(&name, &l.text, &l.index); err != nil {
			return nil, s.fault(err, "read")
		}
		there[name] = l
	}
	return there, s.fault(rows.Err(), "read")
}

// Do makes all changes in one transaction.
func (s *Store) Do(ctx context.Context, changes []stores.Change) ([]stores.Finding, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return nil, fault.New(fault.Denied, "the directory of SQLite file %s cannot be created", s.path).Because(err)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.fault(err, "written")
	}
	defer func() { _ = tx.Rollback() }()
	for _, c := range changes {
		if c.Action != stores.Drop {
			err = s.create(ctx, tx, c.Spec.Table)
		} else if _, err = tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+quote(c.Spec.Table.SQLName())); err != nil {
			err = s.fault(err, "written")
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, s.fault(tx.Commit(), "written")
}

func (s *Store) create(ctx context.Context, tx *sql.Tx, t stores.Table) error {
	name := t.SQLName()
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS " + quote(name) + " (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, vector_value BLOB, " +
			"event_ts timestamp, created_ts timestamp, PRIMARY KEY(entity_key, feature_name))",
		"CREATE INDEX IF NOT EXISTS " + quote(name+"_ek") + " ON " + quote(name) + " (entity_key)",
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return s.fault(err, "written")
		}
	}
	return s.addTextColumn(ctx, tx, name)
}

// addTextColumn adds the column that tables of an older Feast lack.
func (s *Store) addTextColumn(ctx context.Context, tx *sql.Tx, name string) error {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name = 'value_text'", name).Scan(&n)
	if err != nil || n > 0 {
		return s.fault(err, "read")
	}
	_, err = tx.ExecContext(ctx, "ALTER TABLE "+quote(name)+" ADD COLUMN value_text TEXT")
	return s.fault(err, "written")
}
