package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// Moments streams the distinct pairs of keys and event time of the views.
func (s *Store) Moments(ctx context.Context, views []offline.JoinView, start, end time.Time) (array.RecordReader, error) {
	if len(views) == 0 {
		return nil, fault.New(fault.Internal, "moments of no view")
	}
	for _, v := range views {
		if err := v.Check(); err != nil {
			return nil, err
		}
		if len(v.Keys) != len(views[0].Keys) {
			return nil, fault.New(fault.Invalid, "the views %s and %s have different join keys, so that they have no common rows for a range of dates", views[0].Name, v.Name)
		}
	}
	from, err := newRelation(views[0].Source)
	if err != nil {
		return nil, err
	}
	r, err := s.stream(ctx, from, joinSettings, func(r *reader) error { return r.moments(views, start, end) })
	if errors.Is(err, errNotInSQL) {
		return s.generic().Moments(ctx, views, start, end)
	}
	return r, err
}

func (r *reader) moments(views []offline.JoinView, start, end time.Time) error {
	s := &command{}
	var first *joined
	apart := false
	p := &plan{t: r.t, entities: newEntityRows("")}
	for i, v := range views {
		v.Features, v.Types, v.TTL = nil, nil, 0
		j, err := p.look(v, nil)
		if i == 0 {
			first = j
		}
		if err == nil && first != nil {
			err = alike(first, j)
		}
		switch {
		case errors.Is(err, errNotInSQL):
			apart = true
			continue
		case err != nil:
			return err
		}
		if i > 0 {
			s.sql += "\nUNION ALL\n"
		}
		j.moments(s, start, end)
		p.views = append(p.views, j)
	}
	if apart {
		return errNotInSQL
	}
	r.what = p.what()
	selected, order := "", "at"
	for i, k := range first.keys {
		name := "k" + strconv.Itoa(i)
		selected, order = selected+name+", ", order+", "+name
		c := newColumn(k.kind)
		r.columns, s.formats = append(r.columns, c), append(s.formats, c.format)
	}
	s.sql = "SELECT DISTINCT " + selected + "at\nFROM (\n" + s.sql + "\n) AS moments\nORDER BY " + order
	r.times = []*timeColumn{{name: first.Timestamp, format: pgtype.BinaryFormatCode, at: timestampAt, dt: micros}}
	s.formats = append(s.formats, pgtype.BinaryFormatCode)
	var names []string
	for _, k := range first.Keys {
		names = append(names, k.Column)
	}
	r.build(names)
	r.rows = r.t.run(s)
	return nil
}

// alike returns errNotInSQL unless the server can list the keys of both views as
// one: in one type, each key written in one way, and none that is refused.
func alike(first, other *joined) error {
	for i, k := range other.keys {
		f, t := first.keys[i], other.Keys[i].Type
		switch {
		case t != first.Keys[i].Type,
			k.kind.oid != f.kind.oid && (!k.collated() || !f.collated()),
			k.kind.oid == pgtype.NumericOID,
			k.kind.oid == pgtype.Int8OID && t == types.ValueType_INT32:
			return errNotInSQL
		}
	}
	return nil
}

// moments appends the SELECT of a view.
func (v *joined) moments(s *command, start, end time.Time) {
	at := *v.event
	for _, b := range []bound{{">=", start}, {"<=", end}} {
		if !b.t.IsZero() {
			at.bounds = append(at.bounds, b)
		}
	}
	var list []string
	for i, k := range v.keys {
		list = append(list, k.plain(k.sql)+" AS k"+strconv.Itoa(i))
	}
	list = append(list, at.instant(at.sql)+" AS at")
	s.sql += "SELECT " + strings.Join(list, ", ") + "\nFROM " + v.from + " AS source"
	s.where([]*timeColumn{&at})
	for _, k := range v.keys {
		s.sql += " AND " + k.sql + " IS NOT NULL"
	}
}

// Latest streams the newest row of each key of a query.
func (s *Store) Latest(ctx context.Context, query offline.Query, keys []int) (array.RecordReader, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k < 0 || k >= len(query.Columns) {
			return nil, fault.New(fault.Internal, "data source %s: key column %d of %d columns", query.Source.GetName(), k, len(query.Columns))
		}
	}
	from, err := newRelation(query.Source)
	if err != nil {
		return nil, err
	}
	r, err := s.stream(ctx, from, joinSettings, func(r *reader) error { return r.latest(from, query, keys) })
	if errors.Is(err, errNotInSQL) {
		return s.generic().Latest(ctx, query, keys)
	}
	return r, err
}

func (r *reader) latest(from *relation, query offline.Query, keys []int) error {
	d, err := r.t.describe(from)
	if err != nil {
		return err
	}
	s := &command{}
	selected, err := r.choose(d, query, s)
	if err != nil {
		return err
	}
	v := &joined{described: d, event: r.times[0]}
	var distinct []string
	for _, at := range keys {
		f, err := d.column(query.Columns[at])
		if err != nil {
			return err
		}
		k, err := r.t.kindOf(f.DataTypeOID)
		if err != nil {
			return err
		}
		m := sameKey(k)
		if m == nil {
			return errNotInSQL
		}
		v.keys = append(v.keys, joinedKey{name: f.Name, sql: columnSQL(f), match: m})
		distinct = append(distinct, m.plain(columnSQL(f)))
	}
	for _, c := range r.times {
		if !c.compares() {
			return errNotInSQL
		}
	}
	if err := r.t.lookTable(v); err != nil {
		return err
	}
	order := append(slices.Clone(distinct), r.times[0].sql+" DESC")
	if len(r.times) > 1 {
		order = append(order, r.times[1].sql+" DESC NULLS LAST")
	}
	order = append(order, v.table.place)
	s.sql = "SELECT "
	if len(keys) > 0 {
		s.sql += "DISTINCT ON (" + strings.Join(distinct, ", ") + ") "
	}
	s.sql += strings.Join(selected, ", ") + "\nFROM " + v.from + " AS source"
	s.where(r.times)
	s.sql += "\nORDER BY " + strings.Join(order, ", ")
	if len(keys) == 0 {
		s.sql += "\nLIMIT 1"
	}
	r.rows = r.t.run(s)
	return nil
}

// sameKey is how the server finds keys of a column equal, nil if not as their
// bytes are.
func sameKey(k *kind) *match {
	switch k.oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return matchOf(k, types.ValueType_INT64)
	case pgtype.BoolOID:
		return matchOf(k, types.ValueType_BOOL)
	case pgtype.ByteaOID:
		return matchOf(k, types.ValueType_BYTES)
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.UUIDOID:
		return matchOf(k, types.ValueType_STRING)
	}
	return nil
}
