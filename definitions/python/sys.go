package python

import (
	"fmt"
	"math"
	"slices"
)

// sysModule is what definitions use of sys.
func (r *Interpreter) sysModule() map[string]any {
	exit := &Builtin{Name: "exit", Call: func(c *Call) (any, error) {
		code, _ := c.take(0, "status")
		return nil, &raised{class: "SystemExit", text: "the file ends here by exit(), as Feast would with it", members: map[string]any{"args": Tuple{code}, "code": code}}
	}}
	r.builtins["exit"], r.builtins["quit"] = exit, exit
	return map[string]any{"modules": &loaded{r}, "argv": elsewhere("sys", "argv"), "path": r.path, "exit": exit, "maxsize": int64(math.MaxInt64)}
}

// searchPath is sys.path: what files put before and behind the directories of
// Python, of which the repository is the last.
type searchPath struct {
	front, back []any
	dir         string
}

// SearchPath lists the directories that the files added to sys.path, before
// those of Python and behind the repository.
func (r *Interpreter) SearchPath() (front, back []string) {
	absolute := func(list []any) []string {
		var dirs []string
		for _, v := range list {
			if s, ok := v.(string); ok { // Python passes over what is no text
				dirs = append(dirs, r.absolute(s))
			}
		}
		return dirs
	}
	return absolute(r.path.front), absolute(r.path.back)
}

// Kinds lists the types of sys.path.
func (*searchPath) Kinds() []string { return []string{"list"} }

// Attr gives the methods that add directories.
func (p *searchPath) Attr(name string) (any, bool) {
	switch name {
	case "append":
		return NewFunction(name, "object", func(_ *Call, a []any) (any, error) {
			p.back = append(p.back, a[0])
			return nil, nil
		}), true
	case "extend":
		return NewFunction(name, "iterable", func(c *Call, a []any) (any, error) {
			items, err := c.run.items(a[0])
			p.back = append(p.back, items...)
			return nil, err
		}), true
	case "insert":
		return NewFunction(name, "index object", func(_ *Call, a []any) (any, error) {
			i, ok := asInt(a[0])
			if !ok || i < 0 {
				return nil, fmt.Errorf("sys.path.insert() at %s is not read; insert at 0, or append", Repr(a[0]))
			}
			p.front = slices.Insert(p.front, int(min(i, int64(len(p.front)))), a[1])
			return nil, nil
		}), true
	}
	return nil, false
}

// Contains is directory in sys.path.
func (p *searchPath) Contains(v any) (bool, error) {
	c := comparison{left: maxCompared}
	return v == any(p.dir) || slices.ContainsFunc(slices.Concat(p.front, p.back), func(x any) bool { return c.equal(x, v) }), nil
}

// Iterate refuses: the directories of Python are not known.
func (*searchPath) Iterate() (*Iterator, error) {
	return nil, fmt.Errorf("the directories of sys.path are not known without Python; only adding to them is read")
}
