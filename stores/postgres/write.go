package postgres

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// columns are records turned by the side, as unnest takes them.
type columns struct {
	// of each record, for what is replaced
	keys   [][]byte
	events []time.Time
	// of each value
	key, value [][]byte
	name       []string
	text       []*string
	event      []time.Time
	created    []*time.Time
}

// turn turns records. Of repeats of a key the last counts, in mode Newer the
// newest and of equals the last.
func turn(names []string, records []stores.Record, mode stores.Mode) *columns {
	at := make(map[string]int, len(records))
	var order []int
	for i := range records {
		k := string(records[i].Key)
		p, seen := at[k]
		switch {
		case !seen:
			at[k] = len(order)
			order = append(order, i)
		case mode == stores.Replace || !micro(records[i].Event).Before(micro(records[order[p]].Event)):
			order[p] = i
		}
	}
	c := new(columns)
	for _, i := range order {
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
			// PostgreSQL takes no text with a NUL or broken UTF-8; the value itself is
			// bytes, and the text only for search.
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

// Write stores all records in one transaction: all of them or none. Writers of
// one table take turns, since a record replaces the rows of all its features:
// two at a time could leave a mixture of both.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (*stores.Unwritten, error) {
	c := turn(features.Features, records, mode)
	t := s.qualified(table)
	newer := ""
	if mode == stores.Newer {
		newer = " AND NOT EXISTS (SELECT FROM " + t + " AS x WHERE x.entity_key = n.k AND x.event_ts > n.e)"
	}
	remove := statement{
		"DELETE FROM " + t + " AS t USING unnest($1::bytea[], $2::timestamptz[]) AS n(k, e) WHERE t.entity_key = n.k" + newer,
		[]param{{pgtype.ByteaArrayOID, c.keys}, {pgtype.TimestamptzArrayOID, c.events}},
	}
	insert := statement{
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
	}
	err := s.batch(ctx, table, []statement{remove, insert})
	return nil, err
}

// Delete removes rows.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (*stores.Unwritten, error) {
	return nil, s.batch(ctx, table, []statement{
		{"DELETE FROM " + s.qualified(table) + " WHERE entity_key = ANY($1)", []param{{pgtype.ByteaArrayOID, keys}}},
	})
}

// statement is one of a batch.
type statement struct {
	sql    string
	params []param
}

type param struct {
	oid uint32
	v   any
}

// batch runs statements in one transaction and one round trip, while nobody else
// of ours writes to the table.
func (s *Store) batch(ctx context.Context, table stores.Table, statements []statement) error {
	b := new(pgconn.Batch)
	lock := statement{"SELECT pg_advisory_xact_lock(hashtext('banquet'), hashtext($1))", []param{{pgtype.TextOID, s.qualified(table)}}}
	for _, st := range append([]statement{lock}, statements...) {
		var values [][]byte
		var oids []uint32
		var formats []int16
		for _, p := range st.params {
			encoded, err := encode(p.oid, p.v)
			if err != nil {
				return s.fault(ctx, err, table)
			}
			values, oids, formats = append(values, encoded), append(oids, p.oid), append(formats, pgtype.BinaryFormatCode)
		}
		b.ExecParams(st.sql, values, oids, formats, nil)
	}
	return s.fault(ctx, s.with(ctx, func(c *pgconn.PgConn) error {
		_, err := c.ExecBatch(ctx, b).ReadAll()
		return err
	}), table)
}
