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

// governor turns requests away when there are more than the processors can
// serve. What tells is how long a byte that has arrived waits to be read: it
// grows with the work at hand, whereas a store that answers slowly leaves it
// alone. Without it a server that is asked for more than it can give queues
// without end, and answers everybody late.
type governor struct {
	log      *slog.Logger
	meanWait func() time.Duration // on average since the last call
	inFlight atomic.Int64
	refused  atomic.Int64
	delayed  atomic.Int64
	limit    atomic.Int64
	floor    int64
	// only the loop knows these
	samples, sum int64 // of the requests under way, since the last decision
	high, calm   int
}

const (
	// sampleInterval is how often the governor looks at what is under way;
	// governorLooks is after how many of them it decides. While little is under
	// way it looks less often.
	sampleInterval     = 10 * time.Millisecond
	samplesPerDecision = 10
	idleInterval       = 50 * time.Millisecond
	// highWait and shortEnough are the waits above which there is too much work,
	// and below which there may be more. A request waits several times.
	highWait, lowWait = 8 * time.Millisecond, 4 * time.Millisecond
	// refusalDelay is how long a refusal is held back, mostHeld of how many at once.
	refusalDelay, maxDelayed = 50 * time.Millisecond, 1024
	// decisionsToLimit is how often in a row waits must be too long before anybody is
	// turned away: a pause of the machine is no overload.
	decisionsToLimit = 3
	// decisionsToLift is after how many calm decisions all limits are off.
	decisionsToLift = 20
	// floorPerProcessor is how many requests are always let in, and never less than
	// always: a caller with a few dozen connections is not too much for anybody.
	floorPerProcessor, minFloor = 32, 64
)

func newGovernor(log *slog.Logger) *governor {
	g := &governor{log: log, floor: max(minFloor, int64(floorPerProcessor*runtime.GOMAXPROCS(0)))}
	g.limit.Store(math.MaxInt64)
	return g
}

var errOverloaded = fault.New(fault.Overloaded, "the server has more requests than it can answer; try again shortly, or give it more processors")

// atLimit tells whether a request would be turned away, before any work on it.
func (g *governor) atLimit() bool { return g.inFlight.Load() >= g.limit.Load() }

// acquire lets a request in or turns it away.
func (g *governor) acquire(ctx context.Context) error {
	if g.inFlight.Add(1) > g.limit.Load() {
		g.inFlight.Add(-1)
		return g.refuse(ctx)
	}
	return nil
}

// refuse turns a request away, a moment late: callers who ask again at once
// would otherwise take the processors for being refused.
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
		g.log.WarnContext(ctx, "requests are not limited by what the processors can serve", slog.Any("cause", err))
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

// busy says whether there is a limit, or may be need for one.
func (g *governor) busy() bool {
	return g.inFlight.Load() > g.floor/2 || g.limit.Load() != math.MaxInt64
}

// sample notes what is under way, and decides with every governorLooks-th.
func (g *governor) sample() {
	g.sum += g.inFlight.Load()
	if g.samples++; g.samples == samplesPerDecision {
		g.decide(g.sum/g.samples, g.meanWait(), g.refused.Swap(0))
		g.samples, g.sum = 0, 0
	}
}

// decide adjusts the limit by what was under way on average, how long a byte
// waited to be read, and how many requests were turned away: down to three
// quarters of what was under way when that is too much, up by an eighth when
// some were turned away without need.
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
			g.log.Warn("more requests than the processors can serve: some are turned away", slog.Int64("under_way", under))
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
			g.log.Info("all requests are let in again")
		}
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

// probe measures how long a byte that has arrived waits to be read, as that of a
// request does: in the kernel until the scheduler asks for what has arrived, and
// then for a processor. The scheduler's own histogram knows only the latter,
// which is the smaller part when the processors are busy.
type probe struct {
	r, w *os.File

	mu    sync.Mutex
	sent  time.Time // zero when nothing is under way
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

// send sends a byte unless one is under way.
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
	if _, err := p.w.Write([]byte{0}); err != nil { // none is under way then, and none is waited for
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

// mean is how long the bytes since the last call waited; one that is still
// under way counts with its time so far.
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
