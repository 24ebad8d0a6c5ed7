package python

import (
	"fmt"
	"math"
	"slices"
)

// iterating are the functions that go through items.
func iterating(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		switch name {
		case "range":
			return rangeOf(c)
		case "zip":
			return zip(c)
		case "map", "filter":
			return mapped(name, c)
		case "next":
			return next(c)
		}
		v, err := c.one(name)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
		if name == "len" {
			return length(c, v)
		}
		switch v.(type) {
		case *Iterator:
			if name == "iter" {
				return v, nil
			}
			if name == "reversed" {
				return nil, raise("TypeError", "'%s' object is not reversible", TypeName(v))
			}
		case *Set:
			if name == "reversed" {
				return nil, raise("TypeError", "'set' object is not reversible")
			}
		}
		items, err := c.run.items(v)
		if err != nil {
			return nil, err
		}
		switch name {
		case "iter":
			return &Iterator{items: items}, nil
		case "reversed":
			slices.Reverse(items)
			return &Iterator{items: items}, nil
		case "sorted":
			return sorted(c, items)
		}
		return enumerated(c, items)
	}
}

func enumerated(c *Call, items []any) (any, error) {
	start := int64(0)
	if v, ok := c.take(1, "start"); ok {
		start, _ = asInt(v)
	}
	out := make([]any, len(items))
	for i, v := range items {
		out[i] = Tuple{start + int64(i), v}
	}
	return &Iterator{items: out}, c.run.charge(len(items))
}

func length(c *Call, v any) (any, error) {
	switch v := v.(type) {
	case *List:
		return int64(len(v.Items)), nil
	case *Dict:
		return int64(v.Len()), nil
	case *Set:
		return int64(v.Len()), nil
	case *Iterator:
		return nil, raise("TypeError", "object of type 'generator' has no len()")
	case *Instance:
		if m, ok := v.method("__len__"); ok {
			return c.run.invoke(m, &Call{})
		}
	}
	items, err := c.run.items(v)
	if err != nil {
		return nil, raise("TypeError", "object of type '%s' has no len()", TypeName(v))
	}
	return int64(len(items)), nil
}

func next(c *Call) (any, error) {
	v, err := c.one("next")
	if err != nil {
		return nil, err
	}
	switch it := v.(type) {
	case *Unknown:
		return it, nil
	case *Iterator:
		if it.at < len(it.items) {
			it.at++
			return it.items[it.at-1], nil
		}
		if len(c.Args) > 1 {
			return c.Args[1], nil
		}
		return nil, raise("StopIteration", "next() finds nothing more")
	}
	return nil, raise("TypeError", "'%s' object is not an iterator", TypeName(v))
}

func rangeOf(c *Call) (any, error) {
	if len(c.Args) == 0 || len(c.Args) > 3 {
		return nil, raise("TypeError", "range() takes one to three integers")
	}
	var bounds [3]int64
	for i, a := range c.Args {
		if u, unknown := a.(*Unknown); unknown {
			return u, nil
		}
		v, ok := asInt(a)
		if !ok {
			return nil, raise("TypeError", "'%s' object cannot be interpreted as an integer", TypeName(a))
		}
		bounds[i] = v
	}
	start, stop, step := bounds[0], bounds[1], bounds[2]
	switch len(c.Args) {
	case 1:
		start, stop, step = 0, bounds[0], 1
	case 2:
		step = 1
	}
	if step == 0 {
		return nil, raise("ValueError", "range() arg 3 must not be zero")
	}
	span := math.Abs((float64(stop) - float64(start)) / float64(step))
	if (stop > start) == (step > 0) && span > maxText/4 {
		return nil, fmt.Errorf("a range of %.0f numbers is too long to be read", span)
	}
	l := &List{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		l.Items = append(l.Items, i)
		if step > 0 && i > math.MaxInt64-step || step < 0 && i < math.MinInt64-step {
			break
		}
	}
	return l, c.run.charge(len(l.Items))
}

func zip(c *Call) (any, error) {
	columns := make([]*Iterator, len(c.Args))
	for i, v := range c.Args {
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
		if it, ok := v.(*Iterator); ok { // what is given twice is shared
			columns[i] = it
			continue
		}
		items, err := c.run.items(v)
		if err != nil {
			return nil, err
		}
		columns[i] = &Iterator{items: items}
	}
	out := &Iterator{}
	for len(columns) > 0 {
		t := make(Tuple, 0, len(columns))
		for _, column := range columns {
			if column.at == len(column.items) {
				break
			}
			t = append(t, column.items[column.at])
			column.at++
		}
		if len(t) == len(columns) {
			out.items = append(out.items, t)
			continue
		}
		if strict, _ := c.Arg("strict"); strict == true {
			left := len(t)
			for _, column := range columns {
				left += len(column.items) - column.at
			}
			if left > 0 {
				return nil, raise("ValueError", "zip() arguments are not of the same length")
			}
		}
		break
	}
	return out, c.run.charge(len(out.items) * len(columns))
}

func mapped(name string, c *Call) (any, error) {
	if len(c.Args) < 2 {
		return nil, raise("TypeError", "%s() takes a function and items", name)
	}
	fn := c.Args[0]
	rows := &Iterator{}
	if len(c.Args) == 2 {
		if u, ok := c.Args[1].(*Unknown); ok {
			return u, nil
		}
		items, err := c.run.items(c.Args[1])
		if err != nil {
			return nil, err
		}
		for _, v := range items {
			rows.items = append(rows.items, Tuple{v})
		}
	} else {
		zipped, err := zip(&Call{Args: c.Args[1:], run: c.run})
		it, ok := zipped.(*Iterator)
		if err != nil || !ok {
			return zipped, err
		}
		rows = it
	}
	out := &Iterator{}
	for _, row := range rows.items {
		args, _ := row.(Tuple)
		v := args[0]
		if fn != nil {
			made, err := c.Invoke(fn, args...)
			if err != nil {
				return nil, err
			}
			v = made
		}
		if name == "map" {
			out.items = append(out.items, v)
			continue
		}
		yes, known := c.run.truth(v)
		if !known {
			return &Unknown{Why: "filter()"}, nil
		}
		if yes {
			out.items = append(out.items, args[0])
		}
	}
	return out, nil
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
	return &List{out}, c.run.charge(len(items))
}
