// Package asof joins the rows of any offline store point in time: it needs only
// the store's Range, reads each source once, and keeps its memory within a bound,
// whatever the sizes of sources and entity rows are.
//
// The entity rows are read first, so that the sources need not be read beyond
// their times. Then a source's rows stream past: each belongs to the first
// entity row of its key that is not before it, and only the newest of them is
// kept there. An entity row's answer is then the newest row of those that belong
// to it or to an earlier one of its key. This takes the time of one search in
// the times of a key for each row of a source, however the keys are distributed.
//
// What does not fit into memory is in temporary files: the cells of the rows that
// may be answers, in the order in which they came. They are sorted by the
// entity rows that need them. If there are more entity rows than fit, they are
// joined block by block, and the sources are read once from the store and then
// from a temporary file.
package asof

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/offline"
)

// Options configure a Joiner.
type Options struct {
	// Memory is about how many bytes one call keeps in memory; 0 is 64 MB. A batch
	// of the source and one of the result come on top, and each batch has at least
	// one row, however large it is. More than 4 GB is not used.
	Memory int64
	// Dir is the directory of temporary files; empty is the system's.
	Dir string
}

const (
	defaultMemory = 64 << 20
	mostMemory    = 4 << 30 // sizes and numbers of rows in memory have 32 bits
)

// A batch of a result ends with whichever of the two it reaches first.
const (
	batchRows  = 32 << 10
	batchBytes = 8 << 20
)

// Joiner joins the rows of a store. Cells that the store gives in dictionaries
// are plain in its answers.
type Joiner struct {
	store offline.Store
	opt   Options
}

var _ offline.Joiner = (*Joiner)(nil)

// New makes a Joiner over the sources of a store.
func New(store offline.Store, opt Options) *Joiner {
	if opt.Memory <= 0 {
		opt.Memory = defaultMemory
	}
	opt.Memory = min(opt.Memory, mostMemory)
	return &Joiner{store: store, opt: opt}
}

// PointInTime reads all entity rows and joins the first block of them before it
// returns.
func (j *Joiner) PointInTime(ctx context.Context, join offline.Join) (array.RecordReader, error) {
	r := &run{ctx: ctx, joiner: j, views: join.Views}
	err := r.begin(join.Entities)
	if err != nil {
		r.close()
		return nil, err
	}
	return offline.NewReader(r.schema, r.batches, r.close), nil
}
