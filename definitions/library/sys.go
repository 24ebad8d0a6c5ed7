package library

import (
	"fmt"
	"math"
	"slices"

	"github.com/banquet-fs/banquet/definitions/python"
)

// system adds the remaining names of sys that definitions use.
func (r *disk) system(sys names) {
	exit := &python.Builtin{Name: "exit", Call: func(c *python.Call) (any, error) {
		code, named := c.Arg("status")
		if !named && len(c.Args) > 0 {
			code = c.Args[0]
		}
		return nil, python.Raised("SystemExit", "the file ends here by exit(), as Feast would with it", names{"args": python.Tuple{code}, "code": code})
	}}
	r.run.SetBuiltin("exit", exit)
	r.run.SetBuiltin("quit", exit)
	r.search = &searchPath{dir: r.dir}
	sys["argv"], sys["path"], sys["exit"], sys["maxsize"] = python.Elsewhere("sys", "argv"), r.search, exit, int64(math.MaxInt64)
}

// searchPath is sys.path: the directories that files add before and after
// Python's own, the last of which is the repository.
type searchPath struct {
	front, back []any
	dir         string
}

// SearchPath lists the directories that the files added to sys.path, before
// Python's own and after the repository.
func (l *Library) SearchPath() (front, back []string) {
	absolute := func(list []any) []string {
		var dirs []string
		for _, v := range list {
			if s, ok := v.(string); ok { // Python ignores entries that are not text
				dirs = append(dirs, l.disk.absolute(s))
			}
		}
		return dirs
	}
	return absolute(l.disk.search.front), absolute(l.disk.search.back)
}

// Kinds lists the types of sys.path.
func (*searchPath) Kinds() []string { return []string{"list"} }

// Attr returns the methods that add directories.
func (p *searchPath) Attr(name string) (any, bool) {
	switch name {
	case "append":
		return python.NewFunction(name, "object", func(_ *python.Call, a []any) (any, error) {
			p.back = append(p.back, a[0])
			return nil, nil
		}), true
	case "extend":
		return python.NewFunction(name, "iterable", func(c *python.Call, a []any) (any, error) {
			items, err := c.Items(a[0])
			p.back = append(p.back, items...)
			return nil, err
		}), true
	case "insert":
		return python.NewFunction(name, "index object", func(_ *python.Call, a []any) (any, error) {
			i, ok := python.Int(a[0])
			if !ok || i < 0 {
				return nil, fmt.Errorf("sys.path.insert() at %s is not read; insert at 0, or append", python.Brief(a[0]))
			}
			p.front = slices.Insert(p.front, int(min(i, int64(len(p.front)))), a[1])
			return nil, nil
		}), true
	}
	return nil, false
}

// Contains is directory in sys.path.
func (p *searchPath) Contains(v any) (bool, error) {
	want, err := entry(v)
	if err != nil {
		return false, err
	}
	return want == p.dir || slices.ContainsFunc(slices.Concat(p.front, p.back), func(x any) bool {
		have, err := entry(x)
		return err == nil && have == want
	}), nil
}

// entry is an entry of sys.path as a text; Python does not accept path objects as
// directories.
func entry(v any) (string, error) {
	if p, ok := v.(Path); ok {
		return p.Repr(), nil
	}
	s, ok := python.Text(v)
	if !ok {
		return "", fmt.Errorf("a %s in sys.path is not read; write a text", python.TypeName(v))
	}
	return s, nil
}

// Binary refuses to make another search path: files may only add to this one.
func (*searchPath) Binary(op string, _ any, _ bool) (any, bool, error) {
	return nil, true, fmt.Errorf("sys.path %s … is not read; use sys.path.append() or sys.path.insert(0, …)", op)
}

// Iterate refuses: Python's directories are not known.
func (*searchPath) Iterate() (*python.Iterator, error) {
	return nil, fmt.Errorf("the directories of sys.path are not known without Python; only adding to them is read")
}
