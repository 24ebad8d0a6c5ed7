package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// Write stores all records in one transaction: all of them or none.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (*stores.Unwritten, error) {
	if len(records) == 0 {
		return nil, nil
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.fault(err, "written")
	}
	defer func() { _ = tx.Rollback() }()
	w, err := newWriter(ctx, tx, table, features.Features)
	if err != nil {
		return nil, s.writeFault(table, err)
	}
	defer w.close()
	for i := range records {
		if err := w.put(ctx, &records[i], mode); err != nil {
			return nil, s.writeFault(table, err)
		}
	}
	return nil, s.fault(tx.Commit(), "written")
}

func (s *Store) writeFault(table stores.Table, err error) error {
	if missing(err) {
		return missingTable(table, err)
	}
	return s.fault(err, "written")
}

// writer holds the statements of one Write.
type writer struct {
	tx       *sql.Tx
	features []string
	remove   *sql.Stmt
	insert   *sql.Stmt // all features at once
	newest   *sql.Stmt
	one      string
	args     []any
}

func newWriter(ctx context.Context, tx *sql.Tx, table stores.Table, features []string) (*writer, error) {
	name := quote(table.SQLName())
	w := &writer{tx: tx, features: features}
	w.one = "INSERT OR REPLACE INTO " + name + " (entity_key, feature_name, value, value_text, event_ts, created_ts) VALUES "
	var err error
	if w.remove, err = tx.PrepareContext(ctx, "DELETE FROM "+name+" WHERE entity_key = ?"); err != nil {
		return nil, err
	}
	if w.newest, err = tx.PrepareContext(ctx, "SELECT max(CAST(event_ts AS INTEGER)) FROM "+name+" WHERE entity_key = ?"); err != nil {
		return nil, err
	}
	if len(features) > 0 {
		w.insert, err = tx.PrepareContext(ctx, w.one+groups(len(features)))
	}
	return w, err
}

func groups(n int) string {
	const group = "(?,?,?,?,?,?)"
	return strings.Repeat(group+",", n-1) + group
}

func (w *writer) close() {
	_, _ = w.remove.Close(), w.newest.Close()
	if w.insert != nil {
		_ = w.insert.Close()
	}
}

func (w *writer) put(ctx context.Context, r *stores.Record, mode stores.Mode) error {
	event := toStored(r.Event)
	if mode == stores.Newer {
		var stored sql.NullInt64
		if err := w.newest.QueryRowContext(ctx, r.Key).Scan(&stored); err != nil {
			return err
		}
		if stored.Valid && stored.Int64 > event {
			return nil
		}
	}
	if _, err := w.remove.ExecContext(ctx, r.Key); err != nil {
		return err
	}
	var created any
	if !r.Created.IsZero() {
		created = toStored(r.Created)
	}
	w.args = w.args[:0]
	for i, v := range r.Values {
		if v == nil {
			continue
		}
		var text any
		if t, ok := value.Text(v); ok {
			text = t
		}
		w.args = append(w.args, r.Key, w.features[i], v, text, event, created)
	}
	switch len(w.args) / 6 {
	case 0:
		return nil
	case len(w.features):
		_, err := w.insert.ExecContext(ctx, w.args...)
		return err
	default:
		_, err := w.tx.ExecContext(ctx, w.one+groups(len(w.args)/6), w.args...)
		return err
	}
}

// Delete removes rows.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (*stores.Unwritten, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.fault(err, "written")
	}
	defer func() { _ = tx.Rollback() }()
	for start := 0; start < len(keys); start += keysPerQuery {
		chunk := keys[start:min(start+keysPerQuery, len(keys))]
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+quote(table.SQLName())+" WHERE entity_key IN ("+marks(len(chunk))+")", keyArgs(chunk)...); err != nil {
			return nil, s.writeFault(table, err)
		}
	}
	return nil, s.fault(tx.Commit(), "written")
}
