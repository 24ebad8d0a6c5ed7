package offline

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Writer writes rows to data sources. It is safe for concurrent use.
type Writer interface {
	// Append adds rows to an existing source and returns how many it added.
	//
	//   - The columns are matched by name; the rows have every column that the
	//     source has, and no other, in any order.
	//   - A cell that the source's column cannot hold without a loss is Invalid,
	//     and the error names column and row.
	//   - All rows are added, or none. A reader sees none of them before all are
	//     added.
	//   - The Writer reads rows to their end and never releases them. An error of
	//     the rows is returned as it is, and nothing is added.
	Append(ctx context.Context, source *core.DataSource, rows array.RecordReader) (int64, error)
	// Create makes a new source that holds the rows, and returns how many. Unless
	// replace is set, a source that exists already is a Conflict; with it, the old
	// content is replaced at once when all rows are written, but only if Create
	// made it: any other table or file is a Conflict and stays as it is.
	Create(ctx context.Context, source *core.DataSource, rows array.RecordReader, replace bool) (int64, error)
}
