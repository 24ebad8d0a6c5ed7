package python

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// maxOpen bounds the generators that have begun and not ended.
const maxOpen = 4000

// errStopped ends a generator that nothing asks any more: none of its code
// runs.
var errStopped = errors.New("this generator is not asked any more")

// generator is a call of a function that yields. Its body stands still between
// the items that it is asked for.
type generator struct {
	run           *Interpreter
	it            *Iterator
	name          string
	next          func() (any, bool)
	stop          func()
	yield         func(any) bool
	send          any   // what the yield gives that the body stands at,
	thrown        error // or what it raises
	err           error
	own           bool // of the reader's own, which what it calls may end
	started       bool
	running, done bool
	calls, depth  int // of who asks
	guards        int // blocks around the body's place that something leaves
}

// generate makes the generator of a function's call.
func (r *Interpreter) generate(s *scope, f *Function) *Iterator {
	g := &generator{run: r, name: f.Name}
	g.it = &Iterator{kind: "generator", gen: g, next: func() (any, bool, error) { return g.resume(nil, nil) }}
	s.gen = g
	if s.file.own { // what it makes is no generator in Python
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

// resume lets the body go on to its next yield: false at its end.
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
	if !g.started {
		if len(r.open) >= maxOpen {
			return nil, false, fmt.Errorf("more than %d generators are begun and not ended, which is not read; make lists of them", maxOpen)
		}
		r.open = append(r.open, g)
	}
	calls, depth, guard := r.calls, r.depth, r.guard
	g.calls, g.depth, r.calls, r.guard = calls, depth, calls+1, nil
	g.started, g.running, g.send, g.thrown = true, true, send, thrown
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

// given is what send and throw give: the end is an exception.
func (g *generator) given(v any, ok bool, err error) (any, error) {
	if !ok && err == nil {
		err = g.run.stopIteration(g.it.result)
	}
	return v, err
}

// hand gives a value to who asks and waits until more is asked for.
func (g *generator) hand(v any) (any, error) {
	r := g.run
	calls, depth := r.calls-g.calls, r.depth-g.depth
	if !g.yield(v) {
		return nil, errStopped
	}
	r.calls, r.depth = g.calls+calls, g.depth+depth
	return g.send, g.thrown
}

// close ends the body where it stands.
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

// yieldFrom hands on the items of a value, and to it what comes back.
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

// ask takes the next item of an iterator that something is sent to, or thrown
// into.
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

// guarded says that something runs when the block is left in which the body of
// a generator stands; the result takes it back.
func (s *scope) guarded() func() {
	g := s.gen
	if g == nil {
		return func() {}
	}
	g.guards++
	return func() { g.guards-- }
}

// unfinished refuses generators left in a block that Python leaves for them.
func (r *Interpreter) unfinished() error {
	for _, g := range r.open {
		if g.guards > 0 {
			return fmt.Errorf("generator %s() is left unfinished within a try or with, which is not read; take all of its items or close() it", g.name)
		}
	}
	return nil
}

// Close ends the generators that are open. None of their code runs.
func (r *Interpreter) Close() {
	for _, g := range r.open {
		g.done = true
		g.stop()
	}
	r.open = nil
}
