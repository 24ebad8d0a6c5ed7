package library

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// Path is a pathlib path: a text with path arithmetic, and access to the file at
// that path.
type Path struct {
	text string
	disk *disk
	pure bool // of a type without file methods
}

// maxPath bounds the length of a path, in bytes.
const maxPath = 1 << 12

// path makes a path in pathlib's normal form.
func (r *disk) path(s string) Path { return Path{text: cleanPath(s), disk: r} }

// to is another path of the same type.
func (p Path) to(s string) Path { return Path{cleanPath(s), p.disk, p.pure} }

// cleanPath is the normal form of pathlib: without "." and double slashes, but
// with "..".
func cleanPath(s string) string {
	names := parts(s)
	switch {
	case len(names) == 0:
		return "."
	case names[0] == "/":
		return "/" + strings.Join(names[1:], "/")
	}
	return strings.Join(names, "/")
}

// parts are the root and the names of a path.
func parts(s string) []string {
	var out []string
	if strings.HasPrefix(s, "/") {
		out = []string{"/"}
	}
	for part := range strings.SplitSeq(s, "/") {
		if part != "" && part != "." {
			out = append(out, part)
		}
	}
	return out
}

// joinParts joins like os.path.join: an absolute part discards the parts before it.
func joinParts(parts []string) string {
	out := ""
	for i, p := range parts {
		switch {
		case i == 0 || strings.HasPrefix(p, "/"):
			out = p
		case out == "" || strings.HasSuffix(out, "/"):
			out += p
		default:
			out += "/" + p
		}
	}
	return out
}

// pathText is the text of a path.
func pathText(v any) (string, error) {
	if p, ok := v.(Path); ok {
		return p.text, nil
	}
	s, ok := python.Text(v)
	switch u, unknown := v.(*python.Unknown); {
	case unknown:
		return "", fmt.Errorf("this path cannot be known without running Python (%s)", u.Why)
	case !ok:
		return "", python.Raise("TypeError", "expected str, bytes or os.PathLike object, not %s", python.TypeName(v))
	case strings.HasPrefix(s, "//") && !strings.HasPrefix(s, "///"):
		return "", fmt.Errorf("the path %s begins with two slashes, which is not read", python.Brief(s))
	}
	return s, nil
}

// texts returns paths as texts.
func (r *disk) texts(args []any) ([]string, error) {
	out := make([]string, len(args))
	size := 0
	for i, a := range args {
		s, err := pathText(a)
		if err != nil {
			return nil, err
		}
		out[i] = s
		if size += len(s); size > maxPath {
			return nil, fmt.Errorf("this path is too long")
		}
	}
	return out, r.run.Charge(size / 64)
}

// join joins paths; the result has the type of this one.
func (p Path) join(args ...any) (any, error) {
	list, err := p.disk.texts(args)
	if err != nil {
		return nil, err
	}
	return p.to(joinParts(list)), nil
}

// absolute makes a path absolute: the repository is the working directory.
func (r *disk) absolute(s string) string {
	if strings.HasPrefix(s, "/") {
		return cleanPath(s)
	}
	return cleanPath(r.dir + "/" + s)
}

// Kinds lists the types of a path.
func (p Path) Kinds() []string {
	if p.pure {
		return []string{"PurePosixPath", "PurePath", "PathLike"}
	}
	return []string{"PosixPath", "Path", "PurePath", "PurePosixPath", "PathLike"}
}

// Key is equal for equal paths.
func (p Path) Key() string { return p.text }

// String is the path as a text.
func (p Path) String() string { return p.text }

// Repr is the repr of a path.
func (p Path) Repr() string { return p.Kinds()[0] + "(" + python.Repr(p.text) + ")" }

// Compare orders paths by their names.
func (p Path) Compare(other any) (int, bool) {
	o, ok := other.(Path)
	return slices.Compare(parts(p.text), parts(o.text)), ok
}

// Binary is path / name, and text / path.
func (p Path) Binary(op string, other any, swapped bool) (any, bool, error) {
	if _, isText := other.(string); op != "/" || swapped && !isText {
		return nil, false, nil
	}
	pair := []any{p, other}
	if swapped {
		pair = []any{other, p}
	}
	v, err := p.join(pair...)
	return v, true, err
}

func (p Path) parent() Path {
	s := p.text
	i := strings.LastIndexByte(s, '/')
	switch {
	case s == "/" || s == ".":
		return p
	case i < 0:
		return p.to(".")
	}
	return p.to(s[:max(i, 1)])
}

// names are the name of a path, its stem and its suffix.
func (p Path) names() (name, stem, suffix string) {
	if p.text == "." || p.text == "/" {
		return "", "", ""
	}
	name = path.Base(p.text)
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || dot == len(name)-1 {
		dot = len(name)
	}
	return name, name[:dot], name[dot:]
}

// Attr returns the attributes of a path.
func (p Path) Attr(name string) (any, bool) {
	base, stem, suffix := p.names()
	switch name {
	case "parent":
		return p.parent(), true
	case "name":
		return base, true
	case "suffix":
		return suffix, true
	case "stem":
		return stem, true
	case "parents":
		l := &python.List{}
		for at := p; at.parent() != at; {
			at = at.parent()
			l.Items = append(l.Items, at)
		}
		return l, true
	case "parts":
		t := python.Tuple{}
		for _, part := range parts(p.text) {
			t = append(t, part)
		}
		return t, true
	}
	return p.method(name)
}

func (p Path) method(name string) (any, bool) {
	give := func(signature string, call func(a []any) (any, error)) (any, bool) {
		return python.NewFunction(name, signature, func(_ *python.Call, a []any) (any, error) { return call(a) }), true
	}
	switch name {
	case "absolute":
		return give("", func([]any) (any, error) { return p.to(p.disk.absolute(p.text)), nil })
	case "as_posix", "__str__", "__fspath__":
		return give("", func([]any) (any, error) { return p.text, nil })
	case "joinpath":
		return give("*args", func(a []any) (any, error) {
			rest, _ := a[0].(python.Tuple)
			return p.join(append([]any{p}, rest...)...)
		})
	case "is_absolute":
		return give("", func([]any) (any, error) { return strings.HasPrefix(p.text, "/"), nil })
	case "with_suffix", "with_name":
		return give(strings.TrimPrefix(name, "with_"), func(a []any) (any, error) { return p.with(name, a[0]) })
	case "relative_to":
		return give("other", func(a []any) (any, error) {
			base, err := pathText(a[0])
			if err != nil {
				return nil, err
			}
			rest, ok := strings.CutPrefix(p.text+"/", strings.TrimSuffix(cleanPath(base), "/")+"/")
			if !ok {
				return nil, python.Raise("ValueError", "%s is not in the subpath of %s", python.Repr(p.text), python.Repr(base))
			}
			return p.to(rest), nil
		})
	}
	m, ok := p.disk.methods[name]
	return python.NewFunction(name, m.signature, func(_ *python.Call, a []any) (any, error) { return m.call(p, a) }), ok && !p.pure
}

// with is with_name and with_suffix.
func (p Path) with(name string, v any) (any, error) {
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	base, stem, _ := p.names()
	suffix := name == "with_suffix"
	switch {
	case base == "":
		return nil, python.Raise("ValueError", "%s has an empty name", p.Repr())
	case strings.Contains(s, "/") || s == "." || suffix && s != "" && s[0] != '.' || !suffix && s == "":
		return nil, python.Raise("ValueError", "Invalid name %s", python.Repr(s))
	case suffix:
		s = stem + s
	}
	return p.join(p.parent(), s)
}

// onPath is a function whose first argument is a path.
func (r *disk) onPath(name, signature string, call func(p string, a []any) (any, error)) *python.Builtin {
	return python.NewFunction(name, signature, func(_ *python.Call, a []any) (any, error) {
		list, err := r.texts(a[:1])
		if err != nil {
			return nil, err
		}
		return call(list[0], a[1:])
	})
}

// pathModule is the part of os.path that accesses no file.
func (r *disk) pathModule() names {
	out := names{"sep": "/", "join": python.NewFunction("join", "a *p", func(_ *python.Call, a []any) (any, error) {
		rest, _ := a[1].(python.Tuple)
		list, err := r.texts(append(a[:1:1], rest...))
		return joinParts(list), err
	})}
	for _, function := range []string{"dirname p", "basename p", "split p", "splitext p", "abspath path", "normpath path", "expanduser path", "isabs s"} {
		name, param, _ := strings.Cut(function, " ")
		out[name] = r.onPath(name, param, func(p string, _ []any) (any, error) { return r.pathFunction(name, p), nil })
	}
	out["relpath"] = python.NewFunction("relpath", "path start?", func(_ *python.Call, a []any) (any, error) {
		list, err := r.texts([]any{a[0], cond(a[1] == nil, ".", a[1])})
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(path.Clean(r.absolute(list[1])), path.Clean(r.absolute(list[0])))
		if list[0] == "" || err != nil {
			return nil, python.Raise("ValueError", "no path specified")
		}
		return rel, nil
	})
	return out
}

func (r *disk) pathFunction(name, s string) any {
	cut := strings.LastIndexByte(s, '/') + 1
	head, tail := s[:cut], s[cut:]
	if strings.Trim(head, "/") != "" {
		head = strings.TrimRight(head, "/")
	}
	switch name {
	case "dirname":
		return head
	case "basename":
		return tail
	case "split":
		return python.Tuple{head, tail}
	case "isabs":
		return strings.HasPrefix(s, "/")
	case "splitext":
		if dot := strings.LastIndexByte(tail, '.'); dot > 0 && strings.Trim(tail[:dot], ".") != "" {
			return python.Tuple{s[:cut+dot], tail[dot:]}
		}
		return python.Tuple{s, ""}
	case "normpath":
		return path.Clean(s)
	case "expanduser":
		if strings.HasPrefix(s, "~") {
			return &python.Unknown{Why: "the home directory", Trust: python.Harmless}
		}
		return s
	}
	return path.Clean(r.absolute(s))
}

func (r *disk) osModule() names {
	return names{
		"sep": "/", "linesep": "\n", "name": "posix", "curdir": ".", "pardir": "..",
		"getcwd": python.NewFunction("getcwd", "", func(*python.Call, []any) (any, error) { return r.dir, nil }),
		"fspath": r.onPath("fspath", "path", func(p string, _ []any) (any, error) { return p, nil }),
	}
}

func (r *disk) pathlibModule() names {
	members := names{
		"cwd":  python.NewFunction("cwd", "", func(*python.Call, []any) (any, error) { return r.path(r.dir), nil }),
		"home": &python.Builtin{Name: "home"},
	}
	out := names{}
	for name, kinds := range map[string][]string{"Path": {"PurePath"}, "PurePath": nil, "PosixPath": {"Path", "PurePath", "PurePosixPath"}, "PurePosixPath": {"PurePath"}} {
		empty := Path{disk: r, pure: strings.HasPrefix(name, "Pure")}
		t := python.NewFunction(name, "*args", func(_ *python.Call, a []any) (any, error) {
			list, _ := a[0].(python.Tuple)
			return empty.join(list...)
		})
		t.Kinds = kinds
		if !empty.pure {
			t.Members = members
		}
		r.run.SetType(t)
		out[name] = t
	}
	return out
}
