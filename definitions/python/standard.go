package python

import (
	"fmt"
	"path/filepath"
	"time"
)

// Standard gives the modules of the standard library that definitions use:
// datetime, os with os.path and the environment, and pathlib. env looks up
// environment variables. The others are Unknown.
func Standard(env func(string) (string, bool)) map[string]*Module {
	path := &Module{Name: "os.path", Names: map[string]any{
		"join": &Builtin{Name: "join", Call: joinPath}, "dirname": pathFunc("dirname", filepath.Dir), "basename": pathFunc("basename", filepath.Base),
		"abspath": pathFunc("abspath", filepath.Clean), "realpath": pathFunc("realpath", filepath.Clean), "normpath": pathFunc("normpath", filepath.Clean),
		"expanduser": pathFunc("expanduser", func(s string) string { return s }),
	}}
	getenv := &Builtin{Name: "getenv", Call: func(c *Call) (any, error) { return fromEnv(env, c) }}
	return map[string]*Module{
		"os": {Name: "os", Names: map[string]any{
			"path": path, "getenv": getenv, "environ": &environ{env: env, get: getenv}, "sep": "/",
			"getcwd": &Builtin{Name: "getcwd", Call: func(*Call) (any, error) { return ".", nil }},
		}},
		"os.path":  path,
		"pathlib":  {Name: "pathlib", Names: map[string]any{"Path": &Builtin{Name: "Path", Call: newPath}, "PurePath": &Builtin{Name: "PurePath", Call: newPath}}},
		"datetime": datetimeModule(),
	}
}

func datetimeModule() *Module {
	utc := &Unknown{Why: "datetime.timezone.utc"}
	return &Module{Name: "datetime", Names: map[string]any{
		"timedelta": &Builtin{Name: "timedelta", Call: newTimedelta},
		"datetime": &Builtin{Name: "datetime", Call: newDatetime, Members: map[string]any{
			"fromisoformat": &Builtin{Name: "fromisoformat", Call: isoDatetime},
			"now":           &Builtin{Name: "now"}, "utcnow": &Builtin{Name: "utcnow"},
		}},
		"timezone": &Builtin{Name: "timezone", Members: map[string]any{"utc": utc}},
		"UTC":      utc, "date": &Builtin{Name: "date"}, "time": &Builtin{Name: "time"},
	}}
}

func newTimedelta(c *Call) (any, error) {
	units := []struct {
		name string
		unit time.Duration
	}{
		{"days", 24 * time.Hour},
		{"seconds", time.Second},
		{"microseconds", time.Microsecond},
		{"milliseconds", time.Millisecond},
		{"minutes", time.Minute},
		{"hours", time.Hour},
		{"weeks", 7 * 24 * time.Hour},
	}
	total := 0.0
	for i, u := range units {
		v, ok := c.Arg(u.name)
		if !ok && i < len(c.Args) {
			v, ok = c.Args[i], true
		}
		if !ok {
			continue
		}
		if unknown, is := v.(*Unknown); is {
			return unknown, nil
		}
		n, isNumber := asFloat(v)
		if !isNumber {
			return nil, fmt.Errorf("timedelta %s is a %s, not a number", u.name, TypeName(v))
		}
		total += n * float64(u.unit)
	}
	if total > float64(1<<62) || total < -float64(1<<62) {
		return nil, fmt.Errorf("a timedelta of more than 146 years cannot be read")
	}
	return Timedelta(total), nil
}

func newDatetime(c *Call) (any, error) {
	parts := [7]int64{0, 1, 1}
	names := [...]string{"year", "month", "day", "hour", "minute", "second", "microsecond"}
	for i, n := range names {
		v, ok := c.Arg(n)
		if !ok && i < len(c.Args) {
			v, ok = c.Args[i], true
		}
		if !ok {
			continue
		}
		n, isInt := asInt(v)
		if !isInt {
			return &Unknown{Why: "datetime()"}, nil
		}
		parts[i] = n
	}
	_, aware := c.Arg("tzinfo")
	return Datetime{time.Date(int(parts[0]), time.Month(parts[1]), int(parts[2]), int(parts[3]), int(parts[4]), int(parts[5]), int(parts[6])*1000, time.UTC), aware}, nil
}

func isoDatetime(c *Call) (any, error) {
	s := argText(c, 0, "")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Datetime{t.UTC(), layout == time.RFC3339Nano}, nil
		}
	}
	return nil, fmt.Errorf("%q is no time in ISO 8601", s)
}

// environ is os.environ.
type environ struct {
	env func(string) (string, bool)
	get *Builtin
}

func (e *environ) String() string { return "os.environ" }

// Attr gives environ.get.
func (e *environ) Attr(name string) (any, bool) { return e.get, name == "get" }

// Index gives a variable that must be set.
func (e *environ) Index(key any) (any, error) {
	if v, ok := e.env(Str(key)); ok {
		return v, nil
	}
	return nil, fmt.Errorf("environment variable %s is not set", Str(key))
}

func fromEnv(env func(string) (string, bool), c *Call) (any, error) {
	name, err := c.one("getenv")
	if err != nil {
		return nil, err
	}
	if v, ok := env(Str(name)); ok {
		return v, nil
	}
	if v, ok := c.Arg("default"); ok {
		return v, nil
	}
	if len(c.Args) > 1 {
		return c.Args[1], nil
	}
	return nil, nil
}

// Path is a pathlib path: text with path arithmetic, nothing is opened.
type Path string

func (p Path) String() string { return string(p) }

func newPath(c *Call) (any, error) {
	parts := []string{"."}
	for i, a := range c.Args {
		if u, ok := a.(*Unknown); ok {
			return u, nil
		}
		if i == 0 {
			parts = nil
		}
		parts = append(parts, Str(a))
	}
	return Path(joined2(parts)), nil
}

// joined2 joins like Python: an absolute part starts anew.
func joined2(parts []string) string {
	out := ""
	for _, p := range parts {
		if filepath.IsAbs(p) || out == "" {
			out = p
			continue
		}
		out = filepath.Join(out, p)
	}
	return out
}

// Join is path / name.
func (p Path) Join(other any) (any, error) {
	if u, ok := other.(*Unknown); ok {
		return u, nil
	}
	return Path(joined2([]string{string(p), Str(other)})), nil
}

// Attr gives the attributes and methods of a path.
func (p Path) Attr(name string) (any, bool) {
	same := &Builtin{Name: name, Call: func(*Call) (any, error) { return Path(filepath.Clean(string(p))), nil }}
	switch name {
	case "parent":
		return Path(filepath.Dir(string(p))), true
	case "name":
		return filepath.Base(string(p)), true
	case "suffix":
		return filepath.Ext(string(p)), true
	case "stem":
		base := filepath.Base(string(p))
		return base[:len(base)-len(filepath.Ext(base))], true
	case "parents":
		return pathParents(p), true
	case "resolve", "absolute", "expanduser":
		return same, true
	case "as_posix":
		return &Builtin{Name: name, Call: func(*Call) (any, error) { return string(p), nil }}, true
	case "joinpath":
		return &Builtin{Name: name, Call: func(c *Call) (any, error) {
			parts := []string{string(p)}
			for _, a := range c.Args {
				parts = append(parts, Str(a))
			}
			return Path(joined2(parts)), nil
		}}, true
	case "exists", "is_file", "is_dir", "glob", "read_text", "iterdir", "mkdir", "open":
		return &Unknown{Why: "Path." + name + ": the reader opens no files"}, true
	}
	return nil, false
}

func pathParents(p Path) *List {
	l := &List{}
	for s := string(p); ; {
		up := filepath.Dir(s)
		if up == s {
			return l
		}
		l.Items = append(l.Items, Path(up))
		s = up
	}
}

func joinPath(c *Call) (any, error) {
	parts := make([]string, len(c.Args))
	for i, a := range c.Args {
		if u, ok := a.(*Unknown); ok {
			return u, nil
		}
		parts[i] = Str(a)
	}
	return joined2(parts), nil
}

func pathFunc(name string, fn func(string) string) *Builtin {
	return &Builtin{Name: name, Call: func(c *Call) (any, error) {
		v, err := c.one(name)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(*Unknown); ok {
			return u, nil
		}
		return fn(Str(v)), nil
	}}
}
