// Package library contains modules of Python's library, and of packages that
// definitions use, as far as they do not need the internals of the interpreter.
//
// Functions return Python's result, or an error that says what is not supported.
// Other names of the modules are Unknown.
package library

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// names are the names of a module.
type names = map[string]any

// Library holds the modules for one interpreter.
type Library struct {
	// Modules are the modules that the interpreter does not have itself, by name.
	Modules map[string]*python.Module
	disk    *disk
}

// New creates the modules for an interpreter, and completes the interpreter's
// own. Files are the readable files, nil for none; dir is their directory,
// Python's working directory.
func New(run *python.Interpreter, files fs.FS, dir string, env func(string) (string, bool)) *Library {
	r := &disk{run: run, files: files, dir: path.Clean(dir)}
	variables := &environ{env: env, own: names{}}
	system, osPath := r.osModule(), r.pathModule()
	r.module(system, osPath)
	variables.module(system)
	numberFunctions(run)
	module := func(name string, list names) *python.Module {
		return &python.Module{Name: name, Names: list, Missing: func(n string) any { return python.Elsewhere(name, n) }}
	}
	paths := module("os.path", osPath)
	system["path"] = paths
	for _, m := range []*python.Module{paths, module("os", system), module("pathlib", r.pathlibModule()), module("datetime", datetimeModule(run)), module("copy", copyModule())} {
		run.Provide(m)
	}
	if m, ok := run.Standard("sys"); ok {
		r.system(m.Names)
	}
	if m, ok := run.Standard("collections"); ok {
		m.Names["deque"] = python.NewFunction("deque", "iterable? maxlen?", newDeque)
		m.Names["Counter"] = &python.Builtin{Name: "Counter", Call: newCounter}
	}
	modules := map[string]*python.Module{}
	for name, list := range map[string]names{
		"glob":          r.globModule(),
		"json":          jsonModule(run),
		"math":          mathModule(),
		"warnings":      warningsModule(),
		"pprint":        quiet("pprint", "pp"),
		"operator":      operatorModule(),
		"string":        stringModule(),
		"shutil":        shutilModule(),
		"hashlib":       hashModule(),
		"base64":        base64Module(),
		"logging":       loggingModule(),
		"tqdm":          tqdmModule(run),
		"tqdm.auto":     tqdmModule(run),
		"tqdm.std":      tqdmModule(run),
		"tqdm.notebook": tqdmModule(run),
		"yaml":          yamlModule(),
		"csv":           csvModule(),
		"dotenv":        dotenvModule(r, variables),
		"re":            reModule(),
	} {
		modules[name] = module(name, list)
	}
	return &Library{modules, r}
}

// refused is a function that is always refused.
func refused(name string) *python.Builtin {
	return &python.Builtin{Name: name, Call: func(*python.Call) (any, error) {
		return nil, fmt.Errorf("%s() is not read; write the file without it", name)
	}}
}

// shutilModule is refused: it changes files that may be read later.
func shutilModule() names {
	out := names{}
	for _, n := range []string{"copy", "copy2", "copyfile", "copytree", "move", "rmtree", "unpack_archive", "copyfileobj"} {
		out[n] = refused("shutil." + n)
	}
	return out
}

// quiet are functions that do nothing here, with any arguments.
func quiet(list ...string) names {
	out := names{}
	for _, n := range list {
		out[n] = &python.Builtin{Name: n, Call: func(*python.Call) (any, error) { return nil, nil }}
	}
	return out
}

// text is an argument that must be text.
func text(v any) (string, error) {
	s, ok := python.Text(v)
	if !ok {
		return "", python.Raise("TypeError", "expected str instance, %s found", python.TypeName(v))
	}
	return s, nil
}

func warningsModule() names {
	out := quiet("warn", "resetwarnings")
	for _, n := range []string{"filterwarnings", "simplefilter"} {
		out[n] = warningFilter(n)
	}
	return out
}

// warningFilter sets the handling of warnings. No warnings are issued here, but
// none may become an error.
func warningFilter(name string) *python.Builtin {
	return python.NewFunction(name, "action message? category? module? lineno? append?", func(_ *python.Call, a []any) (any, error) {
		switch s, _ := python.Text(a[0]); s {
		case "default", "ignore", "always", "module", "once":
			return nil, nil
		}
		return nil, fmt.Errorf("warnings.%s(%s) is not read: warnings would become errors", name, python.Brief(a[0]))
	})
}

// object is a value that has only methods and attributes.
type object struct {
	kinds   []string
	members names
}

// Kinds lists the types of an object.
func (o *object) Kinds() []string { return o.kinds }

// Attr returns an attribute.
func (o *object) Attr(name string) (any, bool) {
	v, ok := o.members[name]
	return v, ok
}

func mathModule() names {
	out := names{"pi": math.Pi, "e": math.E, "tau": 2 * math.Pi, "inf": math.Inf(1), "nan": math.NaN()}
	for n, fn := range map[string]func(float64) float64{"ceil": math.Ceil, "floor": math.Floor, "trunc": math.Trunc} {
		out[n] = python.NewFunction(n, "x", func(_ *python.Call, a []any) (any, error) {
			if i, ok := python.Int(a[0]); ok {
				return i, nil
			}
			f, ok := a[0].(float64)
			if !ok || math.Abs(f) > 1<<62 || math.IsNaN(f) {
				return nil, fmt.Errorf("math.%s() of %s is not read", n, python.Brief(a[0]))
			}
			return int64(fn(f)), nil
		})
	}
	out["sqrt"] = python.NewFunction("sqrt", "x", func(_ *python.Call, a []any) (any, error) {
		f, ok := a[0].(float64)
		if i, isInt := python.Int(a[0]); isInt && i < 1<<53 {
			f, ok = float64(i), true
		}
		if !ok || f < 0 {
			return nil, fmt.Errorf("math.sqrt() of %s is not read", python.Brief(a[0]))
		}
		return math.Sqrt(f), nil
	})
	return out
}

// loggerSize is the memory of a logger or handler with its methods, in bytes.
const loggerSize = 8 << 10

// loggingModule logs nothing.
func loggingModule() names {
	out := quiet("basicConfig", "debug", "info", "warning", "warn", "error", "critical", "exception", "log", "disable", "captureWarnings")
	for n, level := range map[string]int64{"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50} {
		out[n] = level
	}
	methods := func() names {
		m := quiet("debug", "info", "warning", "warn", "error", "critical", "exception", "log", "setLevel", "removeHandler", "removeFilter", "flush", "close")
		for _, n := range []string{"addHandler", "addFilter", "setFormatter"} { // their argument is called for each log record
			m[n] = python.NewFunction(n, "x", func(c *python.Call, a []any) (any, error) { return nil, c.HandOut("logging."+n, a[0]) })
		}
		return m
	}
	for _, n := range []string{"StreamHandler", "FileHandler", "NullHandler", "Formatter"} {
		out[n] = &python.Builtin{Name: n, Call: func(c *python.Call) (any, error) {
			return &object{[]string{n, "Handler"}, methods()}, c.Keep(loggerSize)
		}}
	}
	out["getLevelName"] = python.NewFunction("getLevelName", "level", func(_ *python.Call, a []any) (any, error) {
		for _, n := range []string{"NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} {
			if out[n] == a[0] {
				return n, nil
			}
		}
		return nil, fmt.Errorf("getLevelName(%s) is not read", python.Brief(a[0]))
	})
	loggers := map[string]*object{}
	out["getLogger"] = python.NewFunction("getLogger", "name?", func(c *python.Call, a []any) (any, error) {
		name := "root"
		if a[0] != nil {
			name = python.Str(a[0])
		}
		if loggers[name] == nil {
			if err := c.Keep(loggerSize); err != nil {
				return nil, err
			}
			loggers[name] = &object{[]string{"Logger"}, methods()}
			loggers[name].members["name"], loggers[name].members["handlers"] = name, &python.List{}
		}
		return loggers[name], nil
	})
	return out
}

const letters = "abcdefghijklmnopqrstuvwxyz"

func stringModule() names {
	punctuation := "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	upper := strings.ToUpper(letters)
	blanks := " \t\n\r\v\f"
	return names{
		"ascii_lowercase": letters, "ascii_uppercase": upper, "ascii_letters": letters + upper, "digits": "0123456789",
		"hexdigits": "0123456789abcdefABCDEF", "octdigits": "01234567", "punctuation": punctuation, "whitespace": blanks,
		"printable": "0123456789" + letters + upper + punctuation + blanks,
		"capwords": python.NewFunction("capwords", "s", func(c *python.Call, a []any) (any, error) {
			s, err := text(a[0])
			if err != nil {
				return nil, err
			}
			l := &python.List{}
			for _, word := range strings.Fields(s) {
				if !ascii(word) || strings.ContainsAny(word, "\x1c\x1d\x1e\x1f") {
					return nil, fmt.Errorf("capwords() of other than ASCII letters is not read")
				}
				l.Items = append(l.Items, strings.ToUpper(word[:1])+strings.ToLower(word[1:]))
			}
			join, err := c.Attribute(" ", "join")
			if err != nil {
				return nil, err
			}
			return c.Invoke(join, l)
		}),
		"Template": python.NewFunction("Template", "template", newTemplate),
	}
}

// SetAttr sets an attribute of a logger, such as propagate.
func (o *object) SetAttr(name string, v any) error {
	if o.kinds[0] != "Logger" {
		return fmt.Errorf("attribute '%s' of a %s cannot be set here", name, o.kinds[0])
	}
	o.members[name] = v
	return nil
}
