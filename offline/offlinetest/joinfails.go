package offlinetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

func joinMissingSource(t testing.TB, b Backend) {
	v := viewOf("v", b.Write(t, Table{Name: "nowhere", Schema: record(t, ints("k"), ints("f"), ts(), times("made")).Schema(), Then: Missing}))
	good := past(t, b, "good", "1 10 05:00")
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), good, v))
	refused(t, err, absent, "nowhere")
	_, err = attemptJoin(t, b.Store(), of(asked(t), v))
	refused(t, err, absent, "nowhere")
}

func joinMissingColumn(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	for name, change := range map[string]func(*offline.JoinView){
		"elsewhere_1": func(v *offline.JoinView) { v.Features = []string{"elsewhere_1"} },
		"elsewhere_2": func(v *offline.JoinView) { v.Keys = keyed("elsewhere_2", int64Type) },
		"elsewhere_3": func(v *offline.JoinView) { v.Timestamp = "elsewhere_3" },
		"elsewhere_4": func(v *offline.JoinView) { v.Created = "elsewhere_4" },
	} {
		w := v
		change(&w)
		_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), v, w))
		refused(t, err, absent, w.Source.GetName(), name)
	}
	wantFeatures(t, b, of(asked(t, "1 06:00"), v), "10")
}

func joinTwiceInSource(t testing.TB, b Backend) {
	v := viewOf("v", writeNamed(t, b, "src", End, ints("k", "1"), ints("f", "10"), ints("f", "11"), times("ts", "05:00"), times("made", "05:00")))
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), v))
	refused(t, err, absent, "src", "f")
}

func joinNumberTimes(t testing.TB, b Backend) {
	v := viewOf("v", writeNamed(t, b, "src", End, ints("k", "1"), ints("f", "10"), ints("ts", "1704067200"), ints("made", "1704067200")))
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), v))
	refused(t, err, invalid, "ts")
}

func joinBadTimes(t testing.TB, b Backend) {
	v := viewOf("v", writeNamed(t, b, "src", End, ints("k", "1", "1"), ints("f", "10", "11"), strs("ts", "2024-01-01", "yesterday"), times("made", "05:00", "05:00")))
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), v))
	refused(t, err, invalid, "ts", "yesterday")
}

func joinUnreachable(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	s := b.Unreachable(t)
	_, err := attemptJoin(t, s, of(asked(t, "1 06:00"), v))
	refused(t, err, gone)
	_, err = gather(t, func() (array.RecordReader, error) {
		return joinerOf(t, s).Latest(t.Context(), latestOf(v), []int{0})
	})
	refused(t, err, gone)
	_, err = gather(t, func() (array.RecordReader, error) {
		return joinerOf(t, s).Moments(t.Context(), []offline.JoinView{v}, day(0), day(1))
	})
	refused(t, err, gone)
}

func joinFails(t testing.TB, b Backend) {
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), pastThen(t, b, "src", Damage, "1 10 05:00")))
	refused(t, err, unread, "src")
	_, err = attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), past(t, b, "good", "1 10 05:00"), pastThen(t, b, "src", Damage)))
	refused(t, err, unread, "src")
	_, err = attemptJoin(t, b.Store(), longJoin(t, b, Damage))
	refused(t, err, unread, "src")
}

func joinLost(t testing.TB, b Backend) {
	_, err := attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), pastThen(t, b, "src", Loss, "1 10 05:00")))
	refused(t, err, gone)
	wantFeatures(t, b, of(asked(t, "1 06:00"), past(t, b, "good", "1 10 05:00")), "10")
}

// breaking is a reader of entity rows that fails after its batches, and counts
// its holders.
type breaking struct {
	array.RecordReader
	err   error
	ended bool
	holds atomic.Int64
	least atomic.Int64
}

func (r *breaking) Next() bool {
	if r.ended || !r.RecordReader.Next() {
		r.ended = true
		return false
	}
	return true
}

func (r *breaking) Err() error {
	if r.ended {
		return r.err
	}
	return nil
}

func (r *breaking) Retain() { r.holds.Add(1) }

func (r *breaking) Release() {
	if n := r.holds.Add(-1); n < r.least.Load() {
		r.least.Store(n)
	}
}

func joinEntitiesFail(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	cause := fault.New(fault.TooLarge, "the caller sent too much")
	for _, rows := range [][]string{nil, {"1 06:00", "1 07:00"}} {
		_, err := attemptJoin(t, b.Store(), of(&breaking{RecordReader: asked(t, rows...), err: cause}, v))
		refused(t, err, 1<<fault.TooLarge, "the caller sent too much")
	}
	_, err := attemptJoin(t, b.Store(), of(&breaking{RecordReader: asked(t, "1 06:00"), err: errors.New("a secret")}, v))
	if err == nil || err.Error() == "a secret" {
		t.Errorf("the error %v is not a fault", err)
	}
	many := make([]arrow.RecordBatch, 40)
	for i := range many {
		many[i] = record(t, ints("k", "1"), times("at", "06:00"))
	}
	_, err = attemptJoin(t, b.Store(), of(&breaking{RecordReader: batches(t, many[0].Schema(), many...), err: cause}, v))
	refused(t, err, 1<<fault.TooLarge, "the caller sent too much")
	nothingHeld(t, b, "after a failure of the entity rows")
}

func joinEntitiesKept(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	rows := &breaking{RecordReader: asked(t, "1 06:00")}
	wantFeatures(t, b, of(rows, v), "10")
	if rows.holds.Load() != 0 || rows.least.Load() < 0 {
		t.Errorf("the entity rows are held %d times, and were held %d times", rows.holds.Load(), rows.least.Load())
	}
}

func joinFailedReader(t testing.TB, b Backend) {
	r, err := joinerOf(t, b.Store()).PointInTime(t.Context(), of(asked(t, "1 06:00"), pastThen(t, b, "src", Damage, "1 10 05:00")))
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

// attemptJoinIn joins with a context that is done, or will be before the end.
func attemptJoinIn(t testing.TB, ctx context.Context, limit time.Duration, b Backend, join offline.Join) (err error) { //nolint:revive // t first, as everywhere here
	t.Helper()
	within(t, limit, "a join whose context is done", func() {
		var r array.RecordReader
		if r, err = joinerOf(t, b.Store()).PointInTime(ctx, join); err != nil {
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

func joinDone(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused(t, attemptJoinIn(t, ctx, second, b, of(asked(t, "1 06:00"), v)), canceled)
	ctx, cancel = context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	refused(t, attemptJoinIn(t, ctx, second, b, of(asked(t, "1 06:00"), v)), timedOut)
	join := longJoin(t, b, End)
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	r := begun(t, ctx, b, join)
	defer r.Release()
	cancel()
	within(t, second, "a join whose context is done", func() {
		for r.Next() {
			continue
		}
	})
	refused(t, r.Err(), canceled)
	wantFeatures(t, b, of(asked(t, "1 06:00"), v), "10")
}

func joinDoneWaiting(t testing.TB, b Backend) {
	const wait = 200 * time.Millisecond
	for _, v := range []offline.JoinView{pastThen(t, b, "one", Stall), pastThen(t, b, "two", Stall, "1 10 05:00")} {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(wait, cancel)
		refused(t, attemptJoinIn(t, ctx, wait+second, b, of(asked(t, "1 06:00"), v)), canceled)
		timer.Stop()
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), wait)
		refused(t, attemptJoinIn(t, ctx, wait+second, b, of(asked(t, "1 06:00"), v)), timedOut)
		cancel()
		nothingHeld(t, b, "after a wait that was ended")
	}
}

func joinReleased(t testing.TB, b Backend) {
	v := past(t, b, "v", "1 10 05:00")
	join := longJoin(t, b, End)
	j := joinerOf(t, b.Store())
	r, err := j.PointInTime(t.Context(), of(asked(t, "1 06:00"), v))
	if err != nil {
		t.Fatalf("PointInTime: %v: %v", err, fault.Cause(err))
	}
	r.Release()
	nothingHeld(t, b, "after a join that was not read")
	begun(t, t.Context(), b, join).Release()
	nothingHeld(t, b, "after a join that was read halfway")
	join.Entities = longEntities(t)
	r = begun(t, t.Context(), b, join)
	for r.Next() {
		continue
	}
	nothingHeld(t, b, "at the end of a join")
	r.Release()
	nothingHeld(t, b, "after a join that was read to its end")
	for _, read := range []int{0, 1, 1 << 30} {
		halfway(t, b, read, func() (array.RecordReader, error) {
			return j.Moments(t.Context(), join.Views, time.Time{}, day(9))
		})
		halfway(t, b, read, func() (array.RecordReader, error) {
			return j.Latest(t.Context(), latestOf(join.Views[0]), []int{0})
		})
	}
}

// halfway reads some batches.
func halfway(t testing.TB, b Backend, n int, open func() (array.RecordReader, error)) {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Cause(err))
	}
	for i := 0; i < n && r.Next(); i++ {
		continue
	}
	r.Release()
	nothingHeld(t, b, "after a reader of which batches were read")
}

func joinReleasedFailed(t testing.TB, b Backend) {
	good, bad := past(t, b, "good", "1 10 05:00"), pastThen(t, b, "bad", Damage, "1 10 05:00")
	_, _ = attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), good, bad))
	nothingHeld(t, b, "after a failure")
	missing := good
	missing.Features = []string{"no such column"}
	_, _ = attemptJoin(t, b.Store(), of(asked(t, "1 06:00"), good, missing))
	nothingHeld(t, b, "after a refusal")
	_, _ = attemptJoin(t, b.Store(), of(entities(t, strs("k", "no integer"), times("at", "06:00")), good))
	nothingHeld(t, b, "after a bad key")
	join := longJoin(t, b, End)
	ctx, cancel := context.WithCancel(t.Context())
	r := begun(t, ctx, b, join)
	cancel()
	r.Release()
	nothingHeld(t, b, "after a context that was done")
}

func latestOf(v offline.JoinView) offline.Query {
	q := offline.Query{Source: v.Source, Timestamp: v.Timestamp, Created: v.Created}
	for _, k := range v.Keys {
		q.Columns, q.Types = append(q.Columns, k.Column), append(q.Types, k.Type)
	}
	q.Columns, q.Types = append(q.Columns, v.Features...), append(q.Types, v.Types...)
	return q
}
