// Package stores defines what an online store must do.
//
// Stores move bytes: a key is a serialized entity key, a value is a serialized
// feast.types.Value, and no store looks into either. Backends live in
// subpackages, decorators beside them; storetest holds all of them to the
// contract that the comments here state.
package stores

import (
	"context"
	"sync"
	"time"
)

// Table says whose rows are meant; each backend derives its own physical name
// from it. Version 0 is the unversioned table of a view.
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

// Derive gives what a backend keeps on the selection under its key, such as
// expression text or SQL. The first call makes it; when two calls race, one
// result wins and both get it. Derive is safe for concurrent use.
func (s *Selection) Derive(key any, build func() any) any {
	if v, ok := s.derived.Load(key); ok {
		return v
	}
	v, _ := s.derived.LoadOrStore(key, build())
	return v
}

// Read asks one table for some features of some keys. Keys may repeat.
type Read struct {
	Table    Table
	Features *Selection
	Keys     [][]byte
	// Distinct says that no key repeats, which spares the store to look.
	Distinct bool
	// Consistent asks the store not to answer from a lagging replica.
	Consistent bool
}

// Record is one row to write: its key, its event and created time, and its
// values aligned to a selection. A nil value leaves the feature absent, an
// empty one stores a null. Created may be zero: unknown.
type Record struct {
	Key            []byte
	Event, Created time.Time
	Values         [][]byte
}

// Mode says what a write does to a row that is already there.
type Mode uint8

const (
	// Replace lets the last write win.
	Replace Mode = iota
	// Newer keeps order: an older event never replaces a newer one; at equal event times
	// the later write wins.
	Newer
)

// Reader is all that serving needs. It is safe for concurrent use.
type Reader interface {
	// Read answers every key of every read, in order, repeats included.
	//
	//   - An absent key is a Row that is not Found, never an error.
	//   - An absent feature is a nil value; a stored null is empty, not nil.
	//   - Features that were not asked for do not show.
	//   - Any number of keys is allowed, and the same table may occur twice:
	//     a Layer settles that for every backend, and packing and splitting is
	//     the work of its Driver.
	//   - A key that could not be read says why in its own Row, and the rows
	//     of the others are there.
	//   - An error comes only when nothing could be read, and then without
	//     rows. Once ctx is done Read returns promptly, with an error or with
	//     rows whose Err says so.
	//   - The rows are the caller's until Release.
	//   - Answers of more bytes than the Budget allows are refused as a whole.
	Read(ctx context.Context, reads []Read) (*Rows, error)
}

// Writer loads rows. It is safe for concurrent use.
type Writer interface {
	// Write stores records in the order given. A record replaces the whole row,
	// and writing it twice changes nothing.
	//
	//   - Each record is stored, or Written names it: as older or as failed.
	//   - In mode Newer a record is older when a newer row of its key is there in
	//     the end, out of the table or out of the same call. It is no failure. A
	//     record that another one of the call replaced counts as stored.
	//   - A record that the store cannot hold, for its size or its times (see
	//     CheckTimes), fails alone and by a reason of kind Invalid; the others are
	//     stored, those of the same key too.
	//   - All records of one key share a failure that may pass, so that those that
	//     failed can be written again.
	//   - An error comes only when nothing is known to be stored, and then without
	//     a Written. Records may be stored all the same, if it was the answer that
	//     was lost: to write them again is safe.
	//   - Once ctx is done Write returns promptly. What the store acknowledged
	//     until then is stored, the rest failed.
	Write(ctx context.Context, table Table, features *Selection, records []Record, mode Mode) (Written, error)
	// Delete removes rows; a key that is not there is no error. It names the keys
	// that may still be there; an error means that none is known to be gone.
	Delete(ctx context.Context, table Table, keys [][]byte) (Unwritten, error)
}

// Admin makes and removes tables.
type Admin interface {
	// Check says what Update would refuse or change with a warning: colliding
	// or overlong names, tags that the store does not take, missing rights. It
	// reaches the store, so that an unreachable one is an error here.
	Check(ctx context.Context, tables []TableSpec) ([]Finding, error)
	// Update makes the tables of keep that are missing, brings their tags up to
	// date and removes the tables of drop. Tables that are there already, or are
	// gone already, are no error. It does what it can for every table before it
	// reports an error. A table is usable when Update returns.
	Update(ctx context.Context, keep []TableSpec, drop []Table) ([]Finding, error)
}

// Store is a backend, or a decorator around one. Close ends it.
type Store interface {
	Reader
	Writer
	Admin
	Close() error
}

// Backend is a store itself, not a decorator: it reads through a Layer.
type Backend interface {
	Store
	Driver
	// Limit bounds the bytes of answers. It is called before the first Read.
	Limit(b *Budget)
}

// TableSpec describes a table that Admin makes.
type TableSpec struct {
	Table Table
	// Features names the view's features with their value types' names
	// ("STRING"), for stores whose layout depends on them.
	Features []Feature
	// Tags are the view's own tags; a store without tags ignores them.
	Tags map[string]string
}

// Feature is a feature's name with the name of its feast.types.ValueType.
type Feature struct {
	Name, Type string
}

// Finding is one remark of Admin about a table. Refused findings stop an apply
// before anything is changed, the others are warnings.
type Finding struct {
	Table   Table
	Refused bool
	Text    string
}
