package transform

import (
	"errors"
	"math"
	"sort"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/definitions/numbers"
	"github.com/banquet-fs/banquet/definitions/pytext"
)

func pyLen(m *machine, a *args) (val, error) {
	if err := a.known("len()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "len()")
	}
	switch v := a.pos[0]; v.k {
	case kText:
		return intVal(int64(len([]rune(v.s)))), nil
	case kFrame:
		return intVal(int64(max(0, v.ref.(*frame).rows))), nil
	case kNone, kBool, kInt, kFloat:
		return val{}, &failure{class: "TypeError", text: "object of type '" + v.typeName() + "' has no len()", data: v.null()}
	default:
		if r, ok := v.ref.(*ndarray); ok {
			return intVal(int64(len(r.items))), nil
		}
		s, err := m.iterate(anyOrder(v))
		return intVal(int64(s.len())), err
	}
}

func orMissing(err error, fn string) error {
	if err != nil {
		return err
	}
	return typeError("%s misses an argument", fn)
}

func pyFloat(_ *machine, a *args) (val, error) {
	if err := a.known("float()", 1); err != nil || len(a.pos) == 0 {
		return floatVal(0), err
	}
	v := a.pos[0]
	switch {
	case v.isNumber():
		return floatVal(v.float()), nil
	case v.k == kText:
		return textFloat(v)
	case v.k == kNaT:
		return floatVal(math.NaN()), nil
	}
	return val{}, &failure{class: "TypeError", text: "float() argument must be a string or a real number, not '" + v.typeName() + "'", data: v.null()}
}

// converted turns a result of package numbers into a value.
func converted(v any, err error) (val, error) {
	var raised *numbers.Error
	switch {
	case errors.As(err, &raised):
		return val{}, &failure{class: raised.Class, text: raised.Error(), data: true}
	case err != nil:
		return val{}, tooMuch("%s", err)
	}
	switch v := v.(type) {
	case int64:
		return intVal(v), nil
	case float64:
		return floatVal(v), nil
	}
	return val{}, errTooLarge
}

func pyInt(_ *machine, a *args) (val, error) {
	if err := a.known("int()", 1); err != nil || len(a.pos) == 0 {
		return intVal(0), err
	}
	return toInt(a.pos[0])
}

// noNumber reports whether a text beyond ASCII is certainly no number: it has no
// digit of any script, and no letter that nan and inf have in common.
func noNumber(s string) bool {
	return !ascii(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsDigit(r) || r == 'n' || r == 'N' })
}

func textFloat(v val) (val, error) {
	if noNumber(v.s) {
		return val{}, valueError("could not convert string to float: %s", repr(v))
	}
	return converted(numbers.ToFloat(v.s))
}

func toInt(v val) (val, error) {
	switch {
	case v.k == kText:
		if noNumber(v.s) {
			return val{}, valueError("invalid literal for int() with base 10: %s", repr(v))
		}
		return converted(numbers.ToInt(v.s, nil))
	case v.k == kFloat:
		switch {
		case v.f != v.f:
			return val{}, valueError("cannot convert float NaN to integer")
		case math.IsInf(v.f, 0):
			return val{}, &failure{class: "OverflowError", text: "cannot convert float infinity to integer", data: true}
		case v.f >= 1<<63 || v.f < -1<<63:
			return val{}, errTooLarge
		}
		return intVal(int64(v.f)), nil
	case v.isNumber():
		return intVal(v.i), nil
	}
	return val{}, &failure{class: "TypeError", text: "int() argument must be a string or a real number, not '" + v.typeName() + "'", data: v.null()}
}

func pyStr(_ *machine, a *args) (val, error) {
	if err := a.known("str()", 1); err != nil || len(a.pos) == 0 {
		return textVal(""), err
	}
	s, err := str(a.pos[0])
	return textVal(s), err
}

func pyBool(_ *machine, a *args) (val, error) {
	if err := a.known("bool()", 1); err != nil || len(a.pos) == 0 {
		return boolVal(false), err
	}
	is, err := truth(a.pos[0])
	return boolVal(is), err
}

func pyAbs(m *machine, a *args) (val, error) {
	if err := a.known("abs()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "abs()")
	}
	return m.abs(a.pos[0])
}

func (m *machine) abs(v val) (val, error) {
	if v.k == kColumn {
		return columnAbs(m, v, &args{})
	}
	switch v.k {
	case kFloat:
		v.f = math.Abs(v.f)
		return v, nil
	case kBool, kInt, kDelta:
		if v.k == kBool && v.w == dNone {
			v.k = kInt
		}
		if v.i == math.MinInt64 {
			return val{}, errTooLarge
		}
		v.i = max(v.i, -v.i)
		return v, nil
	}
	return val{}, &failure{class: "TypeError", text: "bad operand type for abs(): '" + v.typeName() + "'", data: v.null()}
}

func pyRound(m *machine, a *args) (val, error) {
	if err := a.known("round()", 2, "ndigits"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "round()")
	}
	v := a.pos[0]
	n, given := a.get(1, "ndigits")
	given = given && n.k != kNone
	if v.k == kColumn && given {
		return columnRound(m, v, &args{pos: []val{n}})
	}
	if v.k == kColumn {
		return columnRound(m, v, &args{})
	}
	if given && n.k != kInt {
		return val{}, typeError("'%s' object cannot be interpreted as an integer", n.typeName())
	}
	if v.k == kFloat {
		return roundFloat(v, n, given)
	}
	if v.k == kInt || v.k == kBool {
		return converted(numbers.Round(v.i, n.i, given))
	}
	return val{}, &failure{class: "TypeError", text: "type " + v.typeName() + " doesn't define __round__ method", data: v.null()}
}

func roundFloat(v, n val, given bool) (val, error) {
	odd := v.f != v.f || math.IsInf(v.f, 0)
	switch {
	case v.w != dNone && !given:
		return val{}, outside("round() of a numpy float without digits is not supported; use float() first")
	case v.w != dNone:
		return val{k: kFloat, w: v.w, f: numpyRound(v.f, n.i)}, nil
	case !given && odd:
		return toInt(v)
	case odd:
		return v, nil
	}
	return converted(numbers.Round(v.f, n.i, given))
}

// integer refuses what Python does not take as an integer.
func integer(v val) error {
	if v.k != kInt && v.k != kBool {
		return &failure{class: "TypeError", text: "'" + v.typeName() + "' object cannot be interpreted as an integer", data: v.null()}
	}
	return nil
}

func pyRange(m *machine, a *args) (val, error) {
	if err := a.known("range()", 3); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "range()")
	}
	for _, v := range a.pos {
		if err := integer(v); err != nil {
			return val{}, err
		}
	}
	from, to, by := int64(0), a.pos[0].i, int64(1)
	if len(a.pos) > 1 {
		from, to = a.pos[0].i, a.pos[1].i
	}
	if len(a.pos) > 2 {
		by = a.pos[2].i
	}
	if by == 0 {
		return val{}, valueError("range() arg 3 must not be zero")
	}
	n := uint64(0)
	switch {
	case by > 0 && to > from:
		n = (uint64(to)-uint64(from)-1)/uint64(by) + 1
	case by < 0 && to < from:
		n = (uint64(from)-uint64(to)-1)/-uint64(by) + 1
	}
	if n > stepsPerRun {
		return val{}, tooMuch("range() of more than %d numbers is not supported", stepsPerRun)
	}
	out := m.take(int(n))
	for i := range out {
		out[i] = intVal(from + int64(i)*by)
	}
	return val{k: kRange, ref: &list{out}}, nil
}

func pyZip(m *machine, a *args) (val, error) {
	if err := a.known("zip()", 64); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "zip()")
	}
	out := &items{}
	for _, v := range a.pos {
		s, err := m.iterate(v)
		if err != nil {
			return val{}, err
		}
		out.zip = append(out.zip, s)
	}
	return val{k: kIter, ref: out}, nil
}

func pyEnumerate(m *machine, a *args) (val, error) {
	if err := a.known("enumerate()", 2, "start"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "enumerate()")
	}
	from, given := a.get(1, "start")
	if given {
		if err := integer(from); err != nil {
			return val{}, err
		}
	}
	s, err := m.iterate(a.pos[0])
	return val{k: kIter, ref: &items{zip: []items{s}, enum: true, from: from.i}}, err
}

// listed is list() of any value that can be iterated.
func (m *machine) listed(v val) ([]val, error) {
	s, err := m.iterate(v)
	if err != nil {
		return nil, err
	}
	m.mem.used += 64 * s.len()
	if m.mem.used > m.limit {
		return nil, errMemory
	}
	out := make([]val, s.len())
	for i := range out {
		out[i] = s.at(i)
	}
	return out, nil
}

func pyList(k kind) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if len(a.pos) == 0 {
			return val{k: k, ref: &list{}}, nil
		}
		out, err := m.listed(a.pos[0])
		return val{k: k, ref: &list{out}}, err
	}
}

func pySet(m *machine, a *args) (val, error) {
	if err := a.known("set()", 1); err != nil || len(a.pos) == 0 {
		return val{k: kSet, ref: &list{}}, err
	}
	all, err := m.listed(anyOrder(a.pos[0]))
	if err != nil {
		return val{}, err
	}
	return setOf(all)
}

func pyDict(_ *machine, a *args) (val, error) {
	d := &dict{}
	if len(a.pos) > 0 {
		other, ok := a.pos[0].ref.(*dict)
		if !ok {
			return val{}, outside("dict() of a %s is not supported", a.pos[0].typeName())
		}
		for i, k := range other.keys {
			d.set(k, other.values[i])
		}
	}
	for i, n := range a.names {
		d.set(textVal(n), a.named[i])
	}
	return val{k: kDict, ref: d}, nil
}

func pySum(m *machine, a *args) (val, error) {
	if err := a.known("sum()", 2, "start"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "sum()")
	}
	of := a.pos[0]
	if l, ok := of.ref.(*list); ok && look(l.items).floats == 0 { // a sum of floats depends on their order
		of = anyOrder(of)
	}
	s, err := m.iterate(of)
	if err != nil {
		return val{}, err
	}
	total, given := a.get(1, "start")
	if !given {
		total = intVal(0)
	}
	for i := range s.len() {
		v := s.at(i)
		if total, err = m.binary("+", total, v); err != nil {
			return val{}, err
		}
	}
	return total, nil
}

func pyExtreme(op string) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("min() and max()", 64, "default"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "min() or max()")
		}
		all := a.pos
		if len(a.pos) == 1 {
			var err error
			if all, err = m.listed(anyOrder(a.pos[0])); err != nil {
				return val{}, err
			}
			if len(all) == 0 {
				if v, ok := a.get(-1, "default"); ok {
					return v, nil
				}
				return val{}, valueError("min() or max() of an empty sequence")
			}
		}
		best := all[0]
		for _, v := range all[1:] {
			is, err := m.compare(op, v, best)
			if err != nil {
				return val{}, err
			}
			if yes, err := truth(is); err != nil {
				return val{}, err
			} else if yes {
				best = v
			}
		}
		return best, nil
	}
}

func pySorted(m *machine, a *args) (val, error) {
	if err := a.known("sorted()", 1, "reverse"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "sorted()")
	}
	out, err := m.listed(anyOrder(a.pos[0]))
	if err != nil {
		return val{}, err
	}
	r, _ := a.get(-1, "reverse")
	reverse, _ := truth(r)
	sort.SliceStable(out, func(i, j int) bool {
		op := "<"
		if reverse {
			op = ">"
		}
		is, e := compareScalars(op, out[i], out[j])
		if e != nil {
			err = e
		}
		return is
	})
	return listVal(out), err
}

func pyAny(all bool) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("any() and all()", 1); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "any() or all()")
		}
		s, err := m.iterate(anyOrder(a.pos[0]))
		if err != nil {
			return val{}, err
		}
		for i := range s.len() {
			is, err := truth(s.at(i))
			if err != nil {
				return val{}, err
			}
			if is != all {
				return boolVal(is), nil
			}
		}
		return boolVal(all), nil
	}
}

func pyMap(m *machine, a *args) (val, error) {
	if err := a.known("map()", 2); err != nil || len(a.pos) < 2 {
		return val{}, orMissing(err, "map()")
	}
	fn := a.pos[0]
	out, err := m.listed(a.pos[1])
	for i := 0; i < len(out) && err == nil; i++ {
		out[i], err = m.apply(fn, out[i])
	}
	return listVal(out), err
}

// pyIsinstance is isinstance with types of Python.
func pyIsinstance(_ *machine, a *args) (val, error) {
	if err := a.known("isinstance()", 2); err != nil || len(a.pos) < 2 {
		return val{}, orMissing(err, "isinstance()")
	}
	v, of := a.pos[0], a.pos[1:2]
	if of[0].k == kTuple {
		of = of[0].ref.(*list).items
	}
	for _, t := range of {
		fn, ok := t.ref.(*native)
		if !ok {
			return val{}, outside("isinstance with a %s is not supported", t.typeName())
		}
		is, known := instance(v, fn.name)
		if !known {
			return val{}, outside("isinstance of a %s and %s is not supported", v.typeName(), fn.name)
		}
		if is {
			return boolVal(true), nil
		}
	}
	return boolVal(false), nil
}

func instance(v val, name string) (is, known bool) {
	numpy := v.w != dNone && v.isNumber()
	switch name {
	case "int":
		return !numpy && (v.k == kInt || v.k == kBool), true
	case "float":
		return v.k == kFloat && v.w != dFloat32, true
	case "str":
		return v.k == kText, true
	case "bool":
		return v.k == kBool && !numpy, true
	case "list":
		return v.k == kList, true
	case "dict":
		return v.k == kDict, true
	case "tuple":
		return v.k == kTuple, true
	}
	return false, false
}

// pythonText calls a method of Python's str.
func pythonText(name string, how pytext.Method, s string, a *args) (val, error) {
	if fn := casing[name]; fn != nil && len(a.pos)+len(a.names) == 0 {
		return textVal(fn(s)), nil
	}
	params := splitParams(how.Params)
	in := make([]any, len(params))
	if len(a.pos) > len(params) || len(a.names) > 0 && !how.Named {
		return val{}, typeError("str.%s() does not take these arguments", name)
	}
	for i, p := range params {
		v, ok := a.get(i, p.name)
		if !ok {
			if !p.optional {
				return val{}, typeError("str.%s() misses its argument %s", name, p.name)
			}
			continue
		}
		in[i] = textArgument(v)
	}
	out, err := how.Call(s, in)
	if err != nil {
		if strings.Contains(err.Error(), "these characters") {
			return val{}, tooMuch("str.%s() of these characters is not supported", name)
		}
		return val{}, &failure{text: err.Error(), data: true}
	}
	return fromText(out)
}

func textArgument(v val) any {
	switch v.k {
	case kNone:
		return nil
	case kText:
		return v.s
	case kInt, kBool:
		return v.i
	case kTuple:
		var out []any
		for _, x := range v.ref.(*list).items {
			out = append(out, textArgument(x))
		}
		return out
	}
	return pytext.Other(v.typeName())
}

func fromText(v any) (val, error) {
	switch v := v.(type) {
	case bool:
		return boolVal(v), nil
	case int64:
		return intVal(v), nil
	case string:
		return textVal(v), nil
	case []string:
		out := make([]val, len(v))
		for i, s := range v {
			out[i] = textVal(s)
		}
		return listVal(out), nil
	case [3]string:
		return val{k: kTuple, ref: &list{[]val{textVal(v[0]), textVal(v[1]), textVal(v[2])}}}, nil
	}
	return val{}, outside("this method of str is not supported")
}
