package server

import (
	"context"
	"log/slog"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
)

// governor refuses requests when there are more than the processors can serve. It
// measures how long a byte that has arrived waits to be read: this time grows with
// the load of the processors, and a slow store does not change it. Without a
// governor, an overloaded server would queue more and more requests and be late for
// all of them.
type governor struct {
	log      *slog.Logger
	meanWait func() time.Duration // mean since the last call
	inFlight atomic.Int64
	refused  atomic.Int64
	delayed  atomic.Int64
	limit    atomic.Int64
	floor    int64
	// only the loop uses these
	samples, sum int64 // of the requests in flight, since the last decision
	high, calm   int
}

const (
	// sampleInterval is how often the governor samples the requests in flight, and
	// idleInterval how often it does while there are few. It decides after
	// samplesPerDecision samples.
	sampleInterval     = 10 * time.Millisecond
	samplesPerDecision = 10
	idleInterval       = 50 * time.Millisecond
	// Above highWait there is too much work, below lowWait there may be more. A
	// request waits several times.
	highWait, lowWait = 8 * time.Millisecond, 4 * time.Millisecond
	// refusalDelay is how long a refusal is delayed, maxDelayed of how many requests
	// at a time.
	refusalDelay, maxDelayed = 50 * time.Millisecond, 1024
	// decisionsToLimit is how many decisions in a row must find a high wait before
	// requests are refused: a pause of the machine is not an overload.
	decisionsToLimit = 3
	// decisionsToLift is the number of calm decisions in a row after which the limit is lifted.
	decisionsToLift = 20
	// The limit is never below floorPerProcessor requests for each processor, nor
	// below minFloor: a caller with a few dozen connections is not an overload.
	floorPerProcessor, minFloor = 32, 64
)

func newGovernor(log *slog.Logger) *governor {
	g := &governor{log: log, floor: max(minFloor, int64(floorPerProcessor*runtime.GOMAXPROCS(0)))}
	g.limit.Store(math.MaxInt64)
	return g
}

var errOverloaded = fault.New(fault.Overloaded, "the server has more requests than its processors can serve; try again shortly, or give it more processors")

// atLimit reports whether a request would be refused, before any work is done for it.
func (g *governor) atLimit() bool { return g.inFlight.Load() >= g.limit.Load() }

// acquire admits a request or refuses it.
func (g *governor) acquire(ctx context.Context) error {
	if g.inFlight.Add(1) > g.limit.Load() {
		g.inFlight.Add(-1)
		return g.refuse(ctx)
	}
	return nil
}

// refuse refuses a request after a short delay: callers who retry without a pause
// would otherwise keep the processors busy with refusals.
func (g *governor) refuse(ctx context.Context) error {
	g.refused.Add(1)
	defer g.delayed.Add(-1)
	if g.delayed.Add(1) <= maxDelayed {
		t := time.NewTimer(refusalDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return errOverloaded
}

func (g *governor) release() { g.inFlight.Add(-1) }

// run adjusts the limit until ctx is done.
func (g *governor) run(ctx context.Context) {
	p, err := newProbe()
	if err != nil {
		g.log.WarnContext(ctx, "the governor cannot measure the load: requests are not refused when the processors are overloaded", slog.Any("cause", err))
		return
	}
	defer p.close()
	g.meanWait = p.mean
	t := time.NewTimer(idleInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			p.send()
			g.sample()
			if g.busy() {
				t.Reset(sampleInterval)
			} else {
				t.Reset(idleInterval)
			}
		}
	}
}

// busy reports whether there is a limit, or a limit may be needed.
func (g *governor) busy() bool {
	return g.inFlight.Load() > g.floor/2 || g.limit.Load() != math.MaxInt64
}

// sample counts the requests in flight, and decides after samplesPerDecision samples.
func (g *governor) sample() {
	g.sum += g.inFlight.Load()
	if g.samples++; g.samples == samplesPerDecision {
		g.decide(g.sum/g.samples, g.meanWait(), g.refused.Swap(0))
		g.samples, g.sum = 0, 0
	}
}

// decide adjusts the limit. Its inputs are the average number of requests in flight,
// how long a byte waited to be read, and how many requests were refused. The limit
// falls to three quarters of the requests in flight when the wait is high, and rises
// by an eighth when requests were refused although the wait was low.
func (g *governor) decide(under int64, wait time.Duration, refused int64) {
	limit := g.limit.Load()
	free := limit == math.MaxInt64
	switch {
	case wait > highWait && (!free || under > g.floor):
		g.calm = 0
		if g.high++; g.high < decisionsToLimit {
			return
		}
		g.high = decisionsToLimit - 1
		if free {
			g.log.Warn("more requests than the processors can serve: some are refused", slog.Int64("in_flight", under))
		}
		g.limit.Store(max(g.floor, min(limit, under)*3/4))
	case wait > lowWait || free:
		g.high, g.calm = 0, 0
	case refused > 0:
		g.high, g.calm = 0, 0
		g.limit.Store(limit + max(1, limit/8))
	default:
		g.high = 0
		if g.calm++; g.calm >= decisionsToLift {
			g.calm = 0
			g.limit.Store(math.MaxInt64)
			g.log.Info("no request is refused any more for lack of processors")
		}
	}
}

// gauge is the limit as a metric; +Inf means no limit.
func (g *governor) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "banquet_requests_limit", Help: "Requests that may be in flight before more are refused for lack of processors; +Inf while there is no limit.",
	}, func() float64 {
		if v := g.limit.Load(); v != math.MaxInt64 {
			return float64(v)
		}
		return math.Inf(1)
	})
}

// probe measures how long a byte that has arrived waits to be read, as the bytes of a
// request do: first in the kernel until the scheduler polls for it, then for a
// processor. The scheduler's own histogram has only the second part, which is the
// smaller one when the processors are busy.
type probe struct {
	r, w *os.File

	mu    sync.Mutex
	sent  time.Time // zero when no byte is on its way
	sum   time.Duration
	times int
}

func newProbe() (*probe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &probe{r: r, w: w}
	go p.receive()
	return p, nil
}

func (p *probe) close() {
	_ = p.w.Close()
	_ = p.r.Close()
}

// send sends a byte unless one is on its way.
func (p *probe) send() {
	p.mu.Lock()
	free := p.sent.IsZero()
	if free {
		p.sent = time.Now()
	}
	p.mu.Unlock()
	if !free {
		return
	}
	if _, err := p.w.Write([]byte{0}); err != nil { // no byte is on its way then
		p.mu.Lock()
		p.sent = time.Time{}
		p.mu.Unlock()
	}
}

func (p *probe) receive() {
	b := make([]byte, 1)
	for {
		if _, err := p.r.Read(b); err != nil {
			return
		}
		p.mu.Lock()
		p.sum += time.Since(p.sent)
		p.times++
		p.sent = time.Time{}
		p.mu.Unlock()
	}
}

// mean is how long the bytes since the last call waited. A byte that is still on its
// way counts with its time so far.
func (p *probe) mean() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum, times := p.sum, p.times
	if !p.sent.IsZero() {
		sum, times = sum+time.Since(p.sent), times+1
	}
	p.sum, p.times = 0, 0
	return sum / time.Duration(max(1, times))
}
