package offlinetest

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/offline"
)

var _ offline.Slicer = (*Memory)(nil)

// Slices divides the rows of a table, of which no reader needs a minimum. What
// follows the rows comes in the last part.
func (m *Memory) Slices(ctx context.Context, q offline.Query, n int) ([]array.RecordReader, error) {
	table, err := m.table(q.Source)
	if err != nil {
		return nil, err
	}
	rows := int64(0)
	for batch := range table.Rows {
		rows += batch.NumRows()
	}
	n = max(1, min(n, int(rows)))
	readers := make([]array.RecordReader, n)
	for i := range readers {
		part, from, to := table, rows*int64(i)/int64(n), rows*int64(i+1)/int64(n)
		part.Rows = partOf(table.Rows, from, to)
		if i < n-1 {
			part.Then = End
		}
		if readers[i], err = m.open(ctx, part, int(from), q); err != nil {
			releaseAll(readers[:i])
			return nil, err
		}
	}
	return readers, nil
}

// partOf are the rows of a table from one to before another.
func partOf(rows iter.Seq[arrow.RecordBatch], from, to int64) iter.Seq[arrow.RecordBatch] {
	return func(yield func(arrow.RecordBatch) bool) {
		at := int64(0)
		for batch := range rows {
			first, end := max(from-at, 0), min(to-at, batch.NumRows())
			at += batch.NumRows()
			if first < end && !yield(batch.NewSlice(first, end)) {
				return
			}
			if at >= to {
				return
			}
		}
	}
}
