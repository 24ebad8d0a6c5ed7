package python

import (
	"math"
	"time"
)

// times are the operators of durations and points in time.
func times(op string, a, b any) (any, bool, error) {
	if t, ok := a.(Datetime); ok {
		switch y := b.(type) {
		case Timedelta:
			if op == "+" || op == "-" {
				return t.add(y, op), true, nil
			}
		case Datetime:
			if op == "-" && t.Aware == y.Aware {
				return Timedelta(t.Sub(y.Time) / time.Microsecond), true, nil
			}
		}
		return nil, false, nil
	}
	if y, ok := b.(Datetime); ok {
		if x, ok := a.(Timedelta); ok && op == "+" {
			return y.add(x, op), true, nil
		}
		return nil, false, nil
	}
	x, xok := a.(Timedelta)
	y, yok := b.(Timedelta)
	switch {
	case xok && yok:
		return deltas(op, x, y)
	case xok:
		return scaled(op, x, b)
	case yok && op == "*":
		return scaled(op, y, a)
	}
	return nil, false, nil
}

func deltas(op string, x, y Timedelta) (any, bool, error) {
	if op == "/" || op == "//" || op == "%" {
		if y == 0 {
			return nil, true, raise("ZeroDivisionError", "division by zero")
		}
	}
	switch op {
	case "+", "-", "//", "%":
		v, err := integers(op, int64(x), int64(y))
		if i, ok := v.(int64); ok && op != "//" {
			return Timedelta(i), true, err
		}
		return v, true, err
	case "/":
		return float64(x) / float64(y), true, nil
	}
	return nil, false, nil
}

func scaled(op string, x Timedelta, b any) (any, bool, error) {
	if i, ok := asInt(b); ok && (op == "*" || op == "//") {
		if op == "//" && i == 0 {
			return nil, true, raise("ZeroDivisionError", "division by zero")
		}
		v, err := integers(op, int64(x), i)
		n, _ := v.(int64)
		return Timedelta(n), true, err
	}
	f, ok := asFloat(b)
	if !ok || op != "*" && op != "/" {
		return nil, false, nil
	}
	if op == "/" {
		if f == 0 {
			return nil, true, raise("ZeroDivisionError", "division by zero")
		}
		f = float64(x) / f
	} else {
		f *= float64(x)
	}
	if math.IsNaN(f) || math.Abs(f) > 9e18 {
		return nil, true, errBig()
	}
	return Timedelta(math.RoundToEven(f)), true, nil
}
