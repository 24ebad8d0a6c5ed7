package serving

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/maypok86/otter/v2"
)

// maxPlanBytes bounds the plan cache, since clients choose the shapes. It is enough
// for a few hundred of the widest requests, or tens of thousands of usual ones.
const maxPlanBytes = 32 << 20

// shape holds everything in a request that its plan depends on.
type shape struct {
	generation uint64
	project    string
	service    string
	features   []string
	full       bool
}

func (s shape) equal(o shape) bool {
	return s.generation == o.generation && s.full == o.full && s.project == o.project &&
		s.service == o.service && slices.Equal(s.features, o.features)
}

// clone copies the strings, which may point into a request's pooled memory.
func (s shape) clone() shape {
	s.project, s.service = strings.Clone(s.project), strings.Clone(s.service)
	features := make([]string, len(s.features))
	for i, f := range s.features {
		features[i] = strings.Clone(f)
	}
	s.features = features
	return s
}

// bytes estimates the memory of a plan, including what stores derive from its
// selections.
func (p *plan) bytes() uint32 {
	n := 2048 + 256*len(p.outputs) + 128*len(p.inputs) + 512*len(p.views)
	for i := range p.outputs {
		n += 4 * len(p.outputs[i].name)
	}
	n += 256 * p.extra
	for i := range p.transforms {
		n += 128 * (4 + len(p.transforms[i].inputs))
	}
	for _, f := range p.shape.features {
		n += len(f)
	}
	return uint32(n)
}

// planCache keeps recently used plans. Plans of an earlier registry generation are
// never found again; they are evicted in time.
type planCache struct {
	seed  maphash.Seed
	plans *otter.Cache[uint64, *plan]
}

func newPlanCache(bytes uint64) *planCache {
	return &planCache{seed: maphash.MakeSeed(), plans: otter.Must(&otter.Options[uint64, *plan]{
		MaximumWeight: bytes, Weigher: func(_ uint64, p *plan) uint32 { return p.bytes() },
	})}
}

func (c *planCache) hash(s shape) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, s.generation)
	for _, text := range [...]string{s.project, s.service} {
		_, _ = h.WriteString(text)
		_ = h.WriteByte(0)
	}
	if s.full {
		_ = h.WriteByte(1)
	}
	for _, f := range s.features {
		_, _ = h.WriteString(f)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// get returns the plan of a shape, nil if there is none. Two shapes with the same hash
// replace each other in the cache: this costs a compilation and is never wrong.
func (c *planCache) get(hash uint64, s shape) *plan {
	p, ok := c.plans.GetIfPresent(hash)
	if !ok || !p.shape.equal(s) {
		return nil
	}
	return p
}

func (c *planCache) put(hash uint64, p *plan) { c.plans.Set(hash, p) }
