// Package postgres is the online store in PostgreSQL, in Feast's layout.
//
// A view's table is named <project>_<view>, is in the schema db_schema and has
// one row for each feature of an entity: entity_key (bytea), feature_name, value
// (bytea, a serialized feast.types.Value; empty is null), value_text, an unused
// vector_value, event_ts and created_ts (timestamptz).
//
// Every read and every write is one round trip of the extended protocol, without
// named statements and without session state, so that connections may go through
// a pooler in transaction mode.
package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/stores"
)

// maxName is the number of bytes of a name that PostgreSQL keeps; it cuts longer
// names silently, and two views could share a table.
const maxName = 63

// Store is an online store in one database.
type Store struct {
	*stores.Layer // reads by Fetch

	opt pg.Options

	mu   sync.Mutex
	pool *pgxpool.Pool // created on first use
	bad  map[string]time.Time
}

var _ stores.Backend = (*Store)(nil)

// New makes a Store. It connects on first use.
func New(opt pg.Options) *Store {
	if opt.ApplicationName == "" {
		opt.ApplicationName = "banquet online store"
	}
	s := &Store{opt: opt, bad: map[string]time.Time{}}
	s.Layer = stores.NewLayer(s)
	return s
}

// Close closes the connections; it does not wait long for a server that does not
// respond.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil {
		pg.Close(s.pool)
		s.pool = nil
	}
	return nil
}

// connections returns the pool.
func (s *Store) connections() (*pgxpool.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool == nil {
		var err error
		if s.pool, err = pg.Pool(s.opt); err != nil {
			return nil, err
		}
	}
	return s.pool, nil
}

// with calls do with a connection.
func (s *Store) with(ctx context.Context, do func(*pgconn.PgConn) error) error {
	if err := ctx.Err(); err != nil {
		return fault.Of(err)
	}
	pool, err := s.connections()
	if err != nil {
		return err
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return do(conn.Conn().PgConn())
}

// schema returns the schema of the tables.
func (s *Store) schema() string {
	if s.opt.Schema != "" {
		return s.opt.Schema
	}
	return s.opt.User
}

// qualified is a table's name in SQL. It includes the schema: a search path
// belongs to a session, and a pooler changes sessions.
func (s *Store) qualified(t stores.Table) string { return s.quoted(t.SQLName()) }

func (s *Store) quoted(name string) string { return pgx.Identifier{s.schema(), name}.Sanitize() }

// literal returns a text as an SQL literal.
func literal(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// fault turns an error into a fault. table may be empty.
func (s *Store) fault(ctx context.Context, err error, table stores.Table) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fault.Of(ctx.Err())
	}
	var server *pgconn.PgError
	if table != (stores.Table{}) && errors.As(err, &server) {
		name := table.SQLName()
		refuse := func(kind fault.Kind, format string, args ...any) error {
			return fault.Store(kind, format, args...).About("table", name, table.Project).Because(err)
		}
		switch server.Code {
		case "42P01", "3F000", "42703":
			return refuse(fault.NotFound, "table %s of feature view %s does not exist in schema %s, or lacks a column; run `banquet apply`", name, table.View, s.schema())
		case "25006":
			return refuse(fault.Denied, "table %s of feature view %s cannot be written: PostgreSQL at %s is read-only for user %s; is it a replica, or is default_transaction_read_only on?", name, table.View, s.opt.Address(), s.opt.User)
		case "42501":
			return refuse(fault.Denied, "user %s may not use table %s of feature view %s in PostgreSQL at %s", s.opt.User, name, table.View, s.opt.Address())
		case "40001", "40P01", "55P03":
			return refuse(fault.Overloaded, "table %s of feature view %s is busy", name, table.View)
		}
	}
	f := fault.Of(s.opt.Fault(err, "the online store in PostgreSQL"))
	return fault.Store(f.Kind, "%s", f.Text).About("online store", s.opt.Address(), "").Because(err)
}

// ofTable reports whether an error concerns one table: the others can then be
// read without it.
func ofTable(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false
	}
	switch server.Code {
	case "42P01", "3F000", "42703", "42501":
		return true
	}
	return false
}

// badFor is how long a failed table is read by statements of its own.
const badFor = 5 * time.Second

func (s *Store) isBad(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.bad[name])
}

func (s *Store) setBad(name string, bad bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bad, name)
	if bad {
		s.bad[name] = time.Now().Add(badFor)
	}
}
