package python

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

// library are the modules of the standard library written in Python.
//
//go:embed library/*.py
var library embed.FS

// known returns a module of the host or of the standard library.
func (r *Interpreter) known(name string) (*Module, bool) {
	if m, ok := r.host.Module(name); ok {
		return m, true
	}
	if m, ok := r.standard[name]; ok {
		return m, true
	}
	if strings.HasPrefix(name, "_") {
		return nil, false
	}
	m, err := r.text(name)
	if err != nil {
		return nil, false
	}
	m.Missing = func(n string) any { return elsewhere(name, n) }
	r.standard[name] = m
	return m, true
}

// text loads a module written in Python. Modules whose names begin with _ are
// parts of the language.
func (r *Interpreter) text(name string) (*Module, error) {
	as := name
	if strings.HasPrefix(name, "_") {
		as = "<" + name + ">"
		if m, ok := r.modules[as]; ok {
			return m, r.failed[as]
		}
	}
	source, err := library.ReadFile("library/" + name + ".py")
	if err != nil {
		return nil, err
	}
	return r.Load(&File{Name: "<" + name + ">", Source: string(source), own: true}, as)
}

// writtenCall calls a function written in Python.
func (r *Interpreter) writtenCall(module, name string, args ...any) (any, error) {
	m, err := r.text(module)
	if err != nil {
		return nil, err
	}
	return r.invoke(m.Names[name], &Call{Args: args})
}

// writtenMethod is a method written in Python.
func writtenMethod(module, name string) *Builtin {
	b := written(module, name)
	b.method = true
	return b
}

// written is a function written in Python. Its result is Unknown if an argument is.
func written(module, name string) *Builtin {
	return &Builtin{Name: name, Call: func(c *Call) (any, error) {
		m, err := c.run.text(module)
		if err != nil {
			return nil, err
		}
		if u := c.unknown(); u != nil {
			return u, nil
		}
		return c.Apply(m.Names[name], c.Args, c.Names, c.Named)
	}}
}

// makeStandard creates the modules of the standard library that definitions use.
// Their other names, and all other modules, are Unknown.
func (r *Interpreter) makeStandard() map[string]*Module {
	modules := map[string]*Module{}
	add := func(name string, names map[string]any) {
		modules[name] = &Module{Name: name, Names: names, Missing: func(n string) any { return elsewhere(name, n) }}
	}
	add("enum", r.enumModule())
	add("collections", r.collectionsModule())
	add("collections.abc", named("Iterable", "Iterator", "Sequence", "Mapping", "MutableMapping", "Callable", "Collection", "Generator"))
	add("typing", typingModule())
	add("sys", map[string]any{"modules": &loaded{r}})
	add("abc", r.abcModule())
	return modules
}

func named(list ...string) map[string]any {
	names := map[string]any{}
	for _, n := range list {
		names[n] = &Builtin{Name: n}
	}
	return names
}

// identity is a decorator that returns its argument.
func identity(name string) *Builtin {
	return &Builtin{Name: name, Call: func(c *Call) (any, error) { return c.one(name) }}
}

// refusing is a function that is refused.
func refusing(name, remedy string) *Builtin {
	return &Builtin{Name: name, Call: func(*Call) (any, error) { return nil, fmt.Errorf("%s is not read; %s", name, remedy) }}
}

func (r *Interpreter) enumModule() map[string]any {
	names := named("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
	names["unique"] = written("_enums", "unique")
	names["auto"] = &Builtin{Name: "auto", Call: func(c *Call) (any, error) {
		if len(c.Args) > 0 {
			return nil, fmt.Errorf("auto() with a value is not read; write the value")
		}
		return autoValue{}, nil
	}}
	for _, n := range []string{"member", "nonmember", "verify", "property", "global_enum"} {
		names[n] = refusing("enum."+n, "write the enumeration without it")
	}
	return names
}

func (r *Interpreter) abcModule() map[string]any {
	abc := &Class{Name: "ABC", qual: "ABC", Members: map[string]any{}, abc: true, run: r}
	abc.mro = []any{abc, r.builtins["object"]}
	return map[string]any{"ABC": abc, "ABCMeta": &Builtin{Name: "ABCMeta"}, "abstractmethod": &Builtin{Name: "abstractmethod", Call: func(c *Call) (any, error) {
		v, err := c.one("abstractmethod")
		f, ok := v.(*Function)
		if err == nil && !ok {
			err = fmt.Errorf("abstractmethod of a %s is not read; put it below the other decorators", TypeName(v))
		}
		if ok {
			f.abstract = true
		}
		return v, err
	}}}
}

// loaded is sys.modules.
type loaded struct{ run *Interpreter }

// Kinds lists the types of sys.modules.
func (l *loaded) Kinds() []string { return []string{"dict"} }

// Attr returns get.
func (l *loaded) Attr(name string) (any, bool) {
	if name != "get" {
		return nil, false
	}
	return &Builtin{Name: name, Call: func(c *Call) (any, error) {
		key, err := c.one(name)
		if err != nil {
			return nil, err
		}
		return l.Index(key)
	}}, true
}

// Index returns a module that has been loaded.
func (l *loaded) Index(key any) (any, error) {
	for _, m := range l.run.modules {
		if m.Name == Str(key) {
			return m, nil
		}
	}
	return nil, fmt.Errorf("whether the module %s is loaded is not known without Python", Brief(key))
}

// Contains is name in sys.modules.
func (l *loaded) Contains(key any) (bool, error) {
	_, err := l.Index(key)
	return err == nil, err
}

func typingModule() map[string]any {
	names := named("NamedTuple", "Any", "Optional", "Union", "List", "Dict", "Tuple", "Set", "Callable", "Iterable", "Iterator", "Sequence", "Mapping",
		"Type", "Literal", "ClassVar", "Final", "Generator", "FrozenSet", "Annotated", "Protocol", "TypeAlias", "Generic", "TypedDict")
	names["runtime_checkable"] = refusing("typing.runtime_checkable", "write the protocol without it")
	names["TYPE_CHECKING"] = false
	names["cast"] = &Builtin{Name: "cast", Call: func(c *Call) (any, error) {
		if len(c.Args) != 2 {
			return nil, raise("TypeError", "cast() takes a type and a value")
		}
		return c.Args[1], nil
	}}
	for _, n := range []string{"final", "overload", "no_type_check"} {
		names[n] = identity(n)
	}
	return names
}

func (r *Interpreter) collectionsModule() map[string]any {
	return map[string]any{
		"OrderedDict": &Builtin{Name: "OrderedDict", Call: func(c *Call) (any, error) {
			v, err := makeDict(c)
			if d, ok := v.(*Dict); ok {
				d.kind = "OrderedDict"
			}
			return v, err
		}},
		"defaultdict": &Builtin{Name: "defaultdict", Call: func(c *Call) (any, error) {
			if len(c.Args) == 0 || c.Args[0] == nil {
				return nil, fmt.Errorf("defaultdict() without a function for what is missing is not read")
			}
			factory := c.Args[0]
			v, err := makeDict(&Call{Args: c.Args[1:], Names: c.Names, Named: c.Named, run: c.run})
			if d, ok := v.(*Dict); ok {
				d.factory, d.kind = factory, "defaultdict"
			}
			return v, err
		}},
		"namedtuple": written("_namedtuples", "namedtuple"),
	}
}

// partial is a function with some arguments bound. It makes definitions if the
// function does.
func partial(fn any, first *Call) *Builtin {
	b, _ := fn.(*Builtin)
	return &Builtin{Name: "partial", Definer: b != nil && b.Definer, of: fn, Call: func(c *Call) (any, error) {
		call := &Call{Args: slices.Concat(first.Args[1:], c.Args), scope: c.scope, at: c.at, PassesUnknown: c.PassesUnknown}
		for i, n := range first.Names {
			if _, again := c.Arg(n); !again {
				call.Names, call.Named = append(call.Names, n), append(call.Named, first.Named[i])
			}
		}
		call.Names, call.Named = append(call.Names, c.Names...), append(call.Named, c.Named...)
		if b != nil && b.Call != nil && b.Definer { // recorded for the partial itself
			call.run = c.run
			return b.Call(call)
		}
		return c.run.invoke(fn, call)
	}}
}
