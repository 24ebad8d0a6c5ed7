package transform

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

func typeError(format string, args ...any) error {
	return &failure{class: "TypeError", text: fmt.Sprintf(format, args...)}
}

func valueError(format string, args ...any) error {
	return &failure{class: "ValueError", text: fmt.Sprintf(format, args...), data: true}
}

// tooMuch is the error of a value beyond the bounds of a run.
func tooMuch(format string, args ...any) error {
	return &failure{text: fmt.Sprintf(format, args...), outside: true, data: true}
}

// outside is the error of what banquet does not compute.
func outside(format string, args ...any) error {
	return &failure{text: fmt.Sprintf(format, args...), outside: true}
}

func badOperands(op string, a, b val) error {
	return &failure{class: "TypeError", text: fmt.Sprintf("unsupported operand type(s) for %s: '%s' and '%s'", op, a.typeName(), b.typeName()), data: a.null() || b.null()}
}

// scalarBinary is an operator of Python on two scalars; if one of them is a
// NumPy scalar, it is NumPy's operator.
func scalarBinary(op string, a, b val) (val, error) {
	switch {
	case a.isNumber() && b.isNumber():
		if a.w != dNone || b.w != dNone {
			return numpyScalars(op, a, b)
		}
		if a.k == kFloat || b.k == kFloat {
			return pythonFloats(op, a, b)
		}
		return pythonInts(op, a, b)
	case a.k == kText || b.k == kText:
		return texts(op, a, b)
	case a.isTime() || b.isTime():
		return timeScalars(op, a, b)
	}
	if a.k == kSet && b.k == kSet {
		return sets(op, a, b)
	}
	if v, ok := sequences(op, a, b); ok {
		return v, nil
	}
	if pythonHas(op, a, b) {
		return val{}, outside("operator %s of a %s and a %s is not supported", op, a.typeName(), b.typeName())
	}
	return val{}, badOperands(op, a, b)
}

// pythonHas reports whether Python has an operator that is not computed here.
func pythonHas(op string, a, b val) bool {
	switch op {
	case "-", "&", "|", "^":
		return op == "|" && a.k == kDict && b.k == kDict
	case "*":
		return a.isSequence() && b.k == kInt || a.k == kInt && b.isSequence()
	}
	return false
}

// texts is an operator on two values of which one is a text.
func texts(op string, a, b val) (val, error) {
	switch {
	case op == "+" && a.k == b.k:
		return textVal(a.s + b.s), nil
	case op == "*" && (b.k == kInt || b.k == kBool):
		return repeatText(a.s, b.i)
	case op == "*" && (a.k == kInt || a.k == kBool):
		return repeatText(b.s, a.i)
	case op == "%" && a.k == kText:
		return val{}, outside("the %% operator on text is not supported; use an f-string")
	}
	return val{}, badOperands(op, a, b)
}

// maxText bounds a text that a function builds, in bytes.
const maxText = 1 << 20

func repeatText(s string, n int64) (val, error) {
	if n <= 0 {
		return textVal(""), nil
	}
	if int64(len(s)) > 0 && n > int64(maxText/len(s)) {
		return val{}, tooMuch("the text is longer than %d bytes", maxText)
	}
	return textVal(strings.Repeat(s, int(n))), nil
}

func sequences(op string, a, b val) (val, bool) {
	if op == "+" && a.k == b.k && (a.k == kList || a.k == kTuple) {
		x, y := a.ref.(*list).items, b.ref.(*list).items
		items := make([]val, 0, len(x)+len(y))
		return val{k: a.k, ref: &list{append(append(items, x...), y...)}}, true
	}
	if op == "*" && b.k == kList {
		a, b = b, a
	}
	if op == "*" && a.k == kList && b.k == kInt && b.i*int64(len(a.ref.(*list).items)) < maxText && b.i < maxText {
		var items []val
		for range b.i {
			items = append(items, a.ref.(*list).items...)
		}
		return listVal(items), true
	}
	return val{}, false
}

// errTooLarge is the error of an integer that Python would compute.
var errTooLarge = &failure{text: "an integer does not fit into 64 bits", outside: true, data: true}

func zeroDivision(text string) error {
	return &failure{class: "ZeroDivisionError", text: text, data: true}
}

// pythonInts is an operator on two integers or booleans of Python.
func pythonInts(op string, a, b val) (val, error) {
	x, y := a.i, b.i
	switch op {
	case "+":
		return exact(x+y, (x^(x+y))&(y^(x+y)) >= 0)
	case "-":
		return exact(x-y, (x^y)&(x^(x-y)) >= 0)
	case "*":
		return intTimes(x, y)
	case "/":
		if y == 0 {
			return val{}, zeroDivision("division by zero")
		}
		return intQuotient(x, y)
	case "//", "%":
		if y == 0 {
			return val{}, zeroDivision("integer division or modulo by zero")
		}
		if op == "%" {
			if y == -1 {
				return intVal(0), nil
			}
			return intVal(floorMod(x, y)), nil
		}
		if y == -1 {
			return exact(-x, x != math.MinInt64)
		}
		return intVal(floorDiv(x, y)), nil
	case "**":
		return intPower(x, y)
	}
	return intBits(op, a, b)
}

func exact(i int64, ok bool) (val, error) {
	if !ok {
		return val{}, errTooLarge
	}
	return intVal(i), nil
}

func intTimes(x, y int64) (val, error) {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	h := int64(hi)
	if x < 0 {
		h -= y
	}
	if y < 0 {
		h -= x
	}
	return exact(int64(lo), h == int64(lo)>>63)
}

// intQuotient is Python's true division, which rounds once.
func intQuotient(x, y int64) (val, error) {
	const whole = 1 << 53
	if x > whole || x < -whole || y > whole || y < -whole {
		return floatVal(exactQuotient(x, y)), nil
	}
	return floatVal(float64(x) / float64(y)), nil
}

func intPower(x, y int64) (val, error) {
	if y < 0 {
		if x == 0 {
			return val{}, zeroDivision("0.0 cannot be raised to a negative power")
		}
		return floatVal(pow(float64(x), float64(y))), nil
	}
	out := intVal(1)
	if x == 0 || x == 1 || x == -1 {
		if y > 2 {
			y = 2 - y%2
		}
	}
	var err error
	for ; y > 0 && err == nil; y-- {
		out, err = intTimes(out.i, x)
	}
	return out, err
}

func intBits(op string, a, b val) (val, error) {
	x, y := a.i, b.i
	out := val{k: kInt}
	switch op {
	case "&":
		out.i = x & y
	case "|":
		out.i = x | y
	case "^":
		out.i = x ^ y
	case "<<", ">>":
		return shifted(op, x, y)
	default:
		return val{}, badOperands(op, a, b)
	}
	if a.k == kBool && b.k == kBool {
		out.k = kBool
	}
	return out, nil
}

func shifted(op string, x, y int64) (val, error) {
	if y < 0 {
		return val{}, valueError("negative shift count")
	}
	if op == ">>" {
		return intVal(x >> min(y, 63)), nil
	}
	if y > 62 {
		return exact(0, x == 0)
	}
	return exact(x<<y, x<<y>>y == x)
}

// pythonFloats is an operator on numbers of Python of which one is a float.
func pythonFloats(op string, a, b val) (val, error) {
	x, y := a.float(), b.float()
	switch op {
	case "+":
		return floatVal(x + y), nil
	case "-":
		return floatVal(x - y), nil
	case "*":
		return floatVal(x * y), nil
	case "/", "//", "%":
		if y == 0 {
			return val{}, zeroDivision("float division by zero")
		}
		return floatVal(floatDivision(op, x, y)), nil
	case "**":
		return floatPower(x, y)
	}
	return val{}, badOperands(op, a, b)
}

func floatPower(x, y float64) (val, error) {
	switch {
	case x == 0 && y < 0:
		return val{}, zeroDivision("0.0 cannot be raised to a negative power")
	case x < 0 && y != math.Trunc(y) && !math.IsInf(y, 0) && !math.IsInf(x, 0):
		return val{}, outside("a negative number to a fractional power is a complex number")
	}
	out := pow(x, y)
	if math.IsInf(out, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return val{}, &failure{class: "OverflowError", text: "the result of ** is too large", data: true}
	}
	return floatVal(out), nil
}

// floatDivision is Python's and NumPy's /, // and % on floats.
func floatDivision(op string, x, y float64) float64 {
	if op == "/" {
		return x / y
	}
	mod := math.Mod(x, y)
	if y == 0 {
		if op == "%" {
			return math.NaN()
		}
		return x / y
	}
	div := (x - mod) / y
	if mod != 0 {
		if (y < 0) != (mod < 0) {
			mod += y
			div--
		}
	} else {
		mod = math.Copysign(0, y)
	}
	if op == "%" {
		return mod
	}
	if div == 0 {
		return math.Copysign(0, x/y)
	}
	whole := math.Floor(div)
	if div-whole > 0.5 {
		whole++
	}
	return whole
}

// truth is bool(v).
func truth(v val) (bool, error) {
	switch v.k {
	case kNone:
		return false, nil
	case kBool, kInt, kDelta:
		return v.i != 0, nil
	case kFloat:
		return v.f != 0, nil
	case kText:
		return v.s != "", nil
	case kList, kTuple, kSet, kRange:
		return len(v.ref.(*list).items) > 0, nil
	case kDict:
		return len(v.ref.(*dict).keys) > 0, nil
	case kColumn:
		if v.col().array && v.col().n == 1 {
			return truth(v.col().at(0))
		}
		return false, &failure{class: "ValueError", text: "the truth value of a column is ambiguous; use & | ~, np.where or .any()"}
	case kFrame:
		return false, &failure{class: "ValueError", text: "the truth value of a DataFrame is ambiguous"}
	case kNaT:
		return true, nil
	case kOpaque, kBytes, kMatrix, kNA, kExtension:
		return false, outside("the truth of a %s is not supported", v.typeName())
	}
	return true, nil
}

func scalarUnary(op string, v val) (val, error) {
	switch {
	case v.isNumber() && op == "-":
		return negated(v)
	case v.isNumber() && op == "+":
		if v.k == kBool {
			v.k = kInt
		}
		return v, nil
	case v.k == kBool && v.w != dNone && op == "~":
		v.i ^= 1
		return v, nil
	case (v.k == kInt || v.k == kBool) && op == "~":
		return val{k: kInt, w: v.w, i: ^v.i}, nil
	case v.k == kDelta && op == "-":
		v.i = -v.i
		return v, nil
	}
	return val{}, &failure{class: "TypeError", text: "bad operand type for unary " + op + ": '" + v.typeName() + "'", data: v.null()}
}

func negated(v val) (val, error) {
	switch {
	case v.k == kFloat:
		v.f = -v.f
		return v, nil
	case v.k == kBool && v.w != dNone:
		return val{}, typeError("the numpy boolean negative, the `-` operator, is not supported")
	case v.i == math.MinInt64 && v.w == dNone:
		return val{}, errTooLarge
	}
	return val{k: kInt, w: v.w, i: -v.i}, nil
}
