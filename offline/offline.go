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
	// Columns are the source's own column names, in the order of the result.
	Columns []string
	// Types are the value types that the columns will become: one for each
	// column, or none at all. A source whose cells are text parses them as
	// these types; a source with typed columns returns its own types.
	Types []types.ValueType_Enum
	// Timestamp is the column of the event time. Created may be empty.
	Timestamp, Created string
	// Start and End bound the event time, both inclusive. A zero time means no
	// bound.
	Start, End time.Time
	// CreatedAfter leaves out rows whose created time is null, or not later
	// than this. A zero time means no bound; any other requires Created.
	CreatedAfter time.Time
}

// Check validates a query without looking at its source. Backends call it
// first.
func (q *Query) Check() error {
	refuse := func(kind fault.Kind, says string) error {
		return fault.New(kind, "data source %s: %s", q.Source.GetName(), says).About("data source", q.Source.GetName(), q.Source.GetProject())
	}
	switch {
	case q.Timestamp == "":
		return refuse(fault.Invalid, "it has no timestamp_field; name the column of the event time")
	case q.Created == "" && !q.CreatedAfter.IsZero():
		return refuse(fault.Invalid, "a query of rows by their created time needs a created_timestamp_column, which it lacks; name the column")
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
	// Native is the source's own name of the type: PostgreSQL's ("double
	// precision"), or Arrow's for files ("timestamp[us, tz=UTC]").
	Native string
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
	//   - The schema is Columns in order, then Timestamp, then Created if it is
	//     set, all under the source's own names, whatever characters these
	//     contain. A column named twice appears twice; Columns may be empty, or
	//     long.
	//   - A column that is not requested does not matter, whatever it holds.
	//   - Rows come in no particular order; ties and repeats are kept.
	//   - Rows whose event time is null are left out. Nulls in other columns
	//     are kept, also in key columns.
	//   - An empty source gives a schema and no rows.
	//   - Bounds are exact, even between two consecutive times of the source's
	//     unit.
	//   - CreatedAfter without Created, and a query without Timestamp, are
	//     Invalid.
	//
	// Cells are what the source holds, in an Arrow type that loses none of it:
	//
	//   - Integers are exact integers, floating-point numbers are floats of
	//     their width, texts are strings; bytes, booleans and lists are
	//     themselves.
	//   - Decimals keep their digits and scale: Arrow's decimals where a column
	//     has one scale, value.DecimalText where each number has its own.
	//   - Times are timestamps or dates, exact. A time without a zone is UTC.
	//     An infinite time is value.Infinity or value.MinusInfinity.
	//   - A null is null, also within a list; NaN, an empty text and an empty
	//     list are not null. A column that holds only nulls is read, whatever
	//     its type.
	//   - A value whose type Arrow lacks is a string: the source's own text.
	//   - A source without types (CSV) parses its cells as Types say; a cell
	//     that would lose something in another type stays text.
	//
	// Event and created times are timestamp columns in UTC, in a unit that
	// loses nothing of the source's:
	//
	//   - A time without a zone is UTC, a date is its midnight in UTC, a text
	//     is the time that value.ParseTime reads.
	//   - A number is not a time: the error is Invalid and names the column,
	//     its type and the remedy.
	//   - A cell that is not a time, is infinite, or does not fit the column's
	//     unit is Invalid. The error names its column and row. Rows are
	//     numbered in reading order from 1, within each file where there are
	//     files; for a text file the error may give the line instead.
	//
	// Failure and end:
	//
	//   - A missing source or column, and a requested column that the source
	//     has twice, is NotFound or Invalid; the error names it.
	//   - A store that cannot be reached, or is lost during a read, is
	//     Unavailable. A source that cannot be read is Unavailable or Invalid;
	//     the error names it.
	//   - Any failure is an error of Range or of the reader, never fewer rows.
	//     A failed reader returns no more batches, and its Err stays the same.
	//   - A done context ends Range and Next within a second, even while they
	//     wait for the source: Canceled, or TimedOut for a deadline.
	//   - The caller releases the reader. After that, however far it was read,
	//     no goroutine, connection or file is held. A retained batch stays
	//     valid.
	//   - Readers do not disturb each other.
	//   - Memory is bounded by the batch, in rows and in bytes, not by the
	//     source; one row may be larger than that.
	Range(ctx context.Context, query Query) (array.RecordReader, error)
	// Columns lists the columns of a source in its own order.
	Columns(ctx context.Context, source *core.DataSource) ([]Column, error)
	// Span returns how many rows a query has, and their first and last event
	// time, for hints. It ignores the query's Columns. It fails as Range does,
	// but may leave out times that are infinite.
	Span(ctx context.Context, query Query) (Span, error)
	// Check connects to the store, or says in one line why it cannot.
	Check(ctx context.Context) error
}
