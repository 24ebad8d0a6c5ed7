// Package sqlite is the embedded online store: Feast's layout in a SQLite file
// that both Feast and banquet may read and write.
//
// A view's table is named <project>_<view> and has one row for each feature of an
// entity. Times are integers, as Feast writes them: the clock time in UTC, read
// as local time, in seconds since 1970. In a process whose zone is UTC they are
// plain unix seconds. In other zones banquet also stores the difference, so that
// the reader's zone does not matter. Fractions of a second are not stored.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite" // also registers the driver
	lib "modernc.org/sqlite/lib"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

const (
	// readers is the maximum number of concurrent reads.
	readers = 4
	// busyMillis is how long a statement waits for another process to release its lock.
	busyMillis = "5000"
	// cache keeps the pages that a load changes in memory, 64 MiB: keys arrive in
	// random order, and with the default of 2 MB each page is read and written many
	// times.
	cache = "cache_size(-65536)"
)

// Store is an online store in one SQLite file.
type Store struct {
	*stores.Layer // reads by Fetch

	path  string
	clock clock
	read  *sql.DB
	write *sql.DB
}

var _ stores.Backend = (*Store)(nil)

// Open opens the file at path. The file, and one level of directory above it, are
// created with the first table.
func Open(path string) (*Store, error) {
	return OpenIn(path, time.Local) //nolint:forbidigo // Feast writes by it
}

// OpenIn opens a file like a machine in a time zone.
func OpenIn(path string, zone *time.Location) (*Store, error) {
	s := &Store{path: path, clock: clockOf(zone)}
	s.Layer = stores.NewLayer(s)
	var err error
	if s.read, err = sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"busy_timeout(" + busyMillis + ")", "query_only(1)"}, "mode": {"rw"}})); err != nil {
		return nil, s.fault(err, "opened")
	}
	s.read.SetMaxOpenConns(readers)
	if s.write, err = sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"busy_timeout(" + busyMillis + ")", cache}, "_txlock": {"immediate"}})); err != nil {
		return nil, s.fault(err, "opened")
	}
	s.write.SetMaxOpenConns(1) // SQLite allows one writer; a queue here is fairer than its lock
	return s, nil
}

func dsn(path string, options url.Values) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}
	return u.String()
}

// Close closes the file.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// fault turns an error of SQLite into a fault.
func (s *Store) fault(err error, what string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Of(err)
	}
	refuse := func(kind fault.Kind, text string) error {
		return fault.Store(kind, "SQLite file %s %s", s.path, text).About("online store", s.path, "").Because(err)
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return refuse(fault.Unavailable, "cannot be "+what)
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return refuse(fault.Overloaded, "is locked by another process")
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return refuse(fault.Denied, "is read-only for this user")
	case lib.SQLITE_CANTOPEN:
		return refuse(fault.Unavailable, "cannot be opened; check that its directory exists and that this user may write to it")
	case lib.SQLITE_FULL:
		return refuse(fault.Unavailable, "cannot grow: no space left on its device")
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return refuse(fault.Unavailable, "is not a SQLite database, or is damaged")
	case lib.SQLITE_INTERRUPT:
		return fault.Store(fault.TimedOut, "reading SQLite file %s took too long", s.path).Because(err)
	}
	return refuse(fault.Unavailable, "cannot be "+what)
}

// refusesRows reports whether SQLite rejected the content of a row, by a
// constraint of the table or for its size: other rows may be valid.
func refusesRows(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_CONSTRAINT, lib.SQLITE_TOOBIG, lib.SQLITE_MISMATCH:
		return true
	}
	return false
}

// rowFault says why SQLite rejects a row.
func (s *Store) rowFault(err error) error {
	why := "one of its values is of the wrong type for its column"
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case lib.SQLITE_CONSTRAINT:
			why = "it breaks a constraint of the table"
		case lib.SQLITE_TOOBIG:
			why = "one of its values is too large"
		}
	}
	return fault.New(fault.Invalid, "SQLite file %s rejects it: %s", s.path, why).About("online store", s.path, "").Because(err)
}

// missing reports whether a table is missing.
func missing(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_ERROR && strings.Contains(e.Error(), "no such table")
}

// ofTable reports whether an error concerns one table, not the file.
func ofTable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_ERROR
}

// absent reports that there is no file: reading does not create one.
func (s *Store) absent() bool {
	_, err := os.Stat(s.path)
	return errors.Is(err, os.ErrNotExist)
}

func missingTable(t stores.Table, err error) error {
	return fault.Store(fault.NotFound, "table %s of feature view %s does not exist; run `banquet apply`", t.SQLName(), t.View).
		About("table", t.SQLName(), t.Project).Because(err)
}

func oddTable(t stores.Table, err error) error {
	return fault.Store(fault.Unavailable, "table %s of feature view %s does not have the columns of Feast's layout; rename it and run `banquet apply` and `banquet materialize`", t.SQLName(), t.View).
		About("table", t.SQLName(), t.Project).Because(err)
}

// Check opens the file, and refuses tables that would share a name; SQLite does
// not distinguish upper and lower case.
func (s *Store) Check(ctx context.Context, tables []stores.TableSpec) ([]stores.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	if info, err := os.Stat(s.path); err == nil {
		if info.IsDir() {
			return nil, fault.New(fault.Invalid, "online_store.path %s is a directory; it must be a file", s.path)
		}
		if _, err := s.read.ExecContext(ctx, "SELECT count(*) FROM sqlite_master"); err != nil {
			return nil, s.fault(err, "read")
		}
	}
	return stores.Collisions(tables, stores.Table.SQLName, strings.ToLower), nil
}

// Update creates and drops tables.
func (s *Store) Update(ctx context.Context, keep []stores.TableSpec, drop []stores.Table) ([]stores.Finding, error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return nil, fault.New(fault.Denied, "the directory of SQLite file %s cannot be created", s.path).Because(err)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.fault(err, "written")
	}
	defer func() { _ = tx.Rollback() }()
	for _, spec := range keep {
		if err := s.create(ctx, tx, spec.Table); err != nil {
			return nil, err
		}
	}
	for _, t := range drop {
		if _, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+quote(t.SQLName())); err != nil {
			return nil, s.fault(err, "written")
		}
	}
	return nil, s.fault(tx.Commit(), "written")
}

func (s *Store) create(ctx context.Context, tx *sql.Tx, t stores.Table) error {
	name := t.SQLName()
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS " + quote(name) + " (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, vector_value BLOB, " +
			"event_ts timestamp, created_ts timestamp, PRIMARY KEY(entity_key, feature_name))",
		"CREATE INDEX IF NOT EXISTS " + quote(name+"_ek") + " ON " + quote(name) + " (entity_key)",
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return s.fault(err, "written")
		}
	}
	return s.addTextColumn(ctx, tx, name)
}

// addTextColumn adds the column that tables of an older Feast lack.
func (s *Store) addTextColumn(ctx context.Context, tx *sql.Tx, name string) error {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name = 'value_text'", name).Scan(&n)
	if err != nil || n > 0 {
		return s.fault(err, "read")
	}
	_, err = tx.ExecContext(ctx, "ALTER TABLE "+quote(name)+" ADD COLUMN value_text TEXT")
	return s.fault(err, "written")
}
