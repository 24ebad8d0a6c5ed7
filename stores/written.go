package stores

import (
	"slices"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// Written tells what became of the records of a Write, by their indexes: what it
// does not name is stored. The zero value is that of a Write that stored all.
type Written struct {
	// Older are the records that a newer row kept out, in mode Newer; ascending.
	Older []int
	// Failed are the records that are not known to be stored.
	Failed Unwritten
}

// Stored counts the stored ones of n records.
func (w *Written) Stored(n int) int { return n - len(w.Older) - len(w.Failed.Indexes) }

// Unwritten lists the records or keys, by their index, that are not stored,
// and why. Indexes ascend; Errs is aligned to them.
type Unwritten struct {
	Indexes []int
	Errs    []error
}

// Add notes one record that is not stored; Indexes stay in ascending order.
func (u *Unwritten) Add(index int, err error) {
	at, _ := slices.BinarySearch(u.Indexes, index)
	u.Indexes = slices.Insert(u.Indexes, at, index)
	u.Errs = slices.Insert(u.Errs, at, err)
}

// What every store holds and Feast reads are the times of Python's datetime, in
// seconds since 1970: from the year 1 to before the year 10000.
const firstSecond, endSecond = -62135596800, 253402300800

// CheckTimes says what is wrong with a record's times: outside of the years 1 to
// 9999 (UTC) a store would cut them, or Feast could no longer read the row.
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
