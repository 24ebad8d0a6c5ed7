package numbers

import (
	"math"
	"math/bits"
)

// Integers applies an operator to two integers; nil if the operator is unknown.
func Integers(op string, i, j int64) (any, error) {
	switch op {
	case "+":
		if sum := i + j; (sum > i) == (j > 0) {
			return sum, nil
		}
		return nil, ErrBig
	case "-":
		if diff := i - j; (diff < i) == (j > 0) {
			return diff, nil
		}
		return nil, ErrBig
	case "*":
		return product(i, j)
	case "//", "%":
		return divided(op, i, j)
	case "**":
		return power(i, j)
	case "&":
		return i & j, nil
	case "|":
		return i | j, nil
	case "^":
		return i ^ j, nil
	case "<<", ">>":
		return shifted(op, i, j)
	}
	return nil, nil
}

// divided is Python's // or %: rounded down, not towards 0.
func divided(op string, i, j int64) (any, error) {
	if i == math.MinInt64 && j == -1 {
		return nil, ErrBig
	}
	q := i / j
	if i%j != 0 && (i < 0) != (j < 0) {
		q--
	}
	if op == "//" {
		return q, nil
	}
	return i - q*j, nil
}

func product(i, j int64) (any, error) {
	high, low := bits.Mul64(uint64(abs(i)), uint64(abs(j)))
	if i == math.MinInt64 || j == math.MinInt64 || high != 0 || low > math.MaxInt64 {
		return nil, ErrBig
	}
	return i * j, nil
}

func power(i, j int64) (any, error) {
	out := int64(1)
	if i == 0 || i == 1 || i == -1 {
		switch {
		case i == 0 && j > 0:
			return int64(0), nil
		case i == -1 && j%2 != 0:
			return int64(-1), nil
		}
		return out, nil
	}
	for range j {
		v, err := product(out, i)
		if err != nil {
			return nil, err
		}
		out, _ = v.(int64)
	}
	return out, nil
}

func shifted(op string, i, j int64) (any, error) {
	if j < 0 {
		return nil, &Error{"ValueError", "negative shift count", nil}
	}
	if op == ">>" {
		return i >> min(j, 63), nil
	}
	if j > 62 || abs(i) > math.MaxInt64>>uint(j) || i == math.MinInt64 {
		if i == 0 {
			return int64(0), nil
		}
		return nil, ErrBig
	}
	return i << j, nil
}
