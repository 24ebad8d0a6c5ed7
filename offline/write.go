package offline

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Writer writes rows to data sources. It is safe for concurrent use. What Store
// promises of failures (faults of one line, outages, contexts that are done)
// holds for it as well.
//
//   - The Writer reads rows to their end and never releases them. An error of
//     the rows is returned as it is, and nothing is written. A context that is
//     done ends the Writer, but not a Next of the rows: these must end on their
//     own.
//   - All rows are written, or none. A reader sees none of them before all are
//     written, and a failure leaves nothing behind.
//   - A cell is written without a loss, or is Invalid, and the error names its
//     column and row. Rows are numbered from 1. Two conversions may round: that
//     of a float to a narrower float, and that of a decimal to a float. Times
//     without a zone are UTC on either side.
//   - Memory is bounded by the batch.
type Writer interface {
	// Append adds rows to an existing source and returns how many it added.
	//
	//   - The columns are matched by name; the rows have every column that the
	//     source has, and no other, in any order. A column that is missing, added
	//     or repeated is Invalid, and the error names it.
	//   - Rows that several callers append at once are all kept.
	//   - A source that only reads, such as a query, is Invalid.
	Append(ctx context.Context, source *core.DataSource, rows array.RecordReader) (int64, error)
	// Create makes a new source that holds the rows, and returns how many.
	//
	//   - Its columns have the names of the rows' columns, and types that hold
	//     their cells without a loss.
	//   - Unless replace is set, a source that exists already is a Conflict.
	//   - With replace, the old content is replaced at once when all rows are
	//     written, but only if Create made it: any other table or file is a
	//     Conflict and stays as it is.
	Create(ctx context.Context, source *core.DataSource, rows array.RecordReader, replace bool) (int64, error)
}

// Declarer is a Writer some of whose sources have no types of their own, such as CSV
// files.
type Declarer interface {
	// AppendAs is Append for columns with value types, by their names in the source. A
	// cell that Range would not read as the type of its column is Invalid, and the error
	// names column and row.
	AppendAs(ctx context.Context, source *core.DataSource, rows array.RecordReader, kinds map[string]types.ValueType_Enum) (int64, error)
}
