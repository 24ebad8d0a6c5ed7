package python

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"strings"
)

// comparison compares values. After an error it compares no more.
type comparison struct {
	meter   *meter
	depth   int
	unknown *Unknown
	err     error
}

// maxCompared bounds the nesting of compared values.
const maxCompared = 200

// equal is Python's ==, where Unknown equals nothing.
func (r *Interpreter) equal(a, b any) (bool, error) {
	c := comparison{meter: r.meter}
	return c.equal(a, b), c.err
}

// step counts the comparison of two values; it returns false if there was an
// error.
func (c *comparison) step(a, b any) bool {
	if c.err == nil && c.depth > maxCompared {
		c.err = fmt.Errorf("these values are nested too deep to be compared")
	}
	if c.err == nil {
		c.err = c.meter.step(1 + min(textSize(a), textSize(b))/64)
	}
	return c.err == nil
}

// textSize is the length of a text or of bytes; 0 for other values.
func textSize(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case Bytes:
		return len(v)
	}
	return 0
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
	if !c.step(a, b) {
		return false
	}
	c.depth++
	defer func() { c.depth-- }()
	if u := anyUnknown(a, b); u != nil {
		c.unknown = u
		return false
	}
	if v, done, err := overloaded("==", a, b); done {
		return c.answer(v, err)
	}
	if a, b, c.err = setsLike(c.meter, Plain(a), Plain(b)); c.err != nil {
		return false
	}
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
	x, isBytes := a.(Bytes)
	if y, also := b.(Bytes); isBytes || also {
		return isBytes && also && bytes.Equal(x, y)
	}
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
		return ok && x.Len() == y.Len() && c.subset(x, y)
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

func (c *comparison) subset(x, y *Set) bool {
	for _, v := range x.dict.keys {
		in := false
		if c.err == nil {
			c.err = c.meter.step(1)
		}
		if c.err == nil {
			in, c.err = y.has(v)
		}
		if !in {
			return false
		}
	}
	return true
}

// subset reports whether all items of a set are in another.
func (r *Interpreter) subset(x, y *Set) (bool, error) {
	c := comparison{meter: r.meter}
	return c.subset(x, y), c.err
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
			same, err := r.equal(a, b)
			if err != nil {
				return nil, err
			}
			if same && TypeName(a) == TypeName(b) {
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
		c := comparison{meter: r.meter}
		same := c.equal(a, b)
		if c.err != nil {
			return nil, c.err
		}
		if c.unknown != nil {
			return c.unknown, nil
		}
		return same == (op == "=="), nil
	}
	return (&comparison{meter: r.meter}).ordered(op, a, b)
}

// ordered evaluates <, <=, > and >=; sets are ordered by inclusion.
func (c *comparison) ordered(op string, a, b any) (any, error) {
	if u, err := computable(a, b); u != nil || err != nil {
		return u, err
	}
	v, done, err := overloaded(op, a, b)
	if done {
		return v, err
	}
	a, b, err = setsLike(c.meter, a, b)
	if err != nil {
		return nil, err
	}
	x, xok := a.(*Set)
	y, yok := b.(*Set)
	if xok && yok {
		return holds(op, c.subset(x, y), c.subset(y, x)), c.err
	}
	sign, ok := c.order(a, b)
	if c.err != nil {
		return nil, c.err
	}
	if !ok {
		return nil, raise("TypeError", "'%s' not supported between instances of '%s' and '%s'", op, TypeName(a), TypeName(b))
	}
	if isNaN(a) || isNaN(b) {
		return false, nil
	}
	return holds(op, sign <= 0, sign >= 0), nil
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
		return strings.Contains(s, part), r.weigh(s)
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
	c := comparison{meter: r.meter}
	found := false
	err := r.each(box, func(o any) (bool, error) {
		found = identical(o, v) || c.equal(o, v)
		return !found, c.err
	})
	if err != nil {
		return nil, err
	}
	if found {
		return true, nil
	}
	if c.unknown != nil {
		return c.unknown, nil
	}
	return false, nil
}

// order compares two values; it returns false if they have no order, or if there
// was an error.
func (c *comparison) order(a, b any) (int, bool) {
	if !c.step(a, b) {
		return 0, false
	}
	c.depth++
	defer func() { c.depth-- }()
	if o, ok := a.(*Instance); ok && o.special("__lt__") != nil {
		for sign, pair := range [][2]any{{a, b}, {b, a}} {
			v, err := c.ordered("<", pair[0], pair[1])
			if c.err = cmp.Or(c.err, err); v == true || c.err != nil {
				return 2*sign - 1, c.err == nil
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
		return c.orderItems(p, q)
	}
	switch p := a.(type) {
	case string:
		return orderAs(p, b)
	case Bytes:
		other, ok := b.(Bytes)
		return bytes.Compare(p, other), ok
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

func (c *comparison) orderItems(p, q []any) (int, bool) {
	for i := range min(len(p), len(q)) {
		if c.same(p[i], q[i]) {
			continue
		}
		return c.order(p[i], q[i])
	}
	return cmp.Compare(len(p), len(q)), true
}
