package python

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

const (
	// maxCalls bounds the nesting of calls.
	maxCalls = 100
	// maxEval bounds the nesting of expressions during evaluation.
	maxEval = 4000
	// maxModules bounds the nesting of imports.
	maxModules = 50
)

// Host provides what is outside of the files.
type Host interface {
	// Module returns a module that the host provides, by its dotted name.
	Module(name string) (*Module, bool)
	// Find returns the file of a repository module by its name from the root, and
	// whether it is a package; for a package without a file the result is nil and
	// true.
	Find(name string) (file *File, pkg bool)
}

// Made is an object that a definer made, and its place.
type Made struct {
	Value any
	file  *File
	at    int
}

// Place is "file:line"; "" if the reader made the object.
func (m Made) Place() string {
	if m.file == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", m.file.Name, m.file.line(m.at))
}

// Fail makes an error that points at the place.
func (m Made) Fail(format string, args ...any) error {
	if m.file == nil {
		return fault.New(fault.Invalid, format, args...)
	}
	return m.file.fail(m.at, format, args...)
}

// Interpreter evaluates the files of one repository. It is not safe for
// concurrent use, and must be closed.
type Interpreter struct {
	host     Host
	builtins map[string]any
	standard map[string]*Module
	natives  map[string]any // names for the reader's own modules
	meter    *meter
	calls    int
	depth    int
	nested   int // depth of imports
	modules  map[string]*Module
	failed   map[string]error // errors of modules that failed
	passes   []string
	acted    string // a call that was passed over and may have written files
	made     []Made
	isMade   map[any]bool
	later    []func() error
	types    map[string]*Builtin // results of type() for types that have no other name here
	guard    *guard
	open     []*generator // started and not ended
}

// New makes an Interpreter. When ctx ends, so does whatever it is doing, with the
// error of ctx.
func New(ctx context.Context, host Host) *Interpreter {
	r := &Interpreter{
		host: host, meter: newMeter(ctx),
		modules: map[string]*Module{}, failed: map[string]error{}, isMade: map[any]bool{}, types: map[string]*Builtin{},
	}
	r.builtins = r.makeBuiltins()
	r.natives = makeNatives()
	r.standard = r.makeStandard()
	return r
}

// Passed lists what was passed over, and where.
func (r *Interpreter) Passed() []string { return r.passes }

// Acted names a call that was passed over and may have written files; "" if there
// is none.
func (r *Interpreter) Acted() string { return r.acted }

// Act records a call that may have written files.
func (r *Interpreter) Act(what string) { r.acted = what }

// Failed returns the error that ended a module.
func (r *Interpreter) Failed(name string) error { return r.failed[name] }

// Made lists what definers made, in order.
func (r *Interpreter) Made() []Made { return r.made }

// Finish runs the functions that waited for all files to be read.
func (r *Interpreter) Finish() error {
	for _, f := range r.later {
		if err := f(); err != nil {
			return err
		}
	}
	r.later = nil
	return nil
}

// scope is a namespace: a module, a function, a class body or a comprehension.
type scope struct {
	names map[string]any
	outer *scope
	top   *scope // scope of the module
	file  *File
	kind  scopeKind
	order []string   // names in binding order
	binds *binding   // bindings of a function or class body
	gen   *generator // generator with this body
	// caller is the call in the repository that led to a function of the reader.
	caller *Call
	// function and self are used by super().
	function *Function
	self     any
	owner    *Class // class of a class body
	handling error  // the exception handled by the current except clause
}

type scopeKind uint8

const (
	scopeModule scopeKind = iota
	scopeFunction
	scopeClass
	scopeComprehension
)

// inner makes a scope within another.
func (s *scope) inner(kind scopeKind, file *File) *scope {
	return &scope{names: map[string]any{}, outer: s, top: s.top, file: file, kind: kind}
}

// holder is the scope in which := binds: never a comprehension's.
func (s *scope) holder() *scope {
	for s.kind == scopeComprehension {
		s = s.outer
	}
	return s
}

// Dir lists the names of a module, sorted as Python's dir does.
func (m *Module) Dir() []string {
	return slices.Sorted(maps.Keys(m.Names))
}

// get returns a name of a module.
func (m *Module) get(name string) (v any, ok bool) {
	if v, ok = m.Names[name]; !ok && m.Missing != nil {
		v = m.Missing(name)
	}
	return v, ok || v != nil
}

// Load evaluates a file as a module of the given name, once.
func (r *Interpreter) Load(file *File, name string) (*Module, error) {
	if m, ok := r.modules[name]; ok {
		return m, r.failed[name]
	}
	return r.load(file, name, false)
}

// load evaluates a file. If an error ends it, the module still holds what was
// bound.
func (r *Interpreter) load(file *File, name string, pkg bool) (*Module, error) {
	if r.nested >= maxModules {
		return nil, file.fail(0, "imports are nested too deep")
	}
	body, err := parse(file)
	if err != nil {
		return nil, err
	}
	within := name
	if !pkg {
		within = name[:max(strings.LastIndexByte(name, '.'), 0)]
	}
	m := &Module{Name: name, pkg: pkg, Names: map[string]any{
		"__name__": name, "__file__": file.Path, "__doc__": docText(body), "__package__": within, "__builtins__": &Unknown{Why: "__builtins__", Trust: Inert},
	}}
	r.modules[name] = m
	s := &scope{names: m.Names, file: file}
	s.top = s
	end := r.meter.file()
	depth, outerGuard, calls := r.depth, r.guard, r.calls
	r.depth, r.guard, r.calls = 0, nil, 0
	r.nested++
	sig, err := r.run(s, body)
	if err == nil && r.nested == 1 {
		err = r.unfinished()
	}
	end()
	r.depth, r.guard, r.calls = depth, outerGuard, calls
	r.nested--
	if err == nil && sig.kind != flowNext {
		err = file.fail(0, "%s outside of a loop or function", sig.kind)
	}
	if err != nil {
		r.failed[name] = err
	}
	return m, err
}

// docText is the docstring of a body; nil if it has none.
func docText(body []stmt) any {
	if len(body) == 0 {
		return nil
	}
	if e, ok := body[0].(*exprStmt); ok {
		if c, ok := e.value.(*constExpr); ok {
			if s, ok := c.value.(string); ok {
				return s
			}
		}
	}
	return nil
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

// locate adds a place to an error, unless it has one or there is no scope.
func (s *scope) locate(at int, err error) error {
	if err == nil || s == nil || s.file.own {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err // no fault of the file
	}
	var f *fault.Error // declared after the return above, since it costs an allocation
	if errors.As(err, &f) && f.Object.Kind != "" {
		return err
	}
	return s.file.fail(at, "%s", err).Because(err)
}

// passed records what was passed over; calls from the reader's own functions,
// such as the key of a sort, have no place of their own.
func (r *Interpreter) passed(s *scope, at int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s != nil {
		text = fmt.Sprintf("%s:%d: %s", s.file.Name, s.file.line(at), text)
	}
	if !slices.Contains(r.passes, text) && len(r.passes) < 1000 {
		r.passes = append(r.passes, text)
	}
}
