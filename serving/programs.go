package serving

import (
	"sync"

	"github.com/banquet-fs/banquet/transform"
)

// programs keeps the compiled functions of the on-demand feature views of the newest
// registry snapshot, and the errors of those that cannot be compiled.
type programs struct {
	mu         sync.Mutex
	generation uint64
	compiled   map[programKey]*compiled
}

// programKey names a view, or a version of it from the history.
type programKey struct {
	project, view string
	pinned        bool
	version       int
}

type compiled struct {
	once    sync.Once
	program *transform.Program
	err     error
}

// get compiles the function of a view, once for each snapshot.
func (c *programs) get(generation uint64, key programKey, compile func() (*transform.Program, error)) (*transform.Program, error) {
	entry := c.entry(generation, key)
	entry.once.Do(func() { entry.program, entry.err = compile() })
	return entry.program, entry.err
}

func (c *programs) entry(generation uint64, key programKey) *compiled {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case generation < c.generation: // a request that began with an earlier snapshot
		return new(compiled)
	case generation > c.generation || c.compiled == nil:
		c.generation, c.compiled = generation, map[programKey]*compiled{}
	}
	entry, ok := c.compiled[key]
	if !ok {
		entry = new(compiled)
		c.compiled[key] = entry
	}
	return entry
}
