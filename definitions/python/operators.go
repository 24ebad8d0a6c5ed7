package python

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

func (r *Interpreter) unary(op string, v any) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	if op == "not" {
		yes, known := r.truth(v)
		if !known {
			return &Unknown{Why: "the truth of a " + TypeName(v)}, nil
		}
		return !yes, nil
	}
	if o, ok := v.(Signed); ok && op != "~" {
		return o.Unary(op), nil
	}
	if i, ok := asInt(v); ok {
		switch op {
		case "-":
			return negated(i)
		case "+":
			return i, nil
		}
		return ^i, nil
	}
	if f, ok := v.(float64); ok && op != "~" {
		if op == "-" {
			return -f, nil
		}
		return f, nil
	}
	return nil, raise("TypeError", "bad operand type for unary %s: '%s'", op, TypeName(v))
}

// errBig is what integers beyond 64 bits give: Python has them, the reader not.
func errBig() error { return fmt.Errorf("this integer does not fit 64 bits, which is not read") }

func negated(i int64) (any, error) {
	if i == math.MinInt64 {
		return nil, errBig()
	}
	return -i, nil
}

func (r *Interpreter) augment(s *scope, st *augmentStmt) error {
	old, err := r.eval(s, st.target)
	if err != nil {
		return err
	}
	v, err := r.eval(s, st.value)
	if err != nil {
		return err
	}
	if u, ok := v.(*Unknown); ok {
		return r.bind(s, st.target, u)
	}
	if why := readOnly(old); why != "" {
		return errors.New(why)
	}
	switch o := old.(type) { // lists, dicts and sets change in place
	case *List:
		if st.op == "+" {
			return r.extend(o, v)
		}
	case *Dict:
		if other, ok := v.(*Dict); ok && st.op == "|" {
			return o.update(other)
		}
	case *Set:
		if other, ok := v.(*Set); ok && !o.Frozen {
			out, ok, err := setOf(st.op, o, other)
			if result, isSet := out.(*Set); ok && isSet {
				o.dict = result.dict
			}
			return err
		}
	}
	v, err = r.binary(st.op, old, v)
	if err != nil {
		return err
	}
	return r.bind(s, st.target, v)
}

func (r *Interpreter) binary(op string, a, b any) (any, error) {
	for _, v := range []any{a, b} {
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
	}
	for _, v := range []any{a, b} {
		if _, ok := v.(hashed); ok {
			return nil, errHashed()
		}
	}
	if format, ok := a.(string); ok && op == "%" {
		return r.percent(format, b)
	}
	a, b = tupleOf(Plain(a)), tupleOf(Plain(b))
	if err := r.weigh(a, b); err != nil {
		return nil, err
	}
	if v, ok, err := numbers(op, a, b); ok || err != nil {
		return v, err
	}
	if v, ok, err := operand(op, a, b); ok || err != nil {
		return v, err
	}
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
		if v, ok, err := setOf(op, a, b); ok || err != nil {
			return v, err
		}
		if op == "|" && isType(a) && (isType(b) || b == nil) {
			return &Unknown{Why: "a type"}, nil
		}
	}
	return nil, raise("TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", op, TypeName(a), TypeName(b))
}

// operand asks the host's values, the first one first.
func operand(op string, a, b any) (v any, ok bool, err error) {
	if x, is := a.(Operand); is {
		v, ok, err = x.Binary(op, b, false)
	}
	if y, is := b.(Operand); is && !ok && err == nil {
		v, ok, err = y.Binary(op, a, true)
	}
	return v, ok, err
}

// tupleOf is the plain tuple of a NamedTuple, and any other value as it is.
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

func numbers(op string, a, b any) (any, bool, error) {
	i, iok := asInt(a)
	j, jok := asInt(b)
	x, xok := asFloat(a)
	y, yok := asFloat(b)
	if !xok || !yok {
		return nil, false, nil
	}
	if (op == "/" || op == "//" || op == "%") && y == 0 {
		if op != "/" || !iok || !jok { // Python has a text of its own for each
			return nil, true, raise("ZeroDivisionError", "%s by zero", op)
		}
		return nil, true, raise("ZeroDivisionError", "division by zero")
	}
	if iok && jok {
		if p, ok := a.(bool); ok {
			if q, ok := b.(bool); ok && (op == "&" || op == "|" || op == "^") {
				return map[string]bool{"&": p && q, "|": p || q, "^": p != q}[op], true, nil
			}
		}
		if op == "/" && (abs(i) > 1<<53 || abs(j) > 1<<53) {
			return nil, true, errBig()
		}
		if op != "/" && (op != "**" || j >= 0) {
			v, err := integers(op, i, j)
			return v, true, err
		}
	}
	v, err := floats(op, x, y)
	return v, true, err
}

func abs(i int64) int64 { return max(i, -i) }

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
			return nil, raise("ZeroDivisionError", "0.0 cannot be raised to a negative power")
		}
		return floatPower(x, y)
	}
	return nil, raise("TypeError", "unsupported operand type(s) for %s: 'float' and 'float'", op)
}

// floatPower gives those powers of which every machine makes the same number.
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

// modulo is Python's %: its sign is that of the divisor.
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

func integers(op string, i, j int64) (any, error) {
	switch op {
	case "+":
		if sum := i + j; (sum > i) == (j > 0) {
			return sum, nil
		}
		return nil, errBig()
	case "-":
		if diff := i - j; (diff < i) == (j > 0) {
			return diff, nil
		}
		return nil, errBig()
	case "*":
		return product(i, j)
	case "//", "%":
		if i == math.MinInt64 && j == -1 {
			return nil, errBig()
		}
		q := i / j
		if i%j != 0 && (i < 0) != (j < 0) {
			q--
		}
		if op == "//" {
			return q, nil
		}
		return i - q*j, nil
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
	return nil, raise("TypeError", "unsupported operand type(s) for %s: 'int' and 'int'", op)
}

func product(i, j int64) (any, error) {
	high, low := bits.Mul64(uint64(abs(i)), uint64(abs(j)))
	if i == math.MinInt64 || j == math.MinInt64 || high != 0 || low > math.MaxInt64 {
		return nil, errBig()
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
		return nil, raise("ValueError", "negative shift count")
	}
	if op == ">>" {
		return i >> min(j, 63), nil
	}
	if j > 62 || abs(i) > math.MaxInt64>>uint(j) || i == math.MinInt64 {
		if i == 0 {
			return int64(0), nil
		}
		return nil, errBig()
	}
	return i << j, nil
}

func (r *Interpreter) concat(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if len(x)+len(y) > maxText {
				return nil, fmt.Errorf("this text is too long")
			}
			return x + y, r.charge((len(x) + len(y)) / 64)
		}
	case Bytes:
		if y, ok := b.(Bytes); ok && len(x)+len(y) <= maxText {
			return append(slices.Clone(x), y...), r.charge((len(x) + len(y)) / 64)
		}
	case *List:
		if y, ok := b.(*List); ok {
			return &List{Items: slices.Concat(x.Items, y.Items)}, r.charge(len(x.Items) + len(y.Items))
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return slices.Concat(x, y), r.charge(len(x) + len(y))
		}
	}
	return nil, raise("TypeError", "unsupported operand type(s) for +: '%s' and '%s'", TypeName(a), TypeName(b))
}

func (r *Interpreter) repeat(a, b any) (any, error) {
	n, ok := asInt(b)
	if !ok {
		if n, ok = asInt(a); ok {
			a = b
		}
	}
	n = max(n, 0)
	if items, isSeq := sequence(a); ok && isSeq {
		if n > maxText || n*int64(max(len(items), 1)) > maxText {
			return nil, fmt.Errorf("the result of this multiplication is too long")
		}
		if err := r.charge(int(n) * len(items) / 4); err != nil {
			return nil, err
		}
		if s, isText := a.(string); isText {
			return strings.Repeat(s, int(n)), nil
		}
		return likeSequence(a, slices.Repeat(items, int(n))), nil
	}
	return nil, raise("TypeError", "unsupported operand type(s) for *: '%s' and '%s'", TypeName(a), TypeName(b))
}

// setOf is |, &, - and ^ of sets, and | of dicts.
func setOf(op string, a, b any) (any, bool, error) {
	if x, ok := a.(*Dict); ok {
		y, ok := b.(*Dict)
		if !ok || op != "|" {
			return nil, false, nil
		}
		d := x.Clone()
		return d, true, d.update(y)
	}
	a, b = setLike(a), setLike(b)
	x, xok := a.(*Set)
	y, yok := b.(*Set)
	if !xok || !yok {
		return nil, false, nil
	}
	out := &Set{Frozen: x.Frozen}
	keep := func(from, other *Set, in bool) error {
		for _, v := range from.dict.keys {
			has, err := other.has(v)
			if err == nil && (has == in) {
				err = out.add(v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	switch op {
	case "&":
		err = keep(x, y, true)
	case "-":
		err = keep(x, y, false)
	case "^":
		if err = keep(x, y, false); err == nil {
			err = keep(y, x, false)
		}
	case "|":
		out.dict = *x.dict.Clone()
		err = keep(y, x, false)
	default:
		return nil, false, nil
	}
	return out, true, err
}
