package python

import (
	"strings"
)

// importModule is "import a.b" and "import a.b as c".
func (r *Interpreter) importModule(s *scope, st *importStmt) error {
	m, err := r.module(s, st.module)
	if err != nil {
		return s.locate(st.at, err)
	}
	r.foreign(m, st.module)
	top, _, dotted := strings.Cut(st.module, ".")
	if !st.whole || !dotted {
		s.set(st.as, m)
		return nil
	}
	whole, err := r.module(s, top)
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
			mod = &Module{Name: top, Names: map[string]any{}}
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
func (r *Interpreter) module(s *scope, name string) (any, error) {
	if m, ok := r.known(name); ok {
		return m, nil
	}
	if f, ok := r.host.Find(name, s.file); ok {
		return r.Load(f, strings.TrimLeft(name, "."))
	}
	return &Unknown{Why: name}, nil
}

// foreign notes that a module of elsewhere is imported: it may be missing.
func (r *Interpreter) foreign(v any, name string) {
	if _, ok := v.(*Unknown); ok && r.guard != nil && r.guard.module == "" {
		r.guard.module = name
	}
}

// importNames is "from a import b".
func (r *Interpreter) importNames(s *scope, st *fromStmt) error {
	from, err := r.module(s, st.module)
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
		r.foreign(v, st.module)
		s.set(n.as, v)
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
	sub, err := r.module(s, full)
	if err != nil {
		return nil, s.locate(n.at, err)
	}
	if _, unknown := sub.(*Unknown); !unknown {
		return sub, nil
	}
	if isModule || strings.HasPrefix(st.module, ".") {
		return nil, s.locate(n.at, raise("ImportError", "cannot import name '%s' from '%s'", n.name, st.module))
	}
	return &Unknown{Why: st.module + "." + n.name}, nil
}

func (r *Interpreter) importAll(s *scope, st *fromStmt, from any) error {
	m, ok := from.(*Module)
	if !ok {
		r.foreign(from, st.module)
		r.note(s, st.at, "what 'from %s import *' gives is not known", st.module)
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
