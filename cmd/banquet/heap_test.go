package main

import (
	"runtime/metrics"
	"testing"
)

func TestGOGCByLiveHeap(t *testing.T) {
	now := smallGOGC
	for i, step := range []struct {
		used uint64
		want int
	}{{1 << 20, smallGOGC}, {12 << 20, smallGOGC}, {15 << 20, largeGOGC}, {12 << 20, largeGOGC}, {9 << 20, smallGOGC}, {100 << 20, largeGOGC}} {
		if now = gogcFor(step.used, now); now != step.want {
			t.Errorf("step %d: %d live bytes: GOGC %d, want %d", i, step.used, now, step.want)
		}
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
		t.Error("this version of Go has no metric of live bytes")
	}
}
