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
