package python

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Iterator returns items one at a time, on request; each item only once.
type Iterator struct {
	kind string // name of its type
	next func() (v any, ok bool, err error)
	// result is the value of "yield from" at the end.
	result any
	gen    *generator // for a generator function
}

// counted iterates over the results of at for 0, 1, 2 … until there are no more.
func counted(kind string, at func(i int) (any, bool, error)) *Iterator {
	i, done := 0, false
	return &Iterator{kind: kind, next: func() (any, bool, error) {
		if done {
			return nil, false, nil
		}
		v, ok, err := at(i)
		i, done = i+1, !ok && err == nil
		return v, ok, err
	}}
}

// overList iterates over a list, including items appended during the iteration.
func overList(l *List) *Iterator {
	return counted("list_iterator", func(i int) (any, bool, error) {
		if i >= len(l.Items) {
			return nil, false, nil
		}
		return l.Items[i], true, nil
	})
}

// iterateInstance is iter(o) by the object's class; nil if the object iterates
// like the tuple, text or number that it also is.
func (r *Interpreter) iterateInstance(o *Instance) (*Iterator, error) {
	if m := o.special("__iter__"); m != nil {
		inner, err := r.invoke(m, &Call{})
		if err != nil {
			return nil, err
		}
		return r.iteratorOf(inner)
	}
	if o.special("__getitem__") != nil && o.tuple == nil {
		return nil, fmt.Errorf("iterating over a %s by its __getitem__ is not read; give the class an __iter__", TypeName(o))
	}
	return nil, nil
}

// iterate is iter(v).
func (r *Interpreter) iterate(v any) (*Iterator, error) {
	switch v := v.(type) {
	case *Iterator:
		return v, nil
	case *Unknown:
		return nil, fmt.Errorf("the items of this cannot be known without running Python (%s)", v.Why)
	case *List:
		return overList(v), nil
	case Stepper:
		return &Iterator{kind: TypeName(v), next: v.Next}, nil
	case Iterable:
		return v.Iterate()
	case Range:
		return counted("range_iterator", func(i int) (any, bool, error) { return v.at(int64(i)), int64(i) < v.n, nil }), nil
	case *Dict:
		return overDict("dict_keyiterator", "dictionary", v, func(i int) any { return v.keys[i] }), nil
	case *View:
		return overDict(v.kind[:len(v.kind)-1]+"iterator", "dictionary", v.dict, v.at), nil
	case *Set:
		if err := v.ordered(); err != nil {
			return nil, err
		}
		return overDict("set_iterator", "Set", &v.dict, func(i int) any { return v.dict.keys[i] }), nil
	case *Instance:
		if it, err := r.iterateInstance(v); it != nil || err != nil {
			return it, err
		}
	}
	return iterateSequence(v)
}

// iterateSequence is iter(v) of a value whose items do not change.
func iterateSequence(v any) (*Iterator, error) {
	kind := TypeName(v) + "_iterator"
	switch v := tupleOf(Plain(v)).(type) {
	case string:
		at := 0
		return counted(kind, func(int) (any, bool, error) {
			if at == len(v) {
				return nil, false, nil
			}
			_, size := utf8.DecodeRuneInString(v[at:])
			at += size
			return v[at-size : at], true, nil
		}), nil
	case Bytes:
		return counted(kind, func(i int) (any, bool, error) {
			if i >= len(v) {
				return nil, false, nil
			}
			return int64(v[i]), true, nil
		}), nil
	case Tuple:
		return overItems(kind, v), nil
	case *Class, *Builtin:
		if items, ok := Items(v); ok {
			return overItems(kind, items), nil
		}
	}
	return nil, raise("TypeError", "'%s' object is not iterable", TypeName(v))
}

// overItems iterates over items that do not change.
func overItems(kind string, items []any) *Iterator {
	return counted(kind, func(i int) (any, bool, error) {
		if i >= len(items) {
			return nil, false, nil
		}
		return items[i], true, nil
	})
}

// iteratorOf checks the result of an __iter__.
func (r *Interpreter) iteratorOf(v any) (*Iterator, error) {
	if it, ok := v.(*Iterator); ok {
		return it, nil
	}
	o, ok := v.(*Instance)
	var next any
	if ok {
		next = o.special("__next__")
	}
	if next == nil {
		return nil, raise("TypeError", "iter() returned non-iterator of type '%s'", TypeName(v))
	}
	it := &Iterator{kind: o.Class.Name}
	it.next = func() (any, bool, error) {
		v, err := r.invoke(next, &Call{})
		if e := exception(err); e != nil && r.isStop(e) {
			it.result = stopValue(e)
			return nil, false, nil
		}
		return v, err == nil, err
	}
	return it, nil
}

// isStop reports whether an exception is a StopIteration.
func (r *Interpreter) isStop(e *raised) bool {
	stop, _ := r.builtins["StopIteration"].(*Class)
	c := r.classOf(e)
	return c != nil && c.derives(stop)
}

// stopValue is the value of a StopIteration.
func stopValue(e *raised) any {
	if e.value != nil {
		if args, _ := e.value.get("args").(Tuple); len(args) > 0 {
			return args[0]
		}
	}
	return nil
}

// stopIteration is the exception at the end of an iterator.
func (r *Interpreter) stopIteration(result any) error {
	class, _ := r.builtins["StopIteration"].(*Class)
	args := Tuple{}
	if result != nil {
		args = Tuple{result}
	}
	o := &Instance{Class: class}
	o.set("args", args)
	o.set("value", result)
	return &raised{value: o, text: class.Name}
}

// overDict iterates over a dict or set that must not change during the iteration.
func overDict(kind, what string, d *Dict, item func(i int) any) *Iterator {
	size, changes := d.Len(), d.changes
	return counted(kind, func(i int) (any, bool, error) {
		switch {
		case d.Len() != size:
			return nil, false, raise("RuntimeError", "%s changed size during iteration", what)
		case d.changes != changes:
			return nil, false, fmt.Errorf("going through a %s whose keys change meanwhile is not read; go through a list of it", what)
		case i >= size:
			return nil, false, nil
		}
		return item(i), true, nil
	})
}

// ordered refuses to iterate over a set of numbers, whose order Python
// determines; the order of a set of texts differs from run to run, so any order
// is right.
func (s *Set) ordered() error {
	plain := true
	for _, v := range s.dict.keys {
		i, isInt := asInt(v)
		if _, isFloat := v.(float64); !isInt && !isFloat {
			return nil
		}
		plain = plain && isInt && i >= 0 && i < 8
	}
	if plain { // each has its own slot in a table of any size
		slices.SortFunc(s.dict.keys, func(a, b any) int { x, _ := asInt(a); y, _ := asInt(b); return cmp.Compare(x, y) })
		s.dict.reindex()
		return nil
	}
	if s.Len() < 2 {
		return nil
	}
	return fmt.Errorf("the order of a set of numbers is not read; write sorted(…) of it")
}

// each passes the items of a value to use, one at a time, while use returns true.
func (r *Interpreter) each(v any, use func(item any) (more bool, err error)) error {
	it, err := r.iterate(v)
	for more := true; more && err == nil; {
		var item any
		if item, more, err = it.next(); err != nil || !more {
			break
		}
		if err = r.charge(1); err == nil {
			more, err = use(item)
		}
	}
	return err
}

// items returns the items of a value, and charges the work.
func (r *Interpreter) items(v any) ([]any, error) {
	if s, ok := v.(*Set); ok {
		if err := s.ordered(); err != nil {
			return nil, err
		}
	}
	if err := r.charge(max(weight(v), textSize(v)/4)); err != nil {
		return nil, err
	}
	if items, ok := Items(v); ok {
		return items, nil
	}
	out := []any{}
	err := r.each(v, func(item any) (bool, error) {
		out = append(out, item)
		return true, r.meter.take(itemSize)
	})
	return out, err
}

// anyOrder replaces a set by its items where their order does not matter.
func anyOrder(v any) any {
	if s, ok := v.(*Set); ok {
		return Tuple(s.Items())
	}
	return v
}

// next is next(v); false at the end, with the value of the end.
func (r *Interpreter) next(v any) (item any, ok bool, err error) {
	it, isIterator := v.(*Iterator)
	if o, isInstance := v.(*Instance); isInstance {
		if o.special("__next__") != nil {
			it, err = r.iteratorOf(o)
			isIterator = true
		}
	}
	if s, steps := v.(Stepper); steps && !isIterator {
		it, isIterator = &Iterator{next: s.Next}, true
	}
	if !isIterator {
		return nil, false, raise("TypeError", "'%s' object is not an iterator", TypeName(v))
	}
	if err == nil {
		item, ok, err = it.next()
	}
	if !ok && err == nil {
		item = it.result
	}
	return item, ok, err
}

// attr returns a method of an iterator.
func (it *Iterator) attr(name string) (any, bool) {
	var call func(c *Call) (any, error)
	switch {
	case name == "__next__":
		call = func(c *Call) (any, error) { return c.run.nextOr(it) }
	case name == "__iter__":
		call = func(*Call) (any, error) { return it, nil }
	case it.gen == nil:
	case name == "send":
		call = func(c *Call) (any, error) {
			v, err := c.one(name)
			if err != nil {
				return nil, err
			}
			return it.gen.given(it.gen.resume(v, nil))
		}
	case name == "throw":
		call = func(c *Call) (any, error) {
			if len(c.Args) != 1 {
				return nil, fmt.Errorf("throw() of more than an exception is not read; give it the exception alone")
			}
			err := c.run.raised(c.Args[0])
			if exception(err) == nil {
				return nil, err
			}
			return it.gen.given(it.gen.resume(nil, err))
		}
	case name == "close":
		call = func(*Call) (any, error) { return nil, it.gen.close() }
	}
	return &Builtin{Name: name, Call: call, of: it}, call != nil
}
