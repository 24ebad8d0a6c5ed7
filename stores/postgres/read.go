package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/stores"
)

func itoa(n int) string { return strconv.Itoa(n) }

// typeMaps encode arrays; a map must not be used concurrently.
var typeMaps = sync.Pool{New: func() any { return pgtype.NewMap() }}

// emptyArray is the wire form of an array without dimensions. A nil list is sent
// as an empty one, not as NULL.
var emptyArray = make([]byte, 12)

// encode returns the wire form of a parameter.
func encode(oid uint32, v any) ([]byte, error) {
	m := typeMaps.Get().(*pgtype.Map) // the pool holds nothing else
	defer typeMaps.Put(m)
	b, err := m.Encode(oid, pgtype.BinaryFormatCode, v, nil)
	if b == nil {
		b = emptyArray
	}
	return b, err
}

// encodeList is encode for lists of bytes and texts, which cannot fail.
func encodeList(oid uint32, v any) []byte {
	b, err := encode(oid, v)
	if err != nil {
		panic(err)
	}
	return b
}

// selectionKey is the key under which a selection caches its parameter.
type selectionKey struct{}

// featuresOf is a selection in the form in which it is sent, with an index for
// lookups.
type featuresOf struct {
	index map[string]int
	param []byte
}

func features(s *stores.Selection) *featuresOf {
	f, _ := s.Derive(selectionKey{}, func() any {
		f := &featuresOf{index: make(map[string]int, len(s.Features)), param: encodeList(pgtype.TextArrayOID, append([]string{}, s.Features...))}
		for i, name := range s.Features {
			f.index[name] = i
		}
		return f
	}).(*featuresOf)
	return f
}

// keySet holds the keys of one or more reads.
type keySet struct {
	at    map[string]int // key to its row
	param []byte
}

// part is one read in progress.
type part struct {
	read     *stores.Read
	rows     []stores.Row
	keys     *keySet
	features *featuresOf
	name     string
}

// Fetch sends one statement for all reads together. A table that is missing or
// forbidden fails only the rows of its own reads.
func (s *Store) Fetch(ctx context.Context, reads []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	rows := stores.NewRows(reads, nil)
	var good, apart []*part
	for _, p := range s.parts(reads, rows) {
		if s.isBad(p.name) {
			apart = append(apart, p)
		} else {
			good = append(good, p)
		}
	}
	err := s.query(ctx, good, rows, meter)
	if err != nil && ofTable(err) {
		apart, err = append(apart, good...), nil
	}
	if err != nil {
		rows.Release()
		return nil, s.fault(ctx, err, stores.Table{})
	}
	for _, p := range apart {
		err := s.query(ctx, []*part{p}, rows, meter)
		s.setBad(p.name, err != nil && ofTable(err))
		if err == nil {
			continue
		}
		err = s.fault(ctx, err, p.read.Table)
		for i := range p.rows {
			p.rows[i] = stores.Row{Err: err}
		}
	}
	return rows, nil
}

// parts prepares reads; reads of the same keys share the prepared keys.
func (s *Store) parts(reads []stores.Read, rows *stores.Rows) []*part {
	var out []*part
	for i := range reads {
		if len(reads[i].Keys) == 0 {
			continue
		}
		p := &part{read: &reads[i], rows: rows.Reads[i], features: features(reads[i].Features), name: s.qualified(reads[i].Table)}
		for _, o := range out {
			if stores.SameKeys(o.read.Keys, p.read.Keys) {
				p.keys = o.keys
			}
		}
		if p.keys == nil {
			p.keys = &keySet{at: make(map[string]int, len(reads[i].Keys))}
			for j, k := range reads[i].Keys {
				p.keys.at[string(k)] = j
			}
			p.keys.param = encodeList(pgtype.ByteaArrayOID, reads[i].Keys)
		}
		out = append(out, p)
	}
	return out
}

// manyCells is the number of cells from which a read is guarded.
const manyCells = 64

// guard prevents, until the end of the transaction, two choices that the planner
// makes for large reads of a table without statistics, right after a load: it
// expects to return most of the table and scans it, or it compiles the statement
// for longer than it runs.
const guard = "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"

// query is a statement for several reads.
type query struct {
	guarded bool
	sql     string
	params  [][]byte
	oids    []uint32
	formats []int16 // parameter formats
	results []int16
}

// query sends one statement.
func (s *Store) query(ctx context.Context, parts []*part, rows *stores.Rows, meter *stores.Meter) error {
	if len(parts) == 0 {
		return nil
	}
	rows.Stats.Calls++
	return s.with(ctx, func(c *pgconn.PgConn) error {
		return newQuery(parts).run(ctx, c, func(result *pgconn.ResultReader) error { return file(c, result, parts, rows, meter) })
	})
}

// newQuery builds the statement. For each table it returns a row for each
// existing key, so that a key without any of the features differs from an absent
// key, and a row for each feature.
func newQuery(parts []*part) *query {
	q := &query{results: []int16{1, 1, 1, 1, 1}}
	var sql strings.Builder
	cells := 0
	for i, p := range parts {
		cells += len(p.keys.at) * len(p.features.index)
		if i > 0 {
			sql.WriteString(" UNION ALL ")
		}
		keys, wanted := q.param(pgtype.ByteaArrayOID, p.keys.param), q.param(pgtype.TextArrayOID, p.features.param)
		sql.WriteString("SELECT " + itoa(i) + "::int4, k.k, NULL::text, NULL::bytea, r.event_ts FROM unnest(" + keys + ") AS k(k) CROSS JOIN LATERAL (SELECT event_ts FROM " +
			p.name + " WHERE entity_key = k.k LIMIT 1) AS r UNION ALL SELECT " + itoa(i) + "::int4, entity_key, feature_name, value, event_ts FROM " +
			p.name + " WHERE entity_key = ANY(" + keys + ") AND feature_name = ANY(" + wanted + ")")
	}
	q.sql, q.guarded = sql.String(), cells >= manyCells
	return q
}

// param adds a parameter unless it exists already, and returns its name.
func (q *query) param(oid uint32, b []byte) string {
	for i := range q.params {
		if len(b) > 0 && len(q.params[i]) == len(b) && &q.params[i][0] == &b[0] {
			return "$" + itoa(i+1)
		}
	}
	q.params, q.oids, q.formats = append(q.params, b), append(q.oids, oid), append(q.formats, pgtype.BinaryFormatCode)
	return "$" + itoa(len(q.params))
}

// run sends the statement in one round trip, guarded if it covers many cells.
func (q *query) run(ctx context.Context, c *pgconn.PgConn, read func(*pgconn.ResultReader) error) error {
	if !q.guarded {
		return read(c.ExecParams(ctx, q.sql, q.params, q.oids, q.formats, q.results))
	}
	b := new(pgconn.Batch) // one transaction
	b.ExecParams(guard, nil, nil, nil, nil)
	b.ExecParams(q.sql, q.params, q.oids, q.formats, q.results)
	results := c.ExecBatch(ctx, b)
	var err error
	if results.NextResult() {
		_, err = results.ResultReader().Close() // result of the guard
	}
	if err == nil && results.NextResult() {
		err = read(results.ResultReader())
	}
	return errors.Join(err, results.Close())
}

// file stores a result's rows in those of the parts.
func file(c *pgconn.PgConn, result *pgconn.ResultReader, parts []*part, rows *stores.Rows, meter *stores.Meter) error {
	var arena []byte
	for result.NextRow() {
		v := result.Values()
		n := 0
		for _, b := range v {
			n += len(b)
		}
		rows.Stats.Received += int64(n)
		if err := meter.Count(n); err != nil {
			_ = c.Conn().Close() // do not read the rest
			_, _ = result.Close()
			return err
		}
		arena = parts[binary.BigEndian.Uint32(v[0])].put(arena, v[1], v[2], v[3], v[4])
	}
	_, err := result.Close()
	return err
}

// put stores one row of a result, whose bytes are valid until the next row.
func (p *part) put(arena, key, name, value, event []byte) []byte {
	at, ok := p.keys.at[string(key)]
	if !ok {
		return arena
	}
	row := &p.rows[at]
	if !row.Found {
		row.Found, row.Values = true, make([][]byte, len(p.features.index))
	}
	if len(event) == 8 {
		if t := timeOf(event); t.After(row.Event) {
			row.Event = t
		}
	}
	if name == nil {
		return arena
	}
	feature, ok := p.features.index[string(name)]
	if !ok {
		return arena
	}
	if arena == nil || cap(arena)-len(arena) < len(value) {
		arena = make([]byte, 0, max(16<<10, len(value)))
	}
	start := len(arena)
	arena = append(arena, value...)
	row.Values[feature] = arena[start:len(arena):len(arena)]
	return arena
}

// epoch is the zero point of PostgreSQL's microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// timeOf decodes a timestamptz; infinities become the zero time.
func timeOf(b []byte) time.Time {
	switch v := int64(binary.BigEndian.Uint64(b)); v {
	case 1<<63 - 1, -1 << 63:
		return time.Time{}
	default:
		return time.UnixMicro(v + epoch).UTC()
	}
}
