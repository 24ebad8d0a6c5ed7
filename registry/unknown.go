package registry

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// keepUnknown copies into next the fields of old that this program does not know: those
// of a later Feast. A definition cannot name them, so it does not change them either.
//
// Messages within the two correspond if they are in the same field; elements of a list,
// if they have the same name (projections: the same view, alias and version), or no name
// and the same content; entries of a map, if they have the same key. Fields of an
// element that has none in next are dropped with it.
func keepUnknown(next, old protoreflect.Message) {
	if !hasUnknown(old) {
		return
	}
	copyUnknown(next, old)
	old.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil && next.Has(f) {
				keepInMap(next.Get(f).Map(), v.Map())
			}
		case f.Message() == nil:
		case f.IsList():
			if next.Has(f) {
				keepInList(next.Get(f).List(), v.List())
			}
		case next.Has(f):
			keepUnknown(next.Get(f).Message(), v.Message())
		case f.Name() == "meta" && hasUnknown(v.Message()), !displaced(f, next) && onlyUnknown(v.Message()):
			keepUnknown(next.Mutable(f).Message(), v.Message())
		}
		return true
	})
}

// hasUnknown reports whether a message or one within it has unknown fields.
func hasUnknown(m protoreflect.Message) bool {
	found := false
	everyMessage(m, func(m protoreflect.Message) { found = found || len(m.GetUnknown()) > 0 })
	return found
}

// copyUnknown copies the unknown fields of one message, but for those that next has
// with another value, and those that may be what a oneof of old was, and next has
// another.
func copyUnknown(next, old protoreflect.Message) {
	if len(old.GetUnknown()) == 0 {
		return
	}
	oneofs := next.Descriptor().Oneofs()
	for i := range oneofs.Len() {
		o := oneofs.Get(i)
		if !o.IsSynthetic() && old.WhichOneof(o) == nil && next.WhichOneof(o) != nil {
			return
		}
	}
	has := map[protowire.Number]bool{}
	everyField(next.GetUnknown(), func(n protowire.Number, _ []byte) { has[n] = true })
	kept := slices.Clone(next.GetUnknown())
	everyField(old.GetUnknown(), func(n protowire.Number, field []byte) {
		if !has[n] {
			kept = append(kept, field...)
		}
	})
	next.SetUnknown(kept)
}

// everyField calls do for each serialized field.
func everyField(b []byte, do func(n protowire.Number, field []byte)) {
	for len(b) > 0 {
		n, _, size := protowire.ConsumeField(b)
		if size < 0 {
			return // not reached: these bytes have been parsed
		}
		do(n, b[:size])
		b = b[size:]
	}
}

// displaced reports whether next has another member of a field's oneof.
func displaced(f protoreflect.FieldDescriptor, next protoreflect.Message) bool {
	o := f.ContainingOneof()
	return o != nil && next.WhichOneof(o) != nil
}

// onlyUnknown reports whether a message has unknown fields, and no other.
func onlyUnknown(m protoreflect.Message) bool {
	only := len(m.GetUnknown()) > 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		only = !f.IsMap() && !f.IsList() && f.Message() != nil && onlyUnknown(v.Message())
		return only
	})
	return only
}

func keepInMap(next, old protoreflect.Map) {
	old.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		if next.Has(k) {
			keepUnknown(next.Mutable(k).Message(), v.Message())
		}
		return true
	})
}

func keepInList(next, old protoreflect.List) {
	used := make([]bool, old.Len())
	for i := range next.Len() {
		m := next.Get(i).Message()
		if at := counterpart(m, old, used); at >= 0 {
			used[at] = true
			keepUnknown(m, old.Get(at).Message())
		}
	}
}

// counterpart finds the unused element of old that is the same as m; -1 if there is
// none. Of several with one name, that with the same content is preferred.
func counterpart(m protoreflect.Message, old protoreflect.List, used []bool) int {
	known, name := withoutUnknown(m), nameWithin(m)
	named := -1
	for i := range old.Len() {
		o := old.Get(i).Message()
		if used[i] || nameWithin(o) != name {
			continue
		}
		if proto.Equal(known, withoutUnknown(o)) {
			return i
		}
		if named < 0 && name != "" {
			named = i
		}
	}
	return named
}

// nameWithin names an element of a list; empty if it has no name.
func nameWithin(m protoreflect.Message) string {
	if f := m.Descriptor().Fields().ByName("version_tag"); f != nil && m.Has(f) {
		return projectionName(m) + "\x00" + m.Get(f).String()
	}
	return projectionName(m)
}

func projectionName(m protoreflect.Message) string {
	if name := text(m, "feature_view_name"); name != "" {
		return name + "\x00" + text(m, "feature_view_name_alias")
	}
	return text(m, "name")
}

// withoutUnknown copies a message without its unknown fields.
func withoutUnknown(m protoreflect.Message) proto.Message {
	c := proto.Clone(m.Interface())
	if m.IsValid() {
		everyMessage(c.ProtoReflect(), func(m protoreflect.Message) { m.SetUnknown(nil) })
	}
	return c
}
