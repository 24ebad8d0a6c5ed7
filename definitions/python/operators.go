package python

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/numbers"
)

func (r *Interpreter) unary(op string, v any) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	if op == "not" {
		is := truthOf(v)
		if yes, ok := is.(bool); ok {
			return !yes, nil
		}
		return is, nil
	}
	if o, ok := v.(Signed); ok && op != "~" {
		return o.Unary(op), nil
	}
	if n, ok, err := numbers.Unary(op, Plain(v)); ok {
		return n, err
	}
	return nil, raise("TypeError", "bad operand type for unary %s: '%s'", op, TypeName(v))
}

// numeric converts the exceptions of package numbers to Python's.
func numeric(err error) error {
	var e *numbers.Error
	if !errors.As(err, &e) {
		return err
	}
	args := slices.Clone(e.Args)
	for i, a := range args {
		switch a := a.(type) {
		case numbers.Text:
			args[i] = Repr(string(a))
		case numbers.Kind:
			args[i] = TypeName(a.Of)
		}
	}
	return raise(e.Class, e.Format, args...)
}

// augment is target op= value. The parts of the target are evaluated once.
func (r *Interpreter) augment(s *scope, st *augmentStmt) error {
	old, store, err := r.place(s, st.target)
	if err != nil {
		return err
	}
	v, err := r.eval(s, st.value)
	if err != nil {
		return err
	}
	if u, ok := v.(*Unknown); ok {
		if mutable(old) {
			return fmt.Errorf("a %s is changed by what cannot be known without running Python (%s)", TypeName(old), u.Why)
		}
		return store(r.mixed(u, old))
	}
	if why := readOnly(old); why != "" {
		return errors.New(why)
	}
	if err := r.weigh(v); err != nil {
		return err
	}
	done, err := r.inPlace(st.op, old, v)
	if err == nil && !done {
		if old, err = r.binary(st.op, old, v); err == nil {
			err = r.meter.hold(old)
		}
	}
	if err != nil {
		return err
	}
	return store(old)
}

// place evaluates the parts of a target: its value, and how to set it.
func (r *Interpreter) place(s *scope, target expr) (v any, store func(any) error, err error) {
	switch t := target.(type) {
	case *attrExpr:
		owner, err := r.eval(s, t.value)
		if err == nil {
			v, err = r.attribute(owner, t.name)
		}
		return v, func(v any) error { return s.locate(t.at, r.setAttribute(owner, t.name, v)) }, s.locate(t.at, err)
	case *indexExpr:
		if _, slice := t.index.(*sliceExpr); slice {
			return nil, nil, s.file.fail(t.at, "assigning to a slice is not read; build the list anew")
		}
		owner, key, err := r.both(s, t.value, t.index)
		if err == nil {
			v, err = r.item(owner, key)
		}
		return r.mixed(v, owner), func(v any) error { return s.locate(t.at, r.setItem(owner, key, v)) }, s.locate(t.at, err)
	}
	v, err = r.eval(s, target)
	return v, func(v any) error { return r.bind(s, target, v) }, err
}

// inPlace changes a list, a dict or a set in place; false if the operator makes a
// new value.
func (r *Interpreter) inPlace(op string, old, v any) (bool, error) {
	switch o := old.(type) {
	case *List:
		return r.listInPlace(op, o, v)
	case *Dict:
		if op == "|" {
			return true, r.mergeInto(o, v)
		}
	case *Set:
		return r.setInPlace(op, o, v)
	}
	return false, nil
}

func (r *Interpreter) listInPlace(op string, l *List, v any) (bool, error) {
	var err error
	switch op {
	case "+":
		err = r.extend(l, v)
	case "*":
		var out any
		if out, err = r.repeat(l, v); err == nil {
			l.Items, _ = itemsOf(out)
		}
	default:
		return false, nil
	}
	return true, cmp.Or(err, r.meter.hold(l))
}

// mergeInto is d |= v: of a dict, or of pairs.
func (r *Interpreter) mergeInto(d *Dict, v any) error {
	if other, ok := v.(*Dict); ok {
		return d.update(other)
	}
	u, err := r.putPairs(d, v)
	if u != nil {
		err = fmt.Errorf("a dict is changed by what cannot be known without running Python (%s)", u.Why)
	}
	return err
}

func (r *Interpreter) setInPlace(op string, s *Set, v any) (bool, error) {
	v, err := setLike(r.meter, v)
	other, ok := v.(*Set)
	if err != nil || !ok || s.Frozen {
		return err != nil, err
	}
	out, ok, err := r.setOf(op, s, other)
	if result, isSet := out.(*Set); ok && isSet && err == nil {
		s.dict.replace(&result.dict)
	}
	return ok || err != nil, err
}

func (r *Interpreter) binary(op string, a, b any) (any, error) {
	if u, err := computable(a, b); u != nil || err != nil {
		return u, err
	}
	if format, ok := a.(string); ok && op == "%" {
		return r.percent(format, b)
	}
	a, b = tupleOf(Plain(a)), tupleOf(Plain(b))
	if err := r.weigh(a, b); err != nil {
		return nil, err
	}
	if v, ok, err := numbers.Binary(op, a, b); ok {
		return v, numeric(err)
	}
	if v, ok, err := operand(op, a, b); ok || err != nil {
		return v, err
	}
	return r.combine(op, a, b)
}

// combine applies an operator to texts, sequences, sets or types.
func (r *Interpreter) combine(op string, a, b any) (any, error) {
	switch op {
	case "+":
		return r.concat(a, b)
	case "*":
		return r.repeat(a, b)
	case "%":
		if format, ok := a.(string); ok { // a member of an enumeration
			return r.percent(format, b)
		}
	case "|", "&", "-", "^":
		if v, ok, err := r.setOf(op, a, b); ok || err != nil {
			return v, err
		}
		if op == "|" && isType(a) && (isType(b) || b == nil) {
			return &Unknown{Why: "a type"}, nil
		}
	}
	return nil, raise("TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", op, TypeName(a), TypeName(b))
}

// operand tries the operators of the host's values, the left one first.
func operand(op string, a, b any) (v any, ok bool, err error) {
	if x, is := a.(Operand); is {
		v, ok, err = x.Binary(op, b, false)
	}
	if y, is := b.(Operand); is && !ok && err == nil {
		v, ok, err = y.Binary(op, a, true)
	}
	return v, ok, err
}

// tupleOf is the plain tuple of a NamedTuple, and any other value unchanged.
func tupleOf(v any) any {
	if o, ok := v.(*Instance); ok && o.tuple != nil {
		return o.tuple
	}
	return v
}

func isType(v any) bool {
	switch v.(type) {
	case *Builtin, *Class:
		return true
	}
	return false
}

func (r *Interpreter) concat(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if len(x)+len(y) > maxText {
				return nil, fmt.Errorf("this text is too long")
			}
			return x + y, nil
		}
	case Bytes:
		if y, ok := b.(Bytes); ok {
			if len(x)+len(y) > maxText {
				return nil, fmt.Errorf("these bytes are too long")
			}
			return append(slices.Clone(x), y...), nil
		}
	case *List:
		if y, ok := b.(*List); ok {
			return &List{Items: slices.Concat(x.Items, y.Items)}, nil
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return slices.Concat(x, y), nil
		}
	}
	return nil, raise("TypeError", "unsupported operand type(s) for +: '%s' and '%s'", TypeName(a), TypeName(b))
}

func (r *Interpreter) repeat(a, b any) (any, error) {
	n, ok := asInt(b)
	if !ok {
		if n, ok = asInt(a); ok {
			a, b = b, a
		}
	}
	of := tupleOf(a)
	items, isItems := itemsOf(of)
	length := max(textSize(of), len(items))
	_, isText := of.(string)
	_, isBytes := of.(Bytes)
	if !ok || !isItems && !isText && !isBytes {
		return nil, raise("TypeError", "unsupported operand type(s) for *: '%s' and '%s'", TypeName(a), TypeName(b))
	}
	if n = max(n, 0); n > maxText || n*int64(length) > maxText {
		return nil, fmt.Errorf("the result of this multiplication is too long")
	}
	if err := r.charge(int(n) * length / 4); err != nil {
		return nil, err
	}
	return repeated(of, int(n)), nil
}

// repeated is a sequence n times.
func repeated(v any, n int) any {
	switch v := v.(type) {
	case string:
		return strings.Repeat(v, n)
	case Bytes:
		return Bytes(bytes.Repeat(v, n))
	case *List:
		return &List{Items: slices.Repeat(v.Items, n)}
	case Tuple:
		return slices.Repeat(v, n)
	}
	return v
}

// merged is a | b of two dicts.
func (r *Interpreter) merged(op string, x *Dict, b any) (any, bool, error) {
	y, ok := b.(*Dict)
	if !ok || op != "|" {
		return nil, false, nil
	}
	d, err := r.copyDict(x)
	if err == nil {
		err = d.update(y)
	}
	return d, true, err
}

// setOf applies |, &, - and ^ to sets, and | to dicts.
func (r *Interpreter) setOf(op string, a, b any) (any, bool, error) {
	if x, ok := a.(*Dict); ok {
		return r.merged(op, x, b)
	}
	a, b, err := setsLike(r.meter, a, b)
	if err != nil {
		return nil, false, err
	}
	x, xok := a.(*Set)
	y, yok := b.(*Set)
	if !xok || !yok {
		return nil, false, nil
	}
	out := &Set{dict: Dict{meter: r.meter}, Frozen: x.Frozen}
	keep := func(from, other *Set, in bool) error { return r.keep(out, from, other, in) }
	switch op {
	case "|":
		if err = keep(x, out, false); err == nil {
			err = keep(y, x, false)
		}
	case "&", "-":
		err = keep(x, y, op == "&")
	case "^":
		if err = keep(x, y, false); err == nil {
			err = keep(y, x, false)
		}
	default:
		return nil, false, nil
	}
	return out, true, err
}

// keep adds the items of a set that are, or are not, in another.
func (r *Interpreter) keep(out, from, other *Set, in bool) error {
	for _, v := range from.dict.keys {
		if err := r.charge(1); err != nil {
			return err
		}
		has, err := other.has(v)
		if err == nil && has == in {
			err = out.add(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
