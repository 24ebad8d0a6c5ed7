package python

import (
	"fmt"
	"slices"
	"strings"
)

// reflecting are the functions that inspect a value.
func reflecting(name string) func(*Call) (any, error) {
	return func(c *Call) (any, error) {
		v, err := c.one(name)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(*Unknown); ok && name != "setattr" {
			return u.but("%s() of %s", name, u.Why), nil
		}
		switch name {
		case "getattr", "hasattr", "setattr":
			return attributes(name, c)
		case "isinstance", "issubclass":
			return isInstance(name, c)
		case "type":
			return typeCall(c, v)
		case "callable":
			return isCallable(v), nil
		case "dir", "delattr":
			return nil, fmt.Errorf("%s() is not read; write it out", name)
		case "hash":
			key, err := hashKey(c.run.meter, v)
			return hashed{key}, err
		case "repr", "ascii":
			return c.run.converted(v, map[string]byte{"repr": 'r', "ascii": 'a'}[name], "")
		}
		spec := ""
		if len(c.Args) > 1 {
			spec, _ = asText(c.Args[1])
		}
		return c.run.formatted(v, spec)
	}
}

// typeCall is type(v).
func typeCall(c *Call, v any) (any, error) {
	if len(c.Args) > 1 {
		return nil, fmt.Errorf("making a class by type() is not read; write a class statement")
	}
	if b, ok := v.(*Builtin); ok { // types are functions here
		kind, err := c.run.builtinKind(b)
		return c.run.namedType(kind), err
	}
	return c.run.typeOf(v), nil
}

// isCallable is callable(v).
func isCallable(v any) bool {
	switch v := v.(type) {
	case *Function, *Builtin, *Class:
		return true
	case *Instance:
		return v.special("__call__") != nil
	}
	return false
}

func attributes(name string, c *Call) (any, error) {
	if len(c.Args) < 2 {
		return nil, raise("TypeError", "%s() takes an object and a name", name)
	}
	attr, ok := asText(c.Args[1])
	if !ok {
		if u, unknown := c.Args[1].(*Unknown); unknown {
			if name == "setattr" {
				return nil, fmt.Errorf("the attribute that is set here cannot be known without running Python (%s)", u.Why)
			}
			return u, nil
		}
		return nil, raise("TypeError", "attribute name must be string, not '%s'", TypeName(c.Args[1]))
	}
	if name == "setattr" {
		if len(c.Args) < 3 {
			return nil, raise("TypeError", "setattr() takes an object, a name and a value")
		}
		return nil, c.run.setAttribute(c.Args[0], attr, c.Args[2])
	}
	v, err := c.run.attribute(c.Args[0], attr)
	missing := c.run.lacks(err)
	switch {
	case err != nil && !missing:
		return nil, err
	case name == "hasattr":
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
		return !missing, nil
	case missing && len(c.Args) > 2:
		return c.Args[2], nil
	}
	return v, err
}

// typeOf is type(v).
func (r *Interpreter) typeOf(v any) any {
	if o, ok := v.(*Instance); ok {
		return o.Class
	}
	n := TypeName(v)
	n = n[strings.LastIndexByte(n, '.')+1:]
	return r.namedType(n)
}

// namedType returns the type of a name.
func (r *Interpreter) namedType(n string) any {
	if t, ok := r.builtins[n]; ok {
		return t
	}
	if r.types[n] == nil {
		r.types[n] = &Builtin{Name: n}
	}
	return r.types[n]
}

// builtinKind is the type of one of Python's own functions and types.
func (r *Interpreter) builtinKind(b *Builtin) (string, error) {
	switch {
	case r.builtins[b.Name] != b:
		return "", fmt.Errorf("the type of %s is not read", b.Name)
	case slices.Contains(strings.Fields("str int float bool list tuple set frozenset dict bytes type map filter zip enumerate reversed range property staticmethod classmethod"), b.Name):
		return "type", nil
	}
	return "builtin_function_or_method", nil
}

func isInstance(name string, c *Call) (any, error) {
	if len(c.Args) != 2 {
		return nil, raise("TypeError", "%s() takes an object and a type", name)
	}
	var unknown *Unknown
	b, isBuiltin := c.Args[0].(*Builtin)
	kinds, err := c.run.flat(c.Args[1])
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		if isBuiltin && name == "isinstance" && k == c.run.builtins["type"] {
			kind, err := c.run.builtinKind(b)
			return kind == "type", err
		}
		switch k := k.(type) {
		case *Function:
			return nil, fmt.Errorf("%s() by %s is not read", name, k.Name)
		case *Unknown:
			unknown = k.but("%s() of %s", name, k.Why)
		case *Class, *Builtin:
			if isOf(name, c.Args[0], k) {
				return true, nil
			}
		default:
			return nil, raise("TypeError", "%s() arg 2 must be a type, a tuple of types, or a union", name)
		}
	}
	if unknown != nil {
		return unknown, nil
	}
	return false, nil
}

// flat lists a class, or the classes of a tuple and of nested tuples.
func (r *Interpreter) flat(v any) ([]any, error) {
	t, ok := v.(Tuple)
	if !ok {
		return []any{v}, nil
	}
	var kinds []any
	for _, item := range t {
		if err := r.charge(1); err != nil {
			return nil, err
		}
		more, err := r.flat(item)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, more...)
	}
	return kinds, nil
}

// isOf reports whether a value is an instance of a type, or for issubclass whether
// a class derives from it.
func isOf(name string, v, kind any) bool {
	class, isClass := v.(*Class)
	if name == "isinstance" {
		o, ok := v.(*Instance)
		class, isClass = nil, false
		if ok {
			class, isClass = o.Class, true
		}
	}
	switch k := kind.(type) {
	case *Class:
		return k.Name == "object" || isClass && class.derives(k)
	case *Builtin:
		if isClass {
			return class.derivesFrom(k.Name)
		}
		if b, ok := v.(*Builtin); ok && name == "issubclass" {
			return b.Name == k.Name || slices.Contains(b.Kinds, k.Name) || k.Name != "NoneType" && slices.Contains(kindsOf(emptyOf(b.Name)), k.Name)
		}
		return slices.Contains(kindsOf(v), k.Name)
	}
	return false
}

// kindsOf lists the types that a value is an instance of, its own first.
func kindsOf(v any) []string { //nolint:gocyclo // a table: one line for each type
	var kinds string
	switch v := v.(type) {
	case Kinded:
		return v.Kinds()
	case nil:
		kinds = "NoneType"
	case bool:
		kinds = "bool int"
	case int64, hashed:
		kinds = "int"
	case float64:
		kinds = "float"
	case string:
		kinds = "str Sequence Iterable Collection"
	case Bytes:
		kinds = "bytes Sequence Iterable Collection"
	case *List:
		kinds = "list Sequence MutableSequence Iterable Collection List"
	case Tuple:
		kinds = "tuple Sequence Iterable Collection Tuple"
	case *Set:
		kinds = map[bool]string{true: "frozenset FrozenSet", false: "set MutableSet Set"}[v.Frozen] + " Iterable Collection"
	case *Dict:
		kinds = v.kind + " dict Mapping MutableMapping Iterable Collection Dict"
	case *Iterator:
		kinds = v.kind + " Iterator Iterable" + map[bool]string{true: " Generator GeneratorType"}[v.kind == "generator"]
	case *Function, *Builtin:
		kinds = "function Callable"
	case *Class:
		kinds = "type"
	case *Instance:
		kinds = v.Class.Name
	case *descriptor:
		kinds = v.kind
	case notImplemented:
		kinds = "NotImplementedType"
	case *Module:
		kinds = "module"
	case *Unknown:
		kinds = "unknown"
	default:
		kinds = strings.TrimPrefix(fmt.Sprintf("%T", v), "*")
	}
	return strings.Fields(kinds)
}

// emptyOf is the value of one of Python's types without arguments; nil for other
// types.
func emptyOf(name string) any {
	return map[string]any{
		"str": "", "int": int64(0), "float": 0.0, "bool": false, "bytes": Bytes{}, "list": &List{}, "tuple": Tuple{}, "dict": &Dict{},
		"set": &Set{}, "frozenset": &Set{Frozen: true},
	}[name]
}

// repr is repr(v) in the language: a text or Unknown.
func (r *Interpreter) repr(v any) (any, error) {
	w := writer{meter: r.meter}
	w.value(v)
	return w.result()
}

// str is str(v) in the language: a text or Unknown.
func (r *Interpreter) str(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case *Instance:
		return r.instanceText(v)
	case fmt.Stringer:
		return v.String(), nil
	}
	return r.repr(v)
}

func (r *Interpreter) instanceText(o *Instance) (any, error) {
	if m := o.special("__str__"); m != nil {
		out, err := r.invoke(m, &Call{})
		_, isText := asText(out)
		if _, unknown := out.(*Unknown); err == nil && !isText && !unknown {
			err = raise("TypeError", "__str__ returned non-string (type %s)", TypeName(out))
		}
		return out, err
	}
	switch e := o.Class.enum; {
	case e != nil && e.plainText:
		return r.str(o.plain())
	case e != nil:
		return o.Class.Name + "." + Str(o.get("_name_")), nil
	}
	return r.repr(o)
}
