package library

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// globbing finds files by a pattern. Results are sorted: in Python the order is
// arbitrary.
type globbing struct {
	disk   *disk
	hidden bool // * matches names that begin with a dot
	all    bool // ** matches any number of directories
	found  []string
}

func magic(s string) bool { return strings.ContainsAny(s, "*?[") }

// glob finds the files that match a pattern below a base.
func (g *globbing) glob(base, pattern string) error {
	if strings.ContainsAny(pattern, "[\\") {
		return fmt.Errorf("the pattern %s is not read: only *, ** and ? are", python.Brief(pattern))
	}
	if strings.HasPrefix(pattern, "/") {
		base, pattern = "/", pattern[1:]
	}
	parts := strings.Split(pattern, "/")
	deep := slices.Index(parts, "**")
	if slices.Contains(parts, "") || g.all && deep >= 0 && (deep == len(parts)-1 || slices.Contains(parts[deep+1:], "**")) {
		return fmt.Errorf("the pattern %s is not read: it ends in **, has ** twice, or a part that is empty", python.Brief(pattern))
	}
	return g.walk(base, parts)
}

// walk matches the next part of the pattern.
func (g *globbing) walk(base string, parts []string) error {
	if len(parts) == 0 {
		g.found = append(g.found, base)
		return nil
	}
	part, rest := parts[0], parts[1:]
	if !magic(part) {
		next := joined(base, part)
		if len(rest) > 0 && g.disk.above(next) {
			return g.walk(next, rest)
		}
		if _, err := g.disk.info(next); err != nil {
			return refusal(err)
		}
		return g.walk(next, rest)
	}
	if part == "**" && g.all {
		if err := g.walk(base, rest); err != nil {
			return err
		}
	}
	return g.list(base, part, parts)
}

// list continues with the names of a directory that match a part.
func (g *globbing) list(base, part string, parts []string) error {
	dir := base
	if dir == "" {
		dir = "."
	}
	names, err := g.disk.list(dir)
	if err != nil {
		return refusal(err)
	}
	for _, name := range names {
		if ok, err := path.Match(part, name); err != nil || !ok || name[0] == '.' && part[0] != '.' && !g.hidden {
			continue
		}
		next := joined(base, name)
		if len(parts) == 1 {
			g.found = append(g.found, next)
			continue
		}
		if err := g.descend(next, parts); err != nil {
			return err
		}
	}
	return nil
}

// descend continues below a name that matches the first of the parts, if it is a
// directory. A recursive ** also matches the names there.
func (g *globbing) descend(dir string, parts []string) error {
	info, err := g.disk.info(dir)
	if err != nil {
		return refusal(err)
	}
	if !info.IsDir() {
		return nil
	}
	if parts[0] != "**" || !g.all {
		return g.walk(dir, parts[1:])
	}
	if err := g.disk.unlinked(g.disk.absolute(dir)); err != nil {
		return err
	}
	return g.walk(dir, parts)
}

func joined(base, name string) string {
	if base == "" || strings.HasSuffix(base, "/") {
		return base + name
	}
	return base + "/" + name
}

// refusal drops an error of Python: a missing path does not match.
func refusal(err error) error {
	if python.ExceptionClass(err) == "" {
		return err
	}
	return nil
}

// above reports whether a directory is above the repository.
func (r *disk) above(p string) bool {
	return strings.HasPrefix(r.dir, strings.TrimSuffix(path.Clean(r.absolute(p)), "/")+"/")
}

func (r *disk) globModule() names {
	out := names{}
	for _, n := range []string{"glob", "iglob"} {
		out[n] = python.NewFunction(n, "pathname * root_dir? dir_fd? recursive? include_hidden?", func(_ *python.Call, a []any) (any, error) {
			pattern, ok := python.Text(a[0])
			if !ok || a[1] != nil || a[2] != nil {
				return nil, fmt.Errorf("glob() takes the text of one whole path here; root_dir is not read")
			}
			g := globbing{disk: r, all: isTrue(a[3]), hidden: isTrue(a[4])}
			if err := g.glob("", pattern); err != nil {
				return nil, err
			}
			l := texts(g.found)
			if n == "iglob" {
				return python.NewIterator(l.Items), nil
			}
			return l, nil
		})
	}
	return out
}

// isTrue is the truth value of a flag.
func isTrue(v any) bool {
	i, _ := python.Int(v)
	return i != 0
}

// globPath is Path.glob and Path.rglob.
func (r *disk) globPath(p, name string, v any) (any, error) {
	pattern, ok := python.Text(v)
	if !ok || pattern == "" || strings.HasSuffix(pattern, "/") || strings.HasPrefix(pattern, "/") || strings.Contains("/"+pattern+"/", "/../") {
		return nil, fmt.Errorf("%s() of a path takes a pattern below it; %s is not read", name, python.Brief(v))
	}
	pattern = cleanPath(pattern)
	if name == "rglob" {
		pattern = "**/" + pattern
	}
	if info, err := r.info(p); err != nil || !info.IsDir() {
		return python.NewIterator(nil), refusal(err)
	}
	base := p
	if p == "." {
		base = ""
	}
	g := globbing{disk: r, all: true, hidden: true}
	err := g.glob(base, pattern)
	var items []any
	for _, f := range g.found {
		items = append(items, r.path(f))
	}
	return python.NewIterator(items), err
}
