package registrytest

import (
	"strconv"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

func nothing(t testing.TB, b Backend) {
	_, _, err := b.Load(t.Context())
	if kind := fault.KindOf(err); err == nil || kind != fault.NotFound {
		t.Errorf("Load = %v (%v), want a NotFound fault", err, kind)
	}
}

// Full is a registry with objects of every kind, two of each in two projects; the names
// are those of no other kind. Each object has an unknown field.
func Full() *core.Registry {
	reg := &core.Registry{
		RegistrySchemaVersion: registry.SchemaVersion, VersionId: "1", LastUpdated: timestamppb.Now(),
		Infra: &core.Infra{InfraObjects: []*core.InfraObject{
			{InfraObject: &core.InfraObject_SqliteTable{SqliteTable: &core.SqliteTable{Path: "o.db", Name: "p_a"}}},
		}},
		FeatureViewVersionHistory: &core.FeatureViewVersionHistory{},
	}
	m := reg.ProtoReflect()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !f.IsList() || f.Message() == nil {
			continue
		}
		for n, project := range []string{"p", "p", "q", "q"} {
			list := m.Mutable(f).List()
			o := list.NewElement()
			list.Append(o)
			name(o.Message(), project, string(f.Name())+strconv.Itoa(n%2))
		}
	}
	for i, p := range reg.Projects { // a project belongs to itself
		p.Spec.Name = []string{"p", "q", "r", "s"}[i]
	}
	for n, view := range []string{"feature_views0", "feature_views0", "label_views1"} {
		reg.FeatureViewVersionHistory.Records = append(reg.FeatureViewVersionHistory.Records, &core.FeatureViewVersionRecord{
			FeatureViewName: view, ProjectId: "p", VersionNumber: int32(n), VersionId: strconv.Itoa(n), FeatureViewProto: []byte{0xff, 0},
		})
	}
	return reg
}

// name gives an object its project and name, where its type has them, and an unknown
// field.
func name(o protoreflect.Message, project, name string) {
	o.SetUnknown([]byte{0xfa, 0x3e, 0x01, 'o'})
	spec := o
	if f := o.Descriptor().Fields().ByName("spec"); f != nil {
		spec = o.Mutable(f).Message()
	}
	for field, text := range map[protoreflect.Name]string{"project": project, "name": name} {
		if f := spec.Descriptor().Fields().ByName(field); f != nil {
			spec.Set(f, protoreflect.ValueOfString(text))
		}
	}
}

func saved(t testing.TB, b Backend) {
	full := Full()
	rev := first(t, b, full)
	holds(t, b, full)
	next := proto.CloneOf(full)
	next.VersionId, next.FeatureViews[2].Spec.Description = "2", "another"
	next.Entities = append(next.Entities, &core.Entity{Spec: &core.EntitySpecV2{Name: "new", Project: "p"}})
	if _, err := b.Save(t.Context(), next, rev); err != nil {
		t.Fatal(err)
	}
	holds(t, b, next)
}

func unknown(t testing.TB, b Backend) {
	want := sample("a")
	want.ProtoReflect().SetUnknown([]byte{0xfa, 0x3e, 0x01, 'x'})
	want.Projects[0].Spec.ProtoReflect().SetUnknown([]byte{0xfa, 0x3e, 0x01, 'y'})
	first(t, b, want)
	got, _, err := b.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if string(got.ProtoReflect().GetUnknown()) != "\xfa\x3e\x01x" {
		t.Errorf("unknown fields are %x", got.ProtoReflect().GetUnknown())
	}
	if u := got.GetProjects()[0].GetSpec().ProtoReflect().GetUnknown(); string(u) != "\xfa\x3e\x01y" {
		t.Errorf("unknown fields of a project are %x", u)
	}
}

func removed(t testing.TB, b Backend) {
	full := Full()
	rev := first(t, b, full)
	next := proto.CloneOf(full)
	next.VersionId = "2"
	next.FeatureViews, next.Entities, next.Permissions = next.FeatureViews[1:], nil, next.Permissions[:1]
	next.FeatureViewVersionHistory.Records = next.FeatureViewVersionHistory.Records[:1]
	if _, err := b.Save(t.Context(), next, rev); err != nil {
		t.Fatal(err)
	}
	holds(t, b, next)
}

func noObjects(t testing.TB, b Backend) {
	reg := sample("a")
	rev := first(t, b, reg)
	empty := &core.Registry{RegistrySchemaVersion: registry.SchemaVersion, VersionId: "2", LastUpdated: timestamppb.Now()}
	if _, err := b.Save(t.Context(), empty, rev); err != nil {
		t.Fatal(err)
	}
	holds(t, b, empty)
}

func isolated(t testing.TB, b Backend) {
	rev := first(t, b, sample("a"))
	got, _, err := b.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := proto.CloneOf(got)
	next := proto.CloneOf(got)
	next.VersionId, next.Projects[0].Spec.Name = "2", "b"
	if _, err := b.Save(t.Context(), next, rev); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(before, got) {
		t.Errorf("what was loaded has become %v", got)
	}
}

func untouched(t testing.TB, b Backend) {
	reg := Full()
	before := proto.CloneOf(reg)
	first(t, b, reg)
	if !proto.Equal(before, reg) {
		t.Error("Save has changed the registry")
	}
}

func damaged(t testing.TB, b Backend) {
	rev := first(t, b, sample("a"))
	b.Damage(t)
	_, _, err := b.Load(t.Context())
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Load = %v, want an Unavailable fault", err)
	}
	for _, base := range []registry.Revision{"", rev} {
		if _, err := b.Save(t.Context(), sample("b"), base); err == nil {
			t.Errorf("it is overwritten by a Save with base %q", base)
		}
	}
	if _, _, err := b.Load(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Load = %v after Save", err)
	}
}

func outage(t testing.TB, b Backend) {
	rev := first(t, b, sample("a"))
	b.Outage(t)
	if _, _, err := b.Load(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Load = %v, want an Unavailable fault", err)
	}
	if _, err := b.Save(t.Context(), sample("b"), rev); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Save = %v, want an Unavailable fault", err)
	}
}
