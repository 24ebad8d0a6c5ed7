// Package numbers computes with numbers as Python does, within 64 bits: values
// are int64, float64, and bool, which is also an integer.
//
// The functions return Python's result, an Error for the exception that Python
// raises, or an error that says what is not supported.
package numbers

import (
	"errors"
	"fmt"
	"math"
)

// Error is an exception of Python.
type Error struct {
	// Class is its class, such as "ZeroDivisionError".
	Class string
	// Format and Args are its text, as in package fmt. The caller prints a Text and a
	// Kind as Python does.
	Format string
	Args   []any
}

// Error returns the message as Python words it.
func (e *Error) Error() string { return fmt.Sprintf(e.Format, e.Args...) }

// ErrBig is the result for integers beyond 64 bits, which Python has.
var ErrBig = errors.New("this integer does not fit 64 bits, which is not read")

// Text is a text that an Error prints by its repr.
type Text string

// Kind is a value that an Error prints by the name of its type.
type Kind struct{ Of any }

// Int returns an integer; bools are integers.
func Int(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

// Float returns a number; bools are numbers.
func Float(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	i, ok := Int(v)
	return float64(i), ok
}

// Unary applies -, + or ~ to a number; it returns false if that is not possible.
func Unary(op string, v any) (any, bool, error) {
	if i, ok := Int(v); ok {
		switch op {
		case "-":
			v, err := Integers("-", 0, i)
			return v, true, err
		case "+":
			return i, true, nil
		}
		return ^i, true, nil
	}
	f, ok := v.(float64)
	if op == "-" {
		f = -f
	}
	return f, ok && op != "~", nil
}

// Binary applies an operator to two numbers; it returns false if that is not
// possible.
func Binary(op string, a, b any) (any, bool, error) {
	x, xok := Float(a)
	y, yok := Float(b)
	if !xok || !yok {
		return nil, false, nil
	}
	i, iok := Int(a)
	j, jok := Int(b)
	whole := iok && jok
	if y == 0 && divides(op) {
		return nil, true, byZero(op, whole)
	}
	if v, ok := bools(op, a, b); ok {
		return v, true, nil
	}
	var v any
	var err error
	switch {
	case whole && op == "/" && max(abs(i), abs(j)) > 1<<53:
		return nil, true, ErrBig
	case whole && op != "/" && (op != "**" || j >= 0):
		v, err = Integers(op, i, j)
	default:
		v, err = floats(op, x, y)
	}
	return v, v != nil || err != nil, err
}

func divides(op string) bool { return op == "/" || op == "//" || op == "%" }

// byZero is Python's error for a division by zero; its text depends on the
// operator.
func byZero(op string, whole bool) error {
	if op == "/" && whole {
		return &Error{"ZeroDivisionError", "division by zero", nil}
	}
	return &Error{"ZeroDivisionError", "%s by zero", []any{op}}
}

// bools applies an operator whose result is a bool if both operands are; it
// returns false for other operators and operands.
func bools(op string, a, b any) (v, ok bool) {
	p, pok := a.(bool)
	q, qok := b.(bool)
	if !pok || !qok {
		return false, false
	}
	switch op {
	case "&":
		return p && q, true
	case "|":
		return p || q, true
	case "^":
		return p != q, true
	}
	return false, false
}

func abs(i int64) int64 { return max(i, -i) }

// floats applies an operator to two floats; nil if the operator is unknown.
func floats(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/":
		return x / y, nil
	case "//":
		q := (x - modulo(x, y)) / y
		whole := math.Floor(q)
		if whole == 0 {
			whole = math.Copysign(0, x/y)
		}
		if q-whole > 0.5 {
			whole++
		}
		return whole, nil
	case "%":
		return modulo(x, y), nil
	case "**":
		if x == 0 && y < 0 {
			return nil, &Error{"ZeroDivisionError", "0.0 cannot be raised to a negative power", nil}
		}
		return floatPower(x, y)
	}
	return nil, nil
}

// floatPower computes only powers whose result is the same on every machine.
func floatPower(x, y float64) (any, error) {
	switch {
	case y == 0:
		return 1.0, nil
	case y == 1:
		return x, nil
	case y == 2 && math.Abs(x) < 1e150:
		return x * x, nil
	case y == -1:
		return 1 / x, nil
	case y < 0 && x == math.Trunc(x) && math.Abs(x) <= 1<<20 && y == math.Trunc(y) && y > -60:
		if v, err := power(int64(math.Abs(x)), int64(-y)); err == nil {
			n, _ := v.(int64)
			if n <= 1<<53 {
				sign := 1.0
				if x < 0 && int64(y)%2 != 0 {
					sign = -1
				}
				return sign / float64(n), nil
			}
		}
	}
	return nil, fmt.Errorf("this power is not read; write its result out")
}

// modulo is Python's %: the result has the sign of the divisor.
func modulo(x, y float64) float64 {
	m := math.Mod(x, y)
	if m == 0 {
		return math.Copysign(0, y)
	}
	if (m < 0) != (y < 0) {
		m += y
	}
	return m
}
