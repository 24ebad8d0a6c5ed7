package stores

import (
	"sync/atomic"
	"time"
)

// Row is the row of one key.
type Row struct {
	Found bool
	// Event is the row's event time, at the precision of the store.
	Event time.Time
	// Values is aligned to the read's selection: nil is an absent feature, an empty
	// value is a stored null. Values is nil when Found is false.
	Values [][]byte
	// Err says why this key could not be read; Found is then false and has no
	// meaning.
	Err error
}

// Stats is the cost of a Read; backends themselves keep no metrics.
type Stats struct {
	Calls    int   // calls to the store
	Retries  int   // calls that repeat an earlier call
	Received int64 // bytes received
	// Capacity is the read capacity consumed per table, if the store reports it.
	Capacity map[Table]float64
}

// Rows is the result of one Read. Values point into memory that Release returns
// to a pool: after Release neither the Rows nor anything reached through it may
// be used.
type Rows struct {
	// Reads holds the rows of each read, in order, aligned to its keys.
	Reads [][]Row
	Stats Stats

	free     func()
	held     *Rows
	meter    *Meter
	released atomic.Bool
}

// Add adds the cost of another read.
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

// Hold takes ownership of other rows whose memory these rows also point into:
// both are released together.
func (r *Rows) Hold(other *Rows) {
	for r.held != nil {
		r = r.held
	}
	r.held = other
}

// NewRows makes the rows of reads, all of them not Found. The caller releases
// them; Release then calls free, which may be nil, to reclaim the memory that
// values point into.
func NewRows(reads []Read, free func()) *Rows { return new(Slab).NewRows(reads, free) }

// Slab is reusable memory for rows: a backend keeps it with its other memory for
// a read, and makes the next rows in it once free was called for the previous
// rows.
type Slab struct {
	rows  []Row
	reads [][]Row
}

// NewRows is like the function NewRows, but uses the memory of the slab.
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

// Clear prepares the slab for the next rows and drops the pointers of the
// previous rows. free calls it.
func (s *Slab) Clear() {
	clear(s.rows)
	clear(s.reads)
}

// Release ends the use of the rows. A second Release is a bug that would corrupt
// other requests' responses, hence the panic.
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
