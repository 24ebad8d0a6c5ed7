package stores

import (
	"slices"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// Writing is the bookkeeping of one Write, the same for every backend: of the
// records of one key only one is sent to the store, and what becomes of it says
// what became of the others. It is safe for concurrent use within a round.
type Writing struct {
	records []Record
	mode    Mode
	unit    time.Duration

	waiting []int         // records for the next round
	sent    []int         // those of this round, one of each key
	same    map[int][]int // the others of a key, by the one that is sent

	mu      sync.Mutex
	older   map[int]bool
	errs    map[int]error
	refused map[int]bool // for what the records are
}

// NewWriting begins a Write to a store that keeps event times to a unit. Records
// that CheckTimes or check, which may be nil, refuses have failed already.
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

// Round gives the records to send next, one of each key: the one that is there
// when all are stored one after the other. It ends with none. A further round
// comes when a record was refused and there are others of its key.
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

// Older says that a record which was sent was kept out by a newer row.
func (w *Writing) Older(index int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.older[index] = true
}

// Refuse says why the store cannot hold a record: another one of its key may be
// good.
func (w *Writing) Refuse(err error, index int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs[index], w.refused[index] = err, true
}

// Fail says why records which were sent are not stored, nor any other of their
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

// settle says what became of the records that were not sent, and has those sent
// in the next round that still can be stored.
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

// Result is what Write returns, once no round is left. When nothing at all is
// stored, and not for what the records are or since the store is busy, it is an
// error.
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
