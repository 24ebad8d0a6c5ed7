package python

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Path is a pathlib path: text with path arithmetic, nothing is opened.
type Path string

func (p Path) String() string { return "PosixPath(" + quoted(string(p)) + ")" }

// Kinds lists the types of a path.
func (p Path) Kinds() []string {
	return []string{"PosixPath", "Path", "PurePath", "PurePosixPath", "PathLike"}
}

// cleanPath is a path as pathlib writes it: without "." and doubled slashes,
// and with its "..".
func cleanPath(s string) string {
	root := ""
	if strings.HasPrefix(s, "/") {
		root = "/"
		if strings.HasPrefix(s, "//") && !strings.HasPrefix(s, "///") {
			root = "//"
		}
	}
	var parts []string
	for part := range strings.SplitSeq(s, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	if out := root + strings.Join(parts, "/"); out != "" {
		return out
	}
	return "."
}

// joinParts joins like os.path.join: an absolute part starts anew.
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

// maxPath bounds the length of a path, in bytes.
const maxPath = 1 << 14

// pathTexts gives the arguments as texts; Unknown when one is.
func pathTexts(args []any) ([]string, *Unknown, error) {
	parts := make([]string, len(args))
	size := 0
	for i, a := range args {
		switch a := a.(type) {
		case *Unknown:
			return nil, a, nil
		case Path:
			parts[i] = string(a)
		default:
			s, ok := asText(a)
			if !ok {
				return nil, nil, raise("TypeError", "expected str, bytes or os.PathLike object, not %s", TypeName(a))
			}
			parts[i] = s
		}
		if strings.HasPrefix(parts[i], "//") && !strings.HasPrefix(parts[i], "///") {
			return nil, nil, fmt.Errorf("the path %s begins with two slashes, which is not read", quoted(parts[i]))
		}
		if size += len(parts[i]); size > maxPath {
			return nil, nil, fmt.Errorf("this path is too long")
		}
	}
	return parts, nil, nil
}

func newPath(c *Call) (any, error) {
	parts, unknown, err := pathTexts(c.Args)
	if err != nil {
		return nil, err
	}
	if unknown != nil {
		return unknown, nil
	}
	return Path(cleanPath(joinParts(parts))), nil
}

// Join is path / name.
func (p Path) Join(other any) (any, error) {
	parts, unknown, err := pathTexts([]any{other})
	if err != nil {
		return nil, err
	}
	if unknown != nil {
		return unknown, nil
	}
	return Path(cleanPath(joinParts([]string{string(p), parts[0]}))), nil
}

func (p Path) parent() Path {
	s := string(p)
	i := strings.LastIndexByte(s, '/')
	switch {
	case strings.Trim(s, "/") == "" || s == ".":
		return p
	case i < 0:
		return "."
	case i == 0:
		return "/"
	}
	return Path(s[:i])
}

// Attr gives the attributes of a path; its methods are pathMethod's.
func (p Path) Attr(name string) (any, bool) {
	base := path.Base(string(p))
	if p == "." || strings.Trim(string(p), "/") == "" {
		base = ""
	}
	dot := strings.LastIndexByte(base, '.')
	if dot <= 0 || dot == len(base)-1 {
		dot = len(base)
	}
	switch name {
	case "parent":
		return p.parent(), true
	case "name":
		return base, true
	case "suffix":
		return base[dot:], true
	case "stem":
		return base[:dot], true
	case "parents":
		l := &List{}
		for at := p; at.parent() != at; {
			at = at.parent()
			l.Items = append(l.Items, at)
		}
		return l, true
	case "parts":
		t := Tuple{}
		if strings.HasPrefix(string(p), "/") {
			t = append(t, "/")
		}
		for part := range strings.SplitSeq(string(p), "/") {
			if part != "" && part != "." {
				t = append(t, part)
			}
		}
		return t, true
	}
	return p.method(name)
}

func (p Path) method(name string) (any, bool) {
	give := func(call func(c *Call) (any, error)) (any, bool) { return &Builtin{Name: name, Call: call}, true }
	switch name {
	case "absolute":
		return give(func(c *Call) (any, error) { return Path(c.run.absolute(string(p))), nil })
	case "as_posix", "__str__", "__fspath__":
		return give(func(*Call) (any, error) { return string(p), nil })
	case "joinpath":
		return give(func(c *Call) (any, error) {
			return newPath(&Call{Args: append([]any{p}, c.Args...), run: c.run})
		})
	case "is_absolute":
		return give(func(*Call) (any, error) { return strings.HasPrefix(string(p), "/"), nil })
	case "with_suffix", "with_name":
		return give(func(c *Call) (any, error) { return p.with(name, c) })
	case "relative_to":
		return give(func(c *Call) (any, error) {
			parts, unknown, err := pathTexts(c.Args)
			if err != nil || unknown != nil || len(parts) != 1 {
				return &Unknown{Why: "Path.relative_to"}, err
			}
			rest, ok := strings.CutPrefix(string(p)+"/", strings.TrimSuffix(cleanPath(parts[0]), "/")+"/")
			if !ok {
				return nil, raise("ValueError", "%s is not in the subpath of %s", Repr(string(p)), Repr(parts[0]))
			}
			return Path(cleanPath(rest)), nil
		})
	}
	return nil, false
}

func (p Path) with(name string, c *Call) (any, error) {
	text, err := c.text(0, "")
	if err != nil {
		return nil, err
	}
	base, _ := p.Attr("name")
	suffix := name == "with_suffix"
	switch {
	case base == "":
		return nil, raise("ValueError", "%s has an empty name", p)
	case strings.Contains(text, "/") || text == "." || suffix && text != "" && text[0] != '.' || !suffix && text == "":
		return nil, raise("ValueError", "Invalid name %s", quoted(text))
	}
	stem, _ := p.Attr("stem")
	if name == "with_suffix" {
		text = Str(stem) + text
	}
	return p.parent().Join(text)
}

// absolute makes a path absolute: the repository is the working directory.
func (r *Interpreter) absolute(s string) string {
	if strings.HasPrefix(s, "/") {
		return cleanPath(s)
	}
	return cleanPath(r.dir + "/" + s)
}

// pathModule is os.path.
func pathModule() map[string]any {
	names := map[string]any{"sep": "/", "join": &Builtin{Name: "join", Call: func(c *Call) (any, error) {
		parts, unknown, err := pathTexts(c.Args)
		if err != nil {
			return nil, err
		}
		if unknown != nil {
			return unknown, nil
		}
		return joinParts(parts), nil
	}}}
	for _, n := range []string{"dirname", "basename", "abspath", "normpath", "expanduser", "split", "splitext", "isabs"} {
		names[n] = &Builtin{Name: n, Call: func(c *Call) (any, error) {
			parts, unknown, err := pathTexts(c.Args)
			if err != nil {
				return nil, err
			}
			if unknown != nil {
				return unknown, nil
			}
			if len(parts) == 0 {
				return nil, raise("TypeError", "%s() takes a path", n)
			}
			return pathFunction(n, parts[0], c), nil
		}}
	}
	names["relpath"] = NewFunction("relpath", "path start?", func(c *Call, a []any) (any, error) {
		if a[1] == nil {
			a[1] = "."
		}
		parts, _, err := pathTexts(a)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(path.Clean(c.run.absolute(parts[1])), path.Clean(c.run.absolute(parts[0])))
		if parts[0] == "" || err != nil {
			return nil, raise("ValueError", "no path specified")
		}
		return rel, nil
	})
	return names
}

func pathFunction(name, s string, c *Call) any {
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
		return Tuple{head, tail}
	case "isabs":
		return strings.HasPrefix(s, "/")
	case "splitext":
		if dot := strings.LastIndexByte(tail, '.'); dot > 0 && strings.Trim(tail[:dot], ".") != "" {
			return Tuple{s[:cut+dot], tail[dot:]}
		}
		return Tuple{s, ""}
	case "normpath":
		return path.Clean(s)
	case "expanduser":
		if strings.HasPrefix(s, "~") {
			return &Unknown{Why: "the home directory", Trust: Harmless}
		}
		return s
	}
	return path.Clean(c.run.absolute(s))
}

func (r *Interpreter) osModule(osPath *Module) map[string]any {
	return map[string]any{
		"path": osPath, "sep": "/", "linesep": "\n", "name": "posix", "curdir": ".", "pardir": "..",
		"getcwd": &Builtin{Name: "getcwd", Call: func(*Call) (any, error) { return r.dir, nil }},
		"fspath": &Builtin{Name: "fspath", Call: func(c *Call) (any, error) {
			parts, unknown, err := pathTexts(c.Args)
			if unknown != nil {
				return unknown, nil
			}
			if err != nil || len(parts) != 1 {
				return nil, fmt.Errorf("fspath() takes a path")
			}
			return parts[0], nil
		}},
	}
}

func pathlibModule(r *Interpreter) map[string]any {
	members := map[string]any{
		"cwd":  &Builtin{Name: "cwd", Call: func(*Call) (any, error) { return Path(r.dir), nil }},
		"home": &Builtin{Name: "home"},
	}
	names := map[string]any{}
	for _, n := range []string{"Path", "PurePath", "PosixPath", "PurePosixPath"} {
		names[n] = &Builtin{Name: n, Call: newPath, Members: members}
	}
	return names
}
