package postgres

import (
	"context"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// columns are records transposed into columns, as unnest expects them.
type columns struct {
	// one entry per record, for the rows to replace
	keys   [][]byte
	events []time.Time
	// one entry per value
	key, value [][]byte
	name       []string
	text       []*string
	event      []time.Time
	created    []*time.Time
}

// turn transposes the records of some indexes.
func turn(names []string, records []stores.Record, indexes []int) *columns {
	c := new(columns)
	for _, i := range indexes {
		r := &records[i]
		event := micro(r.Event)
		c.keys, c.events = append(c.keys, r.Key), append(c.events, event)
		var created *time.Time
		if !r.Created.IsZero() {
			t := micro(r.Created)
			created = &t
		}
		for j, v := range r.Values {
			if v == nil {
				continue
			}
			var text *string
			// PostgreSQL rejects a text with a NUL or invalid UTF-8; the value itself is
			// bytes, and the text is only for search.
			if t, ok := value.Text(v); ok && utf8.ValidString(t) && !strings.Contains(t, "\x00") {
				text = &t
			}
			c.key, c.name, c.value = append(c.key, r.Key), append(c.name, names[j]), append(c.value, v)
			c.text, c.event, c.created = append(c.text, text), append(c.event, event), append(c.created, created)
		}
	}
	return c
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Write stores all records in one transaction, except those that PostgreSQL rejects; a very
// large write takes several. Writers of one table wait for each other, since a record
// replaces the rows of all its features: two concurrent writers could leave a mixture of
// both.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if err := ctx.Err(); err != nil {
		return stores.Written{}, fault.Of(err)
	}
	w := &writing{store: s, table: table, features: features.Features, records: records, newer: mode == stores.Newer}
	w.Writing = stores.NewWriting(records, mode, time.Microsecond, w.check)
	for round := w.Round(); len(round) > 0; round = w.Round() {
		for _, part := range w.parts(round) {
			w.write(ctx, part)
		}
		if w.down != nil && !w.stored {
			return stores.Written{}, w.down
		}
	}
	return w.Result()
}

// writing is one Write in progress.
type writing struct {
	*stores.Writing
	store    *Store
	table    stores.Table
	features []string
	records  []stores.Record
	newer    bool
	stored   bool  // something is stored
	down     error // why nothing more can be stored
}

// write stores records in one transaction. If one of them cannot be stored, none
// is: the halves are then stored separately, until the bad record is alone.
func (w *writing) write(ctx context.Context, indexes []int) {
	if w.down != nil {
		w.Fail(w.down, indexes...)
		return
	}
	older, err := w.transaction(ctx, indexes)
	switch {
	case err == nil:
		w.stored = true
		for _, at := range older {
			w.Older(indexes[at])
		}
	case !refusesRows(err):
		w.down = w.store.fault(ctx, err, w.table)
		w.Fail(w.down, indexes...)
	case len(indexes) == 1:
		w.Refuse(w.refusal(ctx, err, &w.records[indexes[0]]), indexes[0])
	default:
		half := len(indexes) / 2
		w.write(ctx, indexes[:half])
		w.write(ctx, indexes[half:])
	}
}

// transaction stores all records or none, and returns the indexes of those that
// newer rows kept out.
func (w *writing) transaction(ctx context.Context, indexes []int) (older []int, err error) {
	c := turn(w.features, w.records, indexes)
	t := w.store.qualified(w.table)
	newer := ""
	if w.newer {
		newer = " AND NOT EXISTS (SELECT FROM " + t + " AS x WHERE x.entity_key = n.k AND x.event_ts > n.e)"
	}
	rows := []param{{pgtype.ByteaArrayOID, c.keys}, {pgtype.TimestamptzArrayOID, c.events}}
	statements := []statement{
		{"DELETE FROM " + t + " AS t USING unnest($1::bytea[], $2::timestamptz[]) AS n(k, e) WHERE t.entity_key = n.k" + newer, rows},
		{
			"INSERT INTO " + t + " (entity_key, feature_name, value, value_text, event_ts, created_ts) SELECT n.k, n.f, n.v, n.x, n.e, n.c " +
				"FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS n(k, f, v, x, e, c) WHERE true" + newer +
				" ON CONFLICT (entity_key, feature_name) DO UPDATE SET value = EXCLUDED.value, value_text = EXCLUDED.value_text, " +
				"event_ts = EXCLUDED.event_ts, created_ts = EXCLUDED.created_ts",
			[]param{
				{pgtype.ByteaArrayOID, c.key},
				{pgtype.TextArrayOID, c.name},
				{pgtype.ByteaArrayOID, c.value},
				{pgtype.TextArrayOID, c.text},
				{pgtype.TimestamptzArrayOID, c.event},
				{pgtype.TimestamptzArrayOID, c.created},
			},
		},
	}
	if w.newer {
		// Rows that are newer now were there before: our records are not newer than
		// themselves.
		statements = append(statements, statement{
			"SELECT (n.i - 1)::int4 FROM unnest($1::bytea[], $2::timestamptz[]) WITH ORDINALITY AS n(k, e, i) " +
				"WHERE EXISTS (SELECT FROM " + t + " AS x WHERE x.entity_key = n.k AND x.event_ts > n.e)", rows,
		})
	}
	results, err := w.store.batch(ctx, w.table, statements)
	if err != nil || !w.newer {
		return nil, err
	}
	for _, row := range results[len(results)-1].Rows {
		older = append(older, int(binary.BigEndian.Uint32(row[0])))
	}
	return older, nil
}

// Delete removes all rows or none.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (stores.Unwritten, error) {
	_, err := s.batch(ctx, table, []statement{
		{"DELETE FROM " + s.qualified(table) + " WHERE entity_key = ANY($1)", []param{{pgtype.ByteaArrayOID, keys}}},
	})
	return stores.Unwritten{}, s.fault(ctx, err, table)
}

// statement is one statement of a batch.
type statement struct {
	sql    string
	params []param
}

type param struct {
	oid uint32
	v   any
}

// batch runs statements in one transaction and one round trip, under a lock
// against other writers of the table. Results are in binary format.
func (s *Store) batch(ctx context.Context, table stores.Table, statements []statement) (results []*pgconn.Result, err error) {
	b := new(pgconn.Batch)
	lock := statement{"SELECT pg_advisory_xact_lock(hashtext('banquet'), hashtext($1))", []param{{pgtype.TextOID, s.qualified(table)}}}
	for _, st := range append([]statement{lock}, statements...) {
		var values [][]byte
		var oids []uint32
		var formats []int16
		for _, p := range st.params {
			encoded, err := encode(p.oid, p.v)
			if err != nil {
				return nil, err
			}
			values, oids, formats = append(values, encoded), append(oids, p.oid), append(formats, pgtype.BinaryFormatCode)
		}
		b.ExecParams(st.sql, values, oids, formats, []int16{pgtype.BinaryFormatCode})
	}
	err = s.with(ctx, func(c *pgconn.PgConn) error {
		results, err = c.ExecBatch(ctx, b).ReadAll()
		return err
	})
	return results, err
}
