package stores

import (
	"slices"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// Writing tracks the records of one Write, the same way for every backend: only
// one record of each key is sent to the store, and its outcome decides the
// outcome of the others. It is safe for concurrent use within a round.
type Writing struct {
	records []Record
	mode    Mode
	unit    time.Duration

	waiting []int         // records for the next round
	sent    []int         // records of this round, one per key
	same    map[int][]int // the other records of a key, by the record that is sent

	mu      sync.Mutex
	older   map[int]bool
	errs    map[int]error
	refused map[int]bool // because of their own content
}

// NewWriting begins a Write to a store that keeps event times in the given unit.
// Records that CheckTimes or check (which may be nil) refuses have failed
// already.
func NewWriting(records []Record, mode Mode, unit time.Duration, check func(*Record) error) *Writing {
	w := &Writing{records: records, mode: mode, unit: unit, older: map[int]bool{}, errs: map[int]error{}, refused: map[int]bool{}}
	w.waiting = make([]int, 0, len(records))
	for i := range records {
		err := CheckTimes(&records[i])
		if err == nil && check != nil {
			err = check(&records[i])
		}
		if err != nil {
			w.Refuse(err, i)
			continue
		}
		w.waiting = append(w.waiting, i)
	}
	return w
}

// Round returns the records to send next, one per key: the record that would
// remain if all were stored one after the other. An empty round is the last. A
// further round follows when a record was refused and its key has other records.
func (w *Writing) Round() []int {
	w.settle()
	waiting := w.waiting
	w.waiting = nil
	w.sent, w.same = make([]int, 0, len(waiting)), map[int][]int{}
	at := make(map[string]int, len(waiting))
	for _, i := range waiting {
		key := string(w.records[i].Key)
		p, seen := at[key]
		if !seen {
			at[key] = len(w.sent)
			w.sent = append(w.sent, i)
			continue
		}
		old := w.sent[p]
		if w.mode == Newer && w.before(i, old) {
			w.same[old] = append(w.same[old], i)
			continue
		}
		w.sent[p] = i
		others := w.same[old]
		delete(w.same, old)
		w.same[i] = append(others, old)
	}
	return w.sent
}

// before compares event times as the store keeps them.
func (w *Writing) before(i, j int) bool {
	return w.records[i].Event.Truncate(w.unit).Before(w.records[j].Event.Truncate(w.unit))
}

// Older marks a sent record as older: a newer row kept it out.
func (w *Writing) Older(index int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.older[index] = true
}

// Refuse says why the store cannot hold a record; another record of its key may
// be valid.
func (w *Writing) Refuse(err error, index int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs[index], w.refused[index] = err, true
}

// Fail says why sent records are not stored; it applies to all records of their
// keys.
func (w *Writing) Fail(err error, indexes ...int) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range indexes {
		w.errs[i] = err
	}
}

// settle decides the outcome of the records that were not sent, and schedules
// those for the next round that can still be stored.
func (w *Writing) settle() {
	for _, i := range w.sent {
		others := w.same[i]
		if len(others) == 0 {
			continue
		}
		err := w.errs[i]
		if w.refused[i] {
			w.waiting = append(w.waiting, others...)
			continue
		}
		for _, j := range others {
			switch {
			case err != nil:
				w.errs[j] = err
			case w.mode == Newer && (w.older[i] || w.before(j, i)):
				w.older[j] = true
			}
		}
	}
	w.sent, w.same = nil, nil
	slices.Sort(w.waiting)
}

// Result is the result of Write, once no round is left. It is an error when
// nothing is stored, unless the records were refused for their content or the
// store is busy.
func (w *Writing) Result() (Written, error) {
	w.settle()
	var out Written
	whole := len(w.errs) > 0 && len(w.errs) == len(w.records) && len(w.refused) == 0
	for i := range w.records {
		if err := w.errs[i]; err != nil {
			out.Failed.Indexes, out.Failed.Errs = append(out.Failed.Indexes, i), append(out.Failed.Errs, err)
			whole = whole && fault.KindOf(err) != fault.Overloaded
		} else if w.older[i] {
			out.Older = append(out.Older, i)
		}
	}
	if whole {
		return Written{}, out.Failed.Errs[0]
	}
	return out, nil
}
