package library

import (
	"math"

	"github.com/banquet-fs/banquet/definitions/numbers"
	"github.com/banquet-fs/banquet/definitions/python"
)

// numberFunctions sets the builtin functions of numbers and characters.
func numberFunctions(run *python.Interpreter) {
	of := func(name, signature string, call func(a []any) (any, error)) {
		run.SetBuiltin(name, python.NewFunction(name, signature, func(_ *python.Call, a []any) (any, error) {
			a[0] = python.Plain(a[0])
			return call(a)
		}))
	}
	of("abs", "x", absolute)
	of("round", "number ndigits?", rounded)
	of("ord", "c", func(a []any) (any, error) {
		s, ok := a[0].(string)
		if r := []rune(s); ok && len(r) == 1 {
			return int64(r[0]), nil
		}
		return nil, python.Raise("TypeError", "ord() expected a character")
	})
	of("chr", "i", func(a []any) (any, error) {
		i, err := integer(a[0])
		if err == nil && (i < 0 || i >= 0x110000 || i >= 0xd800 && i <= 0xdfff) {
			err = python.Raise("ValueError", "chr() takes the number of a character")
		}
		return string(rune(i)), err
	})
	for name, base := range map[string]int{"hex": 16, "oct": 8, "bin": 2} {
		of(name, "number", func(a []any) (any, error) {
			i, err := integer(a[0])
			return numbers.Base(i, base), err
		})
	}
}

// integer is an argument that must be an integer.
func integer(v any) (int64, error) {
	i, ok := python.Int(v)
	if !ok {
		return 0, python.Raise("TypeError", "'%s' object cannot be interpreted as an integer", python.TypeName(v))
	}
	return i, nil
}

func absolute(a []any) (any, error) {
	switch v := a[0].(type) {
	case python.Signed:
		return v.Unary("abs"), nil
	case float64:
		return math.Abs(v), nil
	}
	i, ok := python.Int(a[0])
	switch {
	case !ok:
		return nil, python.Raise("TypeError", "bad operand type for abs(): '%s'", python.TypeName(a[0]))
	case i < 0:
		v, _, err := numbers.Unary("-", i)
		return v, err
	}
	return i, nil
}

func rounded(a []any) (any, error) {
	var digits int64
	if a[1] != nil {
		var err error
		if digits, err = integer(a[1]); err != nil {
			return nil, err
		}
	}
	v, err := numbers.Round(a[0], digits, a[1] != nil)
	if v == nil && err == nil {
		err = python.Raise("TypeError", "type %s doesn't define __round__ method", python.TypeName(a[0]))
	}
	return v, err
}
