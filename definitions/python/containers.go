package python

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
)

// Dict is a dict, in insertion order.
type Dict struct {
	keys, values []any
	index        map[any]int
	changes      int // counts changes of the keys
	// factory makes the missing values of a defaultdict; nil for other dicts.
	factory any
	// ReadOnly says why the dict cannot be changed; "" if it can.
	ReadOnly string
	kind     string // "defaultdict", "OrderedDict", or empty
	meter    *meter // nil if nothing is counted
	held     int    // entries that the meter has counted
}

// Set is a set, in insertion order.
type Set struct {
	dict   Dict
	Frozen bool
}

// Key types for values that Go does not compare as Python does.
type (
	noneKey  struct{}
	bytesKey string
	tupleKey string
	hostKey  struct{ kind, key string }
)

// floatKey returns the integer equal to a float, if there is one.
func floatKey(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<62 {
		return int64(f)
	}
	return f
}

// hashKey returns the map key for a value: equal values have equal keys.
func hashKey(m *meter, v any) (any, error) {
	if n := textSize(v); n > 64 {
		if err := m.step(n / 32); err != nil {
			return nil, err
		}
	}
	return keyFor(m, v)
}

func keyFor(m *meter, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return noneKey{}, nil
	case bool:
		i, _ := asInt(v)
		return i, nil
	case float64:
		return floatKey(v), nil
	case Tuple:
		return hashTuple(m, v)
	case *Instance:
		return v.key(m)
	case *Function:
		if v.bound {
			return nil, fmt.Errorf("a method as a key is not read")
		}
	case *List, *Dict, *Set:
		if s, ok := v.(*Set); ok && s.Frozen {
			return v, nil
		}
		return nil, raise("TypeError", "unhashable type: '%s'", TypeName(v))
	case *View:
		if v.kind != "dict_values" {
			return nil, raise("TypeError", "unhashable type: '%s'", v.kind)
		}
	case *Unknown:
		return nil, fmt.Errorf("a key depends on what cannot be known without running Python (%s); write it out", v.Why)
	}
	return atom(v), nil
}

// atom returns the map key for a value without parts.
func atom(v any) any {
	switch v := v.(type) {
	case Bytes:
		return bytesKey(v)
	case Keyed:
		return keyOf(v)
	}
	return v
}

// keyOf is the map key for a host's value.
func keyOf(v Keyed) hostKey { return hostKey{fmt.Sprintf("%T", v), v.Key()} }

// hashTuple is a text with the types, lengths and texts of the items' keys.
func hashTuple(m *meter, t Tuple) (any, error) {
	var b strings.Builder
	for _, item := range t {
		k, err := hashKey(m, item)
		if err != nil {
			return nil, err
		}
		form := "%p"
		switch k.(type) {
		case int64, float64, string, bytesKey, tupleKey, hostKey, noneKey:
			form = "%v"
		}
		text := fmt.Sprintf(form, k)
		if err := m.step(4 + len(text)/16); err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%T %d %s", k, len(text), text)
		if b.Len() > maxText {
			return nil, fmt.Errorf("this key is too large")
		}
	}
	return tupleKey(b.String()), nil
}

// Len is the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

// Keys lists the keys.
func (d *Dict) Keys() []any { return slices.Clone(d.keys) }

// All iterates over keys and values in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i := range d.keys {
			if !yield(d.keys[i], d.values[i]) {
				return
			}
		}
	}
}

// Get returns a key's value; false if the key is absent.
func (d *Dict) Get(key any) (any, bool, error) {
	k, err := hashKey(d.meter, key)
	if err != nil {
		return nil, false, err
	}
	i, ok := d.index[k]
	if !ok {
		return nil, false, nil
	}
	return d.values[i], true, sameKey(d.meter, d.keys[i], key)
}

// Put sets a key's value.
func (d *Dict) Put(key, value any) error {
	k, err := hashKey(d.meter, key)
	if err != nil {
		return err
	}
	if i, ok := d.index[k]; ok {
		d.values[i] = value
		return sameKey(d.meter, d.keys[i], key)
	}
	if err := d.meter.step(2); err != nil {
		return err
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	d.index[k] = len(d.keys)
	d.changes++
	d.keys, d.values = append(d.keys, key), append(d.values, value)
	return d.grown()
}

// Delete removes a key; false if it was absent.
func (d *Dict) Delete(key any) (bool, error) {
	k, err := hashKey(d.meter, key)
	if err != nil {
		return false, err
	}
	at, ok := d.index[k]
	if !ok {
		return false, nil
	}
	if err := sameKey(d.meter, d.keys[at], key); err != nil {
		return false, err
	}
	behind := len(d.keys) - 1 - at
	if err := d.meter.step(behind / 4); err != nil {
		return false, err
	}
	delete(d.index, k)
	d.changes++
	if behind > 0 {
		for other, i := range d.index {
			if i > at {
				d.index[other] = i - 1
			}
		}
	}
	d.keys, d.values = slices.Delete(d.keys, at, at+1), slices.Delete(d.values, at, at+1)
	return true, nil
}

// reindex renumbers the keys.
func (d *Dict) reindex() {
	for i, v := range d.keys {
		if k, err := hashKey(d.meter, v); err == nil {
			d.index[k] = i
		}
	}
}

// Clone copies a dict. Its memory is counted when the interpreter sees it.
func (d *Dict) Clone() *Dict {
	out := &Dict{keys: slices.Clone(d.keys), values: slices.Clone(d.values), index: make(map[any]int, len(d.index)), factory: d.factory, kind: d.kind, meter: d.meter}
	for k, i := range d.index {
		out.index[k] = i
	}
	return out
}

// update copies the entries of another dict.
func (d *Dict) update(other *Dict) error {
	for i := range other.keys {
		err := d.meter.step(1)
		if err == nil {
			err = d.Put(other.keys[i], other.values[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replace takes over the entries of another dict, which is not used any more.
func (d *Dict) replace(other *Dict) {
	d.keys, d.values, d.index = other.keys, other.values, other.index
	d.held = max(d.held, other.held)
	d.changes++
}

// clear removes all keys.
func (d *Dict) clear() {
	d.keys, d.values, d.index = nil, nil, nil
	d.held = 0
	d.changes++
}

// Len is the number of items.
func (s *Set) Len() int { return s.dict.Len() }

// Items lists the items.
func (s *Set) Items() []any { return s.dict.Keys() }

func (s *Set) add(v any) error {
	if _, ok, err := s.dict.Get(v); ok || err != nil {
		return err
	}
	return s.dict.Put(v, nil)
}

func (s *Set) has(v any) (bool, error) {
	_, ok, err := s.dict.Get(v)
	return ok, err
}

// Clone copies a set.
func (s *Set) Clone() *Set { return &Set{dict: *s.dict.Clone(), Frozen: s.Frozen} }
