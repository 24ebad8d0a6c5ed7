package transform

import "math"

// swap is a value that replace looks for, and the one that it puts there.
type swap struct{ old, with val }

// columnReplace is replace of one value, of a list of values, or of the keys of a dict.
func columnReplace(m *machine, v val, a *args) (val, error) {
	if err := a.known("replace()", 2, "to_replace", "value"); err != nil {
		return val{}, err
	}
	old, _ := a.get(0, "to_replace")
	with, given := a.get(1, "value")
	var swaps []swap
	switch d, isDict := old.ref.(*dict); {
	case isDict && !given:
		for i, k := range d.keys {
			swaps = append(swaps, swap{k, d.values[i]})
		}
	case given && old.isScalar() && replacement(with) && old.k != kNone:
		swaps = append(swaps, swap{old, with})
	case given && old.isSequence() && replacement(with):
		for _, k := range old.ref.(*list).items {
			swaps = append(swaps, swap{k, with})
		}
	default:
		return val{}, outside("replace() is supported with two values, with a list and a value, or with a dict")
	}
	return m.replace(v.col(), swaps)
}

func replacement(v val) bool { return v.isScalar() || v.k == kNA }

// replace puts values in the place of others. The column keeps its type if that holds
// the new values, as in pandas; one of objects takes the type of its values afterwards.
func (m *machine) replace(c *column, swaps []swap) (val, error) {
	for _, s := range swaps {
		if !replaceable(c.dt, s) {
			return val{}, outside("replace() of or by values of another type than the column's is not supported; use .map or .where")
		}
	}
	at := m.mem.ints.take(c.n)
	found, dt, err := findSwaps(c, swaps, at)
	if err != nil || !found {
		return colVal(m.mem.clone(c)), err
	}
	var out *column
	switch {
	case dt == dObject:
		out = m.objects(c)
	case dt != c.dt:
		out, err = m.asFloat(c, dt)
	default:
		out = m.mem.clone(c)
	}
	if err != nil {
		return val{}, err
	}
	out.array = c.array
	none := true
	for i, j := range at {
		if j >= 0 {
			out.put(i, swaps[j].with)
			none = none && swaps[j].with.k == kNone
		}
	}
	if dt == dObject && !none {
		out, err = m.soft(out)
	}
	return colVal(out), err
}

// findSwaps finds the swap of each row, -1 for none, and the type of the result.
func findSwaps(c *column, swaps []swap, at []int64) (found bool, dt dtype, err error) {
	keys, null := &dict{}, int64(-1)
	place := map[int]int64{}
	for j, s := range swaps {
		if s.old.null() {
			null = int64(j)
			continue
		}
		keys.set(s.old, val{})
		place[keys.find(s.old)] = int64(j)
	}
	dt = c.dt
	for i := range at {
		at[i] = -1
		if c.isNull(i) {
			at[i] = null
		} else if k := keys.find(c.python(i)); k >= 0 {
			at[i] = place[k]
		}
		if at[i] < 0 {
			continue
		}
		found = true
		with := swaps[at[i]].with
		switch {
		case with.k == kNA:
			return false, 0, tooMuch("replace() by pd.NA is not supported in a column that has the value; use np.nan")
		case c.dt == dBool && with.k != kBool:
			dt = dObject
		case c.dt.isInt() && with.k == kFloat && !whole64(with.f):
			dt = dFloat64
		}
	}
	return found, dt, nil
}

func whole64(f float64) bool { return f == math.Trunc(f) && math.Abs(f) < 1<<53 }

// put sets a row of a column to a value that its type holds.
func (c *column) put(i int, v val) {
	switch {
	case c.dt == dObject:
		c.objs[i] = v
	case c.dt == dFloat32:
		c.floats[i] = float64(float32(v.float()))
	case c.dt.isFloat():
		c.floats[i] = v.float()
	case v.k == kFloat:
		c.ints[i] = int64(v.f)
	default:
		c.ints[i] = v.i
	}
}

// replaceable reports whether a swap is supported in a column.
func replaceable(dt dtype, s swap) bool {
	old, with := s.old, s.with
	number := with.k == kFloat || with.k == kInt || with.k == kNA
	switch {
	case dt == dObject:
		return replaceableObject(old, with, number)
	case dt == dBool:
		return old.k == kBool && (with.k == kBool || with.k == kInt || with.k == kText)
	case old.k != kFloat && old.k != kInt || !number:
		return false
	case dt == dFloat32:
		return exact32(old.float())
	}
	return dt == dFloat64 || dt.isInt() && (with.k != kInt || dt.fits(with.i))
}

// replaceableObject reports whether a swap is supported among objects.
func replaceableObject(old, with val, number bool) bool {
	switch {
	case old.k == kNone || old.k != kText && old.k != kInt && old.k != kFloat:
		return false
	case with.k == kNone:
		return old.k == kText
	}
	return number || with.k == kText
}

// exact32 reports whether a float32 holds a number.
func exact32(f float64) bool { return float64(float32(f)) == f || f != f }
