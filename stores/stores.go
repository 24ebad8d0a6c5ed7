// Package stores defines the contract of an online store.
//
// Stores move bytes: a key is a serialized entity key, a value is a serialized
// feast.types.Value, and no store parses either. Backends are in subpackages,
// decorators beside them; storetest checks all of them against the contract in
// these comments.
package stores

import (
	"context"
	"sync"
	"time"
)

// Table identifies a table; each backend derives its own physical name from it.
// Version 0 is the unversioned table of a view.
type Table struct {
	Project, View string
	Version       int
}

// Selection is a set of features of one view, in the order in which the caller
// wants them. It is made once and shared by many calls.
type Selection struct {
	Features []string
	derived  sync.Map
}

// NewSelection makes a selection of the named features; names do not repeat.
func NewSelection(features ...string) *Selection { return &Selection{Features: features} }

// Derive returns what a backend caches on the selection under its key, such as
// expression text or SQL. The first call builds it; when two calls race, both
// return the same result. Derive is safe for concurrent use.
func (s *Selection) Derive(key any, build func() any) any {
	if v, ok := s.derived.Load(key); ok {
		return v
	}
	v, _ := s.derived.LoadOrStore(key, build())
	return v
}

// Read requests some features of some keys of one table. Keys may repeat.
type Read struct {
	Table    Table
	Features *Selection
	Keys     [][]byte
	// Distinct says that no key repeats; the store then skips its check.
	Distinct bool
	// Consistent asks the store not to answer from a lagging replica.
	Consistent bool
}

// Record is one row to write: its key, its event and created times, and its
// values, aligned to a selection. A nil value leaves the feature absent, an empty
// value stores a null. Created may be zero (unknown).
type Record struct {
	Key            []byte
	Event, Created time.Time
	Values         [][]byte
}

// Mode says what a write does to a row that exists already.
type Mode uint8

const (
	// Replace lets the last write win.
	Replace Mode = iota
	// Newer keeps the newest event: an older one never replaces it; at equal event
	// times the later write wins.
	Newer
)

// Reader is all that serving needs. It is safe for concurrent use.
type Reader interface {
	// Read reads every key of every read, in order, repeats included.
	//
	//   - An absent key gives a Row that is not Found, never an error.
	//   - An absent feature is a nil value; a stored null is empty, not nil.
	//   - Features that were not requested are not returned.
	//   - Any number of keys is allowed, and a table may occur more than once: a
	//     Layer handles repeats for every backend, its Driver splits and packs calls.
	//   - A key that could not be read has the reason in its own Row; the other rows
	//     are returned.
	//   - An error is returned only when nothing could be read, and then without
	//     rows. When ctx is done, Read returns promptly, with an error or with rows
	//     whose Err is set.
	//   - The caller owns the rows until Release.
	//   - A read whose responses exceed the Budget is refused as a whole.
	Read(ctx context.Context, reads []Read) (*Rows, error)
}

// Writer writes rows. It is safe for concurrent use.
type Writer interface {
	// Write stores records in the given order. A record replaces the whole row;
	// writing it twice changes nothing.
	//
	//   - Each record is stored, or listed in Written as older or as failed.
	//   - In mode Newer a record is older when the table ends up with a newer row of
	//     its key, from the table or from the same call. This is not a failure. A
	//     record that another record of the call replaced counts as stored.
	//   - A record that the store cannot hold, because of its size or its times (see
	//     CheckTimes), fails alone with a reason of kind Invalid; the others are
	//     stored, those of the same key too.
	//   - A failure that may pass applies to all records of its key, so that the
	//     failed records can be written again.
	//   - An error is returned only when nothing is known to be stored, and then
	//     without a Written. Records may be stored nevertheless if only the response
	//     was lost; writing them again is safe.
	//   - When ctx is done, Write returns promptly. What the store acknowledged so
	//     far is stored, the rest failed.
	Write(ctx context.Context, table Table, features *Selection, records []Record, mode Mode) (Written, error)
	// Delete removes rows; an absent key is not an error. It returns the keys that
	// may still exist; an error means that no key is known to be deleted.
	Delete(ctx context.Context, table Table, keys [][]byte) (Unwritten, error)
}

// Admin creates and removes tables.
type Admin interface {
	// Plan lists the changes that Do would have to make, and what the store would
	// refuse or could do only in part: colliding or overlong names, tags that the
	// store rejects, missing rights. It changes nothing, and connects to the store:
	// an unreachable store is an error.
	//
	//   - A table of Keep that is missing is created, one that differs from its spec is
	//     altered, a table of Drop that exists is removed. There are no other changes,
	//     and none once they are made.
	Plan(ctx context.Context, tables Tables) (TablePlan, error)
	// Do makes changes. A change that somebody has made already is not an error. Do
	// tries every change before it returns an error, or makes all or none of them in
	// one transaction. A table is usable when Do returns.
	Do(ctx context.Context, changes []Change) ([]Finding, error)
}

// Store is a backend, or a decorator around one. Close closes it.
type Store interface {
	Reader
	Writer
	Admin
	Close() error
}

// Backend is a store proper, not a decorator: it reads through a Layer.
type Backend interface {
	Store
	Driver
	// Limit sets the byte budget of responses. Call it before the first Read.
	Limit(b *Budget)
}

// TableSpec describes a table that Admin creates.
type TableSpec struct {
	Table Table
	// Features are the view's features with the names of their value types
	// ("STRING"), for stores whose layout depends on them.
	Features []Feature
	// Tags are the view's own tags; a store that has no tags ignores them.
	Tags map[string]string
}

// Feature is a feature's name with the name of its feast.types.ValueType.
type Feature struct {
	Name, Type string
}

// Tables are the tables that Admin should keep or remove.
type Tables struct {
	Keep []TableSpec
	Drop []Table
	// Others are tables of which Admin only reads the names: no table of Keep may
	// share one.
	Others []TableSpec
}

// TablePlan is what Admin would do.
type TablePlan struct {
	Changes  []Change
	Findings []Finding
}

// Action is what a Change does to a table.
type Action uint8

// The actions of a Change.
const (
	Create Action = iota
	Alter
	Drop
)

// Change is one change of a table.
type Change struct {
	Action Action
	// Spec is the table; for Drop only its Table is set.
	Spec TableSpec
	// Name is the table's name in the store.
	Name string
	// Detail says what Alter changes, such as "tags team, owner".
	Detail string
}

// Finding is a remark of Admin about a table. Findings with Refused set stop an
// apply before any change; the others are warnings.
type Finding struct {
	Table   Table
	Refused bool
	Text    string
}

// Sizer is a store that knows what a row takes there. It is optional; As finds it
// behind decorators.
type Sizer interface {
	// Size returns what storing a record takes, without storing it. Values are
	// aligned to the selection.
	Size(features *Selection, record *Record) Size
}

// Size is what one row takes.
type Size struct {
	// Bytes is the size of the stored row.
	Bytes int64
	// WriteUnits is what the store charges for writing it, in its own units.
	WriteUnits int64
}

// As finds an optional ability of a store: of the store itself or of one that it
// decorates, which its method Unwrap returns.
func As[T any](store any) (T, bool) {
	for {
		if t, ok := store.(T); ok {
			return t, true
		}
		wrapper, ok := store.(interface{ Unwrap() Store })
		if !ok {
			var none T
			return none, false
		}
		store = wrapper.Unwrap()
	}
}
