package python

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (r *Interpreter) compare(s *scope, e *compareExpr) (any, error) {
	left, err := r.eval(s, e.first)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := r.eval(s, e.rest[i])
		if err != nil {
			return nil, err
		}
		v, err := compared(op, left, right)
		if err != nil {
			return nil, err
		}
		if yes, known := v.(bool); !known || !yes {
			return v, nil
		}
		left = right
	}
	return true, nil
}

func compared(op string, a, b any) (any, error) {
	if op == "is" || op == "is not" {
		same := a == nil && b == nil
		if a != nil && b != nil {
			same = identical(a, b)
		}
		if _, ok := a.(*Unknown); ok && b == nil {
			return a, nil
		}
		return same == (op == "is"), nil
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
	}
	switch op {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	case "in", "not in":
		in, err := contains(b, a)
		return in == (op == "in"), err
	}
	c, ok := order(a, b)
	if !ok {
		return nil, fmt.Errorf("a %s and a %s have no order", TypeName(a), TypeName(b))
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	default:
		return c >= 0, nil
	}
}

// identical is "is": the same object, or an equal constant.
func identical(a, b any) bool {
	switch a.(type) {
	case bool, int64, float64, string:
		return equal(a, b) && TypeName(a) == TypeName(b)
	case Tuple, Bytes, Datetime:
		return false
	}
	switch b.(type) {
	case Tuple, Bytes, Datetime:
		return false
	}
	return a == b
}

func contains(box, v any) (bool, error) {
	if s, ok := box.(string); ok {
		part, ok := v.(string)
		return ok && strings.Contains(s, part), nil
	}
	items, ok := Items(box)
	if !ok {
		return false, fmt.Errorf("a %s holds no items", TypeName(box))
	}
	return slices.ContainsFunc(items, func(o any) bool { return equal(o, v) }), nil
}

// order compares two values; false when they have none.
func order(a, b any) (int, bool) {
	x, xok := asFloat(a)
	y, yok := asFloat(b)
	if xok && yok {
		switch {
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, true
	}
	switch p := a.(type) {
	case string:
		q, ok := b.(string)
		return strings.Compare(p, q), ok
	case Timedelta:
		q, ok := b.(Timedelta)
		return int(min(max(p-q, -1), 1)), ok
	case Datetime:
		q, ok := b.(Datetime)
		return p.Compare(q.Time), ok
	case Tuple:
		q, ok := b.(Tuple)
		for i := range min(len(p), len(q)) {
			if c, ok := order(p[i], q[i]); !ok || c != 0 {
				return c, ok
			}
		}
		return len(p) - len(q), ok
	}
	return 0, false
}

// percent is the old formatting of text: %s and %d.
func percent(format string, v any) (any, error) {
	args := []any{v}
	if t, ok := v.(Tuple); ok {
		args = t
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch {
		case format[i] == '%':
			b.WriteByte('%')
			continue
		case len(args) == 0 || !strings.ContainsRune("sdir", rune(format[i])):
			return nil, fmt.Errorf("this %%-format is not read; use an f-string")
		case format[i] == 'r':
			b.WriteString(Repr(args[0]))
		default:
			b.WriteString(Str(args[0]))
		}
		args = args[1:]
	}
	return b.String(), nil
}

// formatted applies a format specification: width, zeros, decimals, thousands.
func formatted(v any, spec string) (string, error) {
	kind := spec[len(spec)-1]
	if f, ok := asFloat(v); ok && kind == 'f' && strings.HasPrefix(spec, ".") {
		n, err := strconv.Atoi(spec[1 : len(spec)-1])
		if err == nil && n <= 30 {
			return strconv.FormatFloat(f, 'f', n, 64), nil
		}
	}
	body := strings.TrimSuffix(strings.TrimSuffix(spec, "d"), "s")
	align := byte(0)
	if body != "" && strings.IndexByte("<>", body[0]) >= 0 {
		align, body = body[0], body[1:]
	}
	zero := strings.HasPrefix(body, "0") && len(body) > 1
	width, err := strconv.Atoi(body)
	if body == "" {
		width, err = 0, nil
	}
	if err != nil || width > 1000 {
		return "", fmt.Errorf("the format %q is not read; write the text out", spec)
	}
	text := Str(v)
	pad := strings.Repeat(map[bool]string{true: "0", false: " "}[zero], max(width-len([]rune(text)), 0))
	_, isNumber := asFloat(v)
	if align == '>' || align == 0 && isNumber {
		return pad + text, nil
	}
	return text + pad, nil
}
