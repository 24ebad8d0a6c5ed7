package server

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/banquet-fs/banquet/fault"
)

// governed is a governor whose mean wait is set by a test.
func governed(wait *time.Duration) *governor {
	g := newGovernor(slog.New(slog.DiscardHandler))
	g.meanWait, g.floor = func() time.Duration { return *wait }, 4
	return g
}

// decisions makes the governor decide n times.
func decisions(g *governor, times int) {
	for range times * samplesPerDecision {
		g.sample()
	}
}

func TestAPauseIsNoOverload(t *testing.T) {
	wait := 50 * time.Millisecond
	g := governed(&wait)
	g.inFlight.Store(1000)
	decisions(g, decisionsToLimit-1)
	wait = 0
	decisions(g, 1)
	wait = 50 * time.Millisecond
	decisions(g, decisionsToLimit-1)
	if g.limit.Load() != math.MaxInt64 {
		t.Errorf("the limit is %d", g.limit.Load())
	}
}

func TestOverloadIsTurnedAwayUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := 50 * time.Millisecond
		g := governed(&wait)
		g.inFlight.Store(100)
		decisions(g, decisionsToLimit)
		if got := g.limit.Load(); got != 75 {
			t.Errorf("the limit is %d, want three quarters of the requests in flight", got)
		}
		start := time.Now()
		if err := g.acquire(t.Context()); fault.KindOf(err) != fault.Overloaded || time.Since(start) != refusalDelay {
			t.Errorf("one more request: %v after %s", err, time.Since(start))
		}
		if g.inFlight.Load() != 100 || g.delayed.Load() != 0 {
			t.Error("a refused request still counts as in flight or delayed")
		}
		decisions(g, 100)
		if got := g.limit.Load(); got != g.floor {
			t.Errorf("the limit is %d, want no less than %d", got, g.floor)
		}
		g.inFlight.Store(0)
		err := g.acquire(t.Context())
		if err != nil {
			t.Fatalf("a request is refused while none is in flight: %v", err)
		}
		g.release()
		wait = time.Millisecond
		g.inFlight.Store(4)
		g.refused.Store(1)
		decisions(g, 1)
		if got := g.limit.Load(); got != 5 {
			t.Errorf("the limit is %d although more could be served", got)
		}
		g.inFlight.Store(0)
		decisions(g, decisionsToLift)
		if g.limit.Load() != math.MaxInt64 {
			t.Errorf("the limit stays at %d although the load is low", g.limit.Load())
		}
	})
}

// Refusals are delayed, but not for a caller who has gone, and only a bounded number
// at a time.
func TestRefusalsAreHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := time.Duration(0)
		g := governed(&wait)
		g.limit.Store(0)
		refused := func(ctx context.Context) time.Duration {
			start := time.Now()
			if err := g.acquire(ctx); fault.KindOf(err) != fault.Overloaded {
				t.Errorf("got %v", err)
			}
			return time.Since(start)
		}
		if d := refused(t.Context()); d != refusalDelay {
			t.Errorf("delayed by %s", d)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if d := refused(gone); d != 0 {
			t.Errorf("a caller who has gone is delayed by %s", d)
		}
		g.delayed.Store(maxDelayed)
		if d := refused(t.Context()); d != 0 {
			t.Errorf("one more than maxDelayed is delayed by %s", d)
		}
	})
}

// With a slow store many requests wait, but no processor is busy: there is no limit.
func TestASlowStoreIsNoOverload(t *testing.T) {
	wait := time.Microsecond
	g := governed(&wait)
	g.inFlight.Store(5000)
	decisions(g, 200)
	if g.limit.Load() != math.MaxInt64 {
		t.Errorf("the limit is %d", g.limit.Load())
	}
}

func TestProbeMeasuresTheWaitOfWhatArrives(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p, err := newProbe()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	busy := 32 * runtime.GOMAXPROCS(0)
	behind := func() time.Duration {
		done := make(chan struct{})
		for range busy {
			go func() {
				for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
				}
				done <- struct{}{}
			}()
		}
		p.send()
		for range busy {
			<-done
		}
		return p.mean()
	}
	// For a single byte it is chance when the scheduler polls.
	longest := time.Duration(0)
	for try := 0; try < 8 && longest < 5*time.Millisecond; try++ {
		longest = max(longest, behind())
	}
	if longest < 5*time.Millisecond {
		t.Errorf("behind %d busy goroutines a byte waits %s", busy, longest)
	}
	if got := p.mean(); got > time.Second {
		t.Errorf("earlier bytes count again: %s", got)
	}
}

func TestTheLogOfFailuresIsBounded(t *testing.T) {
	l := new(faultLog)
	now := time.Now()
	lines := 0
	for range 1000 {
		if _, ok := l.allow(now); ok {
			lines++
		}
	}
	skipped, ok := l.allow(now.Add(time.Second))
	if lines != maxLinesPerSecond || !ok || skipped != 1000-maxLinesPerSecond {
		t.Errorf("%d lines, then %d skipped", lines, skipped)
	}
}
