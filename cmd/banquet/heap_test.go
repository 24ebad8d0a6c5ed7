package main

import (
	"runtime/metrics"
	"testing"
)

func TestGarbageIsBoundedByWhatIsUsed(t *testing.T) {
	now := allGarbage
	for i, step := range []struct {
		used uint64
		want int
	}{{1 << 20, allGarbage}, {12 << 20, allGarbage}, {15 << 20, partly}, {12 << 20, partly}, {9 << 20, allGarbage}, {100 << 20, partly}} {
		if now = garbage(step.used, now); now != step.want {
			t.Errorf("step %d: %d bytes in use: %d%%, want %d%%", i, step.used, now, step.want)
		}
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
		t.Error("this Go does not tell what is in use")
	}
}
