package python

import (
	"embed"
	"fmt"
	"math"
	"slices"
	"strings"
)

// library are the modules of the standard library that are written in Python.
//
//go:embed library/*.py
var library embed.FS

// known gives a module of the host or of the standard library.
func (r *Interpreter) known(name string) (*Module, bool) {
	if m, ok := r.host.Module(name); ok {
		return m, true
	}
	if m, ok := r.standard[name]; ok {
		return m, true
	}
	source, err := library.ReadFile("library/" + name + ".py")
	if err != nil {
		return nil, false
	}
	m, err := r.Load(&File{Name: "<" + name + ">", Source: string(source), own: true}, name)
	if err != nil {
		return nil, false
	}
	m.Missing = func(n string) any { return elsewhere(name, n) }
	r.standard[name] = m
	return m, true
}

// makeStandard makes the modules of the standard library that definitions use.
// What they have besides is Unknown, as are the other modules.
func (r *Interpreter) makeStandard(env func(string) (string, bool)) map[string]*Module {
	modules := map[string]*Module{}
	add := func(name string, names map[string]any) *Module {
		m := &Module{Name: name, Names: names, Missing: func(n string) any { return elsewhere(name, n) }}
		modules[name] = m
		return m
	}
	osPath := add("os.path", pathModule())
	add("os", r.osModule(env, osPath))
	add("pathlib", pathlibModule(r))
	add("datetime", datetimeModule())
	add("enum", named("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "auto", "unique"))
	modules["enum"].Names["unique"] = identity("unique")
	modules["enum"].Names["auto"] = &Builtin{Name: "auto", Call: func(*Call) (any, error) { return &Builtin{Name: "auto"}, nil }}
	add("dataclasses", dataclassModule())
	add("collections", collectionsModule())
	add("collections.abc", named("Iterable", "Iterator", "Sequence", "Mapping", "MutableMapping", "Callable", "Collection", "Generator"))
	add("typing", typingModule())
	add("functools", functoolsModule())
	add("copy", map[string]any{"copy": &Builtin{Name: "copy", Call: copied}, "deepcopy": &Builtin{Name: "deepcopy", Call: deepCopied}})
	add("json", jsonModule())
	add("textwrap", map[string]any{"dedent": &Builtin{Name: "dedent", Call: dedented}})
	add("inspect", map[string]any{"cleandoc": &Builtin{Name: "cleandoc", Call: cleanDoc}})
	add("math", mathModule())
	add("sys", map[string]any{"modules": &loaded{r}, "argv": elsewhere("sys", "argv")})
	add("abc", map[string]any{"ABC": r.builtins["object"], "abstractmethod": identity("abstractmethod")})
	add("warnings", map[string]any{"warn": quiet("warn"), "filterwarnings": quiet("filterwarnings"), "simplefilter": quiet("simplefilter")})
	return modules
}

func named(list ...string) map[string]any {
	names := map[string]any{}
	for _, n := range list {
		names[n] = &Builtin{Name: n}
	}
	return names
}

// identity is a decorator that leaves things as they are.
func identity(name string) *Builtin {
	return &Builtin{Name: name, Call: func(c *Call) (any, error) { return c.one(name) }}
}

// quiet is a function that does nothing here.
func quiet(name string) *Builtin {
	return &Builtin{Name: name, Call: func(*Call) (any, error) { return nil, nil }}
}

// loaded is sys.modules.
type loaded struct{ run *Interpreter }

// Kinds lists the types of sys.modules.
func (l *loaded) Kinds() []string { return []string{"dict"} }

// Attr gives get.
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

// Index gives a module that has been loaded.
func (l *loaded) Index(key any) (any, error) {
	for _, m := range l.run.modules {
		if m.Name == Str(key) {
			return m, nil
		}
	}
	return &Unknown{Why: "sys.modules"}, nil
}

func dataclassModule() map[string]any {
	make := func(c *Class, options *Call) any {
		c.makeFields()
		if v, ok := options.Arg("frozen"); ok {
			c.frozen = v == true
		}
		return c
	}
	return map[string]any{
		"dataclass": &Builtin{Name: "dataclass", Call: func(c *Call) (any, error) {
			if len(c.Args) == 1 {
				if class, ok := c.Args[0].(*Class); ok {
					return make(class, c), nil
				}
			}
			options := c
			return &Builtin{Name: "dataclass", Call: func(c *Call) (any, error) {
				v, err := c.one("dataclass")
				class, ok := v.(*Class)
				if err != nil || !ok {
					return v, err
				}
				return make(class, options), nil
			}}, nil
		}},
		"field": &Builtin{Name: "field", Call: func(c *Call) (any, error) {
			f := &fieldSpec{}
			f.fallback, f.has = c.Arg("default")
			f.factory, _ = c.Arg("default_factory")
			init, given := c.Arg("init")
			f.hidden = given && init == false
			return f, nil
		}},
		"asdict": &Builtin{Name: "asdict", Call: func(c *Call) (any, error) {
			v, err := c.one("asdict")
			o, ok := v.(*Instance)
			if err != nil || !ok || o.Class.fields == nil {
				return &Unknown{Why: "asdict()"}, err
			}
			for _, f := range o.Class.fields {
				if _, nested := o.Members[f.name].(*Instance); nested {
					return &Unknown{Why: "asdict() of nested data"}, nil
				}
			}
			return o.asDict()
		}},
		"replace": &Builtin{Name: "replace", Call: func(c *Call) (any, error) {
			v, err := c.one("replace")
			o, ok := v.(*Instance)
			if err != nil || !ok || o.Class.fields == nil {
				return &Unknown{Why: "replace()"}, err
			}
			return c.run.replaced(o, c)
		}},
		"KW_ONLY": &Builtin{Name: "KW_ONLY"},
	}
}

func typingModule() map[string]any {
	names := named("NamedTuple", "Any", "Optional", "Union", "List", "Dict", "Tuple", "Set", "Callable", "Iterable", "Iterator", "Sequence", "Mapping",
		"Type", "Literal", "ClassVar", "Final", "Generator", "FrozenSet", "Annotated", "Protocol", "TypeAlias")
	delete(names, "Protocol")
	names["TYPE_CHECKING"] = false
	names["cast"] = &Builtin{Name: "cast", Call: func(c *Call) (any, error) {
		if len(c.Args) != 2 {
			return nil, raise("TypeError", "cast() takes a type and a value")
		}
		return c.Args[1], nil
	}}
	for _, n := range []string{"final", "overload", "no_type_check", "runtime_checkable"} {
		names[n] = identity(n)
	}
	return names
}

func collectionsModule() map[string]any {
	return map[string]any{
		"OrderedDict": &Builtin{Name: "dict", Call: makeDict},
		"defaultdict": &Builtin{Name: "dict", Call: func(c *Call) (any, error) {
			if len(c.Args) == 0 {
				return makeDict(c)
			}
			factory := c.Args[0]
			v, err := makeDict(&Call{Args: c.Args[1:], Names: c.Names, Named: c.Named, run: c.run})
			if d, ok := v.(*Dict); ok {
				d.factory = factory
			}
			return v, err
		}},
		"namedtuple": &Builtin{Name: "namedtuple", Call: namedTuple},
	}
}

func namedTuple(c *Call) (any, error) {
	if len(c.Args) != 2 || len(c.Names) > 1 {
		return &Unknown{Why: "namedtuple()"}, nil
	}
	class := &Class{Name: Str(c.Args[0]), Members: map[string]any{}, named: true, fields: []field{}}
	var names []any
	if s, ok := asText(c.Args[1]); ok {
		for _, n := range strings.Fields(strings.ReplaceAll(s, ",", " ")) {
			names = append(names, n)
		}
	} else {
		items, err := c.run.items(c.Args[1])
		if err != nil {
			return nil, err
		}
		names = items
	}
	defaults := []any{}
	if v, ok := c.Arg("defaults"); ok && v != nil {
		var err error
		if defaults, err = c.run.items(v); err != nil {
			return nil, err
		}
	}
	for i, n := range names {
		f := field{name: Str(n)}
		if at := i - (len(names) - len(defaults)); at >= 0 {
			f.fallback, f.has = defaults[at], true
		}
		class.fields = append(class.fields, f)
	}
	return class, nil
}

func functoolsModule() map[string]any {
	cache := func(name string) *Builtin {
		return &Builtin{Name: name, Call: func(c *Call) (any, error) {
			if len(c.Args) == 1 {
				if f, ok := c.Args[0].(*Function); ok {
					return f, nil
				}
			}
			return identity(name), nil
		}}
	}
	return map[string]any{
		"lru_cache": cache("lru_cache"), "cache": identity("cache"), "cached_property": &Builtin{Name: "property", Call: func(c *Call) (any, error) {
			fn, err := c.one("cached_property")
			return &descriptor{"property", fn}, err
		}},
		"wraps": &Builtin{Name: "wraps", Call: func(*Call) (any, error) { return identity("wraps"), nil }},
		"partial": &Builtin{Name: "partial", Call: func(c *Call) (any, error) {
			fn, err := c.one("partial")
			if err != nil {
				return nil, err
			}
			return partial(fn, c), nil
		}},
		"reduce": &Builtin{Name: "reduce", Call: func(c *Call) (any, error) {
			if len(c.Args) < 2 {
				return nil, raise("TypeError", "reduce() takes a function and items")
			}
			if u, ok := c.Args[1].(*Unknown); ok {
				return u, nil
			}
			items, err := c.run.items(c.Args[1])
			if err != nil {
				return nil, err
			}
			if len(c.Args) > 2 {
				items = append([]any{c.Args[2]}, items...)
			}
			if len(items) == 0 {
				return nil, raise("TypeError", "reduce() of empty iterable with no initial value")
			}
			out := items[0]
			for _, v := range items[1:] {
				if out, err = c.Invoke(c.Args[0], out, v); err != nil {
					return nil, err
				}
			}
			return out, nil
		}},
	}
}

// partial is a function with some arguments given. It makes definitions when
// the function does.
func partial(fn any, first *Call) *Builtin {
	b, _ := fn.(*Builtin)
	return &Builtin{Name: "partial", Definer: b != nil && b.Definer, Call: func(c *Call) (any, error) {
		call := &Call{Args: slices.Concat(first.Args[1:], c.Args), scope: c.scope, at: c.at, PassesUnknown: c.PassesUnknown}
		for i, n := range first.Names {
			if _, again := c.Arg(n); !again {
				call.Names, call.Named = append(call.Names, n), append(call.Named, first.Named[i])
			}
		}
		call.Names, call.Named = append(call.Names, c.Names...), append(call.Named, c.Named...)
		if b != nil && b.Call != nil && b.Definer { // counted as made by the partial itself
			call.run = c.run
			return b.Call(call)
		}
		return c.run.invoke(fn, call)
	}}
}

func mathModule() map[string]any {
	names := map[string]any{"pi": math.Pi, "e": math.E, "inf": math.Inf(1), "nan": math.NaN()}
	for n, fn := range map[string]func(float64) float64{"ceil": math.Ceil, "floor": math.Floor, "trunc": math.Trunc} {
		names[n] = &Builtin{Name: n, Call: func(c *Call) (any, error) {
			v, err := c.one(n)
			if err != nil {
				return nil, err
			}
			if i, ok := asInt(v); ok {
				return i, nil
			}
			f, ok := asFloat(v)
			if !ok || math.Abs(f) > 1<<62 || math.IsNaN(f) {
				return &Unknown{Why: "math." + n}, nil
			}
			return int64(fn(f)), nil
		}}
	}
	names["sqrt"] = &Builtin{Name: "sqrt", Call: func(c *Call) (any, error) {
		v, err := c.one("sqrt")
		f, ok := asFloat(v)
		if err != nil || !ok || f < 0 {
			return &Unknown{Why: "math.sqrt"}, err
		}
		return math.Sqrt(f), nil
	}}
	return names
}

// dedented is textwrap.dedent: the blanks that all lines begin with are taken off.
func dedented(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	s, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	margin, found := "", false
	for i, line := range lines {
		if strings.Trim(line, " \t") == "" {
			lines[i] = ""
			continue
		}
		blanks := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if !found {
			margin, found = blanks, true
			continue
		}
		n := 0
		for n < len(margin) && n < len(blanks) && margin[n] == blanks[n] {
			n++
		}
		margin = margin[:n]
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n"), nil
}

// cleanDoc is inspect.cleandoc.
func cleanDoc(c *Call) (any, error) {
	if u := c.unknown(); u != nil {
		return u, nil
	}
	s, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	if strings.Contains(s, "\t") {
		return nil, fmt.Errorf("cleandoc() of text with tabs is not read")
	}
	lines := strings.Split(s, "\n")
	margin := math.MaxInt
	for _, line := range lines[1:] {
		if t := strings.TrimLeft(line, " "); t != "" {
			margin = min(margin, len(line)-len(t))
		}
	}
	lines[0] = strings.TrimLeft(lines[0], " ")
	for i := 1; i < len(lines); i++ {
		lines[i] = lines[i][min(margin, len(lines[i])):]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n"), nil
}
