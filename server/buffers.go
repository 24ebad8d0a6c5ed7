package server

import (
	"slices"
	"sync"
)

// buffers lends memory for answers. Of large ones it keeps a few: those that are
// on their way to slow callers would else be most of the memory.
type buffers struct {
	small sync.Pool // of *[]byte
	large struct {
		mu   sync.Mutex
		free [][]byte
	}
}

const (
	// largeBuffer is from what size on a buffer counts as large.
	largeBuffer = 1 << 20
	// maxFreeLarge is how many of them are kept, mostLarge of what size at most.
	maxFreeLarge, maxLargeBuffer = 4, 4 << 20
)

// get gives an empty buffer with room for n bytes.
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

// put takes a buffer back.
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
