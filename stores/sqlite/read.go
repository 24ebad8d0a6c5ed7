package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/stores"
)

// keysPerQuery bounds the parameters of a statement.
const keysPerQuery = 500

// Fetch runs one statement per table and five hundred keys, all in one
// transaction: a concurrent write is visible in all tables or in none. A table
// that is missing, or has other columns, fails the rows of its own read only.
func (s *Store) Fetch(ctx context.Context, reads []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	rows := stores.NewRows(reads, nil)
	if err := s.readAll(ctx, reads, rows, meter); err != nil {
		rows.Release()
		return nil, s.fault(err, "read")
	}
	return rows, nil
}

func (s *Store) readAll(ctx context.Context, reads []stores.Read, rows *stores.Rows, meter *stores.Meter) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil && (ctx.Err() != nil || !s.absent()) {
		return err
	}
	if err == nil {
		defer func() { _ = tx.Rollback() }()
	}
	clock := s.clock
	if err == nil {
		if clock, err = clock.look(ctx, tx); err != nil {
			return err
		}
	}
	for i := range reads {
		failed := err // without the file there is no table
		if failed == nil {
			r := tableRead{clock: clock, meter: meter, tx: tx, read: &reads[i], index: map[string]int{}, at: map[string]int{}, out: rows.Reads[i]}
			failed = r.all(ctx, &rows.Stats)
		}
		var refusal error
		switch {
		case failed == nil:
			continue
		case err != nil || missing(failed):
			refusal = missingTable(reads[i].Table, failed)
		case ofTable(failed):
			refusal = oddTable(reads[i].Table, failed)
		default:
			return failed
		}
		for j := range rows.Reads[i] {
			rows.Reads[i][j] = stores.Row{Err: refusal}
		}
	}
	return nil
}

// tableRead is one read in progress.
type tableRead struct {
	clock clock
	meter *stores.Meter
	tx    *sql.Tx
	read  *stores.Read
	index map[string]int // of features in the selection
	at    map[string]int // key to its row
	out   []stores.Row
}

func (r *tableRead) all(ctx context.Context, stats *stores.Stats) error {
	for i, f := range r.read.Features.Features {
		r.index[f] = i
	}
	for i, k := range r.read.Keys {
		r.at[string(k)] = i
	}
	for chunk := range slices.Chunk(r.read.Keys, keysPerQuery) {
		stats.Calls++
		if err := r.features(ctx, chunk); err != nil {
			return err
		}
		if err := r.rowsWithout(ctx, chunk, stats); err != nil {
			return err
		}
	}
	return nil
}

// features reads the wanted features of some keys.
func (r *tableRead) features(ctx context.Context, keys [][]byte) error {
	query := "SELECT entity_key, feature_name, value, +event_ts FROM " + quote(r.read.Table.SQLName()) +
		" WHERE entity_key IN (" + marks(len(keys)) + ") AND feature_name IN (" + marks(len(r.index)) + ")"
	args := keyArgs(keys)
	for _, f := range r.read.Features.Features {
		args = append(args, f)
	}
	rows, err := r.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, value []byte
		var name string
		var event any
		if err := rows.Scan(&key, &name, &value, &event); err != nil {
			return err
		}
		if err := r.meter.Count(len(key) + len(name) + len(value)); err != nil {
			return err
		}
		r.put(key, name, value, event)
	}
	return rows.Err()
}

func (r *tableRead) put(key []byte, name string, value []byte, event any) {
	row := &r.out[r.at[string(key)]]
	if !row.Found {
		row.Found, row.Values = true, make([][]byte, len(r.index))
	}
	if value == nil {
		value = []byte{} // the driver does not distinguish NULL and empty
	}
	row.Values[r.index[name]] = value
	if at, ok := r.clock.event(event); ok {
		row.Event = time.Unix(at, 0).UTC()
	}
}

// rowsWithout finds, among the keys without any wanted feature, those that still
// have a row.
func (r *tableRead) rowsWithout(ctx context.Context, keys [][]byte, stats *stores.Stats) error {
	var left [][]byte
	for _, k := range keys {
		if !r.out[r.at[string(k)]].Found {
			left = append(left, k)
		}
	}
	if len(left) == 0 {
		return nil
	}
	stats.Calls++
	return r.clock.times(ctx, r.tx, quote(r.read.Table.SQLName()), keyArgs(left), func(key []byte, event int64, ok bool) {
		row := &r.out[r.at[string(key)]]
		first := !row.Found
		if first {
			*row = stores.Row{Found: true, Values: make([][]byte, len(r.index)), Event: time.Unix(0, 0).UTC()}
		}
		if at := time.Unix(event, 0).UTC(); ok && (first || at.After(row.Event)) {
			row.Event = at
		}
	})
}

// marks returns the parameters of a list; for an empty list, one that nothing
// equals.
func marks(n int) string {
	if n == 0 {
		return "NULL"
	}
	return strings.Repeat("?,", n-1) + "?"
}

func keyArgs(keys [][]byte) []any {
	args := make([]any, len(keys))
	for i, k := range keys {
		args[i] = k
	}
	return args
}
