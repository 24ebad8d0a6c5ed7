package serving

import (
	"sync"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
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

// compileView compiles the function of an on-demand view. It may read the join keys of
// its sources by the names that callers use; if it reads another column, that may be any
// join key of the project, since Feast gives a function all entity columns of the request.
func compileView(project *registry.Project, v *registry.View, sources []registry.Projection) (*transform.Program, error) {
	keys := sourceKeys(sources)
	program, err := transform.Compile(v.OnDemand, keys)
	if err == nil {
		return program, nil
	}
	more := projectKeys(project, keys)
	if len(more) == len(keys) {
		return nil, err
	}
	if program, again := transform.Compile(v.OnDemand, more); again == nil {
		return program, nil
	}
	return nil, err
}

func sourceKeys(sources []registry.Projection) []transform.Field {
	var keys []transform.Field
	for _, s := range sources {
		if s.View.Entityless {
			continue
		}
		for _, k := range s.View.JoinKeys {
			name, ok := s.JoinKeyMap[k.Name]
			if !ok {
				name = k.Name
			}
			keys = addField(keys, transform.Field{Name: name, Type: k.Type})
		}
	}
	return keys
}

func projectKeys(project *registry.Project, keys []transform.Field) []transform.Field {
	for _, e := range project.Entities() {
		if s := e.GetSpec(); s.GetJoinKey() != registry.DummyKey {
			keys = addField(keys, keyField(s))
		}
	}
	return keys
}

func keyField(s *core.EntitySpecV2) transform.Field {
	return transform.Field{Name: s.GetJoinKey(), Type: s.GetValueType()}
}

// addField adds a field unless there is one of its name.
func addField(list []transform.Field, f transform.Field) []transform.Field {
	for _, other := range list {
		if other.Name == f.Name {
			return list
		}
	}
	return append(list, f)
}
