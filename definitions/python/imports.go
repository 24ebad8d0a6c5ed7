package python

import (
	"strings"
)

// importModule is "import a.b" and "import a.b as c".
func (r *Interpreter) importModule(s *scope, st *importStmt) error {
	m, err := r.module(s, st.at, st.module)
	if err != nil {
		return s.locate(st.at, err)
	}
	first, _, dotted := strings.Cut(st.module, ".")
	if !st.whole || !dotted {
		s.set(st.as, m)
		return nil
	}
	whole, err := r.module(s, st.at, first)
	if err != nil {
		return s.locate(st.at, err)
	}
	mod, ok := whole.(*Module)
	if _, known := m.(*Module); !known || ok && mod.Missing != nil {
		s.set(st.as, whole)
		return nil
	}
	if !ok { // a directory of the repository without a file of its own
		mod, ok = s.names[st.as].(*Module)
		if !ok {
			mod = &Module{Name: first, Names: map[string]any{}}
		}
	}
	nest(mod, strings.Split(st.module, ".")[1:], m)
	s.set(st.as, mod)
	return nil
}

// nest makes a.b.c reachable through module a.
func nest(m *Module, path []string, leaf any) {
	for i, part := range path {
		if i == len(path)-1 {
			m.Names[part] = leaf
			return
		}
		next, ok := m.Names[part].(*Module)
		if !ok {
			next = &Module{Name: part, Names: map[string]any{}}
			m.Names[part] = next
		}
		m = next
	}
}

// module finds a module: of the host, of the repository, else Unknown.
func (r *Interpreter) module(s *scope, at int, name string) (any, error) {
	if m, ok := r.known(name); ok {
		return m, nil
	}
	if f, ok := r.host.Find(name, s.file); ok {
		return r.Load(f, strings.TrimLeft(name, "."))
	}
	return r.elsewhere(s, at, name)
}

// elsewhere gives a module that neither the reader nor the repository has. In a
// try whose handler takes the error of a missing module, one that is not known is
// taken to be missing, and this is told.
func (r *Interpreter) elsewhere(s *scope, at int, name string) (any, error) {
	switch {
	case r.guard == nil || !r.guard.missing || installed(name):
	case DefinesNothing(name):
		r.doubt(name + " is installed")
	default:
		r.passed(s, at, "module %s is not in the repository; the branch without it was taken", name)
		return nil, raise("ModuleNotFoundError", "No module named '%s'", name)
	}
	return elsewhere(name, ""), nil
}

// importNames is "from a import b".
func (r *Interpreter) importNames(s *scope, st *fromStmt) error {
	from, err := r.module(s, st.at, st.module)
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
		v, err := r.importName(s, st, from, n)
		if err != nil {
			return err
		}
		if err := r.assign(s, n.as, v); err != nil {
			return s.locate(n.at, err)
		}
	}
	return nil
}

func (r *Interpreter) importName(s *scope, st *fromStmt, from any, n imported) (any, error) {
	m, isModule := from.(*Module)
	if isModule {
		if v, ok := m.Names[n.name]; ok {
			return v, nil
		}
		if m.Missing != nil {
			return m.Missing(n.name), nil
		}
	}
	full := st.module + "." + n.name
	if strings.HasSuffix(st.module, ".") {
		full = st.module + n.name
	}
	sub, err := r.module(s, n.at, full)
	if err != nil {
		return nil, s.locate(n.at, err)
	}
	if _, unknown := sub.(*Unknown); !unknown {
		return sub, nil
	}
	if isModule || strings.HasPrefix(st.module, ".") {
		return nil, s.locate(n.at, raise("ImportError", "cannot import name '%s' from '%s'", n.name, st.module))
	}
	return elsewhere(st.module, n.name), nil
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
		items, ok := Items(all)
		if !ok {
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
		v, ok := m.Names[n]
		if !ok && m.Missing != nil {
			v, ok = m.Missing(n), true
		}
		if ok {
			s.set(n, v)
		}
	}
	return nil
}
