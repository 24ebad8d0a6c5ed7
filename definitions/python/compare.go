package python

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// comparison compares values within a limit.
type comparison struct {
	left    int // remaining comparisons
	unknown *Unknown
	err     error
}

// maxCompared bounds the work of one comparison.
const maxCompared = 200_000

// counted charges the work of a comparison. An unfinished comparison is an error.
func (r *Interpreter) counted(c *comparison) error {
	if c.err != nil {
		return c.err
	}
	if c.left < 0 {
		return fmt.Errorf("these values are too large to be compared")
	}
	return r.charge((maxCompared - c.left) / 8)
}

// equal is Python's ==, where Unknown equals nothing.
func equal(a, b any) bool {
	c := comparison{left: maxCompared}
	return c.equal(a, b)
}

// is reports whether two functions are identical, or the same method of the same
// object.
func (f *Function) is(g *Function) bool {
	return f == g || f.bound && g.bound && f.of == g.of && identical(f.self, g.self)
}

// equalNumbers compares a, whose float value is x, with b: two integers with all
// their digits.
func equalNumbers(x float64, a, b any) bool {
	y, ok := asFloat(b)
	i, iok := a.(int64)
	j, jok := b.(int64)
	return ok && x == y && (!iok || !jok || i == j)
}

func (c *comparison) equal(a, b any) bool {
	if c.left--; c.left < 0 || c.err != nil {
		return false
	}
	if u := anyUnknown(a, b); u != nil {
		c.unknown = u
		return false
	}
	if v, done, err := overloaded("==", a, b); done {
		return c.answer(v, err)
	}
	a, b = setLike(Plain(a)), setLike(Plain(b))
	if x, ok := asFloat(a); ok {
		return equalNumbers(x, a, b)
	}
	switch x := a.(type) {
	case *Instance:
		return c.instances(x, b)
	case Comparable:
		return c.objects(x, b)
	case *Function:
		y, ok := b.(*Function)
		return ok && x.is(y)
	}
	if x, y, ok := sameSequences(a, b); ok {
		return len(x) == len(y) && c.each(x, y)
	}
	return c.containers(a, b)
}

// containers compares unordered containers, and all other values.
func (c *comparison) containers(a, b any) bool {
	a, b = atom(a), atom(b)
	switch x := a.(type) {
	case *Dict:
		y, ok := b.(*Dict)
		return ok && c.dicts(x, y)
	case *View: // views with unhashable items
		y, ok := b.(*View)
		return ok && (x == y || x.kind == "dict_items" && y.kind == x.kind && c.dicts(x.dict, y.dict))
	case *Set:
		y, ok := b.(*Set)
		return ok && x.Len() == y.Len() && subset(x, y)
	}
	return a == b
}

// objects compares a value of the host.
func (c *comparison) objects(x Comparable, b any) bool {
	if any(x) == b {
		return true
	}
	same, known := x.Equal(b)
	if !known {
		c.unknown = &Unknown{Why: "whether two of " + TypeName(x) + " are equal"}
	}
	return same
}

// sameSequences returns the items of two lists or two tuples.
func sameSequences(a, b any) (x, y []any, ok bool) {
	switch a := a.(type) {
	case *List:
		if b, ok := b.(*List); ok {
			return a.Items, b.Items, true
		}
	case Tuple:
		if b, ok := b.(Tuple); ok {
			return a, b, true
		}
		if b, ok := b.(*Instance); ok && b.tuple != nil {
			return a, b.tuple, true
		}
	}
	return nil, nil, false
}

func (c *comparison) each(x, y []any) bool {
	for i := range x {
		if !c.same(x[i], y[i]) {
			return false
		}
	}
	return true
}

func (c *comparison) dicts(x, y *Dict) bool {
	if x.Len() != y.Len() || x.kind == "OrderedDict" && y.kind == x.kind && !c.each(x.keys, y.keys) {
		return false
	}
	for k, v := range x.All() {
		w, ok, err := y.Get(k)
		if err != nil || !ok || !c.same(v, w) {
			return false
		}
	}
	return true
}

// instances compares objects whose class has no __eq__: named tuples by their
// items, others by identity.
func (c *comparison) instances(o *Instance, b any) bool {
	if o.tuple != nil {
		x, y, ok := sameSequences(o.tuple, b)
		return ok && len(x) == len(y) && c.each(x, y)
	}
	p, ok := b.(*Instance)
	if ok && o != p && o.Class.foreign() != nil {
		c.unknown = o.Class.foreign()
	}
	return ok && o == p
}

// answer evaluates the result of an __eq__.
func (c *comparison) answer(v any, err error) bool {
	same, isBool := v.(bool)
	switch u, unknown := v.(*Unknown); {
	case err != nil:
		c.err = err
	case unknown:
		c.unknown = u
	case !isBool:
		c.err = fmt.Errorf("an __eq__ that gives a %s is not read; let it give True or False", TypeName(v))
	}
	return same
}

// same is the comparison of "in" and of lists: identical or equal.
func (c *comparison) same(a, b any) bool {
	o, ok := a.(*Instance)
	p, pok := b.(*Instance)
	return ok && pok && o == p || c.equal(a, b)
}

func subset(x, y *Set) bool {
	for _, v := range x.dict.keys {
		if in, err := y.has(v); err != nil || !in {
			return false
		}
	}
	return true
}

// identical is "is": the same object, or an equal constant.
func identical(a, b any) bool {
	switch a.(type) {
	case nil, bool, int64, float64, string:
		return a == b
	case Tuple, Bytes, Keyed:
		return false
	}
	return a == b
}

// compared evaluates a comparison: a bool or Unknown.
func (r *Interpreter) compared(op string, a, b any) (any, error) {
	if op == "is" || op == "is not" {
		if u := anyUnknown(a, b); u != nil {
			return u, nil
		}
		switch a.(type) {
		case Tuple, Bytes, Keyed:
			if TypeName(a) == TypeName(b) && equal(a, b) {
				return nil, fmt.Errorf("whether two equal values of type %s are one is not read; compare them by ==", TypeName(a))
			}
		}
		return identical(a, b) == (op == "is"), nil
	}
	if op == "in" || op == "not in" {
		v, err := r.contains(b, a)
		if in, ok := v.(bool); ok {
			return in == (op == "in"), err
		}
		return v, err
	}
	if op == "==" || op == "!=" {
		c := comparison{left: maxCompared}
		same := c.equal(a, b)
		if err := r.counted(&c); err != nil {
			return nil, err
		}
		if c.unknown != nil {
			return c.unknown, nil
		}
		return same == (op == "=="), nil
	}
	return ordered(op, a, b)
}

// ordered evaluates <, <=, > and >=; sets are ordered by inclusion.
func ordered(op string, a, b any) (any, error) {
	if u, err := computable(a, b); u != nil || err != nil {
		return u, err
	}
	if v, done, err := overloaded(op, a, b); done {
		return v, err
	}
	a, b = setLike(a), setLike(b)
	x, xok := a.(*Set)
	y, yok := b.(*Set)
	if xok && yok {
		return holds(op, subset(x, y), subset(y, x)), nil
	}
	c, ok := order(a, b, 0)
	if !ok {
		return nil, raise("TypeError", "'%s' not supported between instances of '%s' and '%s'", op, TypeName(a), TypeName(b))
	}
	if isNaN(a) || isNaN(b) {
		return false, nil
	}
	return holds(op, c <= 0, c >= 0), nil
}

// isNaN reports whether a value is a float NaN, which has no order.
func isNaN(v any) bool {
	f, ok := v.(float64)
	return ok && math.IsNaN(f)
}

// holds derives an order operator from whether a value is at most, and at least,
// another.
func holds(op string, most, least bool) bool {
	switch op {
	case "<":
		return most && !least
	case "<=":
		return most
	case ">":
		return least && !most
	}
	return least
}

// contains is "in": a bool or Unknown.
func (r *Interpreter) contains(box, v any) (any, error) {
	if u := anyUnknown(box, v); u != nil {
		return u, nil
	}
	if s, ok := asText(box); ok {
		part, ok := asText(v)
		if !ok {
			return nil, raise("TypeError", "'in <string>' requires string as left operand, not %s", TypeName(v))
		}
		return strings.Contains(s, part), nil
	}
	if found, asked, err := r.ask(box, v); asked {
		return found, err
	}
	return r.search(box, v)
}

// ask is "in" for containers that need not compare their items one by one; asked
// is false for others.
func (r *Interpreter) ask(box, v any) (found any, asked bool, err error) {
	switch box := box.(type) {
	case *Class:
		o, ok := v.(*Instance)
		if box.enum != nil && (!ok || o.Class.enum == nil) {
			return nil, true, raise("TypeError", "unsupported operand type(s) for 'in': '%s' and 'EnumType'", TypeName(v))
		}
	case *Instance:
		if m := box.special("__contains__"); m != nil {
			found, err := r.invoke(m, &Call{Args: []any{v}})
			return truthOf(found), true, err
		}
	case *Dict:
		_, ok, err := box.Get(v)
		return ok, true, err
	case *Set:
		ok, err := box.has(v)
		return ok, true, err
	case *View:
		if box.kind == "dict_keys" {
			_, ok, err := box.dict.Get(v)
			return ok, true, err
		}
	case interface{ Contains(v any) (bool, error) }:
		ok, err := box.Contains(v)
		return ok, true, err
	}
	return nil, false, nil
}

// search is "in" for containers whose items are compared one by one.
func (r *Interpreter) search(box, v any) (any, error) {
	c := comparison{left: maxCompared}
	found := false
	err := r.each(box, func(o any) (bool, error) {
		found = identical(o, v) || c.equal(o, v)
		return !found, nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.counted(&c); err != nil || found {
		return found, err
	}
	if c.unknown != nil {
		return c.unknown, nil
	}
	return false, nil
}

// order compares two values; it returns false if they have no order.
func order(a, b any, depth int) (int, bool) {
	if depth > maxNesting {
		return 0, false
	}
	if o, ok := a.(*Instance); ok && o.special("__lt__") != nil {
		for sign, pair := range [][2]any{{a, b}, {b, a}} {
			if v, err := ordered("<", pair[0], pair[1]); v == true || err != nil {
				return 2*sign - 1, err == nil
			}
		}
		return 0, true
	}
	a, b = tupleOf(Plain(a)), tupleOf(Plain(b))
	if i, ok := asInt(a); ok {
		if j, ok := asInt(b); ok {
			return cmp.Compare(i, j), true
		}
	}
	x, xok := asFloat(a)
	y, yok := asFloat(b)
	if xok && yok {
		return cmp.Compare(x, y), true
	}
	if p, q, ok := sameSequences(a, b); ok {
		return orderItems(p, q, depth)
	}
	switch p := a.(type) {
	case string:
		return orderAs(p, b)
	case Bytes:
		return orderAs(bytesKey(p), atom(b))
	case Ordered:
		return p.Compare(b)
	}
	return 0, false
}

// orderAs compares a value with one that must be of its type.
func orderAs[T cmp.Ordered](a T, b any) (int, bool) {
	other, ok := b.(T)
	return cmp.Compare(a, other), ok
}

func orderItems(p, q []any, depth int) (int, bool) {
	for i := range min(len(p), len(q)) {
		if equal(p[i], q[i]) {
			continue
		}
		return order(p[i], q[i], depth+1)
	}
	return cmp.Compare(len(p), len(q)), true
}
