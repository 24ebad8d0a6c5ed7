package python

import (
	"context"
	"errors"
)

const (
	// maxSteps bounds the work of reading one file. A step is about the time of one
	// small operation: an expression, an item of an iteration, 64 bytes of a text.
	maxSteps = 3_000_000
	// maxHeld bounds the values that the reading of one file makes, in bytes, and
	// maxTotal those of all files. What is no longer used counts, too.
	maxHeld  = 80 << 20
	maxTotal = 512 << 20
	// watched is the number of steps between two looks at the context.
	watched = 2000

	// The memory of an item of a list, of an entry of a dict, and of objects, in
	// bytes.
	itemSize     = 32
	entrySize    = 128
	instanceSize = 256
	madeSize     = 640 // what a definer makes
	functionSize = 512
	iteratorSize = 512
	largeText    = 1 << 16
	classSize    = 2048
)

var (
	errWork   = errors.New("this file does too much work to be read as definitions; does a loop ever end?")
	errMemory = errors.New("this file makes too many values, or too large ones, to be read as definitions; does a loop ever end?")
)

// meter counts the work and the memory of reading a file, and watches the context
// that may stop it. All operations count here: work is counted before it is done,
// values when they are made. A nil meter counts nothing: it is that of the values
// a host makes, until the interpreter sees them.
type meter struct {
	ctx            context.Context
	most, mostHeld int // for each file
	steps, bytes   int // remaining for the current file
	total          int // remaining bytes for all files
	watch          int // steps until the context is looked at
}

func newMeter(ctx context.Context) *meter {
	return &meter{ctx: ctx, most: maxSteps, mostHeld: maxHeld, steps: maxSteps, bytes: maxHeld, total: maxTotal}
}

// file begins the reading of a file. The result returns to the file around it.
func (m *meter) file() (end func()) {
	steps, bytes := m.steps, m.bytes
	m.steps, m.bytes = m.most, m.mostHeld
	return func() { m.steps, m.bytes = steps, bytes }
}

// step counts work. After the last step, or the end of the context, it always
// fails.
func (m *meter) step(n int) error {
	if m == nil {
		return nil
	}
	n = max(n, 1)
	if m.watch -= n; m.watch < 0 {
		m.watch = watched
		if err := m.ctx.Err(); err != nil {
			m.watch = 0
			return err
		}
	}
	if m.steps -= n; m.steps < 0 {
		m.steps = 0
		return errWork
	}
	return nil
}

// take counts memory.
func (m *meter) take(bytes int) error {
	if m == nil {
		return nil
	}
	m.bytes -= bytes
	m.total -= bytes
	if m.bytes < 0 || m.total < 0 {
		return errMemory
	}
	return nil
}

// hold counts the memory of a value that an operation has made. A list, a dict
// or a set is counted once, and again for what it has grown by.
func (m *meter) hold(v any) error {
	n := 0
	switch v := v.(type) {
	case nil, bool, int64, float64, *Builtin, *Function, *Class, *Unknown, *Module:
	case string:
		if n = len(v); n > largeText {
			n *= 2 // parts of it, which are left behind
		}
	case Bytes:
		n = len(v)
	case Tuple:
		n = len(v) * itemSize
	case *List:
		if grown := cap(v.Items) - v.held; grown > 0 {
			v.held += grown
			n = grown * itemSize
		}
	case *Dict:
		return v.adopt(m)
	case *Set:
		return v.dict.adopt(m)
	case *Instance:
		return v.own.adopt(m)
	}
	if n == 0 {
		return nil
	}
	return m.take(n)
}

// adopt makes a dict count its growth, and counts what it has.
func (d *Dict) adopt(m *meter) error {
	d.meter = m
	return d.grown()
}

// grown counts the entries that are not yet counted.
func (d *Dict) grown() error {
	n := len(d.keys) - d.held
	if n <= 0 {
		return nil
	}
	d.held = len(d.keys)
	return d.meter.take(n * entrySize)
}

// newDict makes an empty dict.
func (r *Interpreter) newDict() *Dict { return &Dict{meter: r.meter} }

// newSet makes a set of items.
func newSet(m *meter, items []any) (*Set, error) {
	s := &Set{dict: Dict{meter: m}}
	for _, v := range items {
		if err := s.add(v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// copyDict copies a dict.
func (r *Interpreter) copyDict(d *Dict) (*Dict, error) {
	if err := r.charge(2 * d.Len()); err != nil {
		return nil, err
	}
	return d.Clone(), nil
}

// copySet copies a set.
func (r *Interpreter) copySet(s *Set) (*Set, error) {
	d, err := r.copyDict(&s.dict)
	if err != nil {
		return nil, err
	}
	return &Set{dict: *d, Frozen: s.Frozen}, nil
}

// NewDict makes an empty dict.
func (c *Call) NewDict() *Dict { return c.run.newDict() }

// Keep counts memory, in bytes.
func (c *Call) Keep(bytes int) error { return c.run.meter.take(bytes) }

// Stopped reports whether an error is the end of the work, the memory or the time that
// reading a file may take.
func Stopped(err error) bool {
	return errors.Is(err, errWork) || errors.Is(err, errMemory) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// charge counts work.
func (r *Interpreter) charge(n int) error { return r.meter.step(n) }

// weigh counts the work of reading values once.
func (r *Interpreter) weigh(values ...any) error {
	n := 0
	for _, v := range values {
		n += weight(v)
	}
	if n == 0 {
		return nil
	}
	return r.charge(n)
}

// weight is the work of reading a value once, in steps.
func weight(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) / 64
	case Bytes:
		return len(v) / 64
	case Range:
		return 0
	case sized:
		return v.Len() / 4
	case *Instance:
		return len(v.tuple) / 4
	}
	return 0
}
