package python

import (
	"fmt"
	"slices"
)

func (r *Interpreter) match(s *scope, st *matchStmt) (signal, error) {
	v, err := r.eval(s, st.subject)
	if err != nil {
		return signal{}, err
	}
	if u, ok := v.(*Unknown); ok {
		return r.passOver(s, st.subject.pos(), "match", u, []stmt{st})
	}
	for _, c := range st.cases {
		m := &matching{run: r, s: s}
		fits, err := m.fits(c.pattern, v)
		if err != nil {
			return signal{}, s.locate(c.pattern.at, err)
		}
		if !fits {
			continue
		}
		for i, n := range m.names { // only after the whole pattern matches
			if err := r.assign(s, n, m.values[i]); err != nil {
				return signal{}, s.locate(c.pattern.at, err)
			}
		}
		if c.guard != nil {
			g, err := r.eval(s, c.guard)
			if err != nil {
				return signal{}, err
			}
			yes, known := truth(g)
			if !known {
				return r.passOver(s, c.guard.pos(), "condition", g, []stmt{st})
			}
			fits = yes
		}
		if fits {
			return r.run(s, c.body)
		}
	}
	return signal{}, nil
}

// matching matches a value and records the captures of the pattern.
type matching struct {
	run    *Interpreter
	s      *scope
	names  []string
	values []any
}

func (m *matching) capture(name string, v any) {
	if name != "" {
		m.names, m.values = append(m.names, name), append(m.values, v)
	}
}

func (m *matching) fits(p *pattern, v any) (fits bool, err error) {
	if u, ok := v.(*Unknown); ok && p.kind != patternAny && p.kind != patternOr {
		return false, fmt.Errorf("this case depends on what cannot be known without running Python (%s)", u.Why)
	}
	switch p.kind {
	case patternAny, patternStar:
		fits = true
	case patternValue:
		fits, err = m.equals(p, v)
	case patternOr:
		for _, part := range p.parts {
			n := len(m.names)
			if fits, err = m.fits(part, v); fits || err != nil {
				break
			}
			m.names, m.values = m.names[:n], m.values[:n]
		}
	case patternSequence:
		fits, err = m.sequence(p, v)
	case patternMapping:
		return m.mapping(p, v)
	case patternClass:
		fits, err = m.class(p, v)
	}
	if fits && err == nil {
		m.capture(p.name, v)
	}
	return fits, err
}

// equals matches a literal or dotted name; None, True and False match by
// identity.
func (m *matching) equals(p *pattern, v any) (bool, error) {
	want, err := m.run.eval(m.s, p.value)
	if err != nil {
		return false, err
	}
	if c, ok := p.value.(*constExpr); ok {
		switch c.value.(type) {
		case nil, bool:
			return identical(v, want), nil
		}
	}
	same, err := m.run.compared("==", v, want)
	if u, ok := same.(*Unknown); ok {
		return false, fmt.Errorf("this case depends on what cannot be known without running Python (%s)", u.Why)
	}
	return same == true, err
}

func (m *matching) sequence(p *pattern, v any) (bool, error) {
	switch o := v.(type) {
	case *List, Tuple, Range:
	case *Instance:
		if o.tuple == nil {
			return false, nil
		}
	default:
		return false, nil
	}
	items, err := m.run.items(v)
	if err != nil {
		return false, err
	}
	star := slices.IndexFunc(p.parts, func(part *pattern) bool { return part.kind == patternStar })
	if star < 0 && len(items) != len(p.parts) || star >= 0 && len(items) < len(p.parts)-1 {
		return false, nil
	}
	for i, item := range shared(items, len(p.parts), star) {
		if ok, err := m.fits(p.parts[i], item); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (m *matching) mapping(p *pattern, v any) (bool, error) {
	d, ok := v.(*Dict)
	if !ok {
		if _, other := v.(interface{ Contains(any) (bool, error) }); other && slices.Contains(kindsOf(v), "dict") {
			return false, fmt.Errorf("a mapping pattern on a %s is not read", TypeName(v))
		}
		return false, nil
	}
	if d.Len() < len(p.keys) {
		return false, nil
	}
	rest, err := m.run.copyDict(d)
	if err != nil {
		return false, err
	}
	rest.factory = nil
	values := make([]any, len(p.keys))
	for i, k := range p.keys {
		key, err := m.run.eval(m.s, k)
		if err != nil {
			return false, err
		}
		v, ok, err := d.Get(key)
		if !ok || err != nil {
			return false, err
		}
		if once, err := rest.Delete(key); !once || err != nil {
			return false, raise("ValueError", "mapping pattern checks duplicate key (%s)", Brief(key))
		}
		values[i] = v
	}
	for i, part := range p.parts {
		if ok, err := m.fits(part, values[i]); !ok || err != nil {
			return false, err
		}
	}
	m.capture(p.name, rest)
	return true, m.run.meter.hold(rest)
}

// class matches Class(part, name=part).
func (m *matching) class(p *pattern, v any) (bool, error) {
	kind, err := m.run.eval(m.s, p.value)
	if err != nil {
		return false, err
	}
	if ok, err := m.isOf(v, kind); !ok || err != nil {
		return false, err
	}
	positional := len(p.parts) - len(p.names)
	names, itself, err := m.matchArgs(kind)
	switch {
	case err != nil:
		return false, err
	case itself && positional == 1:
		if ok, err := m.fits(p.parts[0], v); !ok || err != nil {
			return false, err
		}
	case positional > len(names):
		return false, raise("TypeError", "%s() accepts %d positional sub-patterns (%d given)", TypeName(v), len(names), positional)
	}
	for i, part := range p.parts {
		var n string
		switch {
		case i >= positional:
			n = p.names[i-positional]
		case itself:
			continue
		default:
			n = Str(names[i])
		}
		if ok, err := m.attributeFits(part, v, n); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// isOf reports whether a value is an instance of a pattern's class.
func (m *matching) isOf(v, kind any) (bool, error) {
	if _, unknown := kind.(*Unknown); !isType(kind) && !unknown {
		return false, raise("TypeError", "called match pattern must be a class")
	}
	is, err := isInstance("isinstance", &Call{Args: []any{v, kind}, run: m.run})
	if u, ok := is.(*Unknown); ok {
		return false, fmt.Errorf("this case depends on what cannot be known without running Python (%s)", u.Why)
	}
	return is == true, err
}

// attributeFits matches an attribute; a missing attribute does not match.
func (m *matching) attributeFits(part *pattern, v any, name string) (bool, error) {
	got, err := m.run.attribute(v, name)
	if e := exception(err); e != nil && ExceptionClass(err) == "AttributeError" {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return m.fits(part, got)
}

// matchArgs returns the attributes for positional patterns of a class; for plain
// types the value itself is matched.
func (m *matching) matchArgs(kind any) (names Tuple, itself bool, err error) {
	plain := []string{"bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"}
	c, ok := kind.(*Class)
	if !ok {
		b, _ := kind.(*Builtin)
		return nil, slices.Contains(plain, b.Name), nil
	}
	if v, ok := c.member("__match_args__"); ok {
		names, ok = v.(Tuple)
		if !ok {
			err = raise("TypeError", "%s.__match_args__ must be a tuple", c.Name)
		}
		return names, false, err
	}
	return nil, c.shape == nil && slices.ContainsFunc(plain, c.derivesFrom), nil
}
