package python

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// maxText bounds what multiplication can make.
const maxText = 1 << 20

// operate evaluates operators.
func (r *Interpreter) operate(s *scope, e expr) (any, error) {
	switch e := e.(type) {
	case *unaryExpr:
		v, err := r.eval(s, e.value)
		if err != nil {
			return nil, err
		}
		return unary(e.op, v)
	case *binaryExpr:
		a, err := r.eval(s, e.left)
		if err != nil {
			return nil, err
		}
		b, err := r.eval(s, e.right)
		if err != nil {
			return nil, err
		}
		return binary(e.op, a, b)
	case *boolExpr:
		a, err := r.eval(s, e.left)
		if err != nil {
			return nil, err
		}
		yes, known := truth(a)
		if !known || yes != e.and {
			return a, nil
		}
		return r.eval(s, e.right)
	case *compareExpr:
		return r.compare(s, e)
	case *ifExpr:
		c, err := r.eval(s, e.cond)
		if err != nil {
			return nil, err
		}
		yes, known := truth(c)
		switch {
		case !known:
			return c, nil
		case yes:
			return r.eval(s, e.then)
		}
		return r.eval(s, e.otherwise)
	case *starExpr:
		return nil, fmt.Errorf("a starred expression cannot stand here")
	}
	return nil, fmt.Errorf("this expression cannot be read")
}

func unary(op string, v any) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	if op == "not" {
		yes, _ := truth(v)
		return !yes, nil
	}
	if d, ok := v.(Timedelta); ok && op == "-" {
		return -d, nil
	}
	if i, ok := asInt(v); ok {
		return map[string]int64{"-": -i, "+": i, "~": ^i}[op], nil
	}
	if f, ok := v.(float64); ok && op != "~" {
		return map[string]float64{"-": -f, "+": f}[op], nil
	}
	return nil, fmt.Errorf("bad operand for %s: a %s", op, TypeName(v))
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
	if l, ok := old.(*List); ok && st.op == "+" { // a list grows in place
		more, ok := Items(v)
		if !ok {
			return fmt.Errorf("a %s cannot be added to a list", TypeName(v))
		}
		l.Items = append(l.Items, more...)
		return nil
	}
	v, err = binary(st.op, old, v)
	if err != nil {
		return err
	}
	return r.bind(s, st.target, v)
}

func binary(op string, a, b any) (any, error) {
	for _, v := range []any{a, b} {
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
	}
	if v, ok, err := number2(op, a, b); ok || err != nil {
		return v, err
	}
	if v, ok := timeSum(op, a, b); ok {
		return v, nil
	}
	switch op {
	case "+":
		return concat(a, b)
	case "*":
		return repeat(a, b)
	case "%":
		if format, ok := a.(string); ok {
			return percent(format, b)
		}
	case "|", "&", "-":
		if v, ok := setOf(op, a, b); ok {
			return v, nil
		}
	case "/":
		if p, ok := a.(joiner); ok {
			return p.Join(b)
		}
	}
	return nil, fmt.Errorf("%s is not defined for a %s and a %s", op, TypeName(a), TypeName(b))
}

// joiner is a host's path: path / name.
type joiner interface {
	Join(other any) (any, error)
}

func number2(op string, a, b any) (any, bool, error) {
	i, iok := asInt(a)
	j, jok := asInt(b)
	if iok && jok && op != "/" {
		v, err := integers(op, i, j)
		return v, err == nil, err
	}
	x, xok := asFloat(a)
	y, yok := asFloat(b)
	if !xok || !yok {
		return nil, false, nil
	}
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, false, fmt.Errorf("division by zero")
	}
	switch op {
	case "+":
		return x + y, true, nil
	case "-":
		return x - y, true, nil
	case "*":
		return x * y, true, nil
	case "/":
		return x / y, true, nil
	case "//":
		return math.Floor(x / y), true, nil
	case "%":
		return x - y*math.Floor(x/y), true, nil
	case "**":
		return math.Pow(x, y), true, nil
	}
	return nil, false, nil
}

func integers(op string, i, j int64) (any, error) {
	switch op {
	case "+":
		return i + j, nil
	case "-":
		return i - j, nil
	case "*":
		if i != 0 && (i*j)/i != j {
			return nil, fmt.Errorf("the product does not fit 64 bits")
		}
		return i * j, nil
	case "//", "%":
		if j == 0 {
			return nil, fmt.Errorf("division by zero")
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
		if j < 0 || j > 62 {
			return nil, fmt.Errorf("a shift by %d", j)
		}
		if op == "<<" {
			return i << j, nil
		}
		return i >> j, nil
	}
	return nil, fmt.Errorf("%s is not defined for integers", op)
}

func power(i, j int64) (any, error) {
	f := math.Pow(float64(i), float64(j))
	if j < 0 || math.Abs(f) > 1<<53 {
		return f, nil
	}
	return int64(f), nil
}

func timeSum(op string, a, b any) (any, bool) {
	x, xok := a.(Timedelta)
	y, yok := b.(Timedelta)
	t, tok := a.(Datetime)
	switch {
	case xok && yok && op == "+":
		return x + y, true
	case xok && yok && op == "-":
		return x - y, true
	case tok && yok && op == "+":
		return Datetime{t.Add(time.Duration(y)), t.Aware}, true
	case tok && yok && op == "-":
		return Datetime{t.Add(-time.Duration(y)), t.Aware}, true
	}
	if op != "*" && op != "/" {
		return nil, false
	}
	if f, ok := asFloat(b); ok && xok && f != 0 {
		if op == "/" {
			return Timedelta(float64(x) / f), true
		}
		return Timedelta(float64(x) * f), true
	}
	if f, ok := asFloat(a); ok && yok && op == "*" {
		return Timedelta(f * float64(y)), true
	}
	return nil, false
}

func concat(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok && len(x)+len(y) <= maxText {
			return x + y, nil
		}
	case *List:
		if y, ok := b.(*List); ok {
			return &List{append(slices.Clone(x.Items), y.Items...)}, nil
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return append(slices.Clone(x), y...), nil
		}
	}
	return nil, fmt.Errorf("a %s and a %s cannot be added", TypeName(a), TypeName(b))
}

func repeat(a, b any) (any, error) {
	n, ok := asInt(b)
	if !ok {
		if n, ok = asInt(a); ok {
			a = b
		}
	}
	n = max(n, 0)
	switch x := a.(type) {
	case string:
		if ok && n*int64(len(x)) <= maxText {
			return strings.Repeat(x, int(n)), nil
		}
	case *List:
		if ok && n*int64(len(x.Items)) <= maxText {
			return &List{slices.Repeat(x.Items, int(n))}, nil
		}
	}
	return nil, fmt.Errorf("a %s cannot be multiplied by a %s", TypeName(a), TypeName(b))
}

func setOf(op string, a, b any) (any, bool) {
	if x, ok := a.(*Dict); ok && op == "|" {
		y, ok := b.(*Dict)
		if !ok {
			return nil, false
		}
		d := &Dict{slices.Clone(x.Keys), slices.Clone(x.Values)}
		for i := range y.Keys {
			d.Put(y.Keys[i], y.Values[i])
		}
		return d, true
	}
	x, xok := a.(*Set)
	y, yok := b.(*Set)
	if !xok || !yok {
		return nil, false
	}
	out := &Set{}
	for _, v := range x.Items {
		in := slices.ContainsFunc(y.Items, func(o any) bool { return equal(o, v) })
		if op == "|" || in == (op == "&") {
			out.add(v)
		}
	}
	if op == "|" {
		for _, v := range y.Items {
			out.add(v)
		}
	}
	return out, true
}
