package server

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// governed is a governor whose waits a test decides.
func governed(wait *time.Duration) *governor {
	g := newGovernor(slog.New(slog.DiscardHandler))
	g.waits, g.floor = func() time.Duration { return *wait }, 4
	return g
}

func look(g *governor, times int) {
	for range times {
		g.look()
	}
}

func TestAPauseIsNoOverload(t *testing.T) {
	wait := 50 * time.Millisecond
	g := governed(&wait)
	g.inFlight.Store(1000)
	look(g, patience-1)
	wait = 0
	look(g, 1)
	wait = 50 * time.Millisecond
	look(g, patience-1)
	if g.limit.Load() != math.MaxInt64 {
		t.Errorf("the limit is %d", g.limit.Load())
	}
}

func TestOverloadIsTurnedAwayUntilItIsOver(t *testing.T) {
	wait := 50 * time.Millisecond
	g := governed(&wait)
	g.inFlight.Store(100)
	look(g, patience)
	if got := g.limit.Load(); got != 87 {
		t.Errorf("the limit is %d, want seven eighths of what is under way", got)
	}
	if _, err := g.enter(); fault.KindOf(err) != fault.Overloaded {
		t.Errorf("a request more is let in: %v", err)
	}
	if g.inFlight.Load() != 100 {
		t.Error("a request that was turned away counts as under way")
	}
	look(g, 500)
	if got := g.limit.Load(); got != g.floor {
		t.Errorf("the limit is %d, want no less than %d", got, g.floor)
	}
	g.inFlight.Store(0)
	leave, err := g.enter()
	if err != nil {
		t.Fatalf("a request is turned away while none is under way: %v", err)
	}
	leave()
	wait = time.Millisecond
	g.inFlight.Store(4)
	look(g, 1)
	if got := g.limit.Load(); got <= 4 {
		t.Errorf("the limit stays at %d although more could be served", got)
	}
	g.inFlight.Store(0)
	look(g, recovered)
	if g.limit.Load() != math.MaxInt64 {
		t.Errorf("the limit stays at %d when all is calm", g.limit.Load())
	}
}

// A store that is slow leaves many requests waiting, and no processor busy.
func TestASlowStoreIsNoOverload(t *testing.T) {
	wait := time.Microsecond
	g := governed(&wait)
	g.inFlight.Store(5000)
	look(g, 1000)
	if g.limit.Load() != math.MaxInt64 {
		t.Errorf("the limit is %d", g.limit.Load())
	}
}

func TestProcessorWaitsAreMeasured(t *testing.T) {
	waits := processorWaits()
	waits() // what was before does not count
	done := make(chan struct{})
	for range 64 {
		go func() {
			for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
			}
			done <- struct{}{}
		}()
	}
	for range 64 {
		<-done
	}
	if waits() < time.Millisecond {
		t.Error("sixty-four busy goroutines wait for no processor")
	}
}

func TestTheLogOfFailuresIsBounded(t *testing.T) {
	l := new(faultLog)
	now := time.Now()
	lines := 0
	for range 1000 {
		if _, ok := l.take(now); ok {
			lines++
		}
	}
	skipped, ok := l.take(now.Add(time.Second))
	if lines != linesPerSecond || !ok || skipped != 1000-linesPerSecond {
		t.Errorf("%d lines, then %d skipped", lines, skipped)
	}
}
