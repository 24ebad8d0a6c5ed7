// Package postgres is the offline store in PostgreSQL: it reads windows of
// tables and queries as Arrow record batches, in one read-only transaction each,
// with the memory of one batch.
package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
)

// Store reads data sources in one database. It connects at its first request.
type Store struct {
	opt  pg.Options
	mu   sync.Mutex
	pool *pgxpool.Pool
	// open is done when the store is closed; close ends it and all running
	// reads.
	open  context.Context //nolint:containedctx // lives as long as the store
	close context.CancelFunc
	batch limit
	// partPages is the size of the smallest part of a table.
	partPages int64
}

var (
	_ offline.Store  = (*Store)(nil)
	_ offline.Joiner = (*Store)(nil)
)

// fewest is the least number of connections of a store: a caller that makes
// another request while it reads must not block itself.
const fewest = 4

// New makes a Store.
func New(opt pg.Options) *Store {
	if opt.MaxConn > 0 {
		opt.MaxConn = max(opt.MaxConn, fewest)
	}
	s := &Store{opt: opt, batch: limit{rows: 16 << 10, bytes: 8 << 20}, partPages: partPages}
	s.open, s.close = context.WithCancel(context.Background())
	return s
}

// Close ends all running reads and closes the connections. It waits only a
// moment for a server that does not respond.
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

// Check connects and runs a query that reads nothing.
func (s *Store) Check(ctx context.Context) error {
	pool, err := s.connect(ctx)
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, "SELECT 1")
	return s.opt.Fault(err, "offline store")
}

// settings pin the text form of values, whatever server, database or role are set
// to. They leave alone the settings that decide the values themselves: the zone,
// which determines the hour and the day of a time, and the value of a time without
// a zone where a query or a view casts it; the order of day and month, which the
// text of a query may rely on; and lc_monetary, which decides the currency of an
// amount.
const settings = `SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; ` +
	`SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL quote_all_identifiers = off; SET LOCAL search_path = `

// transaction is a transaction that cannot write, unless it was made for that. All
// its settings are local: a pooler may give the next transaction another server.
type transaction struct {
	store *Store
	tx    pgx.Tx
	// ctx ends with the caller's context, with the store, or when the
	// transaction is abandoned.
	ctx    context.Context //nolint:containedctx // lives as long as the transaction
	cancel context.CancelFunc
	caller context.Context //nolint:containedctx // tells whether the caller gave up
	unhook func() bool
	// kinds are the types that were looked up.
	kinds map[uint32]*kind
}

func (s *Store) begin(caller context.Context) (*transaction, error) {
	return s.beginAs(caller, pgx.TxOptions{AccessMode: pgx.ReadOnly})
}

// beginAs begins any transaction, with more settings after the common ones.
func (s *Store) beginAs(caller context.Context, options pgx.TxOptions, more ...string) (*transaction, error) {
	pool, err := s.connect(caller)
	if err != nil {
		return nil, err
	}
	t := &transaction{store: s, caller: caller, kinds: map[uint32]*kind{}}
	t.ctx, t.cancel = context.WithCancel(caller)
	t.unhook = context.AfterFunc(s.open, t.cancel)
	if t.tx, err = pool.BeginTx(t.ctx, options); err != nil {
		err = t.fault(err, "offline store")
		t.release()
		return nil, err
	}
	if _, err = t.tx.Exec(t.ctx, settings+s.opt.SearchPath()+strings.Join(more, ""), pgx.QueryExecModeSimpleProtocol); err != nil {
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

// end ends the transaction and returns its connection. It first ends a query
// that is still running on the server; it waits only a moment for that, and for
// a server that does not respond.
func (t *transaction) end() {
	conn := t.conn()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), pg.Parting)
	defer cancel()
	err := t.tx.Rollback(ctx)
	t.release()
	if err == nil || errors.Is(err, pgx.ErrTxClosed) {
		return // somebody else may use the connection by now
	}
	if conn.IsClosed() {
		select {
		case <-conn.CleanupDone():
		case <-ctx.Done():
		}
	}
}

// fault says why something failed. It checks first whether the caller or the
// store stopped, since that makes everything else fail, too.
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
