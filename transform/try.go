package transform

import (
	"errors"
	"slices"

	"github.com/banquet-fs/banquet/definitions/syntax"
)

// try compiles try with except and else, for values of Python: pandas' exceptions
// are not told apart finely enough here.
func (c *compiler) try(s *syntax.Try) action {
	if c.mode == pandasMode {
		c.fail(s.At(), outside("try is not supported in pandas mode"))
		return nil
	}
	if len(s.Finally) > 0 {
		c.fail(s.At(), outside("finally is not supported"))
		return nil
	}
	body, otherwise := c.block(s.Body), c.block(s.Else)
	handlers := make([]catcher, len(s.Handlers))
	for i, h := range s.Handlers {
		restore := c.shadow()
		slot := -1
		if h.As != "" {
			slot = c.fresh(h.As)
		}
		handlers[i] = catcher{c.classes(h.Kinds, s.At()), c.block(h.Body), slot}
		restore()
	}
	return func(m *machine) (flow, error) {
		depth, calls := m.depth, m.calls
		f, err := run(m, body)
		if err == nil {
			if f != next {
				return f, nil
			}
			return run(m, otherwise)
		}
		m.depth, m.calls = depth, calls
		var raised *failure
		if !errors.As(err, &raised) || raised.outside || raised.class == "" {
			return next, err
		}
		for _, h := range handlers {
			if h.classes == nil || slices.Contains(h.classes, raised.class) {
				if h.slot >= 0 {
					m.vars[m.base+h.slot] = val{k: kError, s: raised.class}
				}
				return run(m, h.body)
			}
		}
		return next, err
	}
}

// catcher is an except clause; without classes it catches all.
type catcher struct {
	classes []string
	body    []action
	slot    int // of the variable of the exception; -1 for none
}

// classes are the exceptions of an except clause.
func (c *compiler) classes(e syntax.Expr, at int) []string {
	switch e := e.(type) {
	case nil:
		return nil
	case *syntax.Name:
		switch e.ID {
		case "Exception", "BaseException":
			return nil
		case "ArithmeticError":
			return []string{"ZeroDivisionError", "OverflowError"}
		case "LookupError":
			return []string{"KeyError", "IndexError"}
		case "ZeroDivisionError", "OverflowError", "KeyError", "IndexError", "TypeError", "AttributeError":
			return []string{e.ID}
		case "ValueError":
			return []string{"ValueError", "JSONDecodeError", "IntCastingNaNError", "OutOfBoundsDatetime"}
		}
	case *syntax.Attr:
		if c.dotted(e) == "json.JSONDecodeError" {
			return []string{"JSONDecodeError"}
		}
	case *syntax.Sequence:
		out := []string{}
		for _, item := range e.Items {
			more := c.classes(item, at)
			if more == nil {
				return nil
			}
			out = append(out, more...)
		}
		return out
	}
	c.fail(at, outside("this except clause is not supported"))
	return []string{}
}
