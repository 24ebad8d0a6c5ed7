package stores

import (
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
)

// Budget bounds the bytes of a store's answers: those to one read, and those to
// all reads that are under way or whose rows are not released yet. It is safe for
// concurrent use.
type Budget struct {
	one, all int64
	used     atomic.Int64
}

// NewBudget makes a budget; a bound of 0 is none.
func NewBudget(one, all int64) *Budget { return &Budget{one: one, all: all} }

// Used is how many bytes are counted at the moment.
func (b *Budget) Used() int64 { return b.used.Load() }

// Meter counts the bytes of the answers to one read. A driver counts before it
// allocates memory for them, or as they come. The nil Meter counts nothing. It is safe
// for concurrent use.
type Meter struct {
	budget  *Budget
	counted atomic.Int64
	refusal atomic.Pointer[fault.Error]
}

// Count counts n bytes more. An error says that they are too many: the driver then
// gives up the read.
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
		f = fault.New(fault.TooLarge, "the online store's answer to this request has more than %d bytes (banquet.limits.store_bytes); ask for fewer rows or features at a time", b.one)
	case b.all > 0 && all > b.all && all > one: // a read that is alone may have all
		f = fault.New(fault.Overloaded, "the online store's answers to the requests under way have more than %d bytes (banquet.limits.store_bytes_total); try again shortly", b.all)
	default:
		return nil
	}
	m.refusal.CompareAndSwap(nil, f)
	return m.refusal.Load()
}

// Refusal is why bytes were refused; nil if none were.
func (m *Meter) Refusal() error {
	if m == nil {
		return nil
	}
	if f := m.refusal.Load(); f != nil {
		return f
	}
	return nil
}

// end gives the bytes back, and the meter to the next read.
func (m *Meter) end() {
	if m == nil {
		return
	}
	m.budget.used.Add(-m.counted.Swap(0))
	m.budget = nil
	m.refusal.Store(nil)
	meters.Put(m)
}
