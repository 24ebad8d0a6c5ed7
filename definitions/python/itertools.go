package python

import (
	"fmt"
	"slices"
)

// params gives a call's arguments by the names of its parameters; nil for those
// that are not given.
func (c *Call) params(fn string, names ...string) ([]any, error) {
	out := make([]any, len(names))
	if len(c.Args) > len(names) {
		return nil, raise("TypeError", "%s() takes at most %d arguments (%d given)", fn, len(names), len(c.Args))
	}
	copy(out, c.Args)
	for i, n := range c.Names {
		at := slices.Index(names, n)
		if at < len(c.Args) {
			return nil, raise("TypeError", "%s() got an unexpected keyword argument '%s'", fn, n)
		}
		out[at] = c.Named[i]
	}
	return out, nil
}

// integer gives an argument that is an integer, or the fallback for None.
func integer(v any, fallback int64) (int64, error) {
	i, ok := asInt(v)
	switch {
	case v == nil:
		return fallback, nil
	case !ok:
		return 0, raise("TypeError", "'%s' object cannot be interpreted as an integer", TypeName(v))
	}
	return i, nil
}

// itertoolsModule is the module itertools: what it has besides is refused.
func itertoolsModule() map[string]any {
	names := map[string]any{}
	add := func(name string, call func(*Call) (any, error)) *Builtin {
		b := &Builtin{Name: name, Members: map[string]any{}, Call: func(c *Call) (any, error) {
			if u := c.unknown(); u != nil {
				return nil, fmt.Errorf("the arguments of %s() cannot be known without running Python (%s)", name, u.Why)
			}
			return call(c)
		}}
		names[name] = b
		return b
	}
	chain := add("chain", func(c *Call) (any, error) { return chained(c, Tuple(c.Args)) })
	chain.Members["from_iterable"] = add("from_iterable", func(c *Call) (any, error) {
		v, err := c.one("from_iterable")
		if err != nil {
			return nil, err
		}
		return chained(c, v)
	})
	delete(names, "from_iterable")
	for _, kind := range []string{"product", "permutations", "combinations", "combinations_with_replacement"} {
		add(kind, func(c *Call) (any, error) { return arranged(kind, c) })
	}
	for _, kind := range []string{"takewhile", "dropwhile", "filterfalse", "starmap"} {
		add(kind, func(c *Call) (any, error) { return byFunction(kind, c) })
	}
	add("islice", sliced)
	add("count", counting)
	add("repeat", repeated)
	add("cycle", cycled)
	add("zip_longest", zipLongest)
	add("groupby", grouped)
	add("accumulate", accumulated)
	add("compress", compressed)
	add("tee", teed)
	add("pairwise", pairwise)
	return names
}

func chained(c *Call, lists any) (any, error) {
	outer, err := c.run.iterate(lists)
	var inner *Iterator
	return &Iterator{kind: "itertools.chain", next: func() (any, bool, error) {
		for {
			if inner != nil {
				if v, ok, err := inner.next(); ok || err != nil {
					return v, ok, err
				}
			}
			v, ok, err := outer.next()
			if err == nil {
				err = c.run.charge(1)
			}
			if err == nil && ok {
				inner, err = c.run.iterate(v)
			}
			if err != nil || !ok {
				return nil, false, err
			}
		}
	}}, err
}

// arranged gives the choices from pools of items in the order of their places.
func arranged(kind string, c *Call) (any, error) {
	var pools [][]any
	times, names := int64(1), []string{"iterable", "r"}
	args := &Call{Args: c.Args, Names: c.Names, Named: c.Named}
	if kind == "product" {
		names, args.Args = []string{"repeat"}, nil
	}
	given, err := args.params(kind, names...)
	if err != nil {
		return nil, err
	}
	lists := c.Args
	if kind != "product" {
		lists = given[:1]
	}
	for _, v := range lists {
		items, err := c.run.items(v)
		if err != nil {
			return nil, err
		}
		pools = append(pools, items)
	}
	fallback := int64(1)
	switch {
	case kind == "permutations":
		fallback = int64(len(pools[0]))
	case kind != "product" && given[1] == nil:
		return nil, raise("TypeError", "%s() missing required argument 'r' (pos 2)", kind)
	}
	if times, err = integer(given[len(given)-1], fallback); err != nil {
		return nil, err
	}
	if times < 0 {
		return nil, raise("ValueError", "%s must be non-negative", names[len(names)-1])
	}
	if times*int64(max(len(pools), 1)) > 1000 {
		return nil, fmt.Errorf("%s() of more than 1000 places is not read", kind)
	}
	places := slices.Repeat(pools, int(times))
	chosen := make([]int, len(places))
	fits := func(i int) bool {
		switch {
		case kind == "permutations":
			return !slices.Contains(chosen[:i], chosen[i])
		case kind == "combinations":
			return i == 0 || chosen[i] > chosen[i-1]
		}
		return kind == "product" || i == 0 || chosen[i] >= chosen[i-1]
	}
	// place fills the places from i on, the first with an item from one on.
	var place func(i, from int) bool
	place = func(i, from int) bool {
		if i == len(places) {
			return true
		}
		for chosen[i] = from; chosen[i] < len(places[i]); chosen[i]++ {
			if fits(i) && place(i+1, 0) {
				return true
			}
		}
		return false
	}
	return counted("itertools."+kind, func(n int) (any, bool, error) {
		ok := n == 0 && place(0, 0)
		for i := len(places) - 1; n > 0 && i >= 0 && !ok; i-- {
			ok = place(i, chosen[i]+1)
		}
		t := make(Tuple, len(places))
		for i := range t {
			if ok {
				t[i] = places[i][chosen[i]]
			}
		}
		return t, ok, c.run.charge(len(t))
	}), nil
}

// byFunction are the functions that ask a function about each item.
func byFunction(kind string, c *Call) (any, error) {
	if len(c.Args) != 2 || len(c.Names) > 0 {
		return nil, raise("TypeError", "%s expected 2 arguments, got %d", kind, len(c.Args))
	}
	fn := c.Args[0]
	it, err := c.run.iterate(c.Args[1])
	if kind == "filterfalse" {
		return c.filter("itertools."+kind, fn, false, []*Iterator{it}, err)
	}
	passed := false // the place where takewhile ends, or dropwhile begins
	return &Iterator{kind: "itertools." + kind, next: func() (any, bool, error) {
		for {
			if kind == "takewhile" && passed {
				return nil, false, nil
			}
			v, ok, err := it.next()
			if err == nil {
				err = c.run.charge(1)
			}
			if err != nil || !ok {
				return nil, false, err
			}
			if kind == "starmap" {
				args, err := c.run.items(v)
				if err == nil {
					v, err = c.Invoke(fn, args...)
				}
				return v, err == nil, err
			}
			if passed {
				return v, true, nil
			}
			yes := false
			if fn == nil {
				err = raise("TypeError", "'NoneType' object is not callable")
			} else {
				yes, err = c.asks(fn, v)
			}
			passed = !yes && err == nil
			if err != nil || kind == "takewhile" || passed {
				return v, err == nil && yes == (kind == "takewhile"), err
			}
		}
	}}, err
}

func sliced(c *Call) (any, error) {
	if len(c.Args) < 2 || len(c.Args) > 4 || len(c.Names) > 0 {
		return nil, raise("TypeError", "islice expected 2 to 4 arguments, got %d", len(c.Args))
	}
	it, err := c.run.iterate(c.Args[0])
	bounds := [3]int64{0, -1, 1} // start, stop, step; a stop of -1 is none
	at := bounds[:]
	if len(c.Args) == 2 {
		at = bounds[1:]
	}
	for i, v := range c.Args[1:] {
		n, ok := asInt(v)
		if v == nil {
			continue
		}
		if at[i] = n; !ok || n < 0 || len(c.Args) == 4 && i == 2 && n == 0 {
			return nil, raise("ValueError", "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
		}
	}
	n, next := int64(0), bounds[0]
	return &Iterator{kind: "itertools.islice", next: func() (any, bool, error) {
		for {
			if n >= next && bounds[1] >= 0 && n >= bounds[1] {
				return nil, false, nil
			}
			v, ok, err := it.next()
			if err == nil {
				err = c.run.charge(1)
			}
			if err != nil || !ok {
				next, bounds[1] = 0, 0
				return nil, false, err
			}
			if n++; n > next {
				if next += bounds[2]; bounds[1] >= 0 {
					next = min(next, bounds[1])
				}
				return v, true, nil
			}
		}
	}}, err
}

func counting(c *Call) (any, error) {
	given, err := c.params("count", "start", "step")
	if err != nil {
		return nil, err
	}
	var at, step any = int64(0), int64(1)
	for i, v := range []*any{&at, &step} {
		if given[i] != nil {
			*v = given[i]
		}
		if _, ok := asInt(*v); !ok {
			return nil, fmt.Errorf("count() of what is not an integer is not read")
		}
	}
	return &Iterator{kind: "itertools.count", next: func() (any, bool, error) {
		v := at
		at, err = c.run.binary("+", at, step)
		return v, err == nil, err
	}}, nil
}

func repeated(c *Call) (any, error) {
	given, err := c.params("repeat", "object", "times")
	if err != nil {
		return nil, err
	}
	times, err := integer(given[1], -1)
	if given[1] != nil {
		times = max(times, 0)
	}
	return counted("itertools.repeat", func(i int) (any, bool, error) { return given[0], times < 0 || int64(i) < times, nil }), err
}

func cycled(c *Call) (any, error) {
	v, err := c.one("cycle")
	if err != nil {
		return nil, err
	}
	it, err := c.run.iterate(v)
	var seen []any
	at := -1
	return &Iterator{kind: "itertools.cycle", next: func() (any, bool, error) {
		if at < 0 {
			v, ok, err := it.next()
			if ok {
				seen = append(seen, v)
			}
			if ok || err != nil || len(seen) == 0 {
				return v, ok, err
			}
		}
		at = (at + 1) % len(seen)
		return seen[at], true, nil
	}}, err
}

func zipLongest(c *Call) (any, error) {
	fill, _ := c.Arg("fillvalue")
	sources, err := c.sources(0)
	ended := make([]bool, len(sources))
	return &Iterator{kind: "itertools.zip_longest", next: func() (any, bool, error) {
		items := make(Tuple, len(sources))
		for i, it := range sources {
			items[i] = fill
			if ended[i] {
				continue
			}
			v, ok, err := it.next()
			if err != nil {
				return nil, false, err
			}
			if ended[i] = !ok; ok {
				items[i] = v
			} else if !slices.Contains(ended, false) {
				return nil, false, nil
			}
		}
		return items, slices.Contains(ended, false), nil
	}}, err
}

// groups is what groupby goes through: one item ahead of the groups.
type groups struct {
	c        *Call
	it       *Iterator
	fn       any
	item     any
	key      any
	begun    bool
	ended    bool
	current  int // the number of the group that gives items
	newGroup bool
}

// step takes the next item; its key is another group's when newGroup is set.
func (g *groups) step() error {
	v, ok, err := g.it.next()
	if err == nil {
		err = g.c.run.charge(1)
	}
	if err != nil || !ok {
		g.ended = true
		return err
	}
	k := v
	if g.fn != nil {
		if k, err = g.c.Invoke(g.fn, v); err != nil {
			return err
		}
	}
	if g.begun {
		same, err := g.c.run.compared("==", g.key, k)
		if u, ok := same.(*Unknown); ok {
			return fmt.Errorf("the groups of groupby() cannot be known without running Python (%s)", u.Why)
		}
		if err != nil {
			return err
		}
		g.newGroup = same == false
	}
	g.item, g.key, g.newGroup = v, k, g.newGroup || !g.begun
	g.begun = true
	return nil
}

func grouped(c *Call) (any, error) {
	given, err := c.params("groupby", "iterable", "key")
	if err != nil {
		return nil, err
	}
	it, err := c.run.iterate(given[0])
	g := &groups{c: c, it: it, fn: given[1]}
	return counted("itertools.groupby", func(i int) (any, bool, error) {
		for g.current = i; !g.newGroup && !g.ended; { // what the last group left
			if err := g.step(); err != nil {
				return nil, false, err
			}
		}
		g.newGroup = false
		if g.ended {
			return nil, false, nil
		}
		waiting := true // the item that began the group
		inner := &Iterator{kind: "itertools._grouper", next: func() (any, bool, error) {
			if !waiting && g.current == i && !g.newGroup && !g.ended {
				if err := g.step(); err != nil {
					return nil, false, err
				}
			}
			waiting = false
			return g.item, g.current == i && !g.newGroup && !g.ended, nil
		}}
		return Tuple{g.key, inner}, true, nil
	}), err
}

func accumulated(c *Call) (any, error) {
	given, err := c.params("accumulate", "iterable", "func", "initial")
	if err == nil && len(c.Args) > 2 {
		err = raise("TypeError", "accumulate() takes at most 2 positional arguments (3 given)")
	}
	if err != nil {
		return nil, err
	}
	it, err := c.run.iterate(given[0])
	total, fn := given[2], given[1]
	return counted("itertools.accumulate", func(i int) (any, bool, error) {
		if i == 0 && total != nil {
			return total, true, nil
		}
		v, ok, err := it.next()
		switch {
		case err != nil || !ok:
			return nil, false, err
		case i == 0:
			total = v
		case fn == nil:
			total, err = c.run.binary("+", total, v)
		default:
			total, err = c.Invoke(fn, total, v)
		}
		return total, err == nil, err
	}), err
}

func compressed(c *Call) (any, error) {
	given, err := c.params("compress", "data", "selectors")
	if err != nil {
		return nil, err
	}
	sources, err := (&Call{Args: given, run: c.run}).sources(0)
	return &Iterator{kind: "itertools.compress", next: func() (any, bool, error) {
		for {
			items, short, err := row(sources)
			if err == nil {
				err = c.run.charge(1)
			}
			if err != nil || short >= 0 {
				return nil, false, err
			}
			if yes, err := c.asks(nil, items[1]); yes || err != nil {
				return items[0], err == nil, err
			}
		}
	}}, err
}

func teed(c *Call) (any, error) {
	if len(c.Args) == 0 || len(c.Args) > 2 || len(c.Names) > 0 {
		return nil, raise("TypeError", "tee expected 1 or 2 arguments, got %d", len(c.Args))
	}
	n := int64(2)
	if len(c.Args) > 1 {
		n, _ = asInt(c.Args[1])
	}
	if n < 0 || n > 1000 {
		return nil, raise("ValueError", "n must be >= 0")
	}
	it, err := c.run.iterate(c.Args[0])
	var seen []any
	out := make(Tuple, n)
	for i := range out {
		out[i] = counted("itertools._tee", func(at int) (any, bool, error) {
			if at == len(seen) {
				v, ok, err := it.next()
				if err != nil || !ok {
					return nil, false, err
				}
				seen = append(seen, v)
			}
			return seen[at], true, nil
		})
	}
	return out, err
}

func pairwise(c *Call) (any, error) {
	v, err := c.one("pairwise")
	if err != nil {
		return nil, err
	}
	it, err := c.run.iterate(v)
	var last any
	return counted("itertools.pairwise", func(i int) (any, bool, error) {
		if i == 0 {
			first, ok, err := it.next()
			if last = first; err != nil || !ok {
				return nil, false, err
			}
		}
		v, ok, err := it.next()
		pair := Tuple{last, v}
		last = v
		return pair, ok, err
	}), err
}
