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
