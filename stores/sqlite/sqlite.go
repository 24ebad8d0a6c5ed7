// Package sqlite is the embedded online store: Feast's layout in a SQLite file
// that Feast and banquet may read and write in turn.
//
// A view's table is named <project>_<view> and holds one row for each feature
// of an entity. Times are integers: the seconds since 1970 of the UTC time's
// clock face read as local time, which is how Feast writes them; in a process
// whose zone is UTC they are plain unix seconds. In other zones banquet adds how
// far that is off, so that the zone of a reader does not matter. Times keep no
// fraction.
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
	// readers is how many reads are under way at once.
	readers = 4
	// busyMillis is how long a statement waits for another process to let go.
	busyMillis = "5000"
	// cache keeps the pages that a load touches in memory, 64 MiB: keys come in no
	// order, and the default of 2 MB reads and writes each page many times.
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

// Open opens the file at path. The file, and one level of directory above it,
// are made when the first table is.
func Open(path string) (*Store, error) {
	return OpenIn(path, time.Local) //nolint:forbidigo // Feast writes by it
}

// OpenIn opens a file as a machine in a time zone does.
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
	s.write.SetMaxOpenConns(1) // SQLite has one writer; a queue here is fairer than its lock
	return s, nil
}

func dsn(path string, options url.Values) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}
	return u.String()
}

// Close closes the file.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// fault says what SQLite refused.
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
		return refuse(fault.Unavailable, "cannot be opened; is its directory there, and may this user write to it?")
	case lib.SQLITE_FULL:
		return refuse(fault.Unavailable, "cannot grow: no space left on its device")
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return refuse(fault.Unavailable, "is no SQLite database, or a damaged one")
	case lib.SQLITE_INTERRUPT:
		return fault.Store(fault.TimedOut, "reading SQLite file %s took too long", s.path).Because(err)
	}
	return refuse(fault.Unavailable, "cannot be "+what)
}

// refusesRows tells what a row holds that SQLite does not take, by a constraint of
// the table or for its size, from other errors: another row may be good.
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

// rowFault says why SQLite does not take a row.
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
	return fault.New(fault.Invalid, "SQLite file %s does not take it: %s", s.path, why).About("online store", s.path, "").Because(err)
}

// missing tells a missing table from other errors.
func missing(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_ERROR && strings.Contains(e.Error(), "no such table")
}

// ofTable tells what is wrong with one table from what is wrong with the file.
func ofTable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_ERROR
}

// absent says that there is no file: none is made to be read.
func (s *Store) absent() bool {
	_, err := os.Stat(s.path)
	return errors.Is(err, os.ErrNotExist)
}

func missingTable(t stores.Table, err error) error {
	return fault.Store(fault.NotFound, "table %s of feature view %s does not exist; run `banquet apply`", t.SQLName(), t.View).
		About("table", t.SQLName(), t.Project).Because(err)
}

func oddTable(t stores.Table, err error) error {
	return fault.Store(fault.Unavailable, "table %s of feature view %s has not the columns of Feast's layout; rename it and run `banquet apply` and `banquet materialize`", t.SQLName(), t.View).
		About("table", t.SQLName(), t.Project).Because(err)
}

// Check opens the file, and refuses tables that would share a name; SQLite
// does not tell upper from lower case.
func (s *Store) Check(ctx context.Context, tables []stores.TableSpec) ([]stores.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Of(err)
	}
	if info, err := os.Stat(s.path); err == nil {
		if info.IsDir() {
			return nil, fault.New(fault.Invalid, "online_store.path %s is a directory; it must name a file", s.path)
		}
		if _, err := s.read.ExecContext(ctx, "SELECT count(*) FROM sqlite_master"); err != nil {
			return nil, s.fault(err, "read")
		}
	}
	return stores.Collisions(tables, stores.Table.SQLName, strings.ToLower), nil
}

// Update makes and drops tables.
func (s *Store) Update(ctx context.Context, keep []stores.TableSpec, drop []stores.Table) ([]stores.Finding, error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return nil, fault.New(fault.Denied, "the directory of SQLite file %s cannot be made", s.path).Because(err)
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

// addTextColumn brings a table of an older Feast up to date.
func (s *Store) addTextColumn(ctx context.Context, tx *sql.Tx, name string) error {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name = 'value_text'", name).Scan(&n)
	if err != nil || n > 0 {
		return s.fault(err, "read")
	}
	_, err = tx.ExecContext(ctx, "ALTER TABLE "+quote(name)+" ADD COLUMN value_text TEXT")
	return s.fault(err, "written")
}
