package python

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// maxOpen bounds the generators that have started and not ended.
const maxOpen = 4000

// errStopped ends a generator that is no longer used: none of its code runs.
var errStopped = errors.New("this generator is not asked any more")

// generator is a call of a function that yields. Its body is suspended between
// the items.
type generator struct {
	run           *Interpreter
	it            *Iterator
	name          string
	next          func() (any, bool)
	stop          func()
	yield         func(any) bool
	send          any   // the result of the yield at which the body is suspended,
	thrown        error // or the exception that it raises
	err           error
	own           bool // a generator of the reader, which its callees may end
	started       bool
	running, done bool
	calls, depth  int // of the caller
	guards        int // try and with blocks around the suspended body
}

// generate makes the generator for a function call.
func (r *Interpreter) generate(s *scope, f *Function) *Iterator {
	g := &generator{run: r, name: f.Name}
	g.it = &Iterator{kind: "generator", gen: g, next: func() (any, bool, error) { return g.resume(nil, nil) }}
	s.gen = g
	if s.file.own { // in Python its result is not a generator
		g.own, g.it.gen, g.it.kind = true, nil, f.Name[1:]
		if m := s.top.names["__name__"]; m == "itertools" {
			g.it.kind = "itertools." + f.Name[1:]
		}
	}
	g.next, g.stop = iter.Pull(func(yield func(any) bool) {
		g.yield = yield
		sig, err := r.run(s, f.body)
		g.it.result, g.err = sig.value, err
	})
	return g.it
}

// resume continues the body to its next yield; it returns false at the end.
func (g *generator) resume(send any, thrown error) (any, bool, error) {
	r := g.run
	switch {
	case g.running:
		return nil, false, raise("ValueError", "generator already executing")
	case !g.started && !g.done && send != nil:
		return nil, false, raise("TypeError", "can't send non-None value to a just-started generator")
	case g.done || !g.started && thrown != nil:
		g.done, g.it.result = true, nil
		return nil, false, thrown
	case r.calls >= maxCalls:
		return nil, false, fmt.Errorf("calls are nested too deep")
	}
	if err := g.begin(); err != nil {
		return nil, false, err
	}
	calls, depth, guard := r.calls, r.depth, r.guard
	g.calls, g.depth, r.calls, r.guard = calls, depth, calls+1, nil
	g.running, g.send, g.thrown = true, send, thrown
	v, more := g.next()
	g.running = false
	r.calls, r.depth, r.guard = calls, depth, guard
	if more {
		return v, true, nil
	}
	g.done = true
	if i := slices.Index(r.open, g); i >= 0 {
		r.open = slices.Delete(r.open, i, i+1)
	}
	if e := exception(g.err); e != nil && r.isStop(e) {
		if g.own {
			return nil, false, nil
		}
		return nil, false, raise("RuntimeError", "generator raised StopIteration")
	}
	return nil, false, g.err
}

// begin puts a generator among the open ones when it is asked for the first time.
func (g *generator) begin() error {
	if g.started {
		return nil
	}
	if len(g.run.open) >= maxOpen {
		return fmt.Errorf("more than %d generators are begun and not ended, which is not read; make lists of them", maxOpen)
	}
	g.run.open, g.started = append(g.run.open, g), true
	return nil
}

// given is the result of send and throw: the end is an exception.
func (g *generator) given(v any, ok bool, err error) (any, error) {
	if !ok && err == nil {
		err = g.run.stopIteration(g.it.result)
	}
	return v, err
}

// hand passes a value to the caller and waits until the next one is requested.
func (g *generator) hand(v any) (any, error) {
	r := g.run
	calls, depth := r.calls-g.calls, r.depth-g.depth
	if !g.yield(v) {
		return nil, errStopped
	}
	r.calls, r.depth = g.calls+calls, g.depth+depth
	return g.send, g.thrown
}

// close ends the body at its current yield.
func (g *generator) close() error {
	if !g.started || g.done {
		g.done = true
		return nil
	}
	_, more, err := g.resume(nil, raise("GeneratorExit", "the generator is closed"))
	switch {
	case more:
		return raise("RuntimeError", "generator ignored GeneratorExit")
	case ExceptionClass(err) == "GeneratorExit":
		return nil
	}
	return err
}

// yieldFrom forwards the items of a value, and sends back what it receives.
func (g *generator) yieldFrom(v any) (any, error) {
	it, err := g.run.iterate(v)
	var send any
	var thrown error
	for err == nil {
		var item any
		var more bool
		if item, more, err = it.ask(send, thrown); err != nil || !more {
			return it.result, err
		}
		if err = g.run.charge(1); err == nil {
			send, thrown = g.hand(item)
		}
	}
	return nil, err
}

// ask returns the next item of an iterator, after sending it a value or throwing
// an exception into it.
func (it *Iterator) ask(send any, thrown error) (any, bool, error) {
	switch {
	case thrown != nil && (it.gen == nil || exception(thrown) == nil):
		return nil, false, thrown
	case ExceptionClass(thrown) == "GeneratorExit":
		if err := it.gen.close(); err != nil {
			return nil, false, err
		}
		return nil, false, thrown
	case it.gen != nil:
		return it.gen.resume(send, thrown)
	case send != nil:
		return nil, false, fmt.Errorf("sending to 'yield from' of a %s is not read", it.kind)
	}
	return it.next()
}

// guarded marks a block that must run code when a generator leaves it; the result
// removes the mark.
func (s *scope) guarded() func() {
	g := s.gen
	if g == nil {
		return func() {}
	}
	g.guards++
	return func() { g.guards-- }
}

// unfinished refuses generators that are left unfinished inside such a block.
func (r *Interpreter) unfinished() error {
	for _, g := range r.open {
		if g.guards > 0 {
			return fmt.Errorf("generator %s() is left unfinished within a try or with, which is not read; take all of its items or close() it", g.name)
		}
	}
	return nil
}

// Close ends all open generators. None of their code runs.
func (r *Interpreter) Close() {
	for _, g := range r.open {
		g.done = true
		g.stop()
	}
	r.open = nil
}
