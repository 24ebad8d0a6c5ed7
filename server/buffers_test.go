package server

import "testing"

// Buffers are reused, and the pool keeps only a few large ones.
func TestBuffers(t *testing.T) {
	var p buffers
	if b := p.get(100); len(b) != 0 || cap(b) < 100 {
		t.Errorf("%d of %d", len(b), cap(b))
	}
	p.put(nil)
	for range 2 * maxFreeLarge {
		p.put(make([]byte, 5, largeBuffer+1))
	}
	p.put(make([]byte, maxLargeBuffer+1))
	if n := len(p.large.free); n != maxFreeLarge {
		t.Errorf("%d large ones are kept, want %d", n, maxFreeLarge)
	}
	if b := p.get(largeBuffer + 100); len(b) != 0 || cap(b) < largeBuffer+100 || len(p.large.free) != maxFreeLarge-1 {
		t.Errorf("%d of %d, %d are left", len(b), cap(b), len(p.large.free))
	}
	for range maxFreeLarge {
		p.get(largeBuffer + 1)
	}
	if len(p.large.free) != 0 {
		t.Errorf("%d are left", len(p.large.free))
	}
}
