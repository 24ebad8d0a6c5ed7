package server

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
)

// governor turns requests away when there are more than the processors can
// serve. What tells is how long goroutines that could run wait for a processor:
// it grows with the work at hand, whereas a store that answers slowly leaves it
// alone. Without it a server that is asked for more than it can give queues
// without end, and answers everybody late.
type governor struct {
	log      *slog.Logger
	waits    func() time.Duration // since the last call, of nine in ten
	inFlight atomic.Int64
	limit    atomic.Int64
	floor    int64
	// only the loop knows these
	high, calm int
}

const (
	// governorTick is how often the governor looks.
	governorTick = 20 * time.Millisecond
	// tooLong and shortEnough are the waits for a processor above which there is
	// too much work, and below which there may be more.
	tooLong, shortEnough = 10 * time.Millisecond, 4 * time.Millisecond
	// patience is for how many looks in a row waits must be too long before
	// anybody is turned away: a pause of the machine is no overload.
	patience = 8
	// recovered is after how many calm looks all limits are off.
	recovered = 100
	// perProcessor is how many requests are always let in.
	perProcessor = 32
)

func newGovernor(log *slog.Logger) *governor {
	g := &governor{log: log, waits: processorWaits(), floor: int64(perProcessor * runtime.GOMAXPROCS(0))}
	g.limit.Store(math.MaxInt64)
	return g
}

var errTooMuch = fault.New(fault.Overloaded, "the server has more requests than it can answer; try again shortly, or give it more processors")

// full tells whether a request would be turned away, before any work on it.
func (g *governor) full() bool { return g.inFlight.Load() >= g.limit.Load() }

// enter lets a request in or turns it away.
func (g *governor) enter() (leave func(), err error) {
	if g.inFlight.Add(1) > g.limit.Load() {
		g.inFlight.Add(-1)
		return nil, errTooMuch
	}
	return g.leave, nil
}

func (g *governor) leave() { g.inFlight.Add(-1) }

// run adjusts the limit until ctx is done.
func (g *governor) run(ctx context.Context) {
	t := time.NewTicker(governorTick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			g.look()
		}
	}
}

// look takes one look and adjusts the limit: down to seven eighths of what is
// under way when there is too much of it, up by a sixteenth when there is not.
func (g *governor) look() {
	limit, under := g.limit.Load(), g.inFlight.Load()
	if limit == math.MaxInt64 && under <= g.floor {
		g.high = 0
		_ = g.waits()
		return
	}
	switch wait := g.waits(); {
	case wait > tooLong:
		g.calm = 0
		if g.high++; g.high < patience {
			return
		}
		g.high = patience - 2 // the effect shows with the look after the next
		if limit == math.MaxInt64 {
			g.log.Warn("more requests than the processors can serve: some are turned away", slog.Int64("under_way", under))
		}
		g.limit.Store(max(g.floor, min(limit, under)*7/8))
	case wait < shortEnough:
		g.high = 0
		if limit == math.MaxInt64 {
			return
		}
		if g.calm++; g.calm >= recovered {
			g.calm = 0
			g.limit.Store(math.MaxInt64)
			g.log.Info("all requests are let in again")
			return
		}
		if under >= limit*3/4 {
			g.calm = 0
			g.limit.Store(limit + max(1, limit/16))
		}
	default:
		g.high, g.calm = 0, 0
	}
}

// gauge is the limit as a metric; +Inf is none.
func (g *governor) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "banquet_requests_limit", Help: "Requests that may be under way before more are turned away for lack of processors; +Inf while all are let in.",
	}, func() float64 {
		if v := g.limit.Load(); v != math.MaxInt64 {
			return float64(v)
		}
		return math.Inf(1)
	})
}

// processorWaits gives how long nine in ten of the goroutines that became ready
// since the last call waited for a processor at most.
func processorWaits() func() time.Duration {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	var last []uint64
	return func() time.Duration {
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
			return 0
		}
		h := sample[0].Value.Float64Histogram()
		if last == nil {
			last = make([]uint64, len(h.Counts))
		}
		total := uint64(0)
		for i, n := range h.Counts {
			total += n - last[i]
		}
		var seen uint64
		wait := 0.0
		for i, n := range h.Counts {
			seen += n - last[i]
			if total > 0 && seen*10 >= total*9 {
				wait = h.Buckets[i] // the lower bound
				break
			}
		}
		copy(last, h.Counts)
		if math.IsInf(wait, -1) {
			return 0
		}
		return time.Duration(wait * float64(time.Second))
	}
}
