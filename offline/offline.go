// Package offline defines what an offline store must do: give the history of a
// data source as Arrow record batches. Backends live in subpackages;
// offlinetest holds them to the contract written here.
package offline

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Query asks for rows of one data source.
type Query struct {
	Source *core.DataSource
	// Columns are the source's own column names, in the order of the answer.
	Columns []string
	// Types are the value types that the columns are read for, one for each column
	// or none at all. A source whose cells are text reads them as these; one whose
	// columns have types of their own gives those.
	Types []types.ValueType_Enum
	// Timestamp is the column of the event time. Created may be empty.
	Timestamp, Created string
	// Start and End bound the event time, both inclusive. A zero time is no bound.
	Start, End time.Time
	// CreatedAfter leaves out rows whose created time is not later, or null. A
	// zero time is no bound; any other needs Created.
	CreatedAfter time.Time
}

// Column is a column of a source with the value type that Feast gives it.
type Column struct {
	Name string
	Type types.ValueType_Enum
	// Unmapped is the source's own name of a type for which Feast has no value
	// type; Type is then INVALID. Empty for all others.
	Unmapped string
}

// Span is the extent of the event times of a query's rows. Rows is 0 when there
// are none, and both times are then zero.
type Span struct {
	Rows         int64
	First, Last  time.Time
	Approximated bool // Rows is an estimate
}

// Store reads data sources. It is safe for concurrent use.
type Store interface {
	// Range streams the rows whose event time lies in the query's bounds.
	//
	//   - The schema is Columns in order, then Timestamp, then Created if named,
	//     under the source's names; a column named twice appears twice.
	//   - Event and created times are timestamp columns in UTC; a text or a
	//     zoneless column is read as UTC.
	//   - Rows whose event time is null are left out.
	//   - Rows come in no particular order; ties and repeats are kept.
	//   - Memory is bounded by the batch, not by the source.
	//   - A missing table, file or column is an Invalid or NotFound fault that
	//     names it; an unreachable store is Unavailable, also in the middle.
	//   - The reader is released by the caller; its Err tells how it ended.
	Range(ctx context.Context, query Query) (array.RecordReader, error)
	// Columns lists the columns of a source in its own order.
	Columns(ctx context.Context, source *core.DataSource) ([]Column, error)
	// Span tells how many rows a query has and from when to when, for hints; its
	// Columns do not count.
	Span(ctx context.Context, query Query) (Span, error)
	// Check reaches the store, or says in one line why it cannot.
	Check(ctx context.Context) error
}
