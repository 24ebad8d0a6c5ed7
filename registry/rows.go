package registry

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Row is a part of a registry, for storages that keep a row for each: one object, one
// version of a feature view, or what belongs to no object.
type Row struct {
	Key
	Message proto.Message
}

// Key names a row. All of it together is unique in a registry.
type Key struct {
	// List is the field of core.Registry that has the object; empty for the row of what
	// belongs to no object: the time and id of the last change, the infrastructure, and
	// fields that are unknown here.
	List          string
	Project, Name string
	// Version is the number of a feature view's version, for rows of the version history.
	Version int32
	// Copy counts the objects of the same name, from 0. Only a damaged registry has several.
	Copy int
}

// history is the field of core.Registry with the versions of feature views.
const history = "feature_view_version_history"

// New returns an empty message of the type that rows with this key have; nil if there is
// no such list.
func (k Key) New() proto.Message {
	switch k.List {
	case "":
		return &core.Registry{}
	case history:
		return &core.FeatureViewVersionRecord{}
	}
	f := listField(k.List)
	if f == nil {
		return nil
	}
	return (&core.Registry{}).ProtoReflect().NewField(f).List().NewElement().Message().Interface()
}

// listField finds a list of objects of core.Registry.
func listField(name string) protoreflect.FieldDescriptor {
	f := (&core.Registry{}).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))
	if f == nil || !f.IsList() || f.Message() == nil {
		return nil
	}
	return f
}

// compare orders keys.
func (k Key) compare(o Key) int {
	return cmp.Or(strings.Compare(k.List, o.List), strings.Compare(k.Project, o.Project), strings.Compare(k.Name, o.Name),
		cmp.Compare(k.Version, o.Version), cmp.Compare(k.Copy, o.Copy))
}

// Rows takes a registry apart, in the order of the keys. The rows share its messages.
func Rows(reg *core.Registry) []Row {
	rest := &core.Registry{}
	var rows []Row
	copies := map[Key]int{}
	add := func(k Key, m proto.Message) {
		n := copies[k]
		copies[k]++
		k.Copy = n
		rows = append(rows, Row{k, m})
	}
	reg.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				o := object{v.List().Get(i).Message()}
				add(Key{List: string(f.Name()), Project: o.project(), Name: o.name()}, o.m.Interface())
			}
		case f.Name() == history:
			rest.FeatureViewVersionHistory = &core.FeatureViewVersionHistory{}
			rest.FeatureViewVersionHistory.ProtoReflect().SetUnknown(v.Message().GetUnknown())
			for _, r := range reg.GetFeatureViewVersionHistory().GetRecords() {
				add(Key{List: history, Project: r.GetProjectId(), Name: r.GetFeatureViewName(), Version: r.GetVersionNumber()}, r)
			}
		default:
			rest.ProtoReflect().Set(f, v)
		}
		return true
	})
	rest.ProtoReflect().SetUnknown(reg.ProtoReflect().GetUnknown())
	rows = append(rows, Row{Message: rest})
	slices.SortFunc(rows, func(a, b Row) int { return a.compare(b.Key) })
	return rows
}

// FromRows puts a registry together. Objects are in the order of their rows. The registry
// shares the messages.
func FromRows(rows []Row) (*core.Registry, error) {
	reg := &core.Registry{}
	for _, r := range rows {
		if rest, ok := r.Message.(*core.Registry); ok && r.List == "" {
			reg.ProtoReflect().SetUnknown(rest.ProtoReflect().GetUnknown())
			rest.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
				reg.ProtoReflect().Set(f, v)
				return true
			})
		}
	}
	if h := reg.FeatureViewVersionHistory; h != nil { // not the row's, which gets no records
		reg.FeatureViewVersionHistory = &core.FeatureViewVersionHistory{}
		reg.FeatureViewVersionHistory.ProtoReflect().SetUnknown(h.ProtoReflect().GetUnknown())
	}
	for _, r := range rows {
		if err := addRow(reg, r); err != nil {
			return nil, err
		}
	}
	return reg, nil
}

// addRow adds the object of a row.
func addRow(reg *core.Registry, r Row) error {
	switch m := r.Message.(type) {
	case *core.Registry:
		return nil
	case *core.FeatureViewVersionRecord:
		if reg.FeatureViewVersionHistory == nil {
			reg.FeatureViewVersionHistory = &core.FeatureViewVersionHistory{}
		}
		reg.FeatureViewVersionHistory.Records = append(reg.FeatureViewVersionHistory.Records, m)
		return nil
	}
	f := listField(r.List)
	if f == nil || r.Message == nil || r.Message.ProtoReflect().Descriptor() != f.Message() {
		return fault.New(fault.Internal, "a row of the registry, %s %s of project %s, has the wrong type", r.List, r.Name, r.Project)
	}
	reg.ProtoReflect().Mutable(f).List().Append(protoreflect.ValueOfMessage(r.Message.ProtoReflect()))
	return nil
}

// RowChanges returns what a storage that keeps rows has to write to replace one registry
// by another: the rows that are new or different, and the keys that are gone. A nil
// registry has no rows.
func RowChanges(before, next *core.Registry) (put []Row, gone []Key) {
	old := map[Key]proto.Message{}
	if before != nil {
		for _, r := range Rows(before) {
			old[r.Key] = r.Message
		}
	}
	for _, r := range Rows(next) {
		was, ok := old[r.Key]
		if !ok || !proto.Equal(was, r.Message) {
			put = append(put, r)
		}
		delete(old, r.Key)
	}
	for k := range old {
		gone = append(gone, k)
	}
	slices.SortFunc(gone, Key.compare)
	return put, gone
}
