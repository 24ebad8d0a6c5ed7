package transform

import "math"

// dict is a dict of Python, in the order of its keys.
type dict struct {
	keys, values []val
	index        map[dictKey]int // of more than a few keys; nil otherwise
}

// dictKey is what equal keys have in common.
type dictKey struct {
	k kind
	i int64
	s string
}

// keyOf is the key of a value: a number equals others of its value, as in Python.
// False is returned for values that cannot be keys here.
func keyOf(v val) (dictKey, bool) {
	switch v.k {
	case kNone:
		return dictKey{}, true
	case kBool, kInt:
		return dictKey{k: kInt, i: v.i}, true
	case kFloat:
		if v.f == math.Trunc(v.f) && math.Abs(v.f) < 1<<63 {
			return dictKey{k: kInt, i: int64(v.f)}, true
		}
		return dictKey{k: kFloat, i: int64(math.Float64bits(v.f))}, v.f == v.f
	case kText:
		return dictKey{k: kText, s: v.s}, true
	}
	return dictKey{}, false
}

// few is the number of keys up to which a dict has no index.
const few = 8

// find is the place of a key; -1 if the dict has none.
func (d *dict) find(key val) int {
	k, ok := keyOf(key)
	if !ok {
		return -1
	}
	if d.index != nil {
		if i, ok := d.index[k]; ok {
			return i
		}
		return -1
	}
	for i := range d.keys {
		if key.k == kText {
			if d.keys[i].k == kText && d.keys[i].s == key.s {
				return i
			}
			continue
		}
		if other, _ := keyOf(d.keys[i]); other == k {
			return i
		}
	}
	return -1
}

// set sets a value.
func (d *dict) set(key, v val) {
	if i := d.find(key); i >= 0 {
		d.values[i] = v
		return
	}
	d.keys, d.values = append(d.keys, key), append(d.values, v)
	if len(d.keys) <= few {
		return
	}
	if d.index == nil {
		d.index = make(map[dictKey]int, 2*len(d.keys))
		for i, k := range d.keys {
			if x, ok := keyOf(k); ok {
				d.index[x] = i
			}
		}
		return
	}
	if k, ok := keyOf(key); ok {
		d.index[k] = len(d.keys) - 1
	}
}

// hashable refuses keys that are not looked up here.
func hashable(key val) error {
	if _, ok := keyOf(key); !ok {
		return outside("a %s as a key of a dict is not supported", key.typeName())
	}
	return nil
}
