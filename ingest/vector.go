package ingest

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

// vector checks the feature of a view that is searched by similarity: all its
// values are lists of one length. It is safe for concurrent use.
type vector struct {
	view     *registry.View
	at       int // the feature; -1: the view has none
	declared int64
	// found is one more than the length of the first list, if none is declared.
	found atomic.Int64
}

func newVector(v *registry.View) *vector {
	c := &vector{view: v, at: slices.IndexFunc(v.Features, func(f registry.Feature) bool { return f.Spec.GetVectorIndex() })}
	if c.at >= 0 {
		c.declared = int64(v.Features[c.at].Spec.GetVectorLength())
	}
	return c
}

// check looks at a row, whose values end at the given places. row names it.
func (c *vector) check(values []byte, ends []int, row func() string) error {
	if c.at < 0 {
		return nil
	}
	start := 0
	if c.at > 0 {
		start = ends[c.at-1]
	}
	v := values[start:ends[c.at]]
	if len(v) == 0 {
		return nil // a null
	}
	feature := c.view.Features[c.at].Name
	n, ok := value.ListLen(v)
	if !ok {
		return c.fault("row %s: %s is a vector, and its value is not a list", row(), feature)
	}
	want, source := c.declared, "its vector_length"
	if want == 0 {
		c.found.CompareAndSwap(0, int64(n)+1)
		want, source = c.found.Load()-1, "the length of other rows"
	}
	if int64(n) != want {
		return c.fault("row %s: vector %s has %d elements, which does not match %s, %d", row(), feature, n, source, want)
	}
	return nil
}

func (c *vector) fault(format string, args ...any) error {
	return fault.New(fault.Invalid, "feature view %s, %s", c.view.Name, fmt.Sprintf(format, args...)).About("feature view", c.view.Name, c.view.Project)
}
