package python

import (
	"fmt"
	"slices"
)

// iterating are the functions that go through items.
func iterating(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		if u := c.unknown(); u != nil && name != "next" {
			return u, nil
		}
		switch name {
		case "range":
			return rangeOf(c)
		case "zip":
			return zip(c)
		case "map", "filter":
			return mapped(name, c)
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
			if len(c.Args) > 1 {
				return c.run.nextOr(v, c.Args[1], true)
			}
			return c.run.nextOr(v, nil, false)
		case "iter":
			return iterOf(c, v)
		case "reversed":
			return reversed(c, v)
		case "sorted":
			items, err := c.run.items(anyOrder(v))
			if err != nil {
				return nil, err
			}
			return sorted(c, items)
		}
		return enumerated(c, v)
	}
}

// nextOr is next(v), or next(v, fallback) when there is one.
func (r *Interpreter) nextOr(v, fallback any, has bool) (any, error) {
	item, ok, err := r.next(v)
	switch {
	case err != nil || ok:
		return item, err
	case has:
		return fallback, nil
	}
	return nil, r.stopIteration(item)
}

func iterOf(c *Call, v any) (any, error) {
	if len(c.Args) < 2 {
		if o, ok := v.(*Instance); ok {
			if m := o.special("__iter__"); m != nil {
				return c.run.invoke(m, &Call{})
			}
		}
		it, err := c.run.iterate(v)
		return it, err
	}
	return counted("callable_iterator", func(int) (any, bool, error) {
		made, err := c.Invoke(v)
		if err != nil {
			return nil, false, err
		}
		same, err := c.run.compared("==", made, c.Args[1])
		if u, ok := same.(*Unknown); ok {
			return nil, false, fmt.Errorf("whether iter() ends here cannot be known without running Python (%s)", u.Why)
		}
		return made, same == false, err
	}), nil
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
		if _, ok := sequence(v); !ok {
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

func enumerated(c *Call, v any) (any, error) {
	start, isInt := int64(0), true
	if v, ok := c.take(1, "start"); ok {
		start, isInt = asInt(v)
	}
	if !isInt {
		return nil, raise("TypeError", "enumerate() starts at an integer")
	}
	it, err := c.run.iterate(v)
	return counted("enumerate", func(i int) (any, bool, error) {
		item, ok, err := it.next()
		return Tuple{start + int64(i), item}, ok, err
	}), err
}

func length(c *Call, v any) (any, error) {
	switch v := v.(type) {
	case *List:
		return int64(len(v.Items)), nil
	case *Dict:
		return int64(v.Len()), nil
	case *Set:
		return int64(v.Len()), nil
	case *View:
		return int64(v.dict.Len()), nil
	case Range:
		return v.n, nil
	case sized:
		return int64(v.Len()), nil
	case *Instance:
		if m := v.special("__len__"); m != nil {
			n, err := c.run.invoke(m, &Call{})
			if i, ok := asInt(n); err == nil && (!ok || i < 0) {
				err = fmt.Errorf("a __len__ that gives %s is not read", Repr(n))
			}
			return n, err
		}
		if v.tuple == nil && v.plain() == nil {
			return nil, raise("TypeError", "object of type '%s' has no len()", TypeName(v))
		}
	}
	items, ok := Items(v)
	if !ok {
		return nil, raise("TypeError", "object of type '%s' has no len()", TypeName(v))
	}
	return int64(len(items)), c.run.charge(len(items) / 4)
}

// sources makes iterators of a call's arguments from one on.
func (c *Call) sources(from int) ([]*Iterator, error) {
	var list []*Iterator
	for _, v := range c.Args[min(from, len(c.Args)):] {
		it, err := c.run.iterate(v)
		if err != nil {
			return nil, err
		}
		list = append(list, it)
	}
	return list, nil
}

// row takes one item of each; short is the one that has none.
func row(sources []*Iterator) (items []any, short int, err error) {
	items = make([]any, 0, len(sources))
	for i, it := range sources {
		v, ok, err := it.next()
		if err != nil || !ok {
			return nil, i, err
		}
		items = append(items, v)
	}
	return items, -1, nil
}

func zip(c *Call) (any, error) {
	strict, _ := c.Arg("strict")
	sources, err := c.sources(0)
	return &Iterator{kind: "zip", next: func() (any, bool, error) {
		items, short, err := row(sources)
		if short < 0 || err != nil || strict != true {
			return Tuple(items), short < 0 && len(sources) > 0, err
		}
		what := "shorter"
		for short == 0 || what == "longer" { // the others must have ended too
			what = "longer"
			if short++; short >= len(sources) {
				return nil, false, nil
			}
			if _, ok, err := sources[short].next(); ok || err != nil {
				if err != nil {
					return nil, false, err
				}
				break
			}
		}
		others := "argument 1"
		if short > 1 {
			others = fmt.Sprintf("arguments 1-%d", short)
		}
		return nil, false, raise("ValueError", "zip() argument %d is %s than %s", short+1, what, others)
	}}, err
}

func mapped(name string, c *Call) (any, error) {
	if len(c.Args) < 2 || name == "filter" && len(c.Args) > 2 {
		return nil, raise("TypeError", "%s() takes a function and items", name)
	}
	fn := c.Args[0]
	sources, err := c.sources(1)
	if name == "filter" {
		return c.filter("filter", fn, true, sources, err)
	}
	return &Iterator{kind: name, next: func() (any, bool, error) {
		args, short, err := row(sources)
		if err != nil || short >= 0 {
			return nil, false, err
		}
		v, err := c.Invoke(fn, args...)
		return v, err == nil, err
	}}, err
}

// filter gives the items of which a function says yes.
func (c *Call) filter(kind string, fn any, yes bool, sources []*Iterator, err error) (any, error) {
	return &Iterator{kind: kind, next: func() (any, bool, error) {
		for {
			v, ok, err := sources[0].next()
			if err == nil && ok {
				err = c.run.charge(1)
			}
			if err != nil || !ok {
				return nil, false, err
			}
			if is, err := c.asks(fn, v); err != nil || is == yes {
				return v, err == nil, err
			}
		}
	}}, err
}

// asks is the truth of what a function says of an item, of the item itself
// when there is no function.
func (c *Call) asks(fn, item any) (bool, error) {
	v := item
	if fn != nil {
		var err error
		if v, err = c.Invoke(fn, item); err != nil {
			return false, err
		}
	}
	yes, known := c.run.truth(v)
	if !known {
		return false, fmt.Errorf("which items are taken here cannot be known without running Python")
	}
	return yes, nil
}

func sorted(c *Call, items []any) (any, error) {
	keys, err := keysOf(items, c)
	if err != nil {
		return nil, err
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	bad := false
	var unknown *Unknown
	reverse := false
	if v, ok := c.Arg("reverse"); ok {
		reverse, _ = c.run.truth(v)
	}
	slices.SortStableFunc(at, func(i, j int) int {
		for _, k := range []any{keys[i], keys[j]} {
			if u, ok := k.(*Unknown); ok {
				unknown = u
			}
		}
		o, ok := order(keys[i], keys[j], 0)
		bad = bad || !ok
		if reverse {
			return -o
		}
		return o
	})
	if unknown != nil {
		return unknown, nil
	}
	if bad {
		return nil, raise("TypeError", "these items have no order")
	}
	out := make([]any, len(items))
	for i, j := range at {
		out[i] = items[j]
	}
	return &List{Items: out}, c.run.charge(len(items))
}
