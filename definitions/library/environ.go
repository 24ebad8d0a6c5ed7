package library

import (
	"fmt"

	"github.com/banquet-fs/banquet/definitions/python"
)

// environ is os.environ: the variables of the process, overridden by those that
// the files set. Only the files see these.
type environ struct {
	env func(string) (string, bool)
	own names // a text or Unknown, or nil for a deleted variable
}

// Kinds lists the types of the environment.
func (e *environ) Kinds() []string { return []string{"_Environ", "MutableMapping", "Mapping"} }

func variable(v any) (string, error) {
	s, ok := python.Text(v)
	if u, unknown := v.(*python.Unknown); unknown {
		return "", fmt.Errorf("the name of this variable cannot be known without running Python (%s)", u.Why)
	}
	if !ok {
		return "", python.Raise("TypeError", "str expected, not %s", python.TypeName(v))
	}
	return s, nil
}

func (e *environ) find(key any) (any, bool, error) {
	name, err := variable(key)
	if err != nil {
		return nil, false, err
	}
	if v, ok := e.own[name]; ok {
		return v, v != nil, nil
	}
	s, ok := e.env(name)
	return s, ok, nil
}

// Contains is name in os.environ.
func (e *environ) Contains(v any) (bool, error) {
	_, ok, err := e.find(v)
	return ok, err
}

// Index returns a variable that must be set.
func (e *environ) Index(key any) (any, error) {
	v, ok, err := e.find(key)
	if err == nil && !ok {
		err = python.Raised("KeyError", fmt.Sprintf("environment variable %s is not set", python.Str(key)), names{"args": python.Tuple{key}})
	}
	return v, err
}

// Put sets a variable for the files.
func (e *environ) Put(key, v any) error {
	name, err := variable(key)
	if err != nil {
		return err
	}
	if _, unknown := v.(*python.Unknown); unknown {
		e.own[name] = v
		return nil
	}
	text, err := variable(v)
	if err == nil {
		e.own[name] = text
	}
	return err
}

// Delete unsets a variable for the files.
func (e *environ) Delete(key any) (bool, error) {
	_, ok, err := e.find(key)
	if ok {
		e.own[python.Str(key)] = nil
	}
	return ok, err
}

// Iterate refuses: the list of variables is not known.
func (*environ) Iterate() (*python.Iterator, error) {
	return nil, fmt.Errorf("all environment variables at once are not read; name the ones that are needed")
}

// get is os.environ.get, and os.getenv.
func (e *environ) get(_ *python.Call, a []any) (any, error) {
	v, ok, err := e.find(a[0])
	if !ok {
		return a[1], err
	}
	return v, err
}

// Attr returns the methods that do not list all variables.
func (e *environ) Attr(name string) (any, bool) {
	switch name {
	case "get":
		return python.NewFunction(name, "key default?", e.get), true
	case "setdefault":
		return python.NewFunction(name, "key default?", e.setDefault), true
	case "pop":
		return &python.Builtin{Name: name, Call: e.pop}, true
	case "update":
		return &python.Builtin{Name: name, Call: e.update}, true
	}
	return nil, false
}

func (e *environ) setDefault(c *python.Call, a []any) (any, error) {
	if _, ok, err := e.find(a[0]); !ok && err == nil {
		if err := e.Put(a[0], a[1]); err != nil {
			return nil, err
		}
	}
	return e.get(c, a)
}

func (e *environ) pop(c *python.Call) (any, error) {
	if len(c.Args) == 0 {
		return nil, python.Raise("TypeError", "pop() takes a name")
	}
	key := c.Args[0]
	v, ok, err := e.find(key)
	switch {
	case err != nil:
		return nil, err
	case !ok && len(c.Args) > 1:
		return c.Args[1], nil
	case !ok:
		return e.Index(key)
	}
	_, err = e.Delete(key)
	return v, err
}

func (e *environ) update(c *python.Call) (any, error) {
	if len(c.Args) > 0 {
		d, ok := c.Args[0].(*python.Dict)
		if !ok || len(c.Args) > 1 {
			return nil, fmt.Errorf("os.environ.update() takes a dict or names; this is not read")
		}
		for k, v := range d.All() {
			if err := e.Put(k, v); err != nil {
				return nil, err
			}
		}
	}
	for i, n := range c.Names {
		if err := e.Put(n, c.Named[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// module puts the environment into os.
func (e *environ) module(system names) {
	system["environ"], system["getenv"] = e, python.NewFunction("getenv", "key default?", e.get)
}
