package python

import (
	"fmt"
	"strings"
)

func (r *Interpreter) evalOr(s *scope, e expr, fallback any) (any, error) {
	if e == nil {
		return fallback, nil
	}
	return r.eval(s, e)
}

// eval gives the value of an expression.
func (r *Interpreter) eval(s *scope, e expr) (any, error) {
	if err := r.step(s, e.pos()); err != nil {
		return nil, err
	}
	v, err := r.evaluate(s, e)
	return v, s.locate(e.pos(), err)
}

func (r *Interpreter) evaluate(s *scope, e expr) (any, error) {
	switch e := e.(type) {
	case *constExpr:
		return e.value, nil
	case *nameExpr:
		return r.lookup(s, e)
	case *shifted:
		v, err := r.eval(&scope{names: s.names, outer: s.outer, module: s.module, file: &File{Name: s.file.Name}}, e.value)
		if err != nil {
			return nil, fmt.Errorf("an expression of this f-string cannot be evaluated")
		}
		return v, nil
	case *fstring:
		return r.format(s, e)
	case *listExpr:
		items, err := r.items(s, e.items)
		return &List{items}, err
	case *tupleExpr:
		items, err := r.items(s, e.items)
		return Tuple(items), err
	case *setExpr:
		items, err := r.items(s, e.items)
		set := &Set{}
		for _, v := range items {
			set.add(v)
		}
		return set, err
	case *dictExpr:
		return r.dict(s, e)
	case *attrExpr:
		v, err := r.eval(s, e.value)
		if err != nil {
			return nil, err
		}
		return r.attribute(v, e.name)
	case *indexExpr:
		return r.index(s, e)
	case *callExpr:
		return r.call(s, e)
	case *lambdaExpr:
		return &Function{Name: "<lambda>", params: e.params, result: e.body, scope: s, module: s.module, file: s.file}, nil
	case *comprehension:
		return r.comprehend(s, e)
	case *walrusExpr:
		v, err := r.eval(s, e.value)
		s.set(e.name, v)
		return v, err
	}
	return r.operate(s, e)
}

func (r *Interpreter) lookup(s *scope, e *nameExpr) (any, error) {
	if v, ok := s.get(e.name); ok {
		return v, nil
	}
	if v, ok := builtin(e.name); ok {
		return v, nil
	}
	return nil, fmt.Errorf("name '%s' is not defined", e.name)
}

// items evaluates the items of a display, spreading starred ones.
func (r *Interpreter) items(s *scope, list []expr) ([]any, error) {
	out := make([]any, 0, len(list))
	for _, e := range list {
		star, ok := e.(*starExpr)
		if !ok {
			v, err := r.eval(s, e)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		v, err := r.eval(s, star.value)
		if err != nil {
			return nil, err
		}
		more, ok := Items(v)
		if !ok {
			return nil, fmt.Errorf("a %s cannot be spread", TypeName(v))
		}
		out = append(out, more...)
	}
	return out, nil
}

func (r *Interpreter) dict(s *scope, e *dictExpr) (any, error) {
	d := &Dict{}
	for i, k := range e.keys {
		v, err := r.eval(s, e.values[i])
		if err != nil {
			return nil, err
		}
		if k == nil {
			more, ok := v.(*Dict)
			if !ok {
				return nil, fmt.Errorf("a %s cannot be spread into a dict", TypeName(v))
			}
			for j := range more.Keys {
				d.Put(more.Keys[j], more.Values[j])
			}
			continue
		}
		key, err := r.eval(s, k)
		if err != nil {
			return nil, err
		}
		d.Put(key, v)
	}
	return d, nil
}

// attribute gives value.name.
func (r *Interpreter) attribute(v any, name string) (any, error) {
	var found any
	var ok bool
	switch v := v.(type) {
	case *Unknown:
		return &Unknown{Why: v.Why}, nil
	case *Module:
		found, ok = v.Names[name]
		if !ok && v.Open {
			return &Unknown{Why: v.Name + "." + name}, nil
		}
		if !ok {
			return nil, fmt.Errorf("module '%s' has no '%s'", v.Name, name)
		}
	case *Builtin:
		found, ok = v.Members[name]
		if !ok && name == "__name__" {
			return v.Name, nil
		}
		if !ok {
			return &Unknown{Why: v.Name + "." + name}, nil
		}
	case *Function:
		if name == "__name__" {
			return v.Name, nil
		}
		return &Unknown{Why: v.Name + "." + name}, nil
	case *Class:
		found, ok = v.member(name)
		if !ok && name == "__name__" {
			return v.Name, nil
		}
	case *Instance:
		found, ok = v.attr(name)
	case Object:
		found, ok = v.Attr(name)
	default:
		found, ok = method(v, name)
	}
	if !ok {
		return nil, fmt.Errorf("a %s has no attribute '%s'", TypeName(v), name)
	}
	return found, nil
}

func (r *Interpreter) index(s *scope, e *indexExpr) (any, error) {
	v, err := r.eval(s, e.value)
	if err != nil {
		return nil, err
	}
	if slice, ok := e.index.(*sliceExpr); ok {
		return r.slice(s, v, slice)
	}
	key, err := r.eval(s, e.index)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *Unknown, *Builtin, *Class:
		return v, nil // a type with parameters is the type
	case *Dict:
		if found, ok := v.Get(key); ok {
			return found, nil
		}
		return nil, fmt.Errorf("the dict has no key %s", Repr(key))
	case Indexer:
		return v.Index(key)
	}
	items, ok := sequence(v)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be indexed", TypeName(v))
	}
	i, ok := asInt(key)
	if !ok {
		return nil, fmt.Errorf("a %s is indexed by integers, not by a %s", TypeName(v), TypeName(key))
	}
	if i < 0 {
		i += int64(len(items))
	}
	if i < 0 || i >= int64(len(items)) {
		return nil, fmt.Errorf("index out of range")
	}
	return items[i], nil
}

// sequence gives the items of what has an order.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case Tuple, string:
		return Items(v)
	}
	return nil, false
}

func (r *Interpreter) slice(s *scope, v any, e *sliceExpr) (any, error) {
	items, ok := sequence(v)
	if !ok {
		if u, unknown := v.(*Unknown); unknown {
			return u, nil
		}
		return nil, fmt.Errorf("a %s cannot be sliced", TypeName(v))
	}
	bound := func(x expr, fallback int) (int, error) {
		b, err := r.evalOr(s, x, nil)
		if err != nil || b == nil {
			return fallback, err
		}
		i, ok := asInt(b)
		if !ok {
			return 0, fmt.Errorf("slices take integers, not a %s", TypeName(b))
		}
		if i < 0 {
			i += int64(len(items))
		}
		return int(min(max(i, 0), int64(len(items)))), nil
	}
	step, err := r.evalOr(s, e.step, int64(1))
	if err != nil {
		return nil, err
	}
	if n, ok := asInt(step); !ok || n != 1 {
		return r.reversed(v, items, n, e)
	}
	from, err := bound(e.from, 0)
	if err != nil {
		return nil, err
	}
	to, err := bound(e.to, len(items))
	if err != nil {
		return nil, err
	}
	return likeSequence(v, items[from:max(from, to)]), nil
}

// reversed knows the one step besides 1 that definitions use: [::-1].
func (r *Interpreter) reversed(v any, items []any, step int64, e *sliceExpr) (any, error) {
	if step != -1 || e.from != nil || e.to != nil {
		return nil, fmt.Errorf("slices with this step are not read; write the items out")
	}
	out := make([]any, len(items))
	for i, x := range items {
		out[len(items)-1-i] = x
	}
	return likeSequence(v, out), nil
}

func likeSequence(v any, items []any) any {
	switch v.(type) {
	case string:
		var b strings.Builder
		for _, c := range items {
			b.WriteString(Str(c))
		}
		return b.String()
	case Tuple:
		return Tuple(append([]any{}, items...))
	}
	return &List{append([]any{}, items...)}
}

func (r *Interpreter) comprehend(s *scope, e *comprehension) (any, error) {
	inner := &scope{names: map[string]any{}, outer: s, file: s.file}
	list, set, dict := &List{}, &Set{}, &Dict{}
	var unknown *Unknown
	err := r.clauses(inner, e.clauses, &unknown, func() error {
		v, err := r.eval(inner, e.value)
		if err != nil {
			return err
		}
		switch e.kind {
		case '{':
			set.add(v)
		case ':':
			k, err := r.eval(inner, e.key)
			if err != nil {
				return err
			}
			dict.Put(k, v)
		default:
			list.Items = append(list.Items, v)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case unknown != nil:
		return unknown, nil
	case e.kind == '{':
		return set, nil
	case e.kind == ':':
		return dict, nil
	}
	return list, nil
}

// clauses runs emit for every combination; a source or condition that is
// Unknown makes the whole result Unknown.
func (r *Interpreter) clauses(s *scope, list []clause, unknown **Unknown, emit func() error) error {
	if len(list) == 0 {
		return emit()
	}
	c := list[0]
	v, err := r.eval(s, c.source)
	if err != nil {
		return err
	}
	if u, ok := v.(*Unknown); ok {
		*unknown = u
		return nil
	}
	items, ok := Items(v)
	if !ok {
		return s.file.fail(c.source.pos(), "a %s cannot be iterated over", TypeName(v))
	}
next:
	for _, item := range items {
		if err := r.step(s, c.source.pos()); err != nil {
			return err
		}
		if err := r.bind(s, c.target, item); err != nil {
			return err
		}
		for _, cond := range c.conds {
			v, err := r.eval(s, cond)
			if err != nil {
				return err
			}
			yes, known := truth(v)
			if !known {
				*unknown, _ = v.(*Unknown)
				return nil
			}
			if !yes {
				continue next
			}
		}
		if err := r.clauses(s, list[1:], unknown, emit); err != nil {
			return err
		}
	}
	return nil
}

// format joins the pieces of an f-string.
func (r *Interpreter) format(s *scope, e *fstring) (any, error) {
	var b strings.Builder
	for _, p := range e.parts {
		if p.value == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := r.eval(s, p.value)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
		switch {
		case p.repr:
			b.WriteString(Repr(v))
		case p.format != "":
			text, err := formatted(v, p.format)
			if err != nil {
				return nil, err
			}
			b.WriteString(text)
		default:
			b.WriteString(Str(v))
		}
	}
	return b.String(), nil
}
