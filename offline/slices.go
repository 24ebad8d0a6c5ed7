package offline

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// Slicer reads a query by several readers at once. A Store may be one.
type Slicer interface {
	// Slices opens readers whose rows together are exactly those of Range, each
	// row once.
	//
	//   - There are one to n readers; a source that is small, or that cannot be
	//     divided, has one. An n below 1 is 1.
	//   - Each reader is one of Range, and all have one schema. A part may have no
	//     rows.
	//   - Where the source has an order, the rows of the readers, one reader after
	//     the other, are in that order.
	//   - All readers show the source as of one moment: a change that is made
	//     while they are opened or read is seen by all of them or by none.
	//   - Readers may be read in any order, or at the same time by a goroutine
	//     each. A reader that is released leaves the others alone.
	//   - A failure is an error of Slices, which then holds nothing, or of a
	//     reader. The caller who has an error from one reader releases the others.
	//     Rows may be numbered within a part, whose beginning the error then names.
	//   - Slices does not wait for what other readers hold: if it can have fewer
	//     connections than it wants, it has fewer readers.
	Slices(ctx context.Context, query Query, n int) ([]array.RecordReader, error)
}
