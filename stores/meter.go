package stores

import (
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
)

// Budget bounds the bytes of a store's responses: for one read, and for all reads
// that are under way or whose rows are not released yet. It is safe for
// concurrent use.
type Budget struct {
	one, all int64
	used     atomic.Int64
}

// NewBudget makes a budget; 0 means no bound.
func NewBudget(one, all int64) *Budget { return &Budget{one: one, all: all} }

// Used returns how many bytes are counted at the moment.
func (b *Budget) Used() int64 { return b.used.Load() }

// Meter counts the bytes of the responses to one read. A driver counts bytes before it
// allocates memory for them, or as they arrive. The nil Meter counts nothing. It is
// safe for concurrent use.
type Meter struct {
	budget  *Budget
	counted atomic.Int64
	refusal atomic.Pointer[fault.Error]
}

// Count adds n bytes. It returns an error when the budget is exceeded: the driver
// then stops the read.
func (m *Meter) Count(n int) error {
	if m == nil || m.budget == nil {
		return nil
	}
	b := m.budget
	one, all := m.counted.Add(int64(n)), b.used.Add(int64(n))
	if f := m.refusal.Load(); f != nil {
		return f
	}
	var f *fault.Error
	switch {
	case b.one > 0 && one > b.one:
		f = fault.New(fault.TooLarge, "the online store's response to this request has more than %d bytes (banquet.limits.store_bytes); ask for fewer rows or features at a time", b.one)
	case b.all > 0 && all > b.all && all > one: // a single read may use the whole budget
		f = fault.New(fault.Overloaded, "the online store's responses to the requests under way have more than %d bytes (banquet.limits.store_bytes_total); try again shortly", b.all)
	default:
		return nil
	}
	m.refusal.CompareAndSwap(nil, f)
	return m.refusal.Load()
}

// Refusal returns why bytes were refused; nil if none were.
func (m *Meter) Refusal() error {
	if m == nil {
		return nil
	}
	if f := m.refusal.Load(); f != nil {
		return f
	}
	return nil
}

// end returns the bytes to the budget and the meter to the pool.
func (m *Meter) end() {
	if m == nil {
		return
	}
	m.budget.used.Add(-m.counted.Swap(0))
	m.budget = nil
	m.refusal.Store(nil)
	meters.Put(m)
}
