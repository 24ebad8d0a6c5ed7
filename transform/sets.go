package transform

// setOf makes a set of Python: equal items are kept once.
func setOf(all []val) (val, error) {
	d := &dict{}
	for _, v := range all {
		if _, ok := keyOf(v); !ok {
			return val{}, &failure{text: "a " + v.typeName() + " in a set is not supported", outside: true, data: v.null()}
		}
		d.set(v, val{})
	}
	return val{k: kSet, ref: &list{d.keys}}, nil
}

// anyOrder makes a set a list, for functions to which the order does not matter.
func anyOrder(v val) val {
	if v.k == kSet {
		v.k = kList
	}
	return v
}

// loopOf are the items of a set for a loop. Python has texts in another order in each
// process; that of numbers depends on how it stores them.
func loopOf(s *list) (items, error) {
	if n := look(s.items); len(s.items) > 1 && n.ints+n.floats+n.bools > 0 {
		return items{}, outside("the order of a set of numbers is not supported; use sorted()")
	}
	return items{list: s.items}, nil
}

// itemsOf are the items of a set by their keys.
func itemsOf(s val) *dict {
	d := &dict{}
	for _, v := range s.ref.(*list).items {
		d.set(v, val{})
	}
	return d
}

// sets is an operator on two sets.
func sets(op string, a, b val) (val, error) {
	in, other := itemsOf(a), itemsOf(b)
	var out []val
	add := func(from, to *dict, both bool) {
		for _, v := range from.keys {
			if to.find(v) >= 0 == both {
				out = append(out, v)
			}
		}
	}
	switch op {
	case "&":
		add(in, other, true)
	case "-":
		add(in, other, false)
	case "|":
		out = append(out, in.keys...)
		add(other, in, false)
	case "^":
		add(in, other, false)
		add(other, in, false)
	default:
		return val{}, badOperands(op, a, b)
	}
	return val{k: kSet, ref: &list{out}}, nil
}

// asSet is the argument of a method of sets, which can be iterated.
func (m *machine) asSet(name string, a *args) (val, error) {
	if err := a.known("set."+name+"()", 1); err != nil || len(a.pos) == 0 {
		return val{}, orMissing(err, "set."+name+"()")
	}
	return pySet(m, &args{pos: a.pos})
}

// setMethod is the method that an operator of sets is.
func setMethod(op string) method {
	return func(m *machine, v val, a *args) (val, error) {
		other, err := m.asSet("union", a)
		if err != nil {
			return val{}, err
		}
		return sets(op, v, other)
	}
}

// setTest is issubset, or issuperset.
func setTest(above bool) method {
	return func(m *machine, v val, a *args) (val, error) {
		other, err := m.asSet("issubset", a)
		if above {
			v, other = other, v
		}
		if err != nil {
			return val{}, err
		}
		missing, err := sets("-", v, other)
		return boolVal(len(missing.ref.(*list).items) == 0), err
	}
}

func setDisjoint(m *machine, v val, a *args) (val, error) {
	other, err := m.asSet("isdisjoint", a)
	if err != nil {
		return val{}, err
	}
	both, err := sets("&", v, other)
	return boolVal(len(both.ref.(*list).items) == 0), err
}
