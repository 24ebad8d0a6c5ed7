package serving

import (
	"context"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// large is a response with so many cells that its request counts as large.
func large() *Response { return &Response{rows: largeRequest, plan: &plan{outputs: make([]output, 1)}} }

// A large request that must wait ends with the default deadline if its caller sets none.
func TestALargeRequestWaitsNoLongerThanTheDefaultDeadline(t *testing.T) {
	s := New(Options{Deadline: 20 * time.Millisecond})
	if err := s.large.Acquire(t.Context(), s.cells); err != nil {
		t.Fatal(err)
	}
	if _, err := s.admit(t.Context(), large()); fault.KindOf(err) != fault.TimedOut {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
}

func TestALargeRequestReleasesItsCells(t *testing.T) {
	s := New(Options{Deadline: time.Minute})
	all := &Response{rows: 1 << 30, plan: &plan{outputs: make([]output, 1)}} // more than the capacity: it runs alone
	ctx, err := s.admit(context.Background(), all)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := ctx.Deadline(); !ok {
		t.Error("the wait had a deadline, the request has none")
	}
	if s.large.TryAcquire(1) {
		t.Error("a request of all cells leaves some free")
	}
	all.releaseCells()
	if !s.large.TryAcquire(s.cells) {
		t.Error("the cells are not released")
	}
	if ctx.Err() == nil {
		t.Error("the context is not canceled with its request")
	}
}

// A bad value that is read often makes a warning from time to time, which counts all
// since the last one.
func TestWarningsOfInvalidValuesAreFew(t *testing.T) {
	w, now := new(warning), time.Unix(1000, 0)
	if n, due := w.add(now, 3); !due || n != 3 {
		t.Errorf("the first warning is due %v, of %d values", due, n)
	}
	for range 100 {
		if _, due := w.add(now.Add(warningInterval/2), 3); due {
			t.Fatal("another warning is due at once")
		}
	}
	if n, due := w.add(now.Add(warningInterval), 1); !due || n != 301 {
		t.Errorf("the next warning is due %v, of %d values", due, n)
	}
}
