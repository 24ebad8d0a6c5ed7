package python

import (
	"strings"
)

// item is v[key].
func (r *Interpreter) item(v, key any) (any, error) {
	if u, ok := key.(*Unknown); ok {
		return u, nil
	}
	switch v := v.(type) {
	case *Unknown:
		return v, nil
	case *Builtin:
		n, _ := asText(key)
		if m, ok := v.Members[n]; ok {
			return m, nil
		}
		return nil, raise("KeyError", "%s has no member %s", v.Name, Repr(key))
	case *Class:
		return v.item(key)
	case *Dict:
		return r.dictItem(v, key)
	case *namespace:
		return v.item(key)
	case Indexer:
		return v.Index(key)
	case *Instance:
		if m, ok := v.method("__getitem__"); ok {
			return r.invoke(m, &Call{Args: []any{key}})
		}
	}
	items, ok := sequence(v)
	if !ok {
		return nil, raise("TypeError", "'%s' object is not subscriptable", TypeName(v))
	}
	if _, isInt := asInt(key); !isInt {
		return nil, raise("TypeError", "%s indices must be integers, not %s", TypeName(v), TypeName(key))
	}
	i, ok := position(key, len(items))
	if !ok {
		return nil, raise("IndexError", "%s index out of range", TypeName(v))
	}
	return items[i], nil
}

func (r *Interpreter) dictItem(d *Dict, key any) (any, error) {
	v, ok, err := d.Get(key)
	if ok || err != nil {
		return v, err
	}
	if d.factory == nil {
		return nil, raise("KeyError", "the dict has no key %s", Repr(key))
	}
	v, err = r.invoke(d.factory, &Call{})
	if err != nil {
		return nil, err
	}
	return v, d.Put(key, v)
}

// sequence gives the items of what has an order.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case Tuple:
		return v, true
	case string, Bytes:
		return Items(v)
	case *Instance:
		if v.tuple != nil {
			return v.tuple, true
		}
		if s, ok := v.plain().(string); ok {
			return Items(s)
		}
	}
	return nil, false
}

func (r *Interpreter) slice(s *scope, v any, e *sliceExpr) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	items, ok := sequence(v)
	if !ok {
		return nil, raise("TypeError", "'%s' object is not subscriptable", TypeName(v))
	}
	var bounds [3]*int64
	for i, x := range []expr{e.from, e.to, e.step} {
		b, err := r.evalOr(s, x, nil)
		if err != nil || b == nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if u, ok := b.(*Unknown); ok {
			return u, nil
		}
		n, ok := asInt(b)
		if !ok {
			return nil, raise("TypeError", "slice indices must be integers or None")
		}
		bounds[i] = &n
	}
	step := int64(1)
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, raise("ValueError", "slice step cannot be zero")
	}
	picked := picked(items, bounds[0], bounds[1], step)
	return likeSequence(v, picked), r.charge(len(picked) / 4)
}

// picked takes the items of a slice, as Python bounds it.
func picked(items []any, from, to *int64, step int64) []any {
	n := int64(len(items))
	low, high := int64(0), n
	if step < 0 {
		low, high = -1, n-1
	}
	bound := func(b *int64, fallback int64) int64 {
		if b == nil {
			return fallback
		}
		i := *b
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	out := []any{}
	if step > 0 {
		stop := bound(to, n)
		for i := bound(from, 0); i < stop; i += min(step, n+1) {
			out = append(out, items[i])
		}
		return out
	}
	stop := bound(to, -1)
	for i := bound(from, n-1); i > stop; i += max(step, -n-1) {
		out = append(out, items[i])
	}
	return out
}

func likeSequence(v any, items []any) any {
	switch v := Plain(v).(type) {
	case string:
		var b strings.Builder
		for _, c := range items {
			b.WriteString(Str(c))
		}
		return b.String()
	case Bytes:
		b := make(Bytes, len(items))
		for i, c := range items {
			n, _ := asInt(c)
			b[i] = byte(n)
		}
		return b
	case Tuple, *Instance:
		return Tuple(items)
	default:
		_ = v
		return &List{items}
	}
}

func (r *Interpreter) comprehend(s *scope, e *comprehension) (any, error) {
	inner := s.inner(scopeComprehension, s.file)
	var items []any
	dict := &Dict{}
	var unknown *Unknown
	err := r.clauses(s, inner, e.clauses, &unknown, func() error {
		v, err := r.eval(inner, e.value)
		if err != nil {
			return err
		}
		if e.kind != ':' {
			items = append(items, v)
			return nil
		}
		k, err := r.eval(inner, e.key)
		if err != nil {
			return err
		}
		if u, ok := k.(*Unknown); ok {
			unknown = u
			return nil
		}
		return dict.Put(k, v)
	})
	switch {
	case err != nil:
		return nil, err
	case unknown != nil:
		return r.skipped(s, "loop", unknown, e.key, e.value)
	case e.kind == ':':
		return dict, nil
	case e.kind == '{':
		return newSetOf(items)
	case e.kind == '(':
		return &Iterator{items: items}, nil
	}
	return &List{items}, nil
}

// clauses runs emit for every combination; a source or condition that is
// Unknown makes the whole result Unknown. The first source is evaluated outside
// of the comprehension.
func (r *Interpreter) clauses(outer, s *scope, list []clause, unknown **Unknown, emit func() error) error {
	if len(list) == 0 {
		return emit()
	}
	c := list[0]
	v, err := r.eval(outer, c.source)
	if err != nil {
		return err
	}
	if u, ok := v.(*Unknown); ok {
		*unknown = u
		return nil
	}
	items, err := r.items(v)
	if err != nil {
		return s.locate(c.source.pos(), err)
	}
next:
	for _, item := range items {
		if err := r.charge(1); err != nil {
			return s.locate(c.source.pos(), err)
		}
		if err := r.bind(s, c.target, item); err != nil {
			return err
		}
		for _, cond := range c.conds {
			v, err := r.eval(s, cond)
			if err != nil {
				return err
			}
			yes, known := r.truth(v)
			if !known {
				*unknown, _ = v.(*Unknown)
				return nil
			}
			if !yes {
				continue next
			}
		}
		if err := r.clauses(s, s, list[1:], unknown, emit); err != nil {
			return err
		}
	}
	return nil
}
