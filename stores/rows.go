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
// after it neither the Rows nor anything reached through it may be touched.
type Rows struct {
	// Reads holds the rows of each read, in order, aligned to its keys.
	Reads [][]Row
	Stats Stats

	free     func()
	held     *Rows
	meter    *Meter
	released atomic.Bool
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
func (r *Rows) Hold(other *Rows) {
	for r.held != nil {
		r = r.held
	}
	r.held = other
}

// NewRows makes the answer of reads with every row present and not Found. The
// caller releases it; free, which may be nil, then takes back the memory that
// values point into.
func NewRows(reads []Read, free func()) *Rows { return new(Slab).NewRows(reads, free) }

// Slab is memory for rows that is used again: a backend keeps it with what
// else a read needs, and makes the next rows of it once free was called for
// the ones before.
type Slab struct {
	rows  []Row
	reads [][]Row
}

// NewRows makes rows as the function of that name does, out of the slab.
func (s *Slab) NewRows(reads []Read, free func()) *Rows {
	n := 0
	for i := range reads {
		n += len(reads[i].Keys)
	}
	if cap(s.rows) < n {
		s.rows = make([]Row, n)
	}
	s.rows = s.rows[:n]
	s.reads = s.reads[:0]
	slab := s.rows
	for i := range reads {
		k := len(reads[i].Keys)
		s.reads = append(s.reads, slab[:k:k])
		slab = slab[k:]
	}
	return &Rows{Reads: s.reads, free: free}
}

// Clear makes the slab fit for the next rows, and lets go of what the last
// ones pointed to. free calls it.
func (s *Slab) Clear() {
	clear(s.rows)
	clear(s.reads)
}

// Release ends the use of the rows. A second Release is a bug that would corrupt
// other requests' answers, hence the panic.
func (r *Rows) Release() {
	if r.released.Swap(true) {
		panic("stores: Rows released twice")
	}
	if r.free != nil {
		r.free()
	}
	if r.held != nil {
		r.held.Release()
	}
	r.meter.end()
}
