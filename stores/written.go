package stores

import (
	"context"
	"slices"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// Written is the outcome of a Write, by the records' indexes: a record that it
// does not list is stored. The zero value means that all were stored.
type Written struct {
	// Older are the records that a newer row kept out (mode Newer), ascending.
	Older []int
	// Failed are the records not known to be stored.
	Failed Unwritten
}

// Stored returns how many of n records are stored.
func (w *Written) Stored(n int) int { return n - len(w.Older) - len(w.Failed.Indexes) }

// Unwritten lists the records or keys that are not stored, by index, and why.
// Indexes ascend; Errs is aligned to them.
type Unwritten struct {
	Indexes []int
	Errs    []error
}

// Add adds one record that is not stored; Indexes stay in ascending order.
func (u *Unwritten) Add(index int, err error) {
	at, _ := slices.BinarySearch(u.Indexes, index)
	u.Indexes = slices.Insert(u.Indexes, at, index)
	u.Errs = slices.Insert(u.Errs, at, err)
}

// Every store holds, and Feast reads, only the times of Python's datetime, in
// seconds since 1970: from year 1 to before year 10000.
const firstSecond, endSecond = -62135596800, 253402300800

// CheckTimes returns an error for times outside of the years 1 to 9999 (UTC): a
// store would cut them, or Feast could no longer read the row.
func CheckTimes(r *Record) error {
	for _, c := range [...]struct {
		name string
		at   time.Time
	}{{"event time", r.Event}, {"created time", r.Created}} {
		if s := c.at.Unix(); s < firstSecond || s >= endSecond {
			return fault.New(fault.Invalid, "its %s lies in the year %d; an online store holds the years 1 to 9999", c.name, c.at.UTC().Year())
		}
	}
	return nil
}

type busyRetries struct{}

// WithoutBusyRetries marks writes whose caller itself repeats what a busy store
// refuses, and adapts its pace to that: a bulk load. Decorators then return such
// failures at once, and do not spend on them what they keep for all callers.
func WithoutBusyRetries(ctx context.Context) context.Context {
	return context.WithValue(ctx, busyRetries{}, true)
}

// BusyRetriesLeft reports whether the caller itself repeats what a busy store
// refuses.
func BusyRetriesLeft(ctx context.Context) bool { return ctx.Value(busyRetries{}) != nil }
