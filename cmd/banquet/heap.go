package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// GOGC is 100, Go's default, below 10 MB of live heap and 60 above 14 MB; between them
// it does not change. With large responses, whose memory is pooled, collecting more
// often costs little.
const (
	smallHeap, largeHeap = 10 << 20, 14 << 20 // bytes
	smallGOGC, largeGOGC = 100, 60            // percent
)

// gogcFor returns GOGC for a live heap, given the current GOGC.
func gogcFor(live uint64, current int) int {
	switch {
	case live > largeHeap:
		return largeGOGC
	case live < smallHeap:
		return smallGOGC
	}
	return current
}

// paceCollector adjusts GOGC until ctx is done, unless the operator has set GOGC or
// GOMEMLIMIT.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	now := smallGOGC
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		metrics.Read(sample)
		if want := gogcFor(sample[0].Value.Uint64(), now); want != now {
			debug.SetGCPercent(want)
			now = want
		}
	}
}

// commandHeap is the heap at which the collector of a command that streams works harder:
// the batches and buffers in use are less.
const commandHeap = 130 << 20

// limitHeap limits the heap of such a command until the returned function is called,
// unless the operator has set GOGC or GOMEMLIMIT.
func limitHeap() (restore func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	old := debug.SetMemoryLimit(commandHeap)
	return func() { debug.SetMemoryLimit(old) }
}
