//go:build !race

package server

import "testing"

// The race detector makes pools drop items on purpose, so that allocations tell
// nothing.
//
// Allocations are per request, not per value: the limit of a stage does not grow with
// the rows. The limits are today's numbers and a little more; a change that needs
// more raises them here.
func TestStagesAllocateNoMoreThanBefore(t *testing.T) {
	limits := map[string]float64{"decode gRPC": 14, "decode HTTP": 8, "serve": 9, "encode gRPC": 0, "encode HTTP": 0}
	for _, s := range sizes {
		for name, run := range stages(t, newSubject(t, s, s.views)) {
			run() // grows what is kept
			limit := limits[name]
			if name == "serve" && s.rows*s.views*s.features >= 10_000 {
				limit += 7 // the deadline of a large request's wait
			}
			if got := testing.AllocsPerRun(50, run); got > limit {
				t.Errorf("%v: %s allocates %.0f times, the limit is %.0f", s, name, got, limit)
			} else {
				t.Logf("%v: %s allocates %.0f times", s, name, got)
			}
		}
	}
}

// A function costs allocations per request, too.
func TestFunctionsAllocateNothingPerRow(t *testing.T) {
	for _, rows := range []int{1, 100, 1000} {
		x := newDebtSubject(t, rows, "total_debt_calc:total_debt_due", "total_debt_calc:loan_to_income")
		run := func() { x.serve(t) }
		run()
		if got := testing.AllocsPerRun(50, run); got > 40 {
			t.Errorf("%d rows: GetOnlineFeatures allocates %.0f times, the limit is 40", rows, got)
		}
	}
}
