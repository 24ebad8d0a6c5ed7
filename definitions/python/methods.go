package python

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// method finds a method of a value of the language.
func method(v any, name string) (any, bool) {
	switch v := v.(type) {
	case *Iterator:
		return v.attr(name)
	case int64, float64:
		return numberAttr(v, name)
	}
	call := methodCall(v, name)
	if call == nil {
		return nil, false
	}
	if why := readOnly(v); why != "" && strings.Contains(" append extend insert clear reverse remove sort pop update popitem setdefault ", " "+name+" ") {
		call = func(*Call) (any, error) { return nil, errors.New(why) }
	}
	b := &Builtin{Name: name, Call: call, of: v, changes: mutable(v) && slices.Contains(changers(), name)}
	switch name { // these do not traverse the value
	case "append", "add", "discard", "get", "setdefault", "keys", "values", "items", "pop", "popitem", "clear", "__next__", "update", "extend":
		b.light = true
	}
	return b, true
}

// decode is decode() of valid UTF-8; other bytes are refused.
func (b Bytes) decode(c *Call) (any, error) {
	utf := len(c.Args) == 0 || len(c.Args) == 1 && (c.Args[0] == "utf-8" || c.Args[0] == "utf8")
	if !utf || len(c.Named) > 0 || c.PassesUnknown != nil || !utf8.Valid(b) {
		return nil, fmt.Errorf("decode() is read of UTF-8 alone; write the text out")
	}
	return string(b), nil
}

// readOnly says why a list or dict cannot be changed; "" if it can.
func readOnly(v any) string {
	switch v := v.(type) {
	case *List:
		return v.ReadOnly
	case *Dict:
		return v.ReadOnly
	}
	return ""
}

// unread reports whether Python has a method that the reader lacks.
func unread(v any, name string) bool {
	known := map[string][]string{
		"str": {
			"isdecimal", "isnumeric", "isprintable", "istitle", "maketrans", "translate", "encode", "format_map", "expandtabs", "__len__",
		},
		"list": {"__len__", "__contains__"}, "dict": {"fromkeys"}, "tuple": {"__len__"},
		"set": {"difference_update", "intersection_update", "symmetric_difference_update", "pop"},
		"bytes": {
			"hex", "split", "join", "startswith", "endswith", "strip", "replace", "find", "upper", "lower", "capitalize", "center", "count", "expandtabs", "fromhex",
			"index", "isalnum", "isalpha", "isascii", "isdigit", "islower", "isspace", "istitle", "isupper", "ljust", "lstrip", "maketrans", "partition",
			"removeprefix", "removesuffix", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "splitlines", "swapcase", "title", "translate", "zfill",
		},
		"OrderedDict": {"move_to_end", "fromkeys"}, "defaultdict": {"default_factory", "fromkeys"},
		"generator": {"send", "throw", "close", "gi_frame", "gi_running", "gi_yieldfrom", "gi_code"},
		"bool":      {"to_bytes", "bit_length", "bit_count", "conjugate", "as_integer_ratio", "from_bytes", "imag", "denominator"},
		"int":       {"to_bytes", "bit_count", "conjugate", "as_integer_ratio", "from_bytes", "imag", "denominator"},
		"float":     {"hex", "as_integer_ratio", "conjugate", "fromhex", "imag"},
	}
	t := TypeName(v)
	if t == "frozenset" {
		t = "set"
	}
	return slices.Contains(known[t], name)
}

func numberAttr(v any, name string) (any, bool) {
	switch name {
	case "bit_length":
		if i, ok := v.(int64); ok {
			return NewFunction(name, "", func(*Call, []any) (any, error) { return int64(bits.Len64(uint64(max(i, -i)))), nil }), true
		}
	case "real", "numerator":
		return v, true
	case "is_integer":
		f, _ := asFloat(v)
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return f == float64(int64(f)), nil }}, true
	}
	return nil, false
}

// methodCall returns the implementation of a method; nil if there is none of this
// name.
func methodCall(v any, name string) func(*Call) (any, error) {
	switch v := v.(type) {
	case string:
		return textMethod(v, name)
	case *List:
		return listMethod(v, name)
	case *Dict:
		return dictMethod(v, name)
	case *Set:
		return setMethod(v, name)
	case Tuple:
		if name == "index" || name == "count" {
			return listMethod(&List{Items: v}, name)
		}
	case Bytes:
		if name == "decode" {
			return v.decode
		}
	}
	return nil
}

func listMethod(l *List, name string) func(*Call) (any, error) {
	switch name {
	case "append":
		return func(c *Call) (any, error) {
			v, err := c.one(name)
			l.Items = append(l.Items, v)
			return nil, err
		}
	case "extend":
		return func(c *Call) (any, error) {
			v, err := c.one(name)
			if err != nil {
				return nil, err
			}
			if u, ok := v.(*Unknown); ok {
				return nil, fmt.Errorf("a list is extended by what cannot be known without running Python (%s)", u.Why)
			}
			return nil, c.run.extend(l, v)
		}
	case "insert":
		return l.insert
	case "copy":
		return func(*Call) (any, error) { return &List{Items: slices.Clone(l.Items)}, nil }
	case "clear":
		return func(*Call) (any, error) {
			l.Items = nil
			return nil, nil
		}
	case "reverse":
		return func(*Call) (any, error) {
			slices.Reverse(l.Items)
			return nil, nil
		}
	case "index", "count", "remove":
		return func(c *Call) (any, error) { return searched(l, name, c) }
	case "sort":
		return func(c *Call) (any, error) {
			v, err := sorted(c, l.Items)
			if s, ok := v.(*List); ok {
				l.Items = s.Items
			} else if u, ok := v.(*Unknown); ok {
				return nil, fmt.Errorf("the order of this list cannot be known without running Python (%s)", u.Why)
			}
			return nil, err
		}
	case "pop":
		return l.pop
	}
	return nil
}

func (l *List) insert(c *Call) (any, error) {
	if len(c.Args) != 2 {
		return nil, raise("TypeError", "insert() takes an index and an item")
	}
	i, _ := asInt(c.Args[0])
	if i < 0 {
		i += int64(len(l.Items))
	}
	l.Items = slices.Insert(l.Items, int(min(max(i, 0), int64(len(l.Items)))), c.Args[1])
	return nil, nil
}

func (l *List) pop(c *Call) (any, error) {
	var at any = int64(-1)
	if len(c.Args) > 0 {
		at = c.Args[0]
	}
	i, ok := position(at, len(l.Items))
	if !ok {
		return nil, raise("IndexError", "pop index out of range")
	}
	v := l.Items[i]
	l.Items = slices.Delete(l.Items, i, i+1)
	return v, c.run.charge((len(l.Items) - i) / 16)
}

// extend appends the items of a value one by one.
func (r *Interpreter) extend(l *List, v any) error {
	if v == any(l) {
		v = Tuple(slices.Clone(l.Items))
	}
	if err := r.charge(max(weight(v), textSize(v)/4)); err != nil {
		return err
	}
	if items, ok := Items(v); ok {
		if _, isSet := v.(*Set); !isSet {
			err := r.meter.take(len(items) * itemSize)
			if err == nil {
				l.Items = append(l.Items, items...)
				l.held = max(l.held, len(l.Items))
			}
			return err
		}
	}
	return r.each(v, func(item any) (bool, error) {
		l.Items = append(l.Items, item)
		return true, nil
	})
}

func searched(l *List, name string, c *Call) (any, error) {
	v, err := c.one(name)
	if err != nil {
		return nil, err
	}
	n, first := int64(0), -1
	for i, e := range l.Items {
		same, err := c.run.equal(e, v)
		if err != nil {
			return nil, err
		}
		if !same {
			continue
		}
		if n++; first < 0 {
			first = i
		}
		if name != "count" {
			break
		}
	}
	switch {
	case name == "count":
		return n, nil
	case first < 0:
		return nil, raise("ValueError", "%s is not in the list", Brief(v))
	case name == "remove":
		l.Items = slices.Delete(l.Items, first, first+1)
		return nil, nil
	}
	return int64(first), nil
}

func dictMethod(d *Dict, name string) func(*Call) (any, error) {
	switch name {
	case "keys", "values", "items":
		return func(*Call) (any, error) { return &View{d, "dict_" + name}, nil }
	case "copy":
		return func(c *Call) (any, error) { return c.run.copyDict(d) }
	case "clear":
		return func(*Call) (any, error) {
			d.clear()
			return nil, nil
		}
	case "update":
		return func(c *Call) (any, error) {
			v, err := makeDict(c)
			if err != nil {
				return nil, err
			}
			if u, ok := v.(*Unknown); ok {
				return nil, fmt.Errorf("a dict cannot be updated by what is not known (%s)", u.Why)
			}
			more, _ := v.(*Dict)
			return nil, d.update(more)
		}
	case "popitem":
		return func(c *Call) (any, error) {
			if len(c.Args)+len(c.Names) > 0 {
				return nil, fmt.Errorf("popitem() with an argument is not read")
			}
			if d.Len() == 0 {
				return nil, raiseKey("popitem(): dictionary is empty")
			}
			last := d.Len() - 1
			pair := Tuple{d.keys[last], d.values[last]}
			_, err := d.Delete(d.keys[last])
			return pair, err
		}
	case "get", "setdefault", "pop":
		return func(c *Call) (any, error) { return dictGet(d, name, c) }
	}
	return nil
}

func dictGet(d *Dict, name string, c *Call) (any, error) {
	key, err := c.one(name)
	if err != nil {
		return nil, err
	}
	if u, ok := key.(*Unknown); ok && name == "get" {
		return u, nil // invokeBuiltin checks the content of the dict
	}
	v, ok, err := d.Get(key)
	if err != nil {
		return nil, err
	}
	if !ok && len(c.Args) > 1 {
		v = c.Args[1]
	}
	switch {
	case name == "setdefault" && !ok:
		return v, d.Put(key, v)
	case name == "pop" && ok:
		_, err := d.Delete(key)
		return v, err
	case name == "pop" && len(c.Args) < 2:
		return nil, raiseKey(key)
	}
	return v, nil
}

func setMethod(s *Set, name string) func(*Call) (any, error) {
	switch name {
	case "add", "discard", "remove":
		return func(c *Call) (any, error) {
			v, err := c.one(name)
			if err != nil {
				return nil, err
			}
			if name == "add" {
				return nil, s.add(v)
			}
			found, err := s.dict.Delete(v)
			if err == nil && !found && name == "remove" {
				err = raiseKey(v)
			}
			return nil, err
		}
	case "copy":
		return func(c *Call) (any, error) { return c.run.copySet(s) }
	case "clear":
		return func(*Call) (any, error) {
			s.dict.clear()
			return nil, nil
		}
	case "issubset", "issuperset", "isdisjoint", "union", "update", "intersection", "difference", "symmetric_difference":
		return func(c *Call) (any, error) { return setOperation(s, name, c) }
	}
	return nil
}

// setFrom is set(v).
func (r *Interpreter) setFrom(v any) (*Set, error) {
	items, err := r.items(anyOrder(v))
	if err != nil {
		return nil, err
	}
	return newSet(r.meter, items)
}

// setOperation is a method of a set with one other, or with several.
func setOperation(s *Set, name string, c *Call) (any, error) {
	one := name == "symmetric_difference" || strings.HasPrefix(name, "is")
	switch u := c.unknown(); {
	case u != nil && name == "update":
		return nil, fmt.Errorf("a set is extended by what cannot be known without running Python (%s)", u.Why)
	case u != nil:
		return u, nil
	case len(c.Names) > 0 || one && len(c.Args) != 1:
		return nil, raise("TypeError", "set.%s() takes no such arguments", name)
	}
	out, err := s.combined(name, c)
	set, isSet := out.(*Set)
	switch {
	case err != nil || !isSet:
		return out, err
	case name == "isdisjoint":
		return set.Len() == 0, nil
	case name == "update":
		s.dict.replace(&set.dict)
		return nil, nil
	}
	return set, nil
}

// combined is a new set of a set and others, or a bool for issubset and
// issuperset.
func (s *Set) combined(name string, c *Call) (any, error) {
	op := map[string]string{"union": "|", "update": "|", "intersection": "&", "isdisjoint": "&", "difference": "-", "symmetric_difference": "^"}[name]
	out, err := c.run.copySet(s)
	if err != nil {
		return nil, err
	}
	for _, v := range c.Args {
		other, err := c.run.setFrom(v)
		if err != nil {
			return nil, err
		}
		switch name {
		case "issubset":
			return c.run.subset(s, other)
		case "issuperset":
			return c.run.subset(other, s)
		}
		if v, _, err = c.run.setOf(op, out, other); err != nil {
			return nil, err
		}
		out, _ = v.(*Set)
	}
	return out, nil
}
