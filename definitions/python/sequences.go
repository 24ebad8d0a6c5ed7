package python

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/definitions/numbers"
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
		return nil, raiseKey(key)
	case *Class:
		return v.item(key)
	case *Dict:
		return r.dictItem(v, key)
	case Indexer:
		if err := r.charge(4 * weight(key)); err != nil {
			return nil, err
		}
		return v.Index(key)
	case *Instance:
		if m := v.special("__getitem__"); m != nil {
			return r.invoke(m, &Call{Args: []any{key}})
		}
	}
	return r.sequenceItem(v, key)
}

func (r *Interpreter) sequenceItem(v, key any) (any, error) {
	if err := r.charge(1 + textSize(v)/64); err != nil {
		return nil, err
	}
	length, ok := sequenceLen(v)
	if !ok {
		return nil, raise("TypeError", "'%s' object is not subscriptable", TypeName(v))
	}
	if _, isInt := asInt(key); !isInt {
		return nil, raise("TypeError", "%s indices must be integers, not %s", TypeName(v), TypeName(key))
	}
	i, ok := position(key, length)
	if !ok {
		return nil, raise("IndexError", "%s index out of range", TypeName(v))
	}
	switch v := tupleOf(Plain(v)).(type) {
	case string:
		return characters(v, i, 1), nil
	case Bytes:
		return int64(v[i]), nil
	default:
		items, _ := itemsOf(v)
		return items[i], nil
	}
}

// sequenceLen is the number of items of an ordered value.
func sequenceLen(v any) (int, bool) {
	switch v := tupleOf(Plain(v)).(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case Bytes:
		return len(v), true
	default:
		items, ok := itemsOf(v)
		return len(items), ok
	}
}

// characters is a part of a text, counted in characters.
func characters(s string, from, n int) string {
	if len(s) == utf8.RuneCountInString(s) {
		return s[from : from+n]
	}
	start, end, at := len(s), len(s), 0
	for i := range s {
		if at == from {
			start = i
		}
		if at == from+n {
			end = i
			break
		}
		at++
	}
	return s[min(start, end):end]
}

func (r *Interpreter) dictItem(d *Dict, key any) (any, error) {
	v, ok, err := d.Get(key)
	if ok || err != nil {
		return v, err
	}
	if d.factory == nil {
		return nil, raiseKey(key)
	}
	v, err = r.invoke(d.factory, &Call{})
	if err != nil {
		return nil, err
	}
	return v, d.Put(key, v)
}

// sequence returns the items of an ordered value.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case Tuple:
		return v, true
	case Bytes:
		items := make([]any, len(v))
		for i, b := range v {
			items[i] = int64(b)
		}
		return items, true
	case string:
		items := make([]any, 0, len(v))
		for _, r := range v {
			items = append(items, string(r))
		}
		return items, true
	case *Instance:
		if v.tuple != nil {
			return v.tuple, true
		}
		if s, ok := v.plain().(string); ok {
			return sequence(s)
		}
	}
	return nil, false
}

func (r *Interpreter) slice(s *scope, v any, e *sliceExpr) (any, error) {
	if u, ok := v.(*Unknown); ok {
		return u, nil
	}
	if err := r.charge(1 + textSize(v)/64); err != nil {
		return nil, err
	}
	length, ok := sequenceLen(v)
	if o, own := v.(*Instance); own && o.special("__getitem__") != nil {
		return nil, fmt.Errorf("a slice of a %s is not read", TypeName(v))
	}
	ints, isRange := v.(Range)
	if !ok && !isRange {
		return nil, raise("TypeError", "'%s' object is not subscriptable", TypeName(v))
	}
	bounds, unknown, err := r.sliceBounds(s, e)
	if err != nil {
		return nil, err
	}
	if unknown != nil {
		return unknown, nil
	}
	step := int64(1)
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, raise("ValueError", "slice step cannot be zero")
	}
	if !isRange {
		ints = Range{0, int64(length), 1, int64(length)}
	}
	from, to := bounded(ints.n, bounds[0], bounds[1], step)
	part, err := ints.part(from, to, step)
	places, _ := part.(Range)
	if isRange || err != nil {
		return part, err
	}
	return r.picked(v, places)
}

// picked is the part of a sequence at some places.
func (r *Interpreter) picked(v any, places Range) (any, error) {
	if err := r.charge(int(places.n) / 4); err != nil {
		return nil, err
	}
	switch v := tupleOf(Plain(v)).(type) {
	case string:
		return sliceText(v, places), nil
	case Bytes:
		return Bytes(pick(v, places)), nil
	case *List:
		return &List{Items: pick(v.Items, places)}, nil
	default:
		items, _ := itemsOf(v)
		return Tuple(pick(items, places)), nil
	}
}

// pick copies the items at some places.
func pick[T any](items []T, places Range) []T {
	out := make([]T, places.n)
	for i := range out {
		out[i] = items[places.start+int64(i)*places.step]
	}
	return out
}

func sliceText(s string, places Range) string {
	if places.step == 1 || places.n == 0 {
		return strings.Clone(characters(s, int(places.start), int(places.n)))
	}
	return string(pick([]rune(s), places))
}

// sliceBounds evaluates the start, the end and the step of a slice: nil means
// omitted or None.
func (r *Interpreter) sliceBounds(s *scope, e *sliceExpr) (bounds [3]*int64, unknown *Unknown, err error) {
	for i, x := range []expr{e.from, e.to, e.step} {
		b, err := r.evalOr(s, x, nil)
		if err != nil {
			return bounds, nil, err
		}
		if b == nil {
			continue
		}
		if u, ok := b.(*Unknown); ok {
			return bounds, u, nil
		}
		n, ok := asInt(b)
		if !ok {
			return bounds, nil, raise("TypeError", "slice indices must be integers or None")
		}
		bounds[i] = &n
	}
	return bounds, nil, nil
}

// part is every step-th number from one position to before another.
func (r Range) part(from, to, step int64) (any, error) {
	by, err := numbers.Integers("*", step, r.step)
	if err != nil {
		return nil, err
	}
	if math.Abs(float64(r.start)+float64(to)*float64(r.step)) >= 1<<62 {
		return nil, numbers.ErrBig
	}
	times, _ := by.(int64)
	return newRange(r.start+from*r.step, r.start+to*r.step, times)
}

// bounded returns the first index of a slice and the index before which it ends.
func bounded(n int64, from, to *int64, step int64) (first, stop int64) {
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
	if step > 0 {
		return bound(from, 0), bound(to, n)
	}
	return bound(from, n-1), bound(to, -1)
}

// loops iterates over the clauses of a comprehension.
type loops struct {
	run    *Interpreter
	s      *scope
	e      *comprehension
	levels []*Iterator // iterators of the active clauses
	// unknown is a source or condition that cannot be known.
	unknown *Unknown
	running bool
}

// next advances to the next combination; false if there is none.
func (l *loops) next() (bool, error) {
	for len(l.levels) > 0 {
		n := len(l.levels)
		c := l.e.clauses[n-1]
		item, ok, err := l.levels[n-1].next()
		if err == nil {
			err = l.run.charge(1)
		}
		if err != nil {
			return false, l.s.locate(c.source.pos(), err)
		}
		if !ok {
			l.levels = l.levels[:n-1]
			continue
		}
		if err := l.run.bind(l.s, c.target, item); err != nil {
			return false, err
		}
		ok, err = l.holds(c.conds)
		switch {
		case err != nil || l.unknown != nil:
			return false, err
		case !ok:
		case n == len(l.e.clauses):
			return true, nil
		default:
			if err := l.enter(l.s, l.e.clauses[n].source); err != nil || l.unknown != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// enter starts the iteration over the source of a clause.
func (l *loops) enter(s *scope, source expr) error {
	v, err := l.run.eval(s, source)
	if err != nil {
		return err
	}
	if u, ok := v.(*Unknown); ok {
		l.unknown = u
		return nil
	}
	it, err := l.run.iterate(v)
	l.levels = append(l.levels, it)
	return s.locate(source.pos(), err)
}

func (l *loops) holds(conds []expr) (bool, error) {
	for _, cond := range conds {
		v, err := l.run.eval(l.s, cond)
		if err != nil {
			return false, err
		}
		is := truthOf(v)
		l.unknown, _ = is.(*Unknown)
		if is != true {
			return false, nil
		}
	}
	return true, nil
}

// lazily returns the next item of a generator expression.
func (l *loops) lazily() (v any, ok bool, err error) {
	if l.running {
		return nil, false, raise("ValueError", "generator already executing")
	}
	l.running = true
	if ok, err = l.next(); ok {
		v, err = l.run.eval(l.s, l.e.value)
	}
	l.running = false
	if l.unknown != nil && err == nil {
		err = fmt.Errorf("this depends on a loop that cannot be known without running Python (%s); write the definition without it", l.unknown.Why)
	}
	if !ok || err != nil {
		l.levels = nil
	}
	if e := exception(err); e != nil && l.run.isStop(e) {
		err = raise("RuntimeError", "generator raised StopIteration")
	}
	return v, ok && err == nil, err
}

// parts are the expressions of a comprehension except its conditions.
func (e *comprehension) parts() []expr {
	parts := []expr{e.key, e.value}
	for _, c := range e.clauses {
		parts = append(parts, c.source)
	}
	return parts
}

// comprehend evaluates a comprehension. Its first source is evaluated in the
// enclosing scope.
func (r *Interpreter) comprehend(s *scope, e *comprehension) (any, error) {
	l := &loops{run: r, s: s.inner(scopeComprehension, s.file), e: e}
	err := l.enter(s, e.clauses[0].source)
	if err == nil && l.unknown == nil && e.kind == '(' {
		return &Iterator{kind: "generator", next: l.lazily}, r.meter.take(iteratorSize)
	}
	items := []any{}
	dict := r.newDict()
	for err == nil {
		var ok bool
		if ok, err = l.next(); !ok {
			break
		}
		var k, v any
		if e.kind == ':' {
			if k, err = r.eval(l.s, e.key); err != nil {
				break
			}
		}
		if v, err = r.eval(l.s, e.value); err != nil {
			break
		}
		if u, ok := k.(*Unknown); ok {
			l.unknown = u
			break
		}
		if e.kind == ':' {
			err = dict.Put(k, v)
		} else {
			items = append(items, v)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case l.unknown != nil:
		return r.skipped(s, "loop", l.unknown, e.parts()...)
	case e.kind == ':':
		return dict, nil
	case e.kind == '{':
		return r.newSetOf(items)
	}
	return &List{Items: items}, nil
}
