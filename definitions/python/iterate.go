package python

import (
	"fmt"
	"slices"
)

// iterating are the functions that iterate over items.
func iterating(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		if u := c.unknown(); u != nil && name != "next" {
			return u, nil
		}
		if name == "range" {
			return rangeOf(c)
		}
		v, err := c.one(name)
		if err != nil {
			return nil, err
		}
		switch name {
		case "len":
			return length(c, v)
		case "next":
			if u, ok := v.(*Unknown); ok {
				return u, nil
			}
			return c.run.nextOr(v, c.Args[1:]...)
		case "reversed":
			return reversed(c, v)
		}
		items, err := c.run.items(anyOrder(v))
		if err != nil {
			return nil, err
		}
		return sorted(c, items)
	}
}

// nextOr is next(v), or next(v, fallback).
func (r *Interpreter) nextOr(v any, fallback ...any) (any, error) {
	item, ok, err := r.next(v)
	switch {
	case err != nil || ok:
		return item, err
	case len(fallback) > 0:
		return fallback[0], nil
	}
	return nil, r.stopIteration(item)
}

func reversed(c *Call, v any) (any, error) {
	switch v := v.(type) {
	case *List:
		last := len(v.Items) - 1
		return counted("list_reverseiterator", func(i int) (any, bool, error) {
			if i > last || last-i >= len(v.Items) {
				return nil, false, nil
			}
			return v.Items[last-i], true, nil
		}), nil
	case Range:
		return counted("range_iterator", func(i int) (any, bool, error) { return v.at(v.n - 1 - int64(i)), int64(i) < v.n, nil }), nil
	case *Dict:
		return reversed(c, &View{v, "dict_keys"})
	case *View:
		return overDict("dict_reverseiterator", "dictionary", v.dict, func(i int) any { return v.at(v.dict.Len() - 1 - i) }), nil
	case *Instance:
		if v.special("__reversed__") != nil || v.tuple == nil {
			return nil, fmt.Errorf("reversed() of a %s is not read", TypeName(v))
		}
	case *Class:
	default:
		if _, ok := sequenceLen(v); !ok {
			return nil, raise("TypeError", "'%s' object is not reversible", TypeName(v))
		}
	}
	items, err := c.run.items(v)
	if err != nil {
		return nil, err
	}
	slices.Reverse(items)
	it, err := c.run.iterate(Tuple(items))
	it.kind = "reversed"
	return it, err
}

func length(c *Call, v any) (any, error) {
	switch v := v.(type) {
	case sized:
		return int64(v.Len()), nil
	case *Instance:
		if m := v.special("__len__"); m != nil {
			n, err := c.run.invoke(m, &Call{})
			if i, ok := asInt(n); err == nil && (!ok || i < 0) {
				err = fmt.Errorf("a __len__ that gives %s is not read", Brief(n))
			}
			return n, err
		}
		if v.tuple == nil && v.plain() == nil {
			return nil, raise("TypeError", "object of type '%s' has no len()", TypeName(v))
		}
	}
	n, ok := sequenceLen(v)
	if members, isType := Items(typeOnly(v)); isType {
		n, ok = len(members), true
	}
	if !ok {
		return nil, raise("TypeError", "object of type '%s' has no len()", TypeName(v))
	}
	return int64(n), nil
}

func sorted(c *Call, items []any) (any, error) {
	keys := items
	if fn, _ := c.Arg("key"); fn != nil {
		keys = make([]any, len(items))
		for i, v := range items {
			k, err := c.Invoke(fn, v)
			if err != nil {
				return nil, err
			}
			keys[i] = k
		}
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	if u := anyUnknown(keys...); u != nil && len(keys) > 1 {
		return u, nil
	}
	if slices.ContainsFunc(keys, isNaN) {
		return nil, fmt.Errorf("sorting a float that is not a number is not read; leave it out")
	}
	by := comparison{meter: c.run.meter}
	bad, reverse := false, false
	if v, ok := c.Arg("reverse"); ok {
		reverse, _ = truth(v)
	}
	slices.SortStableFunc(at, func(i, j int) int {
		o, ok := by.order(keys[i], keys[j])
		bad = bad || !ok
		if reverse {
			return -o
		}
		return o
	})
	switch {
	case by.err != nil:
		return nil, by.err
	case bad:
		return nil, raise("TypeError", "these items have no order")
	}
	out := make([]any, len(items))
	for i, j := range at {
		out[i] = items[j]
	}
	return &List{Items: out}, nil
}
