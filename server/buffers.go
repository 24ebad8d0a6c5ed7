package server

import (
	"slices"
	"sync"
)

// buffers is a pool of buffers for responses. It keeps few large buffers: after large
// responses to slow callers, they would otherwise be most of the memory.
type buffers struct {
	small sync.Pool // of *[]byte
	large struct {
		mu   sync.Mutex
		free [][]byte
	}
}

const (
	// A buffer of more than largeBuffer bytes counts as large.
	largeBuffer = 1 << 20
	// The pool keeps up to maxFreeLarge large buffers of up to maxLargeBuffer bytes.
	maxFreeLarge, maxLargeBuffer = 4, 4 << 20
)

// get returns an empty buffer with capacity for n bytes.
func (p *buffers) get(n int) []byte {
	if n <= largeBuffer {
		b, ok := p.small.Get().(*[]byte)
		if !ok {
			b = new([]byte)
		}
		return slices.Grow((*b)[:0], n)
	}
	p.large.mu.Lock()
	defer p.large.mu.Unlock()
	if last := len(p.large.free) - 1; last >= 0 {
		b := p.large.free[last]
		p.large.free[last] = nil
		p.large.free = p.large.free[:last]
		return slices.Grow(b[:0], n)
	}
	return make([]byte, 0, n)
}

// put returns a buffer to the pool.
func (p *buffers) put(b []byte) {
	switch {
	case cap(b) == 0 || cap(b) > maxLargeBuffer:
	case cap(b) <= largeBuffer:
		p.small.Put(&b)
	default:
		p.large.mu.Lock()
		defer p.large.mu.Unlock()
		if len(p.large.free) < maxFreeLarge {
			p.large.free = append(p.large.free, b)
		}
	}
}
