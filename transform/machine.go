package transform

import (
	"context"
	"errors"
)

// code computes an expression.
type code func(m *machine) (val, error)

// flow says how a statement ended.
type flow uint8

const (
	next flow = iota
	returned
	broken
	continued
)

// action executes a statement.
type action func(m *machine) (flow, error)

// machine is the state of one run.
type machine struct {
	mem    arena
	vars   []val
	base   int // of the current function's variables
	result val // of the last return
	ctx    context.Context
	steps  int
	budget int // of steps
	limit  int // of memory
	calls  int // nesting
	frames []frameOf
	frame  int // the number of the last frame
	args   []*args
	depth  int // of calls in m.args
	rows   int
	inputs *frame
	// wholeType is the type in which pandas gives the values of a row of all inputs.
	wholeType dtype
	text      []byte              // scratch of f-strings
	patterns  map[string]*pattern // of former calls
}

const (
	// stepsPerRun and stepsPerRow bound the work of a run.
	stepsPerRun = 1 << 18
	stepsPerRow = 1 << 12
	// bytesPerRun and bytesPerRow bound its memory.
	bytesPerRun = 64 << 20
	bytesPerRow = 8 << 10
	// maxCalls bounds the nesting of calls.
	maxCalls = 50
)

// step counts one more step of a loop or call.
func (m *machine) step() error {
	m.steps++
	if m.steps > m.budget {
		return &failure{text: "the function does not end within its bound of steps", data: true}
	}
	if m.mem.used > m.limit {
		return errMemory
	}
	if m.steps&1023 == 0 {
		return m.ctx.Err()
	}
	return nil
}

// grow counts the memory of a new value.
func (m *machine) grow(v val) error {
	m.mem.used += len(v.s)
	if v.k == kList || v.k == kTuple || v.k == kSet {
		m.mem.used += 64 * len(v.ref.(*list).items)
	}
	if m.mem.used > m.limit {
		return errMemory
	}
	if len(v.s) > maxText {
		return tooMuch("the text is longer than %d bytes", maxText)
	}
	return nil
}

// take returns memory for n values.
func (m *machine) take(n int) []val {
	m.mem.used += 64 * n
	return m.mem.vals.take(n)
}

var errMemory = &failure{text: "the function needs more memory than its bound", data: true}

// args are the arguments of a call.
type args struct {
	pos   []val
	names []string
	named []val
}

// get is the argument at position i or with a name.
func (a *args) get(i int, name string) (val, bool) {
	if i >= 0 && i < len(a.pos) {
		return a.pos[i], true
	}
	for j, n := range a.names {
		if n == name {
			return a.named[j], true
		}
	}
	return val{}, false
}

// known refuses arguments beyond those named; fixed is how many may be given
// without a name.
func (a *args) known(fn string, fixed int, names ...string) error {
	if len(a.pos) > fixed {
		return &failure{class: "TypeError", text: fn + " takes fewer arguments, or they are not supported here", outside: true}
	}
	for _, n := range a.names {
		found := false
		for _, k := range names {
			found = found || n == k
		}
		if !found {
			return outside("argument %s of %s is not supported", n, fn)
		}
	}
	return nil
}

// place adds the place to an error that has none.
func place(err error, at int) error {
	var f *failure
	if !errors.As(err, &f) || f.at > 0 {
		return err
	}
	placed := *f
	placed.at = at + 1
	return &placed
}

func run(m *machine, body []action) (flow, error) {
	for _, a := range body {
		if f, err := a(m); f != next || err != nil {
			return f, err
		}
	}
	return next, nil
}

// enter counts one more call and its nesting; the caller ends it by m.calls--.
func (m *machine) enter() error {
	if err := m.step(); err != nil {
		return err
	}
	if m.calls >= maxCalls {
		return outside("calls are nested too deep")
	}
	m.calls++
	return nil
}

// function is a function of the text.
type function struct {
	name   string
	params []param
	slots  int
	body   []action
}

type param struct {
	name     string
	slot     int
	fallback code
}

// bind gives the parameters of a function their values.
func (m *machine) bind(name string, params []param, a *args, base int) error {
	if len(a.pos) > len(params) {
		return typeError("%s() takes %d positional arguments but %d were given", name, len(params), len(a.pos))
	}
	given := len(a.pos)
	for i, p := range params {
		v, ok := a.get(i, p.name)
		switch {
		case ok && i >= len(a.pos):
			given++
		case !ok && p.fallback == nil:
			return typeError("%s() missing a required argument: '%s'", name, p.name)
		case !ok:
			var err error
			if v, err = p.fallback(m); err != nil {
				return err
			}
		}
		m.vars[base+p.slot] = v
	}
	if given < len(a.pos)+len(a.names) {
		return typeError("%s() got an argument that it does not have, or has twice", name)
	}
	return nil
}

// call calls a function of the text.
func (m *machine) call(f *function, a *args) (val, error) {
	if err := m.enter(); err != nil {
		return val{}, err
	}
	defer func() { m.calls-- }()
	base := len(m.vars)
	for range f.slots {
		m.vars = append(m.vars, val{k: kUnset})
	}
	m.push(nil, base)
	defer func(old int) { m.vars, m.base = m.vars[:base], old; m.pop() }(m.base)
	if err := m.bind(f.name, f.params, a, base); err != nil {
		return val{}, err
	}
	m.base, m.result = base, val{}
	_, err := run(m, f.body)
	out := m.result
	m.result = val{}
	return out, err
}

// native is a function of a module or of Python.
type native struct {
	name string
	fn   func(m *machine, a *args) (val, error)
}
