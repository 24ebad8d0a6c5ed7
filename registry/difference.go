package registry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Difference is the first place at which two sets of definitions differ.
type Difference struct {
	// Kind and Name are the object's. Field is the path of the field in its
	// message; it is empty when only one side has the object.
	Kind, Name, Field string
	// A and B are the values of the two sides, as text on one line.
	A, B string
}

// Compare returns the first difference of two sets of definitions, in the order
// of Feast's plan and of names. It ignores pickled functions, times and the order of
// the objects; it compares the Python class of a source.
func Compare(a, b Objects) (Difference, bool) {
	for _, k := range kinds() {
		x, y := named(k, a), named(k, b)
		names := append(sortedKeys(x), sortedKeys(y)...)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			d := Difference{Kind: k.noun, Name: name}
			one, other := x[name], y[name]
			switch {
			case one == nil || other == nil:
				d.A, d.B = presence(one), presence(other)
				return d, true
			case differ(one, other, "", &d):
				return d, true
			}
		}
	}
	for _, s := range slices.Concat(a.FeatureServices, b.FeatureServices) {
		name := s.GetSpec().GetName()
		if x, y := a.References[name], b.References[name]; !slices.Equal(x, y) {
			return Difference{Kind: "feature service", Name: name, Field: "references", A: strings.Join(x, ", "), B: strings.Join(y, ", ")}, true
		}
	}
	return Difference{}, false
}

func presence(m protoreflect.Message) string {
	if m == nil {
		return "not defined"
	}
	return "defined"
}

// named returns the objects of a kind by name, without the parts that Compare ignores.
// The second object of the same name gets a number.
func named(k kind, o Objects) map[string]protoreflect.Message {
	out := map[string]protoreflect.Message{}
	add := func(m proto.Message) {
		c := proto.Clone(m).ProtoReflect()
		everyMessage(c, bare)
		name := object{c}.name()
		for n := 2; out[name] != nil; n++ {
			name = object{c}.name() + " #" + strconv.Itoa(n)
		}
		out[name] = c
	}
	if k.list == "projects" { // optional: the configuration names the project, too
		if o.Project != nil {
			add(o.Project)
		}
		return out
	}
	for _, d := range (&applier{}).definitions(k, o) {
		add(d.m.Interface())
	}
	return out
}

// bare clears the pickles, times and project of a message.
func bare(m protoreflect.Message) {
	switch v := m.Interface().(type) {
	case *core.UserDefinedFunctionV2:
		v.Body = nil
	case *core.UserDefinedFunction:
		v.Body = nil
	}
	for _, name := range []protoreflect.Name{"meta", "project"} {
		if f := m.Descriptor().Fields().ByName(name); f != nil {
			m.Clear(f)
		}
	}
}

// differ finds the first field in which two messages differ.
func differ(a, b protoreflect.Message, path string, d *Difference) bool {
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		at := string(f.Name())
		if path != "" {
			at = path + "." + at
		}
		if a.Has(f) != b.Has(f) {
			d.Field, d.A, d.B = at, shown(f, a), shown(f, b)
			return true
		}
		if a.Has(f) && differField(f, a.Get(f), b.Get(f), at, d) {
			return true
		}
	}
	if string(a.GetUnknown()) != string(b.GetUnknown()) {
		d.Field, d.A, d.B = path, "unknown fields of another Feast version", "different unknown fields of another Feast version"
		return true
	}
	return false
}

// shown is show for a field that one side may lack.
func shown(f protoreflect.FieldDescriptor, m protoreflect.Message) string {
	if !m.Has(f) {
		return "none"
	}
	return show(f, m)
}

func differField(f protoreflect.FieldDescriptor, a, b protoreflect.Value, at string, d *Difference) bool {
	switch {
	case f.IsList():
		return differList(f, a.List(), b.List(), at, d)
	case f.IsMap():
		return differMap(f, a.Map(), b.Map(), at, d)
	}
	return differValue(f, a, b, at, d)
}

func differList(f protoreflect.FieldDescriptor, a, b protoreflect.List, at string, d *Difference) bool {
	for i := range max(a.Len(), b.Len()) {
		place := fmt.Sprintf("%s[%d]", at, i)
		if i >= a.Len() || i >= b.Len() {
			d.Field, d.A, d.B = place, "none", "none"
			if i < a.Len() {
				d.A = showValue(f, a.Get(i))
			} else {
				d.B = showValue(f, b.Get(i))
			}
			return true
		}
		if differValue(f, a.Get(i), b.Get(i), place, d) {
			return true
		}
	}
	return false
}

func differMap(f protoreflect.FieldDescriptor, a, b protoreflect.Map, at string, d *Difference) bool {
	var keys []protoreflect.MapKey
	for _, m := range []protoreflect.Map{a, b} {
		m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
			keys = append(keys, k)
			return true
		})
	}
	slices.SortFunc(keys, func(x, y protoreflect.MapKey) int {
		switch {
		case x.String() < y.String():
			return -1
		case x.String() > y.String():
			return 1
		}
		return 0
	})
	for _, k := range keys {
		place := fmt.Sprintf("%s[%q]", at, k.String())
		if !a.Has(k) || !b.Has(k) {
			d.Field, d.A, d.B = place, "none", "none"
			if a.Has(k) {
				d.A = showValue(f.MapValue(), a.Get(k))
			} else {
				d.B = showValue(f.MapValue(), b.Get(k))
			}
			return true
		}
		if differValue(f.MapValue(), a.Get(k), b.Get(k), place, d) {
			return true
		}
	}
	return false
}

func differValue(f protoreflect.FieldDescriptor, a, b protoreflect.Value, at string, d *Difference) bool {
	if f.Message() != nil {
		return differ(a.Message(), b.Message(), at, d)
	}
	if a.Equal(b) {
		return false
	}
	d.Field, d.A, d.B = at, scalar(f, a), scalar(f, b)
	return true
}

// scalar shows a value; strings in quotes, so that blanks are visible.
func scalar(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if f.Kind() == protoreflect.StringKind || f.Kind() == protoreflect.BytesKind {
		return strconv.Quote(v.String())
	}
	return showValue(f, v)
}
