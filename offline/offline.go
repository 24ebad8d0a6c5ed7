// Package offline defines what an offline store must do: give the history of a
// data source as Arrow record batches. Backends live in subpackages;
// offlinetest holds them to the contract written here.
package offline

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
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

// Check says what is wrong with a query by itself, whatever its source holds.
// Backends ask it before they do anything.
func (q *Query) Check() error {
	refuse := func(kind fault.Kind, says string) error {
		return fault.New(kind, "data source %s: %s", q.Source.GetName(), says).About("data source", q.Source.GetName(), q.Source.GetProject())
	}
	switch {
	case q.Timestamp == "":
		return refuse(fault.Invalid, "it has no timestamp_field; name the column of the event time")
	case q.Created == "" && !q.CreatedAfter.IsZero():
		return refuse(fault.Invalid, "rows by their created time are asked for, and it has no created_timestamp_column; name the column")
	case len(q.Types) != 0 && len(q.Types) != len(q.Columns):
		return refuse(fault.Internal, fmt.Sprintf("a query has %d columns and %d types", len(q.Columns), len(q.Types)))
	}
	return nil
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
	Rows        int64
	First, Last time.Time
}

// Store reads data sources. It is safe for concurrent use. Every error is a fault
// of one line that names the source, or the place that cannot be reached.
type Store interface {
	// Range streams the rows whose event time lies in the query's bounds.
	//
	// Rows:
	//
	//   - The schema is Columns in order, then Timestamp, then Created if named,
	//     under the source's own names, whatever they hold. A column named twice
	//     appears twice; Columns may be empty, or many.
	//   - A column that is not asked for does not matter, whatever it holds.
	//   - Rows come in no particular order; ties and repeats are kept.
	//   - Rows whose event time is null are left out. Nulls of other columns are
	//     kept, those of keys too.
	//   - An empty source gives a schema and no rows.
	//   - Bounds are exact: one may lie between two times of the source's unit.
	//   - CreatedAfter without Created, and a query without Timestamp, are Invalid.
	//
	// Cells are what the source holds, in an Arrow type that says all of it:
	//
	//   - Whole numbers are integers, numbers of floating point are floats of their
	//     size, texts are strings, and bytes, truth values and lists are themselves.
	//   - Decimals keep their digits and scale: Arrow's decimals where a column has
	//     one scale, value.DecimalText where each number has its own.
	//   - Times are timestamps or dates, exact. Without a zone they are UTC. One that
	//     is infinite is value.Infinity or value.MinusInfinity.
	//   - A null is null, within a list too; NaN, an empty text and an empty list are
	//     none. A column of nulls alone is read, whatever its type.
	//   - A type that Arrow does not have is a string: the source's own text.
	//   - A source without types (CSV) reads its cells as Types say, and gives texts
	//     where that loses nothing.
	//
	// Event and created times are timestamp columns in UTC, in a unit that loses
	// nothing of the source's:
	//
	//   - A time without a zone is UTC, a date is its midnight in UTC, a text is the
	//     time that value.ParseTime reads.
	//   - A number is no time: Invalid, with the column, its type and the remedy.
	//   - A cell that is no time, is infinite, or cannot be said in the column's unit
	//     is Invalid and named by its column and its row: the number in the order of
	//     reading, the first being 1, within its file where there are files; a text
	//     file may give its line.
	//
	// Failure and end:
	//
	//   - A missing source or column, and a wanted column that the source has twice,
	//     is NotFound or Invalid and named.
	//   - An unreachable store is Unavailable, also in the middle. A source that
	//     cannot be read is Unavailable or Invalid and named.
	//   - Any failure is an error of Range or of the reader, never fewer rows. A
	//     failed reader gives no more, and its Err stays.
	//   - A done context ends Range and Next within a second, even while they wait
	//     for the source: Canceled, or TimedOut for a deadline.
	//   - The caller releases the reader. After that, however far it was read, no
	//     goroutine, connection or file is held. A batch that was retained stays.
	//   - Readers do not disturb each other.
	//   - Memory is bounded by the batch, in rows and in bytes, not by the source;
	//     one row may be larger than that.
	Range(ctx context.Context, query Query) (array.RecordReader, error)
	// Columns lists the columns of a source in its own order.
	Columns(ctx context.Context, source *core.DataSource) ([]Column, error)
	// Span tells how many rows a query has and from when to when, for hints; its
	// Columns do not count. It fails as Range does, but may leave out times that
	// are infinite.
	Span(ctx context.Context, query Query) (Span, error)
	// Check reaches the store, or says in one line why it cannot.
	Check(ctx context.Context) error
}
