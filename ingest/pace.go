package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

const (
	// leastRows is how many rows are written at once when a store is busiest: as
	// many as DynamoDB takes in one call.
	leastRows = 25
	// firstRows is how many rows are written at once in the beginning.
	firstRows = 1000
	// firstPause and longestPause bound the wait of a write that a busy store has
	// refused completely.
	firstPause, longestPause = 20 * time.Millisecond, 2 * time.Second
	// patience is how long a store may refuse everything before the run ends.
	patience = 5 * time.Minute
)

// pace bounds the rows that are being written at once. It grows while the store
// accepts rows, and shrinks by the share that the store refuses because it is
// busy. It is safe for concurrent use.
type pace struct {
	mu       sync.Mutex
	most     float64 // the upper bound of limit
	limit    float64
	rising   bool // no row was refused yet: the limit doubles in each round
	used     int
	waiting  []chan struct{}
	accepted time.Time // when a row was last accepted
}

// newPace bounds the rows to several batches. It begins with one batch, or with
// firstRows where batches are smaller.
func newPace(batch int) *pace {
	most := max(writers*batch, leastRows)
	return &pace{limit: float64(min(most, max(batch, firstRows))), most: float64(most), rising: true, accepted: time.Now()}
}

// take waits until rows may be written, and returns how many: at most want.
func (p *pace) take(ctx context.Context, want int) (int, error) {
	for {
		n, wait := p.try(want)
		if n > 0 {
			return n, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return 0, fault.Of(ctx.Err())
		}
	}
}

func (p *pace) try(want int) (int, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := int(p.limit) - p.used
	// A part of a batch is written only where the whole never fits, or else small
	// writes would follow each other.
	if n := min(want, int(p.limit)); n <= free {
		p.used += n
		return n, nil
	}
	wait := make(chan struct{})
	p.waiting = append(p.waiting, wait)
	return 0, wait
}

// done ends the writing of n rows, of which the store refused some because it is
// busy.
func (p *pace) done(n, busy int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used -= n
	share := float64(n) / p.limit // of a round, in which limit rows are written
	if busy > 0 {
		p.rising = false
		p.limit *= 1 - share*float64(busy)/float64(n)/2
	}
	if busy < n {
		p.accepted = time.Now()
		grow := float64(leastRows)
		if p.rising {
			grow = p.limit
		}
		p.limit += grow * share * float64(n-busy) / float64(n)
	}
	p.limit = min(max(p.limit, leastRows), p.most)
	for _, w := range p.waiting {
		close(w)
	}
	p.waiting = p.waiting[:0]
}

// idle is how long the store has accepted nothing.
func (p *pace) idle() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.accepted)
}
