package python

import (
	"errors"
	"fmt"

	"github.com/banquet-fs/banquet/fault"
)

// maxSteps bounds the work of reading one repository: a loop without an end
// ends here.
const maxSteps = 5_000_000

// maxCalls bounds the nesting of calls.
const maxCalls = 100

// Host gives a reader what lies outside the files.
type Host interface {
	// Module gives a module that the host provides, by its dotted name.
	Module(name string) (*Module, bool)
	// Find gives the file of a module of the repository, as a file imports it.
	Find(name string, from *File) (*File, bool)
}

// Interpreter evaluates the files of one repository.
type Interpreter struct {
	host    Host
	steps   int
	calls   int
	modules map[string]*Module
	notes   []string
}

// New makes an Interpreter.
func New(host Host) *Interpreter {
	return &Interpreter{host: host, modules: map[string]*Module{}}
}

// Notes lists what was passed over, and where.
func (r *Interpreter) Notes() []string { return r.notes }

// scope is where names are looked up.
type scope struct {
	names  map[string]any
	outer  *scope
	module *Module
	file   *File
}

func (s *scope) set(name string, v any) {
	if s.outer == nil && s.module != nil {
		if _, ok := s.module.Names[name]; !ok {
			s.module.order = append(s.module.order, name)
		}
	}
	s.names[name] = v
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.names[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// Names lists the module's names in the order in which they were first bound.
func (m *Module) Order() []string { return m.order }

// Load evaluates a file as a module of the given name, once.
func (r *Interpreter) Load(file *File, name string) (*Module, error) {
	if m, ok := r.modules[file.Name]; ok {
		return m, nil
	}
	body, err := parse(file)
	if err != nil {
		return nil, err
	}
	m := &Module{Name: name, Names: map[string]any{"__name__": name, "__file__": file.Name, "__doc__": nil}}
	r.modules[file.Name] = m
	s := &scope{names: m.Names, module: m, file: file}
	sig, err := r.run(s, body)
	if err == nil && sig.kind != flowNext {
		err = file.fail(0, "%s outside of a loop or function", sig.kind)
	}
	return m, err
}

// Parses reports whether a file can be parsed, and why not.
func Parses(file *File) error {
	_, err := parse(file)
	return err
}

// flow says how a statement ended.
type flow uint8

const (
	flowNext flow = iota
	flowBreak
	flowContinue
	flowReturn
)

func (f flow) String() string { return [...]string{"", "break", "continue", "return"}[f] }

type signal struct {
	kind  flow
	value any
}

// errLimit ends a file that does too much.
var errLimit = errors.New("limit")

func (r *Interpreter) step(s *scope, at int) error {
	if r.steps++; r.steps > maxSteps {
		return errors.Join(errLimit, s.file.fail(at, "this file does too much work to be read as definitions; does a loop ever end?"))
	}
	return nil
}

// locate gives an error a place unless it has one.
func (s *scope) locate(at int, err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) || errors.Is(err, errLimit) {
		return err
	}
	return s.file.fail(at, "%s", err)
}

// run executes statements until one leaves.
func (r *Interpreter) run(s *scope, body []stmt) (signal, error) {
	for _, st := range body {
		if err := r.step(s, st.pos()); err != nil {
			return signal{}, err
		}
		sig, err := r.execute(s, st)
		if err != nil || sig.kind != flowNext {
			return sig, s.locate(st.pos(), err)
		}
	}
	return signal{}, nil
}

func (r *Interpreter) execute(s *scope, st stmt) (signal, error) {
	switch st := st.(type) {
	case *exprStmt:
		_, err := r.eval(s, st.value)
		return signal{}, err
	case *assignStmt:
		v, err := r.eval(s, st.value)
		if err != nil {
			return signal{}, err
		}
		for _, t := range st.targets {
			if err := r.bind(s, t, v); err != nil {
				return signal{}, err
			}
		}
		return signal{}, nil
	case *augmentStmt:
		return signal{}, r.augment(s, st)
	case *importStmt:
		return signal{}, r.importModule(s, st)
	case *fromStmt:
		return signal{}, r.importNames(s, st)
	case *funcStmt:
		return signal{}, r.define(s, st)
	case *classStmt:
		return signal{}, r.class(s, st)
	case *returnStmt:
		v, err := r.evalOr(s, st.value, nil)
		return signal{flowReturn, v}, err
	case *raiseStmt:
		return signal{}, r.raise(s, st)
	case *jumpStmt:
		return signal{kind: map[string]flow{"break": flowBreak, "continue": flowContinue}[st.word]}, nil
	case *ignoredStmt:
		return signal{}, nil
	}
	return r.compound(s, st)
}

func (r *Interpreter) raise(s *scope, st *raiseStmt) error {
	v, err := r.evalOr(s, st.value, nil)
	if err != nil {
		return err
	}
	return s.file.fail(st.at, "the file raises %s", Str(v))
}

func (r *Interpreter) compound(s *scope, st stmt) (signal, error) {
	switch st := st.(type) {
	case *ifStmt:
		v, err := r.eval(s, st.cond)
		if err != nil {
			return signal{}, err
		}
		yes, known := truth(v)
		switch {
		case !known:
			return signal{}, r.passOver(s, st, "condition", v, append(append([]stmt{}, st.then...), st.otherwise...))
		case yes:
			return r.run(s, st.then)
		}
		return r.run(s, st.otherwise)
	case *forStmt:
		return r.loop(s, st)
	case *whileStmt:
		return r.while(s, st)
	case *tryStmt:
		return r.try(s, st)
	case *withStmt:
		for i, v := range st.values {
			opened, err := r.eval(s, v)
			if err != nil {
				return signal{}, err
			}
			if st.targets[i] != nil {
				if err := r.bind(s, st.targets[i], &Unknown{Why: "what a with statement gives for " + Str(opened)}); err != nil {
					return signal{}, err
				}
			}
		}
		return r.run(s, st.body)
	}
	return signal{}, fmt.Errorf("this statement cannot be read")
}

// passOver leaves out a block that depends on something Unknown. That is an
// error when a definition may stand in it: it would silently be missing.
func (r *Interpreter) passOver(s *scope, st stmt, what string, v any, body []stmt) error {
	why := ""
	if u, ok := v.(*Unknown); ok {
		why = u.Why
	}
	if mentionsDefiner(s, body) {
		return s.file.fail(st.pos(), "this %s cannot be known without running Python (%s), and definitions depend on it; write them without it", what, why)
	}
	r.note(s, st.pos(), "a block was passed over: its "+what+" depends on "+why)
	return nil
}

func (r *Interpreter) note(s *scope, at int, text string) {
	line := 1
	for i := 0; i < at && i < len(s.file.Source); i++ {
		if s.file.Source[i] == '\n' {
			line++
		}
	}
	r.notes = append(r.notes, fmt.Sprintf("%s:%d: %s", s.file.Name, line, text))
}

func (r *Interpreter) loop(s *scope, st *forStmt) (signal, error) {
	v, err := r.eval(s, st.source)
	if err != nil {
		return signal{}, err
	}
	if u, ok := v.(*Unknown); ok {
		return signal{}, r.passOver(s, st, "loop", u, st.body)
	}
	items, ok := Items(v)
	if !ok {
		return signal{}, s.file.fail(st.source.pos(), "a %s cannot be iterated over", TypeName(v))
	}
	for _, item := range items {
		if err := r.step(s, st.at); err != nil {
			return signal{}, err
		}
		if err := r.bind(s, st.target, item); err != nil {
			return signal{}, err
		}
		sig, err := r.run(s, st.body)
		if err != nil || sig.kind == flowReturn {
			return sig, err
		}
		if sig.kind == flowBreak {
			return signal{}, nil
		}
	}
	return r.run(s, st.otherwise)
}

func (r *Interpreter) while(s *scope, st *whileStmt) (signal, error) {
	for {
		if err := r.step(s, st.at); err != nil {
			return signal{}, err
		}
		v, err := r.eval(s, st.cond)
		if err != nil {
			return signal{}, err
		}
		yes, known := truth(v)
		if !known {
			return signal{}, r.passOver(s, st, "condition", v, st.body)
		}
		if !yes {
			return r.run(s, st.otherwise)
		}
		sig, err := r.run(s, st.body)
		if err != nil || sig.kind == flowReturn {
			return sig, err
		}
		if sig.kind == flowBreak {
			return signal{}, nil
		}
	}
}

func (r *Interpreter) try(s *scope, st *tryStmt) (signal, error) {
	sig, err := r.run(s, st.body)
	switch {
	case err != nil && !errors.Is(err, errLimit) && len(st.handlers) > 0:
		h := st.handlers[0]
		if h.as != "" {
			s.set(h.as, &Unknown{Why: "an exception"})
		}
		sig, err = r.run(s, h.body)
	case err == nil && sig.kind == flowNext:
		sig, err = r.run(s, st.orElse)
	}
	if last, ferr := r.run(s, st.finally); ferr != nil || last.kind != flowNext {
		return last, ferr
	}
	return sig, err
}

// mentionsDefiner reports whether a function that makes definitions is named
// somewhere in the statements.
func mentionsDefiner(s *scope, body []stmt) bool {
	found := false
	walk(body, func(n string) {
		if v, ok := s.get(n); ok {
			b, isBuiltin := v.(*Builtin)
			_, isFunction := v.(*Function)
			found = found || isBuiltin && b.Definer || isFunction && functionDefines(v.(*Function))
		}
	})
	return found
}

// functionDefines looks into a function of the file, one level deep.
func functionDefines(f *Function) bool {
	found := false
	walk(f.body, func(n string) {
		if v, ok := f.scope.get(n); ok {
			b, isBuiltin := v.(*Builtin)
			found = found || isBuiltin && b.Definer
		}
	})
	return found
}
