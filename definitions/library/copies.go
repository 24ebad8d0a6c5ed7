package library

import (
	"fmt"
	"slices"

	"github.com/banquet-fs/banquet/definitions/python"
)

// maxNesting bounds the depth of copies.
const maxNesting = 50

func copyModule() names {
	return names{
		"copy":     python.NewFunction("copy", "x", func(c *python.Call, a []any) (any, error) { return copied(c, a[0]) }),
		"deepcopy": python.NewFunction("deepcopy", "x", func(c *python.Call, a []any) (any, error) { return (&deepCopy{call: c, made: map[any]any{}}).of(a[0]) }),
	}
}

// copied is copy.copy.
func copied(c *python.Call, v any) (any, error) {
	switch v := v.(type) {
	case *python.List:
		return python.NewList(slices.Clone(v.Items)...), c.Charge(len(v.Items))
	case *python.Dict:
		return v.Clone(), c.Charge(v.Len())
	case *python.Set:
		return v.Clone(), c.Charge(v.Len())
	case *python.Instance:
		return v.Copy()
	case python.Keyed:
		return v, nil
	case python.Object, *python.Iterator:
		return nil, fmt.Errorf("copying a %s is not read; make another one", python.TypeName(v))
	}
	return v, nil
}

// deepCopy is copy.deepcopy for lists, dicts and constants: a value that occurs
// twice is copied once.
type deepCopy struct {
	call  *python.Call
	depth int
	made  map[any]any
}

func (d *deepCopy) of(v any) (any, error) {
	if d.depth++; d.depth > maxNesting {
		return nil, fmt.Errorf("this value is nested too deep to be copied")
	}
	defer func() { d.depth-- }()
	if err := d.call.Charge(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case python.Tuple:
		items, err := d.items(v)
		return python.Tuple(items), err
	case *python.List, *python.Dict, *python.Set, *python.Instance:
		if out, ok := d.made[v]; ok {
			return out, nil
		}
		return d.container(v)
	}
	return copied(d.call, v)
}

func (d *deepCopy) items(items []any) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = d.of(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *deepCopy) container(v any) (any, error) {
	out, err := copied(d.call, v)
	if err != nil {
		return nil, err
	}
	d.made[v] = out
	switch out := out.(type) {
	case *python.List:
		out.Items, err = d.items(out.Items)
	case *python.Dict:
		for k, item := range out.All() {
			if item, err = d.of(item); err == nil {
				err = out.Put(k, item)
			}
			if err != nil {
				return nil, err
			}
		}
	case *python.Instance:
		if out != v {
			return nil, fmt.Errorf("copying a %s is not read; make another one", python.TypeName(v))
		}
	}
	return out, err
}
