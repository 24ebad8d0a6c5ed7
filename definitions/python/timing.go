package python

import (
	"fmt"
	"math"
	"math/big"
)

// times are the operators of durations and points in time.
func times(op string, a, b any) (any, bool, error) {
	if t, ok := a.(Datetime); ok {
		switch y := b.(type) {
		case Timedelta:
			if op == "+" || op == "-" {
				sum, err := t.add(y, op)
				return sum, true, err
			}
		case Datetime:
			if op == "-" && t.Aware == y.Aware && t.DateOnly == y.DateOnly {
				return Timedelta(t.UnixMicro() - y.UnixMicro()), true, nil
			}
		}
		return nil, false, nil
	}
	if y, ok := b.(Datetime); ok {
		if x, ok := a.(Timedelta); ok && op == "+" {
			sum, err := y.add(x, op)
			return sum, true, err
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
		return ratio(int64(x), int64(y)), true, nil
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
	by := new(big.Rat).SetFloat64(f)
	switch {
	case by == nil:
		return nil, true, fmt.Errorf("a timedelta %s %s is not read", op, floatText(f))
	case op == "/" && f == 0:
		return nil, true, raise("ZeroDivisionError", "division by zero")
	case op == "/":
		by.Inv(by)
	}
	if i, isInt := asInt(b); isInt {
		by.SetFrac64(1, i)
	}
	return nearest(by.Mul(by, new(big.Rat).SetInt64(int64(x))))
}

// ratio is the true quotient of two integers.
func ratio(x, y int64) float64 {
	f, _ := big.NewRat(x, y).Float64()
	if x == 0 && y < 0 {
		return math.Copysign(0, -1)
	}
	return f
}

// nearest is the duration nearest to a number of microseconds, half to even.
func nearest(micros *big.Rat) (any, bool, error) {
	low := new(big.Int).Div(micros.Num(), micros.Denom()) // rounded down
	over := new(big.Rat).Sub(micros, new(big.Rat).SetInt(low))
	if c := over.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && low.Bit(0) == 1 {
		low.Add(low, big.NewInt(1))
	}
	if !low.IsInt64() {
		return nil, true, errBig()
	}
	return Timedelta(low.Int64()), true, nil
}
