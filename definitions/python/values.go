package python

import (
	"slices"
)

// Values of the language are nil, bool, int64, float64, string, and the types
// below; a host adds types of its own (see Object).
type (
	// Bytes is a bytes object.
	Bytes []byte
	// Ellipsis is "...".
	Ellipsis struct{}
	// List is a list.
	List struct {
		Items []any
		// ReadOnly says why the list cannot be changed; "" if it can.
		ReadOnly string
		held     int // items that the meter has counted
	}
	// Tuple is a tuple.
	Tuple []any
	// Module is an imported module.
	Module struct {
		Name  string
		Names map[string]any
		// All are the names that "import *" imports; nil means all without a leading _.
		All []string
		// Missing returns names that are not listed, nil for a name that does not exist;
		// it is nil if there are none.
		Missing func(name string) any
		// Whole says that all its submodules are the host's.
		Whole bool
		pkg   bool // a package: its submodules are in a directory of its name
	}
	// Builtin is a function provided by the reader or its host. Definer marks the
	// functions that make definitions.
	Builtin struct {
		Name    string
		Definer bool
		Call    func(c *Call) (any, error)
		// Members are the attributes of the function or class.
		Members map[string]any
		// Kinds are further types of which its objects are instances.
		Kinds []string
		of    any  // the value whose method it is, or the function that it calls
		light bool // the work of the method does not depend on the size of that value
		// changes is set for a method that changes its value.
		changes bool
		// method is set if access through an object binds it.
		method bool
	}
	// Function is a function of a file.
	Function struct {
		Name   string
		Source string // text with decorators, as inspect.getsource returns it
		params []param
		// defaults are the parameters' default values, evaluated at the definition; nil
		// where there is none.
		defaults  []*any
		body      []stmt
		result    expr // expression of a lambda
		generator bool
		async     bool
		scope     *scope
		binds     *binding
		self      any // object of a bound method
		bound     bool
		owner     *Class
		from      int // start of its first decorator
		// Decorators is the number of its decorators.
		Decorators int
		qual       string
		abstract   bool
		wrapped    *Function // function whose text it has
		of         *Function // unbound original
	}
)

// Len is the number of bytes.
func (b Bytes) Len() int { return len(b) }

// Len is the number of items.
func (l *List) Len() int { return len(l.Items) }

// Len is the number of items.
func (t Tuple) Len() int { return len(t) }

// typeOnly is a type, whose items are its members; nil for other values.
func typeOnly(v any) any {
	switch v.(type) {
	case *Class, *Builtin:
		return v
	}
	return nil
}

// itemsOf returns the items of a list or a tuple, not a copy.
func itemsOf(v any) ([]any, bool) {
	switch v := tupleOf(v).(type) {
	case *List:
		return v.Items, true
	case Tuple:
		return v, true
	}
	return nil, false
}

// anyUnknown finds an Unknown value; nil if all are known.
func anyUnknown(values ...any) *Unknown {
	for _, v := range values {
		if u, ok := v.(*Unknown); ok {
			return u
		}
	}
	return nil
}

// NewList makes a list.
func NewList(items ...any) *List { return &List{Items: items} }

// ReadOnlyList makes a list that cannot be changed; why is the error.
func ReadOnlyList(why string, items ...any) *List { return &List{Items: items, ReadOnly: why} }

// TypeName is Python's name of a value's type.
func TypeName(v any) string { return kindsOf(v)[0] }

// truth is Python's truth of a value; ok is false if it is Unknown.
func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case nil:
		return false, true
	case bool, int64, float64:
		f, _ := asFloat(v)
		return f != 0, true
	case string:
		return v != "", true
	case Testable:
		return v.Truth(), true
	case sized:
		return v.Len() > 0, true
	case *Instance:
		if v.Class.run == nil {
			return true, true
		}
		return v.Class.run.truthOf(v)
	case *Unknown:
		return false, false
	}
	return true, true
}

// truthOf is bool(v): a bool or Unknown.
func truthOf(v any) any {
	yes, known := truth(v)
	switch u, unknown := v.(*Unknown); {
	case known:
		return yes
	case unknown:
		return u
	}
	return &Unknown{Why: "the truth of a " + TypeName(v)}
}

// asFloat returns a number; bools are numbers.
func asFloat(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	i, ok := asInt(v)
	return float64(i), ok
}

// asInt returns an integer; bools are integers.
func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	case *Instance:
		if i, ok := v.plain().(int64); ok {
			return i, true
		}
	}
	return 0, false
}

// asText returns a text; members of an enumeration of texts are texts.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case *Instance:
		s, ok := v.plain().(string)
		return s, ok
	}
	return "", false
}

// Plain returns the text or number of a member of a mixed enumeration, and any
// other value unchanged.
func Plain(v any) any {
	if o, ok := v.(*Instance); ok {
		if p := o.plain(); p != nil {
			return p
		}
	}
	return v
}

// Items returns the items of a container; false for other values.
func Items(v any) ([]any, bool) {
	switch v := v.(type) {
	case *Set:
		return v.Items(), true
	case *Dict:
		return v.Keys(), true
	case *View:
		return v.items(), true
	case *Class:
		return v.members()
	case *Builtin:
		return v.members()
	}
	items, ok := sequence(v)
	return slices.Clone(items), ok
}

// members are the members of a host's enumeration, by their order.
func (b *Builtin) members() ([]any, bool) {
	order, ok := b.Members["__members__"].(Tuple)
	return slices.Clone(order), ok
}
