package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// command is a query as it is sent.
type command struct {
	sql     string
	params  [][]byte
	formats []int16
}

// run starts a command. Its parameters are times, in binary form.
func (t *transaction) run(s *command) *pgconn.ResultReader {
	oids, formats := make([]uint32, len(s.params)), make([]int16, len(s.params))
	for i := range s.params {
		oids[i], formats[i] = pgtype.TimestamptzOID, pgtype.BinaryFormatCode
	}
	return t.conn().ExecParams(t.ctx, s.sql, s.params, oids, formats, s.formats)
}

// where adds to a command the conditions on a query's rows that the server can
// check.
func (s *command) where(times []*timeColumn) {
	s.sql += "\nWHERE " + times[0].sql + " IS NOT NULL"
	for _, c := range times {
		if !c.compares() {
			continue
		}
		for _, b := range c.bounds {
			s.params = append(s.params, b.parameter())
			instant := "$" + strconv.Itoa(len(s.params)) + "::timestamptz"
			s.sql += " AND " + c.sql + " " + b.op + " " + c.like(instant)
			if c.naive && b.op == ">" {
				// A created time without a zone is often the clock of the database, in its
				// zone: taken as UTC alone, rows of the last hours would seem new for ever.
				s.sql += " AND " + c.sql + " " + b.op + " " + instant
			}
		}
	}
}

// Range streams the rows of a query.
func (s *Store) Range(ctx context.Context, query offline.Query) (array.RecordReader, error) {
	return s.read(ctx, query, "")
}

func (s *Store) read(ctx context.Context, query offline.Query, settings string) (array.RecordReader, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	from, err := newRelation(query.Source)
	if err != nil {
		return nil, err
	}
	return s.stream(ctx, from, settings, func(r *reader) error { return r.open(from, query, nil) })
}

// stream begins a transaction that cannot write, and returns the reader of a
// statement in it.
func (s *Store) stream(ctx context.Context, from *relation, settings string, open func(*reader) error) (array.RecordReader, error) {
	t, err := s.beginAs(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, settings)
	if err != nil {
		return nil, err
	}
	r := &reader{t: t, what: from.what()}
	if err := open(r); err != nil {
		t.end()
		return nil, err
	}
	return r, nil
}

// open finds the columns and starts the query, of all rows or of a part of its
// table.
func (r *reader) open(from *relation, query offline.Query, part *pages) error {
	d, err := r.t.describe(from)
	if err != nil {
		return err
	}
	s := &command{}
	selected, err := r.choose(d, query, s)
	if err != nil {
		return err
	}
	relation := from.from
	if part != nil {
		relation = part.table
	}
	s.sql = "SELECT " + strings.Join(selected, ", ") + "\nFROM " + relation + " AS source"
	s.where(r.times)
	if part != nil {
		part.where(s)
	}
	r.rows = r.t.run(s)
	return nil
}

// choose finds the columns of a query, with their formats and their SQL.
func (r *reader) choose(d *described, query offline.Query, s *command) (selected []string, err error) {
	for i, name := range query.Columns {
		f, err := d.column(name)
		if err != nil {
			return nil, err
		}
		k, err := r.t.kindOf(f.DataTypeOID)
		if err != nil {
			return nil, err
		}
		c := newColumn(k)
		if len(query.Types) > 0 {
			c = c.readAs(k, query.Types[i])
		}
		r.columns = append(r.columns, c)
		selected, s.formats = append(selected, columnSQL(f)), append(s.formats, c.format)
	}
	if r.times, err = r.t.timesOf(d, query); err != nil {
		return nil, err
	}
	for _, c := range r.times {
		selected, s.formats = append(selected, c.sql), append(s.formats, c.format)
	}
	r.build(query.Columns)
	return selected, nil
}

// Columns describes a source.
func (s *Store) Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error) {
	from, err := newRelation(source)
	if err != nil {
		return nil, err
	}
	t, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer t.end()
	d, err := t.describe(from)
	if err != nil {
		return nil, err
	}
	// The query reads no row, but checks the right to read them.
	if _, err := t.run(&command{sql: describeSQL + from.from + " AS source LIMIT 0"}).Close(); err != nil {
		return nil, t.fault(from.inQuery(err, len(describeSQL)), from.what())
	}
	columns := make([]offline.Column, 0, len(d.fields))
	for _, f := range d.fields {
		k, err := t.kindOf(f.DataTypeOID)
		if err != nil {
			return nil, err
		}
		columns = append(columns, offline.Column{Name: f.Name, Type: valueType(f.DataTypeOID), Native: k.name})
	}
	return columns, nil
}
