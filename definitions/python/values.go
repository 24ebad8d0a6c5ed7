package python

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Values of the language are nil, bool, int64, float64, string, and the types
// below; what a host adds are pointers of its own.
type (
	// Bytes is a bytes object.
	Bytes []byte
	// Ellipsis is "...".
	Ellipsis struct{}
	// List is a list.
	List struct{ Items []any }
	// Tuple is a tuple.
	Tuple []any
	// Set is a set, in the order in which its items were added.
	Set struct{ Items []any }
	// Dict is a dict, in the order in which its keys were added.
	Dict struct {
		Keys, Values []any
	}
	// Timedelta is a datetime.timedelta.
	Timedelta time.Duration
	// Datetime is a datetime.datetime; Aware when it has a zone.
	Datetime struct {
		time.Time
		Aware bool
	}
	// Unknown is what cannot be known without running Python, and why.
	Unknown struct{ Why string }
	// Module is an imported module.
	Module struct {
		Name  string
		Names map[string]any
		// Open modules have more names than those listed; the others are Unknown.
		Open  bool
		order []string
	}
	// Builtin is a function that the reader or its host provides. Definer marks
	// the functions that make definitions.
	Builtin struct {
		Name    string
		Definer bool
		Call    func(c *Call) (any, error)
		// Members are the attributes of the function, as of a class.
		Members map[string]any
	}
	// Function is a function of the file.
	Function struct {
		Name   string
		Source string // its text with decorators, as inspect.getsource gives it
		params []param
		body   []stmt
		result expr // of a lambda
		scope  *scope
		bound  any // self of a method
		module *Module
		file   *File
	}
	// Class is a class of the file.
	Class struct {
		Name    string
		Members map[string]any
		bases   []any
		enum    bool
		order   []string
	}
	// Instance is an object of a class of the file.
	Instance struct {
		Class   *Class
		Members map[string]any
	}
)

// Call is one call of a Builtin.
type Call struct {
	Args  []any
	Names []string // of the named arguments, in order
	Named []any
	run   *Interpreter
}

// Arg gives a named argument.
func (c *Call) Arg(name string) (any, bool) {
	i := slices.Index(c.Names, name)
	if i < 0 {
		return nil, false
	}
	return c.Named[i], true
}

// Invoke calls a value with positional arguments.
func (c *Call) Invoke(fn any, args ...any) (any, error) {
	return c.run.invoke(fn, &Call{Args: args, run: c.run})
}

// Object is a host's value with attributes.
type Object interface {
	// Attr gives an attribute; false when there is none.
	Attr(name string) (any, bool)
}

// Indexer is a host's value that can be indexed.
type Indexer interface {
	Index(key any) (any, error)
}

// Get returns a key's value; false when it has none.
func (d *Dict) Get(key any) (any, bool) {
	for i, k := range d.Keys {
		if equal(k, key) {
			return d.Values[i], true
		}
	}
	return nil, false
}

// Put sets a key's value.
func (d *Dict) Put(key, value any) {
	for i, k := range d.Keys {
		if equal(k, key) {
			d.Values[i] = value
			return
		}
	}
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
}

func (s *Set) add(v any) {
	if !slices.ContainsFunc(s.Items, func(o any) bool { return equal(o, v) }) {
		s.Items = append(s.Items, v)
	}
}

// TypeName is the name of a value's type as Python says it.
func TypeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Bytes:
		return "bytes"
	case *List:
		return "list"
	case Tuple:
		return "tuple"
	case *Set:
		return "set"
	case *Dict:
		return "dict"
	case Timedelta:
		return "timedelta"
	case Datetime:
		return "datetime"
	case *Function, *Builtin:
		return "function"
	case *Class:
		return "type"
	case *Instance:
		return v.Class.Name
	case *Module:
		return "module"
	case *Unknown:
		return "unknown"
	case fmt.Stringer:
		return v.String()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", v), "*")
}

// truth is Python's truth of a value; false for ok when it is Unknown.
func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case nil:
		return false, true
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case float64:
		return v != 0, true
	case string:
		return v != "", true
	case Bytes:
		return len(v) > 0, true
	case *List:
		return len(v.Items) > 0, true
	case Tuple:
		return len(v) > 0, true
	case *Set:
		return len(v.Items) > 0, true
	case *Dict:
		return len(v.Keys) > 0, true
	case Timedelta:
		return v != 0, true
	case *Unknown:
		return false, false
	}
	return true, true
}

// asFloat gives a number; bools are numbers.
func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

// equal is Python's ==.
func equal(a, b any) bool {
	if x, ok := asFloat(a); ok {
		y, ok := asFloat(b)
		return ok && x == y
	}
	switch x := a.(type) {
	case Bytes:
		y, ok := b.(Bytes)
		return ok && string(x) == string(y)
	case *List:
		y, ok := b.(*List)
		return ok && slices.EqualFunc(x.Items, y.Items, equal)
	case Tuple:
		y, ok := b.(Tuple)
		return ok && slices.EqualFunc(x, y, equal)
	case *Dict:
		y, ok := b.(*Dict)
		if !ok || len(x.Keys) != len(y.Keys) {
			return false
		}
		for i, k := range x.Keys {
			if v, ok := y.Get(k); !ok || !equal(x.Values[i], v) {
				return false
			}
		}
		return true
	case *Set:
		y, ok := b.(*Set)
		return ok && len(x.Items) == len(y.Items) && !slices.ContainsFunc(x.Items, func(v any) bool {
			return !slices.ContainsFunc(y.Items, func(o any) bool { return equal(o, v) })
		})
	case Datetime:
		y, ok := b.(Datetime)
		return ok && x.Equal(y.Time)
	}
	switch b.(type) {
	case Bytes, *List, Tuple, *Dict, *Set, Datetime:
		return false
	}
	return a == b
}

// Str is Python's str of a value.
func Str(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return Repr(v)
}

// Repr is Python's repr of a value.
func Repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatText(v)
	case string:
		return quoted(v)
	case *List:
		return "[" + joined(v.Items) + "]"
	case Tuple:
		if len(v) == 1 {
			return "(" + Repr(v[0]) + ",)"
		}
		return "(" + joined(v) + ")"
	case *Set:
		if len(v.Items) == 0 {
			return "set()"
		}
		return "{" + joined(v.Items) + "}"
	case *Dict:
		parts := make([]string, len(v.Keys))
		for i := range v.Keys {
			parts[i] = Repr(v.Keys[i]) + ": " + Repr(v.Values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case Datetime:
		return v.Format("2006-01-02 15:04:05")
	case fmt.Stringer:
		return v.String()
	}
	return "<" + TypeName(v) + ">"
}

func joined(items []any) string {
	parts := make([]string, len(items))
	for i, e := range items {
		parts[i] = Repr(e)
	}
	return strings.Join(parts, ", ")
}

func quoted(s string) string {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + "'"
}

func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// Items gives what iterating over a value gives; false when it cannot be.
func Items(v any) ([]any, bool) {
	switch v := v.(type) {
	case *List:
		return slices.Clone(v.Items), true
	case Tuple:
		return v, true
	case *Set:
		return slices.Clone(v.Items), true
	case *Dict:
		return slices.Clone(v.Keys), true
	case string:
		items := make([]any, 0, len(v))
		for _, r := range v {
			items = append(items, string(r))
		}
		return items, true
	case *Class:
		if !v.enum {
			return nil, false
		}
		items := make([]any, 0, len(v.order))
		for _, n := range v.order {
			items = append(items, v.Members[n])
		}
		return items, true
	}
	return nil, false
}
