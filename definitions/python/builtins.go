package python

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// builtin finds a function that every module has.
func builtin(name string) (any, bool) {
	switch name {
	case "len", "range", "zip", "enumerate", "sorted", "reversed", "map", "filter":
		return &Builtin{Name: name, Call: iterating(name)}, true
	case "str", "int", "float", "bool", "list", "tuple", "set", "frozenset", "dict", "bytes":
		return &Builtin{Name: name, Call: converting(name), Members: map[string]any{"__name__": name}}, true
	case "min", "max", "sum", "any", "all", "abs", "round":
		return &Builtin{Name: name, Call: reducing(name)}, true
	case "print":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return nil, nil }}, true
	case "getattr", "hasattr":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) { return attributes(name == "getattr", c) }}, true
	case "isinstance":
		return &Builtin{Name: name, Call: isInstance}, true
	case "repr":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) {
			v, err := c.one("repr")
			return Repr(v), err
		}}, true
	case "Exception", "ImportError", "ModuleNotFoundError", "ValueError", "KeyError", "TypeError", "AttributeError", "RuntimeError",
		"NotImplementedError", "NotImplemented", "FileNotFoundError", "OSError", "IndexError", "SystemExit", "StopIteration", "BaseException",
		"Warning", "DeprecationWarning", "UserWarning", "object", "type", "super", "property", "staticmethod", "classmethod", "open", "input",
		"globals", "locals", "vars", "dir", "id", "hash", "iter", "next", "callable", "issubclass", "exit", "quit", "format", "ord", "chr",
		"hex", "divmod", "pow", "slice", "memoryview", "bytearray", "complex", "setattr", "delattr", "eval", "exec", "compile", "yield",
		"__import__", "__builtins__", "KeyboardInterrupt", "ZeroDivisionError", "AssertionError", "LookupError", "ArithmeticError", "TimeoutError",
		"PermissionError", "ConnectionError", "UnicodeDecodeError", "EOFError", "NameError", "FutureWarning", "RuntimeWarning", "breakpoint":
		return &Unknown{Why: name}, true
	}
	return nil, false
}

func (c *Call) one(name string) (any, error) {
	if len(c.Args) == 0 {
		return nil, fmt.Errorf("%s() lacks its argument", name)
	}
	return c.Args[0], nil
}

// iterable gives the items of an argument; unknown is set when it is Unknown.
func (c *Call) iterable(i int, name string) (items []any, unknown *Unknown, err error) {
	if i >= len(c.Args) {
		return nil, nil, fmt.Errorf("%s() lacks an argument", name)
	}
	if u, ok := c.Args[i].(*Unknown); ok {
		return nil, u, nil
	}
	items, ok := Items(c.Args[i])
	if !ok {
		return nil, nil, fmt.Errorf("a %s cannot be iterated over", TypeName(c.Args[i]))
	}
	return items, nil, nil
}

func iterating(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		switch name {
		case "range":
			return rangeOf(c)
		case "zip":
			return zip(c)
		case "map", "filter":
			return mapped(name, c)
		}
		items, unknown, err := c.iterable(0, name)
		if err != nil || unknown != nil {
			return unknownOr(unknown), err
		}
		switch name {
		case "len":
			return int64(len(items)), nil
		case "reversed":
			slices.Reverse(items)
			return &List{items}, nil
		case "sorted":
			return sorted(c, items)
		}
		start := int64(0)
		if v, ok := c.Arg("start"); ok {
			start, _ = asInt(v)
		} else if len(c.Args) > 1 {
			start, _ = asInt(c.Args[1])
		}
		out := make([]any, len(items))
		for i, v := range items {
			out[i] = Tuple{start + int64(i), v}
		}
		return &List{out}, nil
	}
}

// unknownOr gives an Unknown as a value, nil when there is none.
func unknownOr(u *Unknown) any {
	if u == nil {
		return nil
	}
	return u
}

func rangeOf(c *Call) (any, error) {
	var bounds [3]int64
	for i, a := range c.Args {
		v, ok := asInt(a)
		if u, unknown := a.(*Unknown); unknown {
			return u, nil
		}
		if !ok || i > 2 {
			return nil, fmt.Errorf("range() takes one to three integers")
		}
		bounds[i] = v
	}
	start, stop, step := bounds[0], bounds[1], bounds[2]
	switch len(c.Args) {
	case 0:
		return nil, fmt.Errorf("range() takes one to three integers")
	case 1:
		start, stop, step = 0, bounds[0], 1
	case 2:
		step = 1
	}
	if step == 0 || (stop-start)/step > maxText {
		return nil, fmt.Errorf("this range is too long, or has a step of 0")
	}
	l := &List{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		l.Items = append(l.Items, i)
	}
	return l, nil
}

func zip(c *Call) (any, error) {
	shortest := math.MaxInt
	columns := make([][]any, len(c.Args))
	for i := range c.Args {
		items, unknown, err := c.iterable(i, "zip")
		if err != nil || unknown != nil {
			return unknownOr(unknown), err
		}
		columns[i], shortest = items, min(shortest, len(items))
	}
	l := &List{}
	for i := 0; i < shortest && len(columns) > 0; i++ {
		t := make(Tuple, len(columns))
		for j := range columns {
			t[j] = columns[j][i]
		}
		l.Items = append(l.Items, t)
	}
	return l, nil
}

func mapped(name string, c *Call) (any, error) {
	items, unknown, err := c.iterable(1, name)
	if err != nil || unknown != nil {
		return unknownOr(unknown), err
	}
	l := &List{}
	for _, v := range items {
		out := v
		if c.Args[0] != nil {
			if out, err = c.Invoke(c.Args[0], v); err != nil {
				return nil, err
			}
		}
		if name == "map" {
			l.Items = append(l.Items, out)
			continue
		}
		if yes, _ := truth(out); yes {
			l.Items = append(l.Items, v)
		}
	}
	return l, nil
}

func sorted(c *Call, items []any) (any, error) {
	keys := slices.Clone(items)
	if fn, ok := c.Arg("key"); ok && fn != nil {
		for i, v := range items {
			k, err := c.Invoke(fn, v)
			if err != nil {
				return nil, err
			}
			keys[i] = k
		}
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	bad := false
	slices.SortStableFunc(at, func(i, j int) int {
		o, ok := order(keys[i], keys[j])
		bad = bad || !ok
		return o
	})
	if bad {
		return nil, fmt.Errorf("these items have no order")
	}
	out := make([]any, len(items))
	for i, j := range at {
		out[i] = items[j]
	}
	if v, _ := c.Arg("reverse"); v == true {
		slices.Reverse(out)
	}
	return &List{out}, nil
}

func converting(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		if name == "dict" {
			return makeDict(c)
		}
		if len(c.Args) == 0 {
			return map[string]any{
				"str": "", "int": int64(0), "float": 0.0, "bool": false, "bytes": Bytes{},
				"list": &List{}, "tuple": Tuple{}, "set": &Set{}, "frozenset": &Set{},
			}[name], nil
		}
		v := c.Args[0]
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
		switch name {
		case "str":
			return Str(v), nil
		case "bool":
			yes, _ := truth(v)
			return yes, nil
		case "int", "float":
			return toNumber(name, v)
		case "bytes":
			return &Unknown{Why: "bytes()"}, nil
		}
		items, ok := Items(v)
		if !ok {
			return nil, fmt.Errorf("a %s cannot be iterated over", TypeName(v))
		}
		switch name {
		case "list":
			return &List{items}, nil
		case "tuple":
			return Tuple(items), nil
		}
		s := &Set{}
		for _, e := range items {
			s.add(e)
		}
		return s, nil
	}
}

func makeDict(c *Call) (any, error) {
	d := &Dict{}
	if len(c.Args) > 0 {
		switch v := c.Args[0].(type) {
		case *Unknown:
			return v, nil
		case *Dict:
			d.Keys, d.Values = slices.Clone(v.Keys), slices.Clone(v.Values)
		default:
			items, _ := Items(v)
			for _, pair := range items {
				kv, ok := Items(pair)
				if !ok || len(kv) != 2 {
					return nil, fmt.Errorf("dict() takes pairs")
				}
				d.Put(kv[0], kv[1])
			}
		}
	}
	for i, n := range c.Names {
		d.Put(n, c.Named[i])
	}
	return d, nil
}

func toNumber(name string, v any) (any, error) {
	if s, ok := v.(string); ok {
		s = strings.ReplaceAll(strings.TrimSpace(s), "_", "")
		if i, err := strconv.ParseInt(s, 10, 64); err == nil && name == "int" {
			return i, nil
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && name == "float" {
			return f, nil
		}
		return nil, fmt.Errorf("%s is no %s", Repr(v), name)
	}
	f, ok := asFloat(v)
	if !ok {
		return nil, fmt.Errorf("a %s is no %s", TypeName(v), name)
	}
	if name == "float" {
		return f, nil
	}
	if i, ok := asInt(v); ok {
		return i, nil
	}
	return int64(f), nil
}

func reducing(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		items := c.Args
		if len(c.Args) == 1 || name == "sum" {
			var unknown *Unknown
			if name != "abs" && name != "round" {
				var err error
				if items, unknown, err = c.iterable(0, name); err != nil || unknown != nil {
					return unknownOr(unknown), err
				}
			}
		}
		switch name {
		case "any", "all":
			for _, v := range items {
				if yes, _ := truth(v); yes == (name == "any") {
					return yes, nil
				}
			}
			return name == "all", nil
		case "sum":
			var total any = int64(0)
			for _, v := range items {
				var err error
				if total, err = binary("+", total, v); err != nil {
					return nil, err
				}
			}
			return total, nil
		case "min", "max":
			return extreme(name, items)
		}
		return rounded(name, c)
	}
}

func extreme(name string, items []any) (any, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("%s() of nothing", name)
	}
	best := items[0]
	for _, v := range items[1:] {
		o, ok := order(v, best)
		if !ok {
			return nil, fmt.Errorf("these items have no order")
		}
		if o < 0 == (name == "min") && o != 0 {
			best = v
		}
	}
	return best, nil
}

func rounded(name string, c *Call) (any, error) {
	v, err := c.one(name)
	if err != nil {
		return nil, err
	}
	i, isInt := asInt(v)
	f, ok := asFloat(v)
	switch {
	case !ok:
		return &Unknown{Why: name + "()"}, nil
	case name == "abs" && isInt:
		return max(i, -i), nil
	case name == "abs":
		return math.Abs(f), nil
	case isInt:
		return i, nil
	}
	if len(c.Args) > 1 {
		digits, _ := asInt(c.Args[1])
		scale := math.Pow10(int(digits))
		return math.RoundToEven(f*scale) / scale, nil
	}
	return int64(math.RoundToEven(f)), nil
}

func attributes(get bool, c *Call) (any, error) {
	if len(c.Args) < 2 {
		return nil, fmt.Errorf("getattr() takes an object and a name")
	}
	v, err := c.run.attribute(c.Args[0], Str(c.Args[1]))
	switch {
	case !get:
		return err == nil, nil
	case err != nil && len(c.Args) > 2:
		return c.Args[2], nil
	}
	return v, err
}

func isInstance(c *Call) (any, error) {
	if len(c.Args) != 2 {
		return nil, fmt.Errorf("isinstance() takes an object and a type")
	}
	kinds := []any{c.Args[1]}
	if t, ok := c.Args[1].(Tuple); ok {
		kinds = t
	}
	for _, k := range kinds {
		switch k := k.(type) {
		case *Builtin:
			name := TypeName(c.Args[0])
			if k.Name == name || k.Name == "int" && name == "bool" {
				return true, nil
			}
		case *Class:
			if o, ok := c.Args[0].(*Instance); ok && o.Class == k {
				return true, nil
			}
		case *Unknown:
			return &Unknown{Why: "isinstance(" + k.Why + ")"}, nil
		}
	}
	return false, nil
}
