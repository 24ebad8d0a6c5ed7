package transform

import "math"

const nat = math.MinInt64

// column is a Series or an array: ints hold booleans, integers, times and
// durations, floats hold floats, objs hold everything else.
type column struct {
	dt     dtype
	unit   int64 // of times and durations: nanoseconds in one step
	utc    bool  // times with a zone
	ints   []int64
	floats []float64
	objs   []val
	n      int
	array  bool // an array of NumPy
	ext    extension
}

// at is the element i as a scalar.
func (c *column) at(i int) val {
	switch {
	case c.dt == dObject:
		return c.objs[i]
	case c.dt.isFloat():
		return val{k: kFloat, w: c.dt, f: c.floats[i]}
	case c.dt == dBool:
		return val{k: kBool, w: dBool, i: c.ints[i]}
	case c.dt == dTime, c.dt == dDelta:
		return c.timeAt(i)
	}
	return val{k: kInt, w: c.dt, i: c.ints[i]}
}

func (c *column) timeAt(i int) val {
	t := c.ints[i]
	if t == nat {
		return val{k: kNaT}
	}
	v := val{k: kTime, i: floorDiv(t, microsecond)}
	if c.unit >= microsecond {
		v.i = t * (c.unit / microsecond)
	}
	if c.dt == dDelta {
		v.k = kDelta
	} else if c.utc {
		v.w = dTime
	}
	return v
}

// python is element i as a value of Python itself, as tolist gives it.
func (c *column) python(i int) val {
	v := c.at(i)
	if v.isNumber() && c.dt != dObject {
		v.w = dNone
	}
	return v
}

func (c *column) isNull(i int) bool {
	switch {
	case c.dt == dObject:
		return c.objs[i].null()
	case c.dt.isFloat():
		return c.floats[i] != c.floats[i]
	case c.dt == dTime, c.dt == dDelta:
		return c.ints[i] == nat
	}
	return false
}

// arena hands out the memory of one run; it is used again by the next.
type arena struct {
	ints   slab[int64]
	floats slab[float64]
	vals   slab[val]
	cols   slab[column]
	used   int
}

// slab is one kind of memory.
type slab[T any] struct {
	buf []T
	off int
}

// take returns n elements with undefined contents.
func (s *slab[T]) take(n int) []T {
	if s.off+n > len(s.buf) {
		s.buf, s.off = make([]T, max(2*len(s.buf), n, 64)), 0
	}
	out := s.buf[s.off : s.off+n : s.off+n]
	s.off += n
	return out
}

func (a *arena) reset() {
	a.ints.off, a.floats.off, a.cols.off, a.used = 0, 0, 0, 0
	clear(a.vals.buf[:a.vals.off])
	a.vals.off = 0
}

// column makes a column of n elements with undefined contents.
func (a *arena) column(dt dtype, n int) *column {
	c := &a.cols.take(1)[0]
	*c = column{dt: dt, n: n, unit: 1}
	switch {
	case dt == dObject:
		c.objs = a.vals.take(n)
		a.used += 64 * n
	case dt.isFloat():
		c.floats = a.floats.take(n)
		a.used += 8 * n
	default:
		c.ints = a.ints.take(n)
		a.used += 8 * n
	}
	return c
}

// like makes a column with the type, unit and zone of c.
func (a *arena) like(c *column) *column {
	out := a.column(c.dt, c.n)
	out.unit, out.utc, out.array, out.ext = c.unit, c.utc, c.array, c.ext
	return out
}

// clone copies a column.
func (a *arena) clone(c *column) *column {
	out := a.like(c)
	copy(out.ints, c.ints)
	copy(out.floats, c.floats)
	copy(out.objs, c.objs)
	return out
}

// frame is a DataFrame. rows is -1 until the first column is set.
type frame struct {
	names []string
	cols  []*column
	rows  int
}

func (f *frame) find(name string) int {
	for i, n := range f.names {
		if n == name {
			return i
		}
	}
	return -1
}

func (f *frame) set(name string, c *column) {
	if i := f.find(name); i >= 0 {
		f.cols[i] = c
		return
	}
	f.names, f.cols = append(f.names, name), append(f.cols, c)
}

func (f *frame) copy() *frame {
	return &frame{append([]string(nil), f.names...), append([]*column(nil), f.cols...), f.rows}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 {
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}
