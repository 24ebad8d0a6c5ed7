package python

import (
	"errors"
	"fmt"
	"slices"
)

// notImplemented is NotImplemented.
type notImplemented struct{}

// hashed is the result of hash(): equal for equal values, and otherwise unknown,
// as it differs from run to run.
type hashed struct{ key any }

// computable returns what prevents an operation on two values: an Unknown
// operand, or an error for a hash. Both are nil if nothing does.
func computable(a, b any) (*Unknown, error) {
	_, x := a.(hashed)
	if _, y := b.(hashed); x || y {
		return nil, errors.New("the number that hash() gives differs from run to run; what depends on it is not read")
	}
	return anyUnknown(a, b), nil
}

// reflected are the special names of a comparison, and of the same comparison
// from the right side.
func reflected(op string) [2]string {
	return map[string][2]string{
		"<": {"__lt__", "__gt__"}, "<=": {"__le__", "__ge__"}, ">": {"__gt__", "__lt__"}, ">=": {"__ge__", "__le__"}, "==": {"__eq__", "__eq__"},
	}[op]
}

// overloaded compares with a method of a class in the file; done if one returned
// a result.
func overloaded(op string, a, b any) (v any, done bool, err error) {
	x, _ := a.(*Instance)
	y, _ := b.(*Instance)
	if x == nil && y == nil {
		return nil, false, nil
	}
	names := reflected(op)
	type try struct {
		on    *Instance
		name  string
		other any
	}
	tries := []try{{x, names[0], b}, {y, names[1], a}}
	if x != nil && y != nil && x.Class != y.Class && y.Class.derives(x.Class) {
		slices.Reverse(tries)
	}
	for _, t := range tries {
		if t.on == nil || t.on.special(t.name) == nil {
			continue
		}
		v, err := t.on.Class.run.invoke(t.on.special(t.name), &Call{Args: []any{t.other}})
		if _, not := v.(notImplemented); err != nil || !not {
			return v, true, err
		}
	}
	return nil, false, nil
}

// key is the map key for an object.
func (o *Instance) key(m *meter) (any, error) {
	v, own := o.Class.member("__hash__")
	switch {
	case own && v == nil:
		return nil, raise("TypeError", "unhashable type: '%s'", o.Class.Name)
	case !own && o.tuple != nil:
		return hashTuple(m, o.tuple)
	case !own && o.plain() != nil:
		return hashKey(m, o.plain())
	case !own:
		return o, nil
	}
	h, err := o.Class.run.invoke(o.special("__hash__"), &Call{})
	if err != nil {
		return nil, err
	}
	switch h := h.(type) {
	case hashed:
		return h.key, nil
	case int64:
		return h, nil
	}
	return nil, fmt.Errorf("__hash__ of class %s gives a %s, which is not read; give hash() of a value or of a tuple", o.Class.Name, TypeName(h))
}

// asked reports whether a key contains objects of files, which define their own
// equality.
func asked(v any) bool {
	switch v := v.(type) {
	case *Instance:
		return true
	case Tuple:
		return slices.ContainsFunc(v, asked)
	}
	return false
}

// sameKey checks that a key found by its hash equals the requested key.
func sameKey(m *meter, a, b any) error {
	if !asked(a) && !asked(b) {
		return nil
	}
	c := comparison{meter: m}
	if !c.same(a, b) && c.err == nil {
		return fmt.Errorf("two keys, a %s and a %s, have one hash and are not equal, which is not read", TypeName(a), TypeName(b))
	}
	return c.err
}
