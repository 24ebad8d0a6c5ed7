package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// errNotInSQL says that the server cannot do what is asked for, or would not do it
// by the contract: offline/asof can.
var errNotInSQL = errors.New("not in SQL")

// PointInTime streams the features of entity rows. One transaction copies the
// entity rows into a temporary table and joins the views with one statement.
func (s *Store) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	if err := checkJoin(join); err != nil {
		return nil, err
	}
	r, err := s.joinInSQL(ctx, join)
	if errors.Is(err, errNotInSQL) {
		return s.generic().PointInTime(ctx, join)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// checkJoin validates a join without looking at its sources.
func checkJoin(join offline.Join) error {
	columns := join.Entities.Schema().NumFields()
	if columns == 0 {
		return fault.New(fault.Internal, "the entity rows have no column of the event time")
	}
	for _, v := range join.Views {
		if err := v.Check(); err != nil {
			return err
		}
		for _, k := range v.Keys {
			if k.Entity < 0 || k.Entity >= columns {
				return fault.New(fault.Internal, "%s: key %s is column %d of the entity rows, which have %d columns", v.Name, k.Column, k.Entity, columns)
			}
		}
	}
	return nil
}

// inOrderSettings let the rows of a table come in the order of their places:
// workers, and scans that begin where others are, would mix them.
const inOrderSettings = `; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL synchronize_seqscans = off`

// joinSettings are for all statements of a join. Temporary tables come last in the
// search path, so that they hide no others. The compiler of expressions costs more
// than it saves in a query of many small probes.
const joinSettings = `, pg_temp` + inOrderSettings + `; SET LOCAL jit = off; SET LOCAL default_statistics_target = 10`

// probeSettings leave the planner only the plan that is meant: for each entity
// row, probes of an index, view by view.
const probeSettings = `SET TRANSACTION READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; ` +
	`SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL cursor_tuple_fraction = 1; SET LOCAL join_collapse_limit = 1; ` +
	`SELECT pg_catalog.set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name IN ('enable_incremental_sort', 'enable_memoize')` // which not all versions have

func (s *Store) joinInSQL(ctx context.Context, join offline.Join) (*reader, error) {
	t, err := s.beginAs(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, joinSettings)
	if err != nil {
		return nil, err
	}
	r, err := t.join(join)
	if err != nil {
		t.end()
		return nil, err
	}
	return r, nil
}

func (t *transaction) join(join offline.Join) (*reader, error) {
	p, err := t.plan(join)
	if err != nil {
		return nil, err
	}
	if err := p.create(p.entities.create()); err != nil {
		return nil, err
	}
	if err := p.verify(); err != nil {
		return nil, err
	}
	if err := p.createRows(); err != nil {
		return nil, err
	}
	if err := p.load(join.Entities); err != nil {
		return nil, err
	}
	for _, v := range p.views {
		if err := p.copy(v); err != nil {
			return nil, err
		}
	}
	if err := t.batch(probeSettings); err != nil {
		return nil, t.fault(err, p.what())
	}
	return p.read(), nil
}

// Limits of the server: https://www.postgresql.org/docs/current/limits.html. The
// row of a table must fit into a page, where a number takes eight bytes and a long
// text eighteen.
const (
	mostSelected = 1664
	mostCopied   = 400
)

// fits reports whether the join is within the server's limits.
func (p *plan) fits() bool {
	for _, v := range p.views {
		if len(v.features)+hiddenColumns > mostSelected || v.order == nil && len(v.columns)+len(v.keys) > mostCopied {
			return false
		}
	}
	return len(p.entities.keys)+len(p.entities.ttls) < mostCopied
}

// what names the sources in errors.
func (p *plan) what() string {
	var names []string
	for _, v := range p.views {
		names = append(names, v.source.GetName())
	}
	if len(names) == 1 {
		return p.views[0].what()
	}
	return "data sources " + strings.Join(names, ", ")
}

// createRows makes the tables of the views that are copied.
func (p *plan) createRows() error {
	if !p.fits() {
		return errNotInSQL
	}
	for _, v := range p.views {
		if v.order != nil {
			continue
		}
		if err := p.create(v.createRows()); err != nil {
			return err
		}
	}
	return nil
}

// create makes a temporary table, which ends with the transaction.
func (p *plan) create(statement string) error {
	err := p.t.batch(statement)
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case "25006", "42501", "54011", "42P16": // read-only, no right to temporary tables, too many columns, a type that tables lack
			return errNotInSQL
		}
	}
	return p.t.fault(err, "the entity rows")
}

// load copies the entity rows.
func (p *plan) load(rows array.RecordReader) error {
	l := newLoader(p.entities, rows)
	_, err := p.t.copyFrom(l, "COPY "+p.entities.table+" FROM STDIN (FORMAT binary)")
	switch {
	case l.err != nil && p.t.ctx.Err() == nil:
		return l.err
	case err != nil:
		return p.t.fault(err, "the entity rows")
	}
	return p.t.fault(p.t.batch("CREATE INDEX ON "+p.entities.table+" (i); ANALYZE "+p.entities.table), "the entity rows")
}

// copy copies the rows of a view that may belong to entity rows into their
// temporary table. It cannot write anything else. Then it makes the index.
func (p *plan) copy(v *joined) error {
	if v.order != nil {
		return nil
	}
	sql, params := v.copyRows(p.entities)
	err := p.t.batch("SAVEPOINT copying; SET LOCAL transaction_read_only = on")
	if err == nil {
		_, err = p.t.run(&command{sql: sql, params: params}).Close()
	}
	if err == nil {
		err = p.t.batch("RELEASE SAVEPOINT copying; " + v.indexRows(p.entities.long))
	}
	return p.t.fault(withoutPosition(err), v.what())
}

// batch runs statements in one round trip.
func (t *transaction) batch(statements string) error {
	_, err := t.tx.Exec(t.ctx, statements, pgx.QueryExecModeSimpleProtocol)
	return err
}

// withoutPosition drops the position of an error in a statement that the user has
// not written.
func withoutPosition(err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return err
	}
	moved := *server
	moved.Position = 0
	return &moved
}
