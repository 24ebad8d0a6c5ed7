package dynamo

import (
	"testing"
	"time"
)

func TestSizesOfStamps(t *testing.T) {
	for _, at := range []time.Time{
		time.Unix(1.7e9, 0), time.Unix(1.7e9, 999), time.Unix(1.7e9, 1000), time.Unix(1.7e9, 999999999),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 1e6, time.FixedZone("", 3600)),
	} {
		if text := stamp(at); stampSize(at) != len(text) {
			t.Errorf("%q has %d bytes, not %d", text, len(text), stampSize(at))
		}
	}
}
