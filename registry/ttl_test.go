package registry_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// No ttl and a ttl of zero are the same definition: Feast reads one as the other, and writes
// zero when it records a materialization. Other ttls are changes.
func TestNoTTLIsZero(t *testing.T) {
	now := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	none, zero, day := (*durationpb.Duration)(nil), durationpb.New(0), durationpb.New(24*time.Hour)
	for _, c := range []struct {
		stored, defined *durationpb.Duration
		changed         bool
	}{{none, none, false}, {zero, none, false}, {none, zero, false}, {zero, zero, false}, {day, none, true}, {day, zero, true}, {none, day, true}, {day, day, false}} {
		reg := &core.Registry{}
		first, second := carts("items"), carts("items")
		first.FeatureViews[0].Spec.Ttl, second.FeatureViews[0].Spec.Ttl = c.stored, c.defined
		applied(t, reg, first, now)
		if got := applied(t, reg, second, now.Add(time.Hour)).Loud(); got != c.changed {
			t.Errorf("from %v to %v: changed: %t", c.stored, c.defined, got)
		}
	}
}
