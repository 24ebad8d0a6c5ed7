package transform

import (
	"errors"
	"math"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/definitions/numbers"
)

func pyLen(m *machine, a *args) (val, error) {
	if err := a.known("len()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "len()")
	}
	switch v := a.pos[0]; v.k {
	case kText:
		return intVal(int64(len([]rune(v.s)))), nil
	case kFrame, kMatrix:
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

// pyPrint is print, whose text nobody sees here.
func pyPrint(*machine, *args) (val, error) { return val{}, nil }

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
	if err := a.known("int()", 2, "base"); err != nil || len(a.pos) == 0 {
		return intVal(0), err
	}
	if base, ok := a.get(1, "base"); ok {
		return intOfBase(a.pos[0], base)
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
