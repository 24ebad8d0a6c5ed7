package library

import (
	"fmt"
	"slices"

	"github.com/banquet-fs/banquet/definitions/python"
)

// deque is collections.deque.
type deque struct {
	items []any
	limit int64 // -1 means no limit
}

func newDeque(c *python.Call, a []any) (any, error) {
	d := &deque{limit: -1}
	if a[1] != nil {
		n, ok := python.Int(a[1])
		if !ok || n < 0 {
			return nil, python.Raise("ValueError", "maxlen must be non-negative")
		}
		d.limit = n
	}
	if a[0] == nil {
		return d, nil
	}
	items, err := c.Items(a[0])
	d.items = items
	d.cut(true)
	return d, err
}

// cut shortens the deque to its limit.
func (d *deque) cut(front bool) {
	over := len(d.items) - int(d.limit)
	switch {
	case d.limit < 0 || over <= 0:
	case front:
		d.items = d.items[over:]
	default:
		d.items = d.items[:d.limit]
	}
}

// Kinds lists the types of a deque.
func (*deque) Kinds() []string {
	return []string{"deque", "MutableSequence", "Sequence", "Iterable", "Collection"}
}

// Iterate iterates over the items.
func (d *deque) Iterate() (*python.Iterator, error) {
	return python.NewIterator(slices.Clone(d.items)), nil
}

// Len is the number of items.
func (d *deque) Len() int { return len(d.items) }

// Index is deque[i].
func (d *deque) Index(key any) (any, error) {
	i, ok := python.Int(key)
	if i < 0 {
		i += int64(len(d.items))
	}
	if !ok || i < 0 || i >= int64(len(d.items)) {
		return nil, python.Raise("IndexError", "deque index out of range")
	}
	return d.items[i], nil
}

// Attr returns the methods of a deque.
func (d *deque) Attr(name string) (any, bool) {
	one := func(do func(c *python.Call, v any) error) (any, bool) {
		return python.NewFunction(name, "value", func(c *python.Call, a []any) (any, error) { return nil, do(c, a[0]) }), true
	}
	switch name {
	case "maxlen":
		return cond(d.limit < 0, nil, d.limit), true
	case "append":
		return one(func(_ *python.Call, v any) error {
			d.items = append(d.items, v)
			d.cut(true)
			return nil
		})
	case "appendleft":
		return one(func(c *python.Call, v any) error {
			d.items = slices.Insert(d.items, 0, v)
			d.cut(false)
			return c.Charge(len(d.items) / 8)
		})
	case "extend":
		return one(func(c *python.Call, v any) error {
			items, err := c.Items(v)
			d.items = append(d.items, items...)
			d.cut(true)
			return err
		})
	case "pop", "popleft":
		return python.NewFunction(name, "", func(*python.Call, []any) (any, error) {
			if len(d.items) == 0 {
				return nil, python.Raise("IndexError", "pop from an empty deque")
			}
			at := len(d.items) - 1
			if name == "popleft" {
				at = 0
			}
			v := d.items[at]
			d.items = slices.Delete(d.items, at, at+1)
			return v, nil
		}), true
	case "clear":
		return python.NewFunction(name, "", func(*python.Call, []any) (any, error) {
			d.items = nil
			return nil, nil
		}), true
	}
	return nil, false
}

// counter is collections.Counter.
type counter struct{ dict *python.Dict }

func newCounter(c *python.Call) (any, error) {
	n := &counter{c.NewDict()}
	return n, n.update(c)
}

// update counts items, or adds counts.
func (n *counter) update(c *python.Call) error {
	if len(c.Args) > 1 {
		return python.Raise("TypeError", "expected at most 1 argument, got %d", len(c.Args))
	}
	for _, v := range c.Args {
		counts, isDict := v.(*python.Dict)
		if other, ok := v.(*counter); ok {
			counts, isDict = other.dict, true
		}
		if isDict {
			for k, v := range counts.All() {
				if err := n.add(c, k, v); err != nil {
					return err
				}
			}
			continue
		}
		if _, unknown := v.(*python.Unknown); unknown {
			return fmt.Errorf("what is counted here cannot be known without running Python")
		}
		items, err := c.Items(v)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := n.add(c, item, int64(1)); err != nil {
				return err
			}
		}
	}
	for i, name := range c.Names {
		if err := n.add(c, name, c.Named[i]); err != nil {
			return err
		}
	}
	return nil
}

func (n *counter) add(c *python.Call, key, by any) error {
	old, err := n.Index(key)
	if err != nil {
		return err
	}
	sum, err := c.Binary("+", old, by)
	if err != nil {
		return err
	}
	return n.dict.Put(key, sum)
}

// Kinds lists the types of a Counter.
func (*counter) Kinds() []string {
	return []string{"Counter", "dict", "Mapping", "MutableMapping", "Iterable", "Collection"}
}

// Iterate iterates over the keys.
func (n *counter) Iterate() (*python.Iterator, error) { return python.NewIterator(n.dict.Keys()), nil }

// Dict is the Counter as a plain dict.
func (n *counter) Dict() *python.Dict { return n.dict }

// Len is the number of keys.
func (n *counter) Len() int { return n.dict.Len() }

// Contains is key in the Counter.
func (n *counter) Contains(v any) (bool, error) {
	_, ok, err := n.dict.Get(v)
	return ok, err
}

// Index returns a count; 0 if the key was not counted.
func (n *counter) Index(key any) (any, error) {
	v, ok, err := n.dict.Get(key)
	if !ok {
		v = int64(0)
	}
	return v, err
}

// Put sets a count.
func (n *counter) Put(key, v any) error { return n.dict.Put(key, v) }

// Delete removes a key; an absent key is not an error.
func (n *counter) Delete(key any) (bool, error) {
	_, err := n.dict.Delete(key)
	return true, err
}

// Attr returns the methods of a Counter.
func (n *counter) Attr(name string) (any, bool) {
	switch name {
	case "keys", "values", "items", "get":
		return &python.Builtin{Name: name, Call: func(c *python.Call) (any, error) {
			fn, err := c.Attribute(n.dict, name)
			if err != nil {
				return nil, err
			}
			return c.Apply(fn, c.Args, c.Names, c.Named)
		}}, true
	case "update":
		return &python.Builtin{Name: name, Call: func(c *python.Call) (any, error) { return nil, n.update(c) }}, true
	case "most_common":
		return python.NewFunction(name, "n?", n.mostCommon), true
	}
	return nil, false
}

// mostCommon sorts by count; equal counts keep their order.
func (n *counter) mostCommon(c *python.Call, a []any) (any, error) {
	if err := c.Charge(4 * n.dict.Len()); err != nil {
		return nil, err
	}
	keys := n.dict.Keys()
	count := make([]int64, len(keys))
	l := &python.List{}
	at := make([]int, len(keys))
	for i, k := range keys {
		v, _, err := n.dict.Get(k)
		number, ok := python.Int(v)
		if err != nil || !ok {
			return nil, fmt.Errorf("most_common() of counts that are not integers is not read")
		}
		count[i], at[i] = number, i
	}
	slices.SortStableFunc(at, func(i, j int) int { return int(max(min(count[j]-count[i], 1), -1)) })
	for _, i := range at {
		l.Items = append(l.Items, python.Tuple{keys[i], count[i]})
	}
	if limit, ok := python.Int(a[0]); ok {
		l.Items = l.Items[:min(max(limit, 0), int64(len(l.Items)))]
	}
	return l, nil
}
