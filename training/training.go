// Package training is what the offline store is asked for: training sets with
// point-in-time joins, and the rows of data sources. It resolves names against the
// registry, and knows no transport and no backend.
package training

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// Source is an offline store with all that training sets need.
type Source interface {
	offline.Store
	offline.Joiner
}

// Options configure a Service.
type Options struct {
	// Snapshots returns the registry to use; a request uses one snapshot.
	Snapshots func() *registry.Snapshot
	// Project of requests that name none.
	Project string
	Source  Source
	// Querier runs entity rows that are given as SQL; nil refuses them.
	Querier offline.Querier
	// Writer writes rows to sources; nil refuses such requests.
	Writer offline.Writer
	// Saved makes the data source for a saved dataset of the given name; nil refuses
	// to save.
	Saved func(name string) (*core.DataSource, error)
	// Unregistered lets clients describe any data source, not only registered ones.
	Unregistered bool
	// SQLTimeout bounds the query of entity rows; 0 means no bound.
	SQLTimeout time.Duration
	// Versioned says that the registry keeps versions of online tables.
	Versioned bool
	Spool     spool.Options
	// Functions computes functions that banquet does not compile; nil if nothing does.
	Functions transform.Service
	// WholeCells is how many cells a function of an on-demand view may read and make at
	// most if it computes with all rows at once; 0 is 4 Mi.
	WholeCells int64
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Service answers requests for training sets. It is safe for concurrent use.
type Service struct {
	opt Options
}

// New makes a Service.
func New(opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.WholeCells == 0 {
		opt.WholeCells = wholeCells
	}
	return &Service{opt: opt}
}

// Request asks for a training set.
type Request struct {
	// Project is the project of the names; empty is that of the Options.
	Project string
	// Features are references, "view:feature"; Service is the name of a feature
	// service. One of them is given.
	Features []string
	Service  string
	// Views are names of views that must exist, whether references use them or not.
	Views []string
	// Aliases give the views of references other names: a reference "alias:feature"
	// means a feature of the stored view, by the join keys that a feature service has
	// for the alias.
	Aliases []registry.Alias
	// FullNames puts the view's name before each feature's: view__feature.
	FullNames bool
	// Rows, SQL or a range of time are the entity rows; exactly one is given. Rows
	// are read before Historical returns, and stay the caller's.
	Rows array.RecordReader
	SQL  string
	// Start and End are the range of event times, both inclusive. Without an End it
	// ends now; without a Start it begins the largest ttl of the views before the End,
	// or 30 days.
	Start, End time.Time
	// At is the time of entity rows that have no column of times; zero refuses such
	// rows, as Feast does.
	At time.Time
	// CreatedBefore leaves out rows that were created after the entity row's time
	// (Feast's filter_by_created_timestamp).
	CreatedBefore bool
}

// Given is a time for Start, End or At of which the caller has given the text: their zero,
// the first instant of the year 1, means that none was given.
func Given(t time.Time) time.Time {
	if t.IsZero() {
		return t.Add(time.Microsecond)
	}
	return t
}

// Set is a training set.
//
// With entity rows it streams one row for each, in their order: first the columns of
// the entity rows, then the features, view by view. A range of one view gives the rows
// of its source: the event time, the created time, the join keys and the features. A
// range of several views gives a row for each event time of each key, by event time.
//
// Times are timestamps in microseconds of UTC without a zone, as Feast's; dates are
// their midnight. Numbers of any scale (PostgreSQL's numeric) are float64, as Feast's,
// and text where the feature is a STRING. All other columns keep their type.
type Set struct {
	array.RecordReader
	// Timestamp is the name of the column of event times.
	Timestamp string
	// Features are the names of the feature columns, in their order.
	Features []string
	// Entities is the number of entity rows, or -1 for a range of one view.
	Entities int64
	// At is the time of entity rows that had no column of times, else zero.
	At time.Time
	// Notes are what the user should know: assumptions that were made, and digits
	// that were lost. They are complete when the last row has been read.
	Notes []string

	views []viewColumns
	close []func()
}

// viewColumns are the features that a view has in a Set: so many of the columns, from
// an index.
type viewColumns struct {
	name        string
	from, count int
}

// Close ends the set and frees what it holds, the reader too. It may be called twice.
func (s *Set) Close() {
	for _, c := range slices.Backward(s.close) {
		c()
	}
	s.close = nil
}
