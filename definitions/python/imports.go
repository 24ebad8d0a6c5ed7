package python

import (
	"fmt"
	"strings"
)

// importModule is "import a.b" and "import a.b as c".
func (r *Interpreter) importModule(s *scope, st *importStmt) error {
	m, err := r.module(s, st.at, st.module)
	if first, _, dotted := strings.Cut(st.module, "."); err == nil && st.whole && dotted {
		m, err = r.module(s, st.at, first)
	}
	if err != nil {
		return s.locate(st.at, err)
	}
	s.set(st.as, m) // a module is never a definition
	return nil
}

// Import loads a module of the repository by its name from the root.
func (r *Interpreter) Import(name string) (*Module, error) {
	m, err := r.module(nil, 0, name)
	if mod, ok := m.(*Module); ok {
		return mod, err
	}
	if err == nil {
		err = raise("ModuleNotFoundError", "No module named '%s'", name)
	}
	return nil, err
}

// module returns a module by its name from the root, after loading its parents:
// from the host, from the repository, or as Unknown. Installed modules hide those
// of the repository, since Feast appends the repository to sys.path.
func (r *Interpreter) module(s *scope, at int, name string) (any, error) {
	if m, ok := r.known(name); ok {
		return m, nil
	}
	if m, ok := r.modules[name]; ok {
		return m, r.failed[name]
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		if installed(name) {
			return elsewhere(name, ""), nil
		}
		return r.find(s, at, name)
	}
	above, err := r.module(s, at, name[:dot])
	parent, ok := above.(*Module)
	switch {
	case err != nil:
		return nil, err
	case ok && parent.Whole:
		return nil, raise("ModuleNotFoundError", "No module named '%s'", name)
	case !ok || parent.Missing != nil:
		return r.elsewhere(s, at, name)
	case !parent.pkg:
		return nil, raise("ModuleNotFoundError", "No module named '%s'; '%s' is not a package", name, parent.Name)
	}
	m, done := r.modules[name] // its parent may have loaded it
	if err = r.failed[name]; !done {
		var found any
		found, err = r.find(s, at, name)
		m, _ = found.(*Module)
	}
	if err != nil {
		return nil, err
	}
	parent.Names[name[dot+1:]] = m
	return m, nil
}

// find loads a module that is not loaded yet.
func (r *Interpreter) find(s *scope, at int, name string) (any, error) {
	file, pkg := r.host.Find(name)
	top, _, dotted := strings.Cut(name, ".")
	switch {
	case file == nil && !pkg && dotted:
		return nil, raise("ModuleNotFoundError", "No module named '%s'", name)
	case file == nil && !pkg:
		return r.elsewhere(s, at, name)
	case Hides(top):
		return nil, fmt.Errorf("module '%s' is in the repository and may be installed too, which Python would take; give it another name", top)
	case file == nil:
		m := &Module{Name: name, Names: map[string]any{"__name__": name, "__package__": name, "__doc__": nil, "__file__": nil}, pkg: true}
		r.modules[name] = m
		return m, nil
	}
	return r.load(file, name, pkg)
}

// Absolute returns the name from the root of a relative import in a package,
// which has a dot for each level.
func Absolute(name, pkg string) (string, error) {
	rest := strings.TrimLeft(name, ".")
	up := len(name) - len(rest)
	if up == 0 {
		return name, nil
	}
	if pkg == "" {
		return "", raise("ImportError", "attempted relative import with no known parent package")
	}
	parts := strings.Split(pkg, ".")
	if up > len(parts) {
		return "", raise("ImportError", "attempted relative import beyond top-level package")
	}
	parts = parts[:len(parts)-up+1]
	if rest != "" {
		parts = append(parts, rest)
	}
	return strings.Join(parts, "."), nil
}

// elsewhere returns a module that neither the reader nor the repository has. In a
// try whose handler catches the error of a missing module, an unknown module is
// assumed to be missing, and this is reported.
func (r *Interpreter) elsewhere(s *scope, at int, name string) (any, error) {
	switch {
	case r.guard == nil || !r.guard.missing || installed(name):
	case DefinesNothing(name):
		r.doubt(name + " is installed")
	default:
		r.passed(s, at, "module %s is not in the repository; the branch without it was taken", name)
		return nil, raise("ModuleNotFoundError", "No module named '%s'", name)
	}
	if s != nil && !strings.Contains(name, ".") && !DefinesNothing(name) {
		r.passed(s, at, "module %s is neither in the repository nor known to define nothing", name)
	}
	return elsewhere(name, ""), nil
}

// importNames is "from a import b".
func (r *Interpreter) importNames(s *scope, st *fromStmt) error {
	pkg, _ := s.top.names["__package__"].(string)
	base, err := Absolute(st.module, pkg)
	if err != nil {
		return s.locate(st.at, err)
	}
	from, err := r.module(s, st.at, base)
	if err != nil {
		return s.locate(st.at, err)
	}
	for _, n := range st.names {
		if n.name == "*" {
			if err := r.importAll(s, st, from); err != nil {
				return err
			}
			continue
		}
		v, err := r.importName(s, base, from, n)
		if err == nil {
			err = r.assign(s, n.as, v)
		}
		if err != nil {
			return s.locate(n.at, err)
		}
	}
	return nil
}

func (r *Interpreter) importName(s *scope, base string, from any, n imported) (any, error) {
	m, ok := from.(*Module)
	if !ok {
		v := elsewhere(base, n.name)
		r.perhaps(v)
		return v, nil
	}
	if v, ok := m.get(n.name); ok {
		r.perhaps(v)
		return v, nil
	}
	if _, dynamic := m.Names["__getattr__"]; dynamic {
		return nil, fmt.Errorf("__getattr__ of module '%s' is not read", base)
	}
	if m.pkg {
		full := base + "." + n.name
		if file, pkg := r.host.Find(full); file != nil || pkg {
			return r.module(s, n.at, full)
		}
	}
	return nil, raise("ImportError", "cannot import name '%s' from '%s'", n.name, base)
}

func (r *Interpreter) importAll(s *scope, st *fromStmt, from any) error {
	m, ok := from.(*Module)
	if !ok {
		if u, known := from.(*Unknown); !known || u.Trust == Untrusted {
			return s.file.fail(st.at, "what 'from %s import *' gives cannot be known without running Python; module '%s' is not in the repository", st.module, st.module)
		}
		r.passed(s, st.at, "what 'from %s import *' gives is not known", st.module)
		return nil
	}
	names := m.All
	if all, ok := m.Names["__all__"]; ok {
		items, err := r.items(all)
		if err != nil {
			return s.file.fail(st.at, "__all__ of module '%s' cannot be known without running Python; write it as a list of names", st.module)
		}
		names = nil
		for _, n := range items {
			names = append(names, Str(n))
		}
	}
	if names == nil {
		for _, n := range m.Dir() {
			if !strings.HasPrefix(n, "_") {
				names = append(names, n)
			}
		}
	}
	for _, n := range names {
		v, ok := m.get(n)
		if !ok {
			return s.locate(st.at, raise("AttributeError", "module '%s' has no attribute '%s'", m.Name, n))
		}
		if err := r.assign(s, n, v); err != nil {
			return s.locate(st.at, err)
		}
	}
	return nil
}
