// Package postgres is the offline store in PostgreSQL: it reads windows of
// tables and queries as Arrow record batches, in one read-only transaction each,
// with the memory of one batch.
package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
)

// Store reads data sources in one database. It connects when it is first asked
// for something.
type Store struct {
	opt  pg.Options
	mu   sync.Mutex
	pool *pgxpool.Pool
	// open is done when the store is closed; close ends it and what is being read.
	open  context.Context //nolint:containedctx // lives as long as the store
	close context.CancelFunc
	batch limit
}

var _ offline.Store = (*Store)(nil)

// fewest is how many connections a store may have at least: whoever reads and
// asks something else meanwhile must not wait for itself.
const fewest = 4

// New makes a Store.
func New(opt pg.Options) *Store {
	if opt.MaxConn > 0 {
		opt.MaxConn = max(opt.MaxConn, fewest)
	}
	s := &Store{opt: opt, batch: limit{rows: 16 << 10, bytes: 8 << 20}}
	s.open, s.close = context.WithCancel(context.Background())
	return s
}

// Close ends what is being read and closes the connections. It waits for a
// server that does not answer no longer than a moment.
func (s *Store) Close() {
	s.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil {
		pg.Close(s.pool)
		s.pool = nil
	}
}

func (s *Store) connect(ctx context.Context) (*pgxpool.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool == nil {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.open, cancel)()
		pool, err := pg.Connect(ctx, s.opt)
		if err != nil {
			return nil, err
		}
		s.pool = pool
	}
	return s.pool, nil
}

// Check connects and asks the server for nothing.
func (s *Store) Check(ctx context.Context) error {
	pool, err := s.connect(ctx)
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, "SELECT 1")
	return s.opt.Fault(err, "offline store")
}

// settings decide what values look like as text, whatever server, database or
// role are set to. What decides the values themselves is left alone: the zone,
// which says what the hour and the day of a time are, and what a time without a
// zone is where a query or a view casts it; the order of day and month in what a
// query itself says; and lc_monetary, which says what an amount of money is.
const settings = `SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; ` +
	`SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL quote_all_identifiers = off; SET LOCAL search_path = `

// transaction is a transaction that cannot write. All settings are local to it:
// a pooler may give the next one another server.
type transaction struct {
	store *Store
	tx    pgx.Tx
	// ctx ends with the caller's context, with the store, or when the transaction is
	// given up.
	ctx    context.Context //nolint:containedctx // lives as long as the transaction
	cancel context.CancelFunc
	caller context.Context //nolint:containedctx // tells whether the caller gave up
	unhook func() bool
	// kinds are the types that were asked for.
	kinds map[uint32]*kind
}

func (s *Store) begin(caller context.Context) (*transaction, error) {
	pool, err := s.connect(caller)
	if err != nil {
		return nil, err
	}
	t := &transaction{store: s, caller: caller, kinds: map[uint32]*kind{}}
	t.ctx, t.cancel = context.WithCancel(caller)
	t.unhook = context.AfterFunc(s.open, t.cancel)
	if t.tx, err = pool.BeginTx(t.ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}); err != nil {
		err = t.fault(err, "offline store")
		t.release()
		return nil, err
	}
	if _, err = t.tx.Exec(t.ctx, settings+s.opt.SearchPath(), pgx.QueryExecModeSimpleProtocol); err != nil {
		err = t.fault(err, "offline store")
		t.end()
		return nil, err
	}
	return t, nil
}

func (t *transaction) release() {
	t.unhook()
	t.cancel()
}

func (t *transaction) conn() *pgconn.PgConn { return t.tx.Conn().PgConn() }

// end ends the transaction and gives its connection back. A query that is still
// running is ended on the server first; for that, and for a server that does not
// answer, it waits a moment only.
func (t *transaction) end() {
	conn := t.conn()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), pg.Parting)
	defer cancel()
	_ = t.tx.Rollback(ctx)
	t.release()
	if conn.IsClosed() {
		select {
		case <-conn.CleanupDone():
		case <-ctx.Done():
		}
	}
}

// fault says why something failed: first that the caller or the store gave up,
// which makes all else fail, too.
func (t *transaction) fault(err error, what string) error {
	opt := &t.store.opt
	var server *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case t.caller.Err() != nil:
		return opt.Fault(t.caller.Err(), what)
	case t.ctx.Err() != nil:
		return opt.Fault(context.Canceled, what)
	case t.tx != nil && t.conn().IsClosed() && !errors.As(err, &server):
		return opt.Lost(err, what, pg.LastWords(t.conn()))
	}
	return opt.Fault(err, what)
}
