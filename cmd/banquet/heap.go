package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Garbage may take as much memory as what is in use, as is Go's custom, while
// that is little. Of more it may be a part only: the memory of large answers is
// used again, so that collecting more often costs a server of them little.
const (
	littleHeap, largeHeap = 10 << 20, 14 << 20 // between them it stays as it was
	allGarbage, partly    = 100, 60            // percent
)

// garbage says how much there may be, in percent of the bytes in use, and how
// much there might be so far.
func garbage(used uint64, sofar int) int {
	switch {
	case used > largeHeap:
		return partly
	case used < littleHeap:
		return allGarbage
	}
	return sofar
}

// paceCollector adjusts the garbage collector until ctx is done, unless the
// operator has: GOGC and GOMEMLIMIT are the ways to.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	now := allGarbage
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		metrics.Read(sample)
		if want := garbage(sample[0].Value.Uint64(), now); want != now {
			debug.SetGCPercent(want)
			now = want
		}
	}
}
