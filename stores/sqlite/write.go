package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// Write stores all records in one transaction, except those that SQLite rejects.
// The commit waits for the disk: after it no crash undoes the write.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if err := ctx.Err(); err != nil {
		return stores.Written{}, fault.Of(err)
	}
	w := writer{
		Writing: stores.NewWriting(records, mode, time.Second, nil), store: s, clock: s.clock, records: records, mode: mode,
		name: table.SQLName(), table: quote(table.SQLName()),
	}
	for _, f := range features.Features {
		w.literals = append(w.literals, literal(f))
	}
	round := w.Round()
	if len(round) == 0 {
		return w.Result()
	}
	var older []int
	err := w.transaction(ctx, func() (err error) {
		older, err = w.write(ctx, round)
		return err
	})
	if refusesRows(err) {
		err = w.transaction(ctx, func() error { return w.carefully(ctx, round) })
	}
	if err != nil {
		return stores.Written{}, s.writeFault(table, err)
	}
	for _, i := range older {
		w.Older(i)
	}
	return w.Result()
}

func (s *Store) writeFault(table stores.Table, err error) error {
	if missing(err) {
		return missingTable(table, err)
	}
	return s.fault(err, "written")
}

// writer is one Write in progress.
type writer struct {
	*stores.Writing
	store    *Store
	clock    clock
	tx       *sql.Tx
	records  []stores.Record
	mode     stores.Mode
	name     string
	table    string   // the name, quoted
	literals []string // the features' names
	inPlace  bool     // rows may be overwritten without losing anything
	args     []any
}

// transaction commits everything that do writes, or nothing.
func (w *writer) transaction(ctx context.Context, do func() error) error {
	var err error
	if w.tx, err = w.store.write.BeginTx(ctx, nil); err != nil {
		return err
	}
	defer func() { _ = w.tx.Rollback() }() // no effect after a commit
	if err := w.look(ctx); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return w.tx.Commit()
}

// carefully writes what it can of a round, and then the rounds that follow from
// refused records. It is slower: SQLite must keep an undo log.
func (w *writer) carefully(ctx context.Context, round []int) error {
	for ; len(round) > 0; round = w.Round() {
		for chunk := range slices.Chunk(round, keysPerQuery) {
			if err := w.part(ctx, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// part writes records. If SQLite rejects one of them, it undoes all; the halves
// are then written separately, until the bad record is alone.
func (w *writer) part(ctx context.Context, indexes []int) error {
	if _, err := w.tx.ExecContext(ctx, "SAVEPOINT part"); err != nil {
		return err
	}
	older, bad := w.write(ctx, indexes)
	if bad == nil {
		for _, i := range older {
			w.Older(i)
		}
		_, err := w.tx.ExecContext(ctx, "RELEASE part")
		return err
	}
	if !refusesRows(bad) {
		return bad
	}
	if _, err := w.tx.ExecContext(ctx, "ROLLBACK TO part; RELEASE part"); err != nil {
		return err
	}
	if len(indexes) == 1 {
		w.Refuse(w.store.rowFault(bad), indexes[0])
		return nil
	}
	half := len(indexes) / 2
	if err := w.part(ctx, indexes[:half]); err != nil {
		return err
	}
	return w.part(ctx, indexes[half:])
}

// write replaces the rows of records, one record per key, and returns those that
// newer rows keep out.
func (w *writer) write(ctx context.Context, indexes []int) (older []int, err error) {
	// In key order: index pages are then changed one after the other, each once.
	sorted := slices.SortedFunc(slices.Values(indexes), func(a, b int) int { return bytes.Compare(w.records[a].Key, w.records[b].Key) })
	for chunk := range slices.Chunk(sorted, keysPerQuery) {
		var stored map[string]int64
		if w.mode == stores.Newer {
			if stored, err = w.times(ctx, chunk); err != nil {
				return nil, err
			}
		}
		records := make([]*stores.Record, 0, len(chunk))
		for _, i := range chunk {
			r := &w.records[i]
			if event, ok := stored[string(r.Key)]; ok && event > seconds(r.Event) {
				older = append(older, i)
				continue
			}
			records = append(records, r)
		}
		if err := w.remove(ctx, records); err != nil {
			return nil, err
		}
		if err := w.insert(ctx, records); err != nil {
			return nil, err
		}
	}
	return older, nil
}

// times returns the stored event times, by key.
func (w *writer) times(ctx context.Context, indexes []int) (map[string]int64, error) {
	keys := make([][]byte, len(indexes))
	for i, at := range indexes {
		keys[i] = w.records[at].Key
	}
	stored := map[string]int64{}
	err := w.clock.times(ctx, w.tx, w.table, keyArgs(keys), func(key []byte, event int64, ok bool) {
		if last, there := stored[string(key)]; ok && (!there || event > last) {
			stored[string(key)] = event
		}
	})
	return stored, err
}

// look checks whether the table has columns that banquet does not write, such as
// Feast's value_num: an old value there must not stay beside a new one. It also
// reads the file's note about times.
func (w *writer) look(ctx context.Context) error {
	var others int
	err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name NOT IN "+
		"('entity_key', 'feature_name', 'value', 'value_text', 'vector_value', 'event_ts', 'created_ts')", w.name).Scan(&others)
	w.inPlace = others == 0
	if err == nil {
		err = w.clock.note(ctx, w.tx)
	}
	if err == nil {
		w.clock, err = w.clock.look(ctx, w.tx)
	}
	return err
}

// remove deletes what a record does not overwrite. For a record with a value for
// each feature these are the features that are not in this write, otherwise the
// whole row. Overwriting is much cheaper, since no index changes.
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

// paramsPerInsert bounds the parameters of a statement: more do not make it faster.
const paramsPerInsert = 100

// insert inserts rows, or overwrites them. Several records share a statement, and
// records with the same features share a prepared statement.
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

// row adds a record's values to a statement. Shared values are one parameter, and
// feature names are literals: binding costs about as much as inserting.
// Parameters without a number take the next position; numbered ones cost the
// driver a search over all parameters.
func (w *writer) row(text *strings.Builder, r *stores.Record) {
	var shared string // the parameters after value and text, set with the first feature
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
			w.args = append(w.args, r.Key, v, shown, w.clock.stored(r.Event), nil)
			if !r.Created.IsZero() {
				w.args[n+4] = w.clock.stored(r.Created)
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

// Delete removes all rows or none.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (stores.Unwritten, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return stores.Unwritten{}, s.fault(err, "written")
	}
	defer func() { _ = tx.Rollback() }()
	for chunk := range slices.Chunk(keys, keysPerQuery) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+quote(table.SQLName())+" WHERE entity_key IN ("+marks(len(chunk))+")", keyArgs(chunk)...); err != nil {
			return stores.Unwritten{}, s.writeFault(table, err)
		}
	}
	return stores.Unwritten{}, s.fault(tx.Commit(), "written")
}
