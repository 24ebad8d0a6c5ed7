package python

import "context"

// Limit sets the bounds of each file, and the context, for tests of what they bound.
func (r *Interpreter) Limit(ctx context.Context, steps, bytes int) {
	m := r.meter
	m.ctx = ctx
	m.most, m.mostHeld = steps, bytes
	m.steps, m.bytes = steps, bytes
}

// Lined reports whether the starts of the lines are known, so that Line only reads.
func (f *File) Lined() bool { return f.lines != nil }
