package python

import (
	"fmt"
	"math"

	"github.com/banquet-fs/banquet/definitions/numbers"
)

// Range is a range of integers.
type Range struct{ start, stop, step, n int64 }

func newRange(start, stop, step int64) (any, error) {
	var n uint64
	switch {
	case step == 0:
		return nil, raise("ValueError", "range() arg 3 must not be zero")
	case step > 0 && start < stop:
		n = (uint64(stop)-uint64(start)-1)/uint64(step) + 1
	case step < 0 && start > stop:
		n = (uint64(start)-uint64(stop)-1)/-uint64(step) + 1
	}
	if n > math.MaxInt64 {
		return nil, numbers.ErrBig
	}
	return Range{start, stop, step, int64(n)}, nil
}

func rangeOf(c *Call) (any, error) {
	if len(c.Args) == 0 || len(c.Args) > 3 || len(c.Names) > 0 {
		return nil, raise("TypeError", "range() takes one to three integers")
	}
	bounds := [3]int64{0, 0, 1}
	at := bounds[:]
	if len(c.Args) == 1 {
		at = bounds[1:]
	}
	for i, a := range c.Args {
		v, ok := asInt(a)
		if !ok {
			return nil, raise("TypeError", "'%s' object cannot be interpreted as an integer", TypeName(a))
		}
		at[i] = v
	}
	return newRange(bounds[0], bounds[1], bounds[2])
}

func (v Range) at(i int64) any { return v.start + i*v.step }

// index is the position of a number in the range.
func (v Range) index(o any) (int64, bool) {
	f, isNumber := asFloat(o)
	i, isInt := asInt(o)
	if !isInt {
		if !isNumber || f != math.Trunc(f) || math.Abs(f) >= 1<<62 {
			return 0, false
		}
		i = int64(f)
	}
	last, _ := v.at(v.n - 1).(int64)
	if v.n == 0 || i < min(v.start, last) || i > max(v.start, last) || v.n > 1 && (i-v.start)%v.step != 0 {
		return 0, false
	}
	return (i - v.start) / v.step, true
}

// Len is the number of integers in the range.
func (v Range) Len() int { return int(v.n) }

// Contains is v in range.
func (v Range) Contains(o any) (bool, error) {
	_, ok := v.index(o)
	return ok, nil
}

// Index is range[i].
func (v Range) Index(key any) (any, error) {
	if _, ok := asInt(key); !ok {
		return nil, raise("TypeError", "range indices must be integers or slices, not %s", TypeName(key))
	}
	i, ok := position(key, int(v.n))
	if !ok {
		return nil, raise("IndexError", "range object index out of range")
	}
	return v.at(int64(i)), nil
}

// Attr returns the attributes of a range.
func (v Range) Attr(name string) (any, bool) {
	switch name {
	case "start":
		return v.start, true
	case "stop":
		return v.stop, true
	case "step":
		return v.step, true
	}
	return nil, false
}

// Key is equal for ranges of the same integers.
func (v Range) Key() string {
	switch v.n {
	case 0:
		return ""
	case 1:
		return fmt.Sprint(v.start)
	}
	return fmt.Sprint(v.start, v.step, v.n)
}

// Repr is the repr of a range.
func (v Range) Repr() string {
	if v.step == 1 {
		return fmt.Sprintf("range(%d, %d)", v.start, v.stop)
	}
	return fmt.Sprintf("range(%d, %d, %d)", v.start, v.stop, v.step)
}

// Kinds lists the types of a range.
func (v Range) Kinds() []string { return []string{"range", "Sequence", "Iterable", "Collection"} }

// View is the result of keys, values and items: a live view of the dict.
type View struct {
	dict *Dict
	kind string // "dict_keys", "dict_values" or "dict_items"
}

// Kinds lists the types of a view.
func (v *View) Kinds() []string {
	name := map[string]string{"dict_keys": "KeysView", "dict_values": "ValuesView", "dict_items": "ItemsView"}[v.kind]
	if v.kind == "dict_values" {
		return []string{v.kind, name, "Iterable", "Collection"}
	}
	return []string{v.kind, name, "Iterable", "Collection", "Set"}
}

func (v *View) at(i int) any {
	switch v.kind {
	case "dict_keys":
		return v.dict.keys[i]
	case "dict_values":
		return v.dict.values[i]
	}
	return Tuple{v.dict.keys[i], v.dict.values[i]}
}

func (v *View) items() []any {
	out := make([]any, v.dict.Len())
	for i := range out {
		out[i] = v.at(i)
	}
	return out
}

// Len is the number of keys.
func (v *View) Len() int { return v.dict.Len() }

// Attr returns nothing: attributes of views are not supported.
func (v *View) Attr(string) (any, bool) { return nil, false }

// setLike turns views of keys, and of hashable items, into sets; other values
// stay.
func setLike(m *meter, v any) (any, error) {
	if w, ok := v.(*View); ok && w.kind != "dict_values" {
		s, err := newSet(m, w.items())
		if err == nil {
			return s, nil
		}
		if exception(err) == nil {
			return nil, err
		}
	}
	return v, nil
}

// setsLike is setLike of two values.
func setsLike(m *meter, a, b any) (x, y any, err error) {
	if x, err = setLike(m, a); err == nil {
		y, err = setLike(m, b)
	}
	return x, y, err
}
