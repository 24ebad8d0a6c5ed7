package ingest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/ingest"
)

// TestMeter follows two views that are materialized at the same time: rates are those
// of the phase, and rows of an earlier run do not count.
func TestMeter(t *testing.T) {
	now := time.Unix(1000, 0)
	m := &ingest.Meter{Now: func() time.Time { return now }}
	var calls []string
	o := m.Observer(ingest.Observer{
		Started:  func(w ingest.Window) { calls = append(calls, "started "+w.View) },
		Resumed:  func(w ingest.Window, _ int) { calls = append(calls, "resumed "+w.View) },
		Reading:  func(w ingest.Window, _ int64) { calls = append(calls, "reading "+w.View) },
		Written:  func(w ingest.Window, _, _ int) { calls = append(calls, "written "+w.View) },
		Finished: func(r ingest.Result) { calls = append(calls, "finished "+r.View) },
	})
	a, b := ingest.Window{View: "a"}, ingest.Window{View: "b"}
	pass := func(d time.Duration) { now = now.Add(d) }
	check := func(what string, want ...ingest.Progress) {
		t.Helper()
		if want == nil {
			want = []ingest.Progress{}
		}
		if diff := cmp.Diff(want, m.Running()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("before")
	o.Reading(a, 5) // of no view that has begun
	check("a view that has not begun")
	o.Started(a)
	check("begun", ingest.Progress{Window: a})
	pass(2 * time.Second)
	o.Reading(a, 100)
	o.Started(b)
	check("reading", ingest.Progress{Window: a, Rows: 100, Rate: 50}, ingest.Progress{Window: b})
	pass(8 * time.Second)
	o.Resumed(a, 40)
	o.Written(a, 40, 90)
	check("writing after an unfinished run", ingest.Progress{Window: a, Phase: ingest.Writing, Rows: 40, Total: 90, Resumed: 40}, ingest.Progress{Window: b})
	pass(time.Second)
	o.Written(a, 60, 90)
	o.Written(b, 1, 1)
	check("writing", ingest.Progress{Window: a, Phase: ingest.Writing, Rows: 60, Total: 90, Resumed: 40, Rate: 20, Left: 1500 * time.Millisecond},
		ingest.Progress{Window: b, Phase: ingest.Writing, Rows: 1, Total: 1})
	o.Finished(ingest.Result{Window: a})
	check("one is done", ingest.Progress{Window: b, Phase: ingest.Writing, Rows: 1, Total: 1})
	o.Finished(ingest.Result{Window: b})
	check("after")
	want := []string{"reading a", "started a", "reading a", "started b", "resumed a", "written a", "written a", "written b", "finished a", "finished b"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestMeterWithoutAnObserver needs no functions to call.
func TestMeterWithoutAnObserver(t *testing.T) {
	var m ingest.Meter
	o := m.Observer(ingest.Observer{})
	w := ingest.Window{View: "a"}
	o.Started(w)
	o.Resumed(w, 1)
	o.Reading(w, 1)
	o.Written(w, 1, 2)
	if got := m.Running(); len(got) != 1 || got[0].Phase.String() != "writing" || ingest.Reading.String() != "reading" {
		t.Errorf("%+v", got)
	}
	o.Finished(ingest.Result{Window: w})
}
