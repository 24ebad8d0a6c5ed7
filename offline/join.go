package offline

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Join asks for the features of entity rows as of the time of each row.
type Join struct {
	// Entities streams the entity rows: columns of join keys under any names and
	// in any Arrow type, and last the event time, a timestamp in UTC. The Joiner
	// reads it once and never releases it.
	Entities array.RecordReader
	// Views are the sources to join.
	Views []JoinView
}

// JoinView is what a Join takes from one data source.
type JoinView struct {
	// Name is the view's name or alias, for errors.
	Name   string
	Source *core.DataSource
	// Keys pair the columns of the join keys; none for a view without entities,
	// of which any row fits any entity row.
	Keys []JoinKey
	// Features are the source's own names of the columns to return, and Types
	// their value types, one for each.
	Features []string
	Types    []types.ValueType_Enum
	// Timestamp and Created are the source's columns of the event time and of
	// the created time. Created may be empty.
	Timestamp, Created string
	// TTL bounds the age of a row. Zero means no bound, and no row is as young as a
	// negative one.
	TTL time.Duration
	// CreatedBefore leaves out rows that were created after the entity row's
	// time, or whose created time is null. It requires Created.
	CreatedBefore bool
}

// Check validates a view without looking at its source. Joiners call it first.
func (v *JoinView) Check() error {
	query := Query{Source: v.Source, Columns: v.Features, Timestamp: v.Timestamp, Created: v.Created}
	switch {
	case len(v.Types) != len(v.Features):
		return fault.New(fault.Internal, "view %s: a join has %d features and %d types", v.Name, len(v.Features), len(v.Types))
	case v.CreatedBefore && v.Created == "":
		return fault.New(fault.Invalid, "view %s: a join by created time needs a created_timestamp_column, which data source %s lacks; name the column", v.Name, v.Source.GetName()).
			About("data source", v.Source.GetName(), v.Source.GetProject())
	}
	return query.Check()
}

// JoinKey pairs a column of a source with a column of the entity rows.
type JoinKey struct {
	// Column is the source's own name of the column.
	Column string
	// Entity is the index of the column of the entity rows.
	Entity int
	// Type is the value type of the join key.
	Type types.ValueType_Enum
}

// Joiner makes training sets out of data sources. It is safe for concurrent use.
// What Store promises of streams (failure and end, memory, errors, cells) holds
// for these as well.
type Joiner interface {
	// PointInTime streams the features of the entity rows.
	//
	// Rows and columns:
	//
	//   - The schema is the features of each view in the order of the views,
	//     under the source's own names. A column named twice appears twice.
	//   - There is exactly one row for each entity row, in the order of the
	//     entity rows, whatever repeats or ties these or the sources have.
	//   - Cells are those that Range returns; those of a dictionary may be plain.
	//
	// The row that a view contributes to an entity row:
	//
	//   - It has the keys of the entity row. Keys are equal if
	//     value.NewArrowKeyEncoder makes the same bytes of both, so a text or a
	//     float may be an integer key. A key that this encoder refuses is Invalid
	//     in an entity row, and the error names column and row; in a source row it
	//     equals no key.
	//   - Its event time is not after the entity row's, and, with a TTL, not more
	//     than the TTL before it. Both bounds are inclusive and exact.
	//   - Of several it is the newest: by event time, then by created time, where
	//     a null is the oldest. Of rows that are equal in both it is always the
	//     same one, and all features come from this one row: the first row in
	//     the source's order, where it has an order.
	//   - A null key equals no key, not even another null, and a row without an
	//     event time has no features.
	//   - Without such a row the features are null.
	PointInTime(ctx context.Context, join Join) (array.RecordReader, error)
	// Moments streams the distinct pairs of keys and event time that the views'
	// sources have from start to end, both inclusive: columns of the keys, in the
	// order of the first view, under its names of them and in the Arrow types of
	// its source, then the event time; ordered by event time, then by keys. The
	// views have equal key types. Rows without a key or an event time are left
	// out.
	Moments(ctx context.Context, views []JoinView, start, end time.Time) (array.RecordReader, error)
	// Latest streams the newest row of each key of a query, chosen as in
	// PointInTime, in no particular order. keys are the indexes of the key columns
	// among the query's columns; without any, the query has one newest row. The
	// schema is that of Range, in which dictionaries may be plain. Rows that lack a
	// key are kept as if null were a value.
	Latest(ctx context.Context, query Query, keys []int) (array.RecordReader, error)
}

// Querier runs queries in the language of an offline store: SQL that a caller
// gives as entity rows.
type Querier interface {
	// Query streams the rows of one SELECT in the order of its result; the cells
	// are those of Range. Any other statement, or more than one, is Invalid before
	// anything runs. The query cannot write, and ends at the deadline of ctx, on
	// the server too.
	Query(ctx context.Context, sql string) (array.RecordReader, error)
}
