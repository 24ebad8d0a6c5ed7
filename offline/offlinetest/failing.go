package offlinetest

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// kinds is a set of kinds of fault.
type kinds uint16

// The kinds of fault that sentences allow.
const (
	invalid  kinds = 1 << fault.Invalid
	absent   kinds = 1<<fault.NotFound | invalid
	gone     kinds = 1 << fault.Unavailable
	unread   kinds = gone | invalid
	canceled kinds = 1 << fault.Canceled
	timedOut kinds = 1 << fault.TimedOut
)

func missingSource(t testing.TB, b Backend) {
	src := b.Write(t, Table{Name: "nowhere", Schema: record(t, key(), ts()).Schema(), Then: Missing})
	_, err := attempt(t, t.Context(), b.Store(), query(src, "k"))
	refused(t, err, absent, "nowhere")
	_, err = b.Store().Span(t.Context(), query(src))
	refused(t, err, absent, "nowhere")
	_, err = b.Store().Columns(t.Context(), src)
	refused(t, err, absent, "nowhere")
}

func missingColumn(t testing.TB, b Backend) {
	src := write(t, b, key("x"), ts(days(1)...))
	for name, q := range map[string]offline.Query{
		"elsewhere_1": {Source: src, Columns: []string{"k", "elsewhere_1"}, Timestamp: "ts"},
		"elsewhere_2": {Source: src, Columns: []string{"k"}, Timestamp: "elsewhere_2"},
		"elsewhere_3": {Source: src, Columns: []string{"k"}, Timestamp: "ts", Created: "elsewhere_3"},
	} {
		_, err := attempt(t, t.Context(), b.Store(), q)
		refused(t, err, absent, "src", name)
	}
	_, err := b.Store().Span(t.Context(), offline.Query{Source: src, Timestamp: "elsewhere"})
	refused(t, err, absent, "src", "elsewhere")
}

func twiceInSource(t testing.TB, b Backend) {
	src := write(t, b, key("x"), ts(days(1)...), column{"twin", str, []string{"one"}}, column{"twin", str, []string{"two"}})
	_, err := attempt(t, t.Context(), b.Store(), query(src, "k", "twin"))
	refused(t, err, absent, "src", "twin")
	rows, err := attempt(t, t.Context(), b.Store(), query(src, "k"))
	if err != nil { // a source may be refused as a whole
		refused(t, err, absent, "src", "twin")
		return
	}
	want(t, rows, "text x | time 2024-01-01T00:00:00Z")
}

func unreachable(t testing.TB, b Backend) {
	src := write(t, b, key("x"), ts(days(1)...))
	s := b.Unreachable(t)
	_, err := attempt(t, t.Context(), s, query(src, "k"))
	refused(t, err, gone)
	_, err = s.Span(t.Context(), query(src))
	refused(t, err, gone)
	_, err = s.Columns(t.Context(), src)
	refused(t, err, gone)
}

func check(t testing.TB, b Backend) {
	if err := b.Store().Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	refused(t, b.Unreachable(t).Check(t.Context()), gone)
}

// short is a source of three rows that are followed by some trouble.
func short(t testing.TB, b Backend, then Trouble) *core.DataSource {
	t.Helper()
	return writeThen(t, b, then, key("a", "b", "c"), ts(days(3)...))
}

func failsAtOnce(t testing.TB, b Backend) {
	src := writeThen(t, b, Damage, key(), ts())
	rows, err := attempt(t, t.Context(), b.Store(), query(src, "k"))
	refused(t, err, unread, "src")
	want(t, rows)
	_, err = b.Store().Span(t.Context(), query(src))
	refused(t, err, unread, "src")
}

func failsLate(t testing.TB, b Backend) {
	_, err := attempt(t, t.Context(), b.Store(), query(short(t, b, Damage), "k"))
	refused(t, err, unread, "src")
	_, err = attempt(t, t.Context(), b.Store(), query(long(t, b, Damage), "k"))
	refused(t, err, unread, "src")
}

func lost(t testing.TB, b Backend) {
	_, err := attempt(t, t.Context(), b.Store(), query(short(t, b, Loss), "k"))
	refused(t, err, gone)
	_, err = attempt(t, t.Context(), b.Store(), query(long(t, b, Loss), "k"))
	refused(t, err, gone)
	want(t, read(t, b.Store(), query(write(t, b, key("x"), ts(days(1)...)), "k")), "text x | time 2024-01-01T00:00:00Z")
}

func failedReader(t testing.TB, b Backend) {
	r, err := b.Store().Range(t.Context(), query(short(t, b, Damage), "k"))
	if err != nil {
		return // there is no reader
	}
	defer r.Release()
	for r.Next() {
		continue
	}
	first := r.Err()
	for range 3 {
		if r.Next() {
			t.Error("a failed reader has another batch")
		}
	}
	if first == nil || r.Err() == nil || r.Err().Error() != first.Error() {
		t.Errorf("the error was %v and is now %v", first, r.Err())
	}
}

// attemptIn reads with a context that is done, or will be before the end.
func attemptIn(t testing.TB, ctx context.Context, limit time.Duration, s offline.Store, q offline.Query) (err error) { //nolint:revive // t first, as everywhere here
	t.Helper()
	within(t, limit, "a read whose context is done", func() {
		var r array.RecordReader
		if r, err = s.Range(ctx, q); err != nil {
			return
		}
		defer r.Release()
		for r.Next() {
			continue
		}
		err = r.Err()
	})
	return err
}

func doneBefore(t testing.TB, b Backend) {
	src := short(t, b, End)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused(t, attemptIn(t, ctx, second, b.Store(), query(src, "k")), canceled)
	_, err := b.Store().Span(ctx, query(src))
	refused(t, err, canceled)
	want(t, read(t, b.Store(), query(src, "k")), show(record(t, key("a", "b", "c"), ts(days(3)...)))...)
	ctx, cancel = context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	refused(t, attemptIn(t, ctx, second, b.Store(), query(src, "k")), timedOut)
}

func doneAmidst(t testing.TB, b Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := started(t, ctx, b.Store(), query(long(t, b, End), "k"))
	defer r.Release()
	cancel()
	within(t, second, "a read whose context is done", func() {
		for r.Next() {
			continue
		}
	})
	refused(t, r.Err(), canceled)
}

// doneEarly has a context that ends after Range and before Next.
func doneEarly(t testing.TB, b Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := b.Store().Range(ctx, query(long(t, b, End), "k"))
	if err != nil {
		t.Fatalf("Range: %v: %v", err, fault.Cause(err))
	}
	defer r.Release()
	cancel()
	within(t, second, "a read whose context is done", func() {
		for r.Next() {
			continue
		}
	})
	refused(t, r.Err(), canceled)
}

// started is a reader whose first batch was read.
func started(t testing.TB, ctx context.Context, s offline.Store, q offline.Query) array.RecordReader { //nolint:revive // t first, as everywhere here
	t.Helper()
	r, err := s.Range(ctx, q)
	if err != nil {
		t.Fatalf("Range: %v: %v", err, fault.Cause(err))
	}
	if !r.Next() {
		defer r.Release()
		t.Fatalf("no batch: %v: %v", r.Err(), fault.Cause(r.Err()))
	}
	return r
}

// doneWaiting makes the source hang before its first row and after its third.
func doneWaiting(t testing.TB, b Backend) {
	const wait = 200 * time.Millisecond
	for _, src := range []*core.DataSource{writeThen(t, b, Stall, key(), ts()), short(t, b, Stall)} {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(wait, cancel)
		refused(t, attemptIn(t, ctx, wait+second, b.Store(), query(src, "k")), canceled)
		timer.Stop()
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), wait)
		refused(t, attemptIn(t, ctx, wait+second, b.Store(), query(src, "k")), timedOut)
		cancel()
		nothingHeld(t, b, "after a wait that was ended")
	}
}

// second is the second that a store is given, with a margin for a busy machine.
const second = 2 * time.Second

// nothingHeld gives the store a second to release everything.
func nothingHeld(t testing.TB, b Backend, when string) {
	t.Helper()
	deadline := time.NewTimer(second)
	defer deadline.Stop()
	for {
		n := b.Held(t)
		if n == 0 {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline.C:
			t.Fatalf("%s the store holds %d connections or files", when, n)
		}
	}
}

func released(t testing.TB, b Backend) {
	q := query(long(t, b, End), "k")
	if _, err := b.Store().Span(t.Context(), q); err != nil {
		t.Errorf("Span: %v", err)
	}
	if _, err := b.Store().Columns(t.Context(), q.Source); err != nil {
		t.Errorf("Columns: %v", err)
	}
	nothingHeld(t, b, "after Span and Columns")
	r, err := b.Store().Range(t.Context(), q)
	if err != nil {
		t.Fatalf("Range: %v: %v", err, fault.Cause(err))
	}
	r.Release()
	nothingHeld(t, b, "after a reader that was not read")
	started(t, t.Context(), b.Store(), q).Release()
	nothingHeld(t, b, "after a reader that was read halfway")
	r = started(t, t.Context(), b.Store(), q)
	for r.Next() {
		continue
	}
	nothingHeld(t, b, "at the end of a reader")
	r.Release()
	nothingHeld(t, b, "after a reader that was read to its end")
}

func releasedFailed(t testing.TB, b Backend) {
	failing := short(t, b, Damage)
	_, _ = attempt(t, t.Context(), b.Store(), query(failing, "k"))
	nothingHeld(t, b, "after a failure")
	_, _ = attempt(t, t.Context(), b.Store(), query(failing, "k", "no such column"))
	nothingHeld(t, b, "after a refusal")
	q := query(failing, "k")
	q.Timestamp = "k"
	_, _ = attempt(t, t.Context(), b.Store(), q)
	nothingHeld(t, b, "after a bad time")
	ctx, cancel := context.WithCancel(t.Context())
	r := started(t, ctx, b.Store(), query(long(t, b, End), "k"))
	cancel()
	for r.Next() {
		continue
	}
	r.Release()
	nothingHeld(t, b, "after a context that was done in the middle")
	ctx, cancel = context.WithCancel(t.Context())
	r = started(t, ctx, b.Store(), query(long(t, b, End), "k"))
	cancel()
	r.Release()
	nothingHeld(t, b, "after a context that was done and a reader that was not read on")
}
