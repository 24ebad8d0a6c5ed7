package stores

import (
	"sync/atomic"
	"time"
)

// Row is what a table holds for one key.
type Row struct {
	Found bool
	// Event is the row's event time, to whatever precision the store keeps.
	Event time.Time
	// Values is aligned to the read's selection; nil is an absent feature, an
	// empty value a stored null. It is nil when the row is not Found.
	Values [][]byte
	// Err says why this key could not be read; Found is then false and means
	// nothing.
	Err error
}

// Stats tells what a Read cost, since backends know no metrics.
type Stats struct {
	Calls    int   // calls to the store
	Retries  int   // calls that repeated an earlier one
	Received int64 // bytes received
	// Capacity is the read capacity consumed per table, where a store says it.
	Capacity map[Table]float64
}

// Rows answers one Read. Values point into memory that Release gives back:
// after the last Release neither the Rows nor anything reached through it may
// be touched. A holder that keeps it beside the caller calls Retain first.
type Rows struct {
	// Reads holds the rows of each read, in order, aligned to its keys.
	Reads [][]Row
	Stats Stats

	free func()
	held []*Rows
	refs atomic.Int32
}

// Add counts the cost of another read to this one.
func (s *Stats) Add(o Stats) {
	s.Calls += o.Calls
	s.Retries += o.Retries
	s.Received += o.Received
	for t, n := range o.Capacity {
		if s.Capacity == nil {
			s.Capacity = map[Table]float64{}
		}
		s.Capacity[t] += n
	}
}

// Hold takes over rows whose memory these rows point into, too: they are
// released with them.
func (r *Rows) Hold(other *Rows) { r.held = append(r.held, other) }

// NewRows makes the answer of reads with every row present and not Found. The
// caller holds it; free, which may be nil, runs at the last Release and takes
// back the memory that values point into.
func NewRows(reads []Read, free func()) *Rows {
	n := 0
	for i := range reads {
		n += len(reads[i].Keys)
	}
	slab := make([]Row, n)
	rows := &Rows{Reads: make([][]Row, len(reads)), free: free}
	for i := range reads {
		k := len(reads[i].Keys)
		rows.Reads[i], slab = slab[:k:k], slab[k:]
	}
	rows.refs.Store(1)
	return rows
}

// Retain counts one more holder.
func (r *Rows) Retain() { r.refs.Add(1) }

// Release ends one holder's use. More Releases than holders is a bug that
// would corrupt other requests' answers, hence the panic.
func (r *Rows) Release() {
	switch n := r.refs.Add(-1); {
	case n == 0:
		if r.free != nil {
			r.free()
		}
		for _, h := range r.held {
			h.Release()
		}
	case n < 0:
		panic("stores: Rows released more often than held")
	}
}
