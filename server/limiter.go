package server

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/banquet-fs/banquet/fault"
)

// maxQueueTime bounds how long a request waits for its place or for room, whatever
// deadline its caller has.
const maxQueueTime = 5 * time.Second

// limiter lets so many requests in at once and so many wait; more are turned away
// at once, so that those who are in keep their latency.
type limiter struct {
	slots chan struct{}
	queue chan struct{}
}

func newLimiter(concurrency, queue int) *limiter {
	if concurrency <= 0 {
		return &limiter{}
	}
	return &limiter{slots: make(chan struct{}, concurrency), queue: make(chan struct{}, concurrency+max(queue, 0))}
}

// acquire takes a place; leave gives it back.
func (g *limiter) acquire(ctx context.Context) error {
	if g.slots == nil {
		return nil
	}
	select {
	case g.queue <- struct{}{}:
	default:
		return fault.New(fault.Overloaded, "too many requests are under way; try again shortly (banquet.limits.concurrency, queue)")
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(maxQueueTime)
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-g.queue
		return fault.Of(ctx.Err())
	case <-t.C:
		<-g.queue
		return fault.New(fault.Overloaded, "no place among the requests under way became free in %v; try again shortly (banquet.limits.concurrency)", maxQueueTime)
	}
}

func (g *limiter) release() {
	if g.slots != nil {
		<-g.slots
		<-g.queue
	}
}

// budget bounds the bytes of the large bodies that are in memory at once. Small
// ones are bounded by the places.
type budget struct {
	bytes *semaphore.Weighted
	size  int64
}

// largeBody is from how many bytes on a body counts as large.
const largeBody = 1 << 20

func newBudget(size int64) *budget {
	size = max(size, largeBody)
	return &budget{bytes: semaphore.NewWeighted(size), size: size}
}

// acquire takes room for n bytes and says how much give must give back. A body that is
// larger than all that may be in memory passes alone.
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
	return 0, fault.New(fault.Overloaded, "too many large requests are under way; try again shortly, or send smaller ones (banquet.limits.body_bytes)")
}

func (b *budget) release(n int64) {
	if n > 0 {
		b.bytes.Release(n)
	}
}
