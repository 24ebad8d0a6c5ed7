package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// Write stores all records in one transaction: all of them or none. Once it is
// committed, which SQLite waits for the disk for, no crash undoes it.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (*stores.Unwritten, error) {
	if len(records) == 0 {
		return nil, nil
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.fault(err, "written")
	}
	defer func() { _ = tx.Rollback() }()
	w := writer{tx: tx, name: table.SQLName(), table: quote(table.SQLName())}
	for _, f := range features.Features {
		w.literals = append(w.literals, literal(f))
	}
	if err := w.write(ctx, settle(records, mode), mode); err != nil {
		return nil, s.writeFault(table, err)
	}
	return nil, s.fault(tx.Commit(), "written")
}

func (s *Store) writeFault(table stores.Table, err error) error {
	if missing(err) {
		return missingTable(table, err)
	}
	return s.fault(err, "written")
}

// settle leaves one record of each key, the one that would be there if they were
// stored one after the other, and sorts them by key: pages of the indexes are
// then changed one after the other, each once.
func settle(records []stores.Record, mode stores.Mode) []*stores.Record {
	out := make([]*stores.Record, len(records))
	for i := range records {
		out[i] = &records[i]
	}
	slices.SortStableFunc(out, func(a, b *stores.Record) int { return bytes.Compare(a.Key, b.Key) })
	n := 0
	for _, r := range out {
		switch {
		case n == 0 || !bytes.Equal(out[n-1].Key, r.Key):
			out[n] = r
			n++
		case mode == stores.Replace || toStored(r.Event) >= toStored(out[n-1].Event):
			out[n-1] = r
		}
	}
	return out[:n]
}

// writer is one Write on its way.
type writer struct {
	tx       *sql.Tx
	name     string
	table    string   // the name, quoted
	literals []string // the features' names
	inPlace  bool     // nothing is lost when rows are overwritten
	args     []any
}

// write replaces the rows of records, of which each key has one.
func (w *writer) write(ctx context.Context, records []*stores.Record, mode stores.Mode) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	for chunk := range slices.Chunk(records, keysPerQuery) {
		if mode == stores.Newer {
			var err error
			if chunk, err = w.newer(ctx, chunk); err != nil {
				return err
			}
		}
		if err := w.remove(ctx, chunk); err != nil {
			return err
		}
		if err := w.insert(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// look sees whether the table has columns that are not written here, such as
// Feast's value_num: an old value of theirs must not stay beside a new one.
func (w *writer) look(ctx context.Context) error {
	var others int
	err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name NOT IN "+
		"('entity_key', 'feature_name', 'value', 'value_text', 'vector_value', 'event_ts', 'created_ts')", w.name).Scan(&others)
	w.inPlace = others == 0
	return err
}

// remove takes away what a record does not overwrite: of one with a value for
// each feature, the features that are not in this write, else the whole row. To
// overwrite is far less work, since no index changes.
func (w *writer) remove(ctx context.Context, records []*stores.Record) error {
	var whole, rest []*stores.Record
	for _, r := range records {
		if w.inPlace && !slices.ContainsFunc(r.Values, func(v []byte) bool { return v == nil }) {
			rest = append(rest, r)
		} else {
			whole = append(whole, r)
		}
	}
	for _, d := range []struct {
		records []*stores.Record
		but     string
	}{{whole, ""}, {rest, " AND feature_name NOT IN (" + strings.Join(w.literals, ",") + ")"}} {
		if len(d.records) == 0 {
			continue
		}
		if _, err := w.tx.ExecContext(ctx, "DELETE FROM "+w.table+" WHERE entity_key IN ("+marks(len(d.records))+")"+d.but, recordKeys(d.records)...); err != nil {
			return err
		}
	}
	return nil
}

func recordKeys(records []*stores.Record) []any {
	keys := make([]any, len(records))
	for i, r := range records {
		keys[i] = r.Key
	}
	return keys
}

// newer leaves out records that are older than what is stored.
func (w *writer) newer(ctx context.Context, records []*stores.Record) ([]*stores.Record, error) {
	rows, err := w.tx.QueryContext(ctx, "SELECT entity_key, max(CAST(event_ts AS INTEGER)) FROM "+w.table+
		" WHERE entity_key IN ("+marks(len(records))+") GROUP BY entity_key", recordKeys(records)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stored := map[string]int64{}
	for rows.Next() {
		var key []byte
		var event sql.NullInt64
		if err := rows.Scan(&key, &event); err != nil {
			return nil, err
		}
		if event.Valid {
			stored[string(key)] = event.Int64
		}
	}
	out := make([]*stores.Record, 0, len(records))
	for _, r := range records {
		if event, ok := stored[string(r.Key)]; !ok || event <= toStored(r.Event) {
			out = append(out, r)
		}
	}
	return out, rows.Err()
}

// paramsPerInsert bounds the parameters of a statement: more make it no faster.
const paramsPerInsert = 100

// insert adds rows, or overwrites them. Several records share a statement,
// and all records with the same features the same one.
func (w *writer) insert(ctx context.Context, records []*stores.Record) error {
	statements := map[string]*sql.Stmt{}
	defer func() {
		for _, st := range statements {
			_ = st.Close()
		}
	}()
	var text strings.Builder
	w.args = w.args[:0]
	flush := func() error {
		if len(w.args) == 0 {
			return nil
		}
		st := statements[text.String()]
		if st == nil {
			var err error
			st, err = w.tx.PrepareContext(ctx, "INSERT INTO "+w.table+" (entity_key, feature_name, value, value_text, event_ts, created_ts) VALUES "+text.String()+
				" ON CONFLICT (entity_key, feature_name) DO UPDATE SET value = excluded.value, value_text = excluded.value_text, vector_value = NULL, "+
				"event_ts = excluded.event_ts, created_ts = excluded.created_ts")
			if err != nil {
				return err
			}
			statements[text.String()] = st
		}
		_, err := st.ExecContext(ctx, w.args...)
		w.args = w.args[:0]
		text.Reset()
		return err
	}
	for _, r := range records {
		if len(w.args) > 0 && len(w.args)+3+2*len(r.Values) > paramsPerInsert {
			if err := flush(); err != nil {
				return err
			}
		}
		w.row(&text, r)
	}
	return flush()
}

// row adds a record's values to a statement. What they share is one parameter,
// and features are written out: binding takes about as long as inserting does.
// Parameters without a number take the next one; looking for one with a number
// takes the driver longer the more there are.
func (w *writer) row(text *strings.Builder, r *stores.Record) {
	var shared string // what follows value and text, once the row has begun
	var key string
	for i, v := range r.Values {
		if v == nil {
			continue
		}
		var shown any
		if t, ok := value.Text(v); ok {
			shown = t
		}
		if key == "" {
			n := len(w.args)
			key, shared = "("+mark(n)+",", ",?,?,"+mark(n+3)+","+mark(n+4)+")"
			w.args = append(w.args, r.Key, v, shown, toStored(r.Event), nil)
			if !r.Created.IsZero() {
				w.args[n+4] = toStored(r.Created)
			}
		} else {
			w.args = append(w.args, v, shown)
		}
		if text.Len() > 0 {
			text.WriteByte(',')
		}
		text.WriteString(key)
		text.WriteString(w.literals[i])
		text.WriteString(shared)
	}
}

// mark is the parameter of an argument.
func mark(i int) string { return "?" + strconv.Itoa(i+1) }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

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
