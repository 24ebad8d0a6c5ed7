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

// governed is a governor whose waits a test decides.
func governed(wait *time.Duration) *governor {
	g := newGovernor(slog.New(slog.DiscardHandler))
	g.meanWait, g.floor = func() time.Duration { return *wait }, 4
	return g
}

// decisions lets the governor decide so often.
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
			t.Errorf("the limit is %d, want three quarters of what is under way", got)
		}
		start := time.Now()
		if err := g.acquire(t.Context()); fault.KindOf(err) != fault.Overloaded || time.Since(start) != refusalDelay {
			t.Errorf("a request more got %v after %s", err, time.Since(start))
		}
		if g.inFlight.Load() != 100 || g.delayed.Load() != 0 {
			t.Error("a request that was turned away counts as under way or held back")
		}
		decisions(g, 100)
		if got := g.limit.Load(); got != g.floor {
			t.Errorf("the limit is %d, want no less than %d", got, g.floor)
		}
		g.inFlight.Store(0)
		err := g.acquire(t.Context())
		if err != nil {
			t.Fatalf("a request is turned away while none is under way: %v", err)
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
			t.Errorf("the limit stays at %d when all is calm", g.limit.Load())
		}
	})
}

// Refusals are held back for a moment, but not those of a caller who has gone,
// nor any number of them.
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
			t.Errorf("held back for %s", d)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if d := refused(gone); d != 0 {
			t.Errorf("a caller who has gone is held for %s", d)
		}
		g.delayed.Store(maxDelayed)
		if d := refused(t.Context()); d != 0 {
			t.Errorf("one more than may be held is held for %s", d)
		}
	})
}

// A store that is slow leaves many requests waiting, and no processor busy.
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
	// Who looks for what has arrived, and when, is chance for a single byte.
	longest := time.Duration(0)
	for try := 0; try < 8 && longest < 5*time.Millisecond; try++ {
		longest = max(longest, behind())
	}
	if longest < 5*time.Millisecond {
		t.Errorf("behind %d busy goroutines a byte waits %s", busy, longest)
	}
	if got := p.mean(); got > time.Second {
		t.Errorf("what was before counts again: %s", got)
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
