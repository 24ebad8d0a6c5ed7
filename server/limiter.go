package server

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/banquet-fs/banquet/fault"
)

// maxQueueTime bounds how long a request waits for a slot or for memory, whatever
// deadline its caller has.
const maxQueueTime = 5 * time.Second

// limiter bounds how many requests run and how many wait for a slot. It refuses more
// without delay, so that the running requests keep their latency.
type limiter struct {
	slots chan struct{}
	queue chan struct{}
	// wait bounds the time in the queue. keys are the settings of the
	// two numbers, for errors.
	wait time.Duration
	keys string
}

func newLimiter(concurrency, queue int) *limiter {
	if concurrency <= 0 {
		return &limiter{}
	}
	return &limiter{
		slots: make(chan struct{}, concurrency), queue: make(chan struct{}, concurrency+max(queue, 0)),
		wait: maxQueueTime, keys: "banquet.limits.concurrency, queue",
	}
}

// newWriteLimiter makes the limiter of requests that write.
func newWriteLimiter(opt *Options) *limiter {
	l := newLimiter(opt.WriteConcurrency, opt.WriteQueue)
	l.keys = "banquet.limits.write_concurrency, write_queue"
	return l
}

// acquire waits for a slot, which release returns.
func (g *limiter) acquire(ctx context.Context) error {
	if g.slots == nil {
		return nil
	}
	select {
	case g.queue <- struct{}{}:
	default:
		return fault.New(fault.Overloaded, "too many requests are in flight; try again shortly (%s)", g.keys)
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(g.wait)
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-g.queue
		return fault.Of(ctx.Err())
	case <-t.C:
		<-g.queue
		return fault.New(fault.Overloaded, "no slot for the request became free within %v; try again shortly (%s)", g.wait, g.keys)
	}
}

func (g *limiter) release() {
	if g.slots != nil {
		<-g.slots
		<-g.queue
	}
}

// budget bounds the bytes of the large bodies in memory. The number of slots bounds
// small ones.
type budget struct {
	bytes *semaphore.Weighted
	size  int64
}

// A body of largeBody bytes or more counts as large.
const largeBody = 1 << 20

func newBudget(size int64) *budget {
	size = max(size, largeBody)
	return &budget{bytes: semaphore.NewWeighted(size), size: size}
}

// acquire reserves n bytes and returns how many release must return: none for a
// small body, all for a body larger than the budget, which is in memory alone.
func (b *budget) acquire(ctx context.Context, n int64) (acquired int64, err error) {
	if n < largeBody {
		return 0, nil
	}
	n = min(n, b.size)
	if b.bytes.TryAcquire(n) {
		return n, nil
	}
	wait, cancel := context.WithTimeout(ctx, maxQueueTime)
	defer cancel()
	if b.bytes.Acquire(wait, n) == nil {
		return n, nil
	}
	if ctx.Err() != nil {
		return 0, fault.Of(ctx.Err())
	}
	return 0, fault.New(fault.Overloaded, "too many large requests are in flight; try again shortly, or send smaller ones (banquet.limits.body_bytes)")
}

func (b *budget) release(n int64) {
	if n > 0 {
		b.bytes.Release(n)
	}
}
