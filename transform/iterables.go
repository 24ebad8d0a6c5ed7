package transform

import "sort"

// integer refuses what Python does not take as an integer.
func integer(v val) error {
	if v.k != kInt && v.k != kBool {
		return &failure{class: "TypeError", text: "'" + v.typeName() + "' object cannot be interpreted as an integer", data: v.null()}
	}
	return nil
}

func pyRange(m *machine, a *args) (val, error) {
	if err := a.known("range()", 3); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "range()")
	}
	for _, v := range a.pos {
		if err := integer(v); err != nil {
			return val{}, err
		}
	}
	from, to, by := int64(0), a.pos[0].i, int64(1)
	if len(a.pos) > 1 {
		from, to = a.pos[0].i, a.pos[1].i
	}
	if len(a.pos) > 2 {
		by = a.pos[2].i
	}
	if by == 0 {
		return val{}, valueError("range() arg 3 must not be zero")
	}
	n := uint64(0)
	switch {
	case by > 0 && to > from:
		n = (uint64(to)-uint64(from)-1)/uint64(by) + 1
	case by < 0 && to < from:
		n = (uint64(from)-uint64(to)-1)/-uint64(by) + 1
	}
	if n > stepsPerRun {
		return val{}, tooMuch("range() of more than %d numbers is not supported", stepsPerRun)
	}
	out := m.take(int(n))
	for i := range out {
		out[i] = intVal(from + int64(i)*by)
	}
	return val{k: kRange, ref: &list{out}}, nil
}

func pyZip(m *machine, a *args) (val, error) {
	if err := a.known("zip()", 64); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "zip()")
	}
	out := &items{}
	for _, v := range a.pos {
		s, err := m.iterate(v)
		if err != nil {
			return val{}, err
		}
		out.zip = append(out.zip, s)
	}
	return val{k: kIter, ref: out}, nil
}

func pyEnumerate(m *machine, a *args) (val, error) {
	if err := a.known("enumerate()", 2, "start"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "enumerate()")
	}
	from, given := a.get(1, "start")
	if given {
		if err := integer(from); err != nil {
			return val{}, err
		}
	}
	s, err := m.iterate(a.pos[0])
	return val{k: kIter, ref: &items{zip: []items{s}, enum: true, from: from.i}}, err
}

// listed is list() of any value that can be iterated.
func (m *machine) listed(v val) ([]val, error) {
	s, err := m.iterate(v)
	if err != nil {
		return nil, err
	}
	m.mem.used += 64 * s.len()
	if m.mem.used > m.limit {
		return nil, errMemory
	}
	out := make([]val, s.len())
	for i := range out {
		out[i] = s.at(i)
	}
	return out, nil
}

func pyList(k kind) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if len(a.pos) == 0 {
			return val{k: k, ref: &list{}}, nil
		}
		out, err := m.listed(a.pos[0])
		return val{k: k, ref: &list{out}}, err
	}
}

func pySet(m *machine, a *args) (val, error) {
	if err := a.known("set()", 1); err != nil || len(a.pos) == 0 {
		return val{k: kSet, ref: &list{}}, err
	}
	all, err := m.listed(anyOrder(a.pos[0]))
	if err != nil {
		return val{}, err
	}
	return setOf(all)
}

func pyDict(_ *machine, a *args) (val, error) {
	d := &dict{}
	if len(a.pos) > 0 {
		other, ok := a.pos[0].ref.(*dict)
		if !ok {
			return val{}, outside("dict() of a %s is not supported", a.pos[0].typeName())
		}
		for i, k := range other.keys {
			d.set(k, other.values[i])
		}
	}
	for i, n := range a.names {
		d.set(textVal(n), a.named[i])
	}
	return val{k: kDict, ref: d}, nil
}

func pySum(m *machine, a *args) (val, error) {
	if err := a.known("sum()", 2, "start"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "sum()")
	}
	of := a.pos[0]
	if l, ok := of.ref.(*list); ok && look(l.items).floats == 0 { // a sum of floats depends on their order
		of = anyOrder(of)
	}
	s, err := m.iterate(of)
	if err != nil {
		return val{}, err
	}
	total, given := a.get(1, "start")
	if !given {
		total = intVal(0)
	}
	if total.k == kText {
		return val{}, typeError("sum() can't sum strings; use ''.join()")
	}
	for i := range s.len() {
		if err := m.step(); err != nil {
			return val{}, err
		}
		v := s.at(i)
		if total, err = m.binary("+", total, v); err != nil {
			return val{}, err
		}
	}
	return total, nil
}

func pyExtreme(op string) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("min() and max()", 64, "default"); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "min() or max()")
		}
		all := a.pos
		if len(a.pos) == 1 {
			var err error
			if all, err = m.listed(anyOrder(a.pos[0])); err != nil {
				return val{}, err
			}
			if len(all) == 0 {
				if v, ok := a.get(-1, "default"); ok {
					return v, nil
				}
				return val{}, valueError("min() or max() of an empty sequence")
			}
		}
		best := all[0]
		for _, v := range all[1:] {
			is, err := m.compare(op, v, best)
			if err != nil {
				return val{}, err
			}
			if yes, err := truth(is); err != nil {
				return val{}, err
			} else if yes {
				best = v
			}
		}
		return best, nil
	}
}

func pySorted(m *machine, a *args) (val, error) {
	if err := a.known("sorted()", 1, "reverse"); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "sorted()")
	}
	out, err := m.listed(anyOrder(a.pos[0]))
	if err != nil {
		return val{}, err
	}
	r, _ := a.get(-1, "reverse")
	reverse, _ := truth(r)
	sort.SliceStable(out, func(i, j int) bool {
		op := "<"
		if reverse {
			op = ">"
		}
		is, e := compareScalars(op, out[i], out[j])
		if e != nil {
			err = e
		}
		return is
	})
	return listVal(out), err
}

func pyAny(all bool) func(*machine, *args) (val, error) {
	return func(m *machine, a *args) (val, error) {
		if err := a.known("any() and all()", 1); err != nil || len(a.pos) == 0 {
			return val{}, orMissing(err, "any() or all()")
		}
		s, err := m.iterate(anyOrder(a.pos[0]))
		if err != nil {
			return val{}, err
		}
		for i := range s.len() {
			is, err := truth(s.at(i))
			if err != nil {
				return val{}, err
			}
			if is != all {
				return boolVal(is), nil
			}
		}
		return boolVal(all), nil
	}
}

func pyMap(m *machine, a *args) (val, error) {
	if err := a.known("map()", 2); err != nil || len(a.pos) < 2 {
		return val{}, orMissing(err, "map()")
	}
	fn := a.pos[0]
	out, err := m.listed(a.pos[1])
	for i := 0; i < len(out) && err == nil; i++ {
		out[i], err = m.apply(fn, out[i])
	}
	return listVal(out), err
}
