package registry

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// kind is one kind of registry object: its list in the registry, its name, and, for
// feature views, which fields make a new version.
type kind struct {
	list    protoreflect.Name // field of core.Registry
	noun    string
	quiet   bool   // Feast's plan does not print it
	repeats bool   // Feast accepts two equal definitions as one
	history string // feature_view_type of its version records; empty: no versions
	// schema are the fields of the spec whose change makes a new version of a view.
	schema []protoreflect.Name
}

// kinds lists the kinds of objects that a feature repository defines, in the order
// of Feast's plan.
func kinds() []kind {
	return []kind{
		{list: "projects", noun: "project"},
		{list: "data_sources", noun: "data source", quiet: true},
		{list: "entities", noun: "entity", repeats: true},
		{
			list: "feature_views", noun: "feature view", history: "feature_view",
			schema: []protoreflect.Name{"features", "entities", "entity_columns", "source_views", "feature_transformation"},
		},
		{
			list: "on_demand_feature_views", noun: "on demand feature view", history: "on_demand_feature_view",
			schema: []protoreflect.Name{"features", "entities", "entity_columns", "sources", "feature_transformation", "user_defined_function", "mode", "aggregations"},
		},
		{
			list: "stream_feature_views", noun: "stream feature view", history: "stream_feature_view",
			schema: []protoreflect.Name{"features", "entities", "entity_columns", "feature_transformation", "user_defined_function", "aggregations", "timestamp_field", "mode"},
		},
		{
			list: "label_views", noun: "label view", history: "label_view",
			schema: []protoreflect.Name{"features", "entities", "entity_columns"},
		},
		{list: "feature_services", noun: "feature service", repeats: true},
		{list: "permissions", noun: "permission", repeats: true},
	}
}

// object is any registry object, accessed through protoreflect.
type object struct {
	m protoreflect.Message
}

func objectOf(m proto.Message) object { return object{m.ProtoReflect()} }

// part returns a message field, which is read-only if the field is not set.
func (o object) part(name protoreflect.Name) (protoreflect.Message, bool) {
	f := o.m.Descriptor().Fields().ByName(name)
	if f == nil || f.Message() == nil {
		return nil, false
	}
	return o.m.Get(f).Message(), true
}

// spec returns the message with the definition: for a data source, the object itself.
func (o object) spec() protoreflect.Message {
	if s, ok := o.part("spec"); ok {
		return s
	}
	return o.m
}

func text(m protoreflect.Message, name protoreflect.Name) string {
	f := m.Descriptor().Fields().ByName(name)
	if f == nil || f.Kind() != protoreflect.StringKind || f.IsList() {
		return ""
	}
	return m.Get(f).String()
}

func (o object) name() string { return text(o.spec(), "name") }

// project is the project that the object belongs to; a project belongs to itself.
func (o object) project() string {
	if _, ok := o.m.Interface().(*core.Project); ok {
		return o.name()
	}
	return text(o.spec(), "project")
}

func (o object) setProject(name string) {
	spec := o.spec()
	if f := spec.Descriptor().Fields().ByName("project"); f != nil {
		spec.Set(f, protoreflect.ValueOfString(name))
	}
}

// meta returns the object's meta message, and creates it if it is missing.
func (o object) meta() protoreflect.Message {
	f := o.m.Descriptor().Fields().ByName("meta")
	if f == nil {
		return nil
	}
	return o.m.Mutable(f).Message()
}

// stamp sets the times of the meta message. A nil created means now.
func (o object) stamp(created *timestamppb.Timestamp, now time.Time) {
	meta := o.meta()
	if meta == nil {
		return
	}
	if created == nil {
		created = moment(now)
	}
	set := func(name protoreflect.Name, t *timestamppb.Timestamp) {
		if f := meta.Descriptor().Fields().ByName(name); f != nil {
			meta.Set(f, protoreflect.ValueOfMessage(t.ProtoReflect()))
		}
	}
	set("created_timestamp", created)
	set("last_updated_timestamp", moment(now))
}

func (o object) created() *timestamppb.Timestamp {
	f := o.m.Descriptor().Fields().ByName("meta")
	if f == nil || !o.m.Has(f) {
		return nil
	}
	meta := o.m.Get(f).Message()
	c := meta.Descriptor().Fields().ByName("created_timestamp")
	if c == nil || !meta.Has(c) {
		return nil
	}
	t, _ := meta.Get(c).Message().Interface().(*timestamppb.Timestamp)
	return t
}

// normal copies an object without the parts that may differ between two equal
// definitions: the meta message, the Python class of sources of a built-in type, pickled
// functions with source text, and a ttl of zero.
func (o object) normal() protoreflect.Message {
	c := proto.Clone(o.m.Interface()).ProtoReflect()
	everyMessage(c, strip)
	return c
}

func strip(m protoreflect.Message) {
	switch v := m.Interface().(type) {
	case *core.DataSource:
		v.Project = ""
		if v.Type != core.DataSource_CUSTOM_SOURCE {
			v.DataSourceClassType = ""
		}
	case *core.StreamFeatureViewSpec:
		// Feast writes them in the order of a Python set, which is different each time.
		slices.SortFunc(v.Features, func(a, b *core.FeatureSpecV2) int { return strings.Compare(a.GetName(), b.GetName()) })
	case *core.UserDefinedFunctionV2:
		if v.BodyText != "" {
			v.Body = nil
		}
	case *core.UserDefinedFunction:
		if v.BodyText != "" {
			v.Body = nil
		}
	}
	if f := m.Descriptor().Fields().ByName("meta"); f != nil {
		m.Clear(f)
	}
	// Feast reads a missing ttl as zero, and writes that when it changes anything else.
	if f := m.Descriptor().Fields().ByName("ttl"); f != nil && f.Message() != nil && m.Has(f) {
		if d, ok := m.Get(f).Message().Interface().(*durationpb.Duration); ok && d.AsDuration() == 0 {
			m.Clear(f)
		}
	}
}

// everyMessage calls do for a message and then for all messages in it.
func everyMessage(m protoreflect.Message, do func(protoreflect.Message)) {
	do(m)
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, e protoreflect.Value) bool {
				everyMessage(e.Message(), do)
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				everyMessage(v.List().Get(i).Message(), do)
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			everyMessage(v.Message(), do)
		}
		return true
	})
}

// same compares two objects as definitions.
func (o object) same(other object) bool {
	a, b := o.normal(), other.normal()
	object{a}.setProject("")
	object{b}.setProject("")
	return proto.Equal(a.Interface(), b.Interface())
}

// sameSchema compares the fields that make a version of a view, without those that this
// program does not know.
func (k kind) sameSchema(a, b object) bool {
	x, y := object{withoutUnknown(a.normal()).ProtoReflect()}.spec(), object{withoutUnknown(b.normal()).ProtoReflect()}.spec()
	for _, name := range k.schema {
		f := x.Descriptor().Fields().ByName(name)
		if f != nil && !x.Get(f).Equal(y.Get(f)) {
			return false
		}
	}
	return true
}

// keepPickles copies the pickled functions of old into next if the source text is the
// same and next has none: banquet cannot make pickles, and Python clients need them.
func keepPickles(next, old object) {
	for _, p := range pickles(next, old) {
		if len(*p.next) == 0 {
			*p.next = *p.old
		}
	}
}

// renewPickles copies the pickled functions of next into old if the source text is the
// same, and reports whether any has changed.
func renewPickles(next, old object) bool {
	renewed := false
	for _, p := range pickles(next, old) {
		if len(*p.next) > 0 && !bytes.Equal(*p.next, *p.old) {
			*p.old, renewed = *p.next, true
		}
	}
	return renewed
}

// pickle points to the pickles of the same source text in two objects.
type pickle struct{ next, old *[]byte }

func pickles(next, old object) []pickle {
	var found []pickle
	if n, o := transformation(next), transformation(old); n != nil && o != nil && n.BodyText == o.BodyText {
		found = append(found, pickle{&n.Body, &o.Body})
	}
	if s, ok := next.m.Interface().(*core.StreamFeatureView); ok {
		p, _ := old.m.Interface().(*core.StreamFeatureView)
		n, o := s.GetSpec().GetUserDefinedFunction(), p.GetSpec().GetUserDefinedFunction()
		if n != nil && o != nil && n.BodyText == o.BodyText {
			found = append(found, pickle{&n.Body, &o.Body})
		}
	}
	return found
}

func transformation(o object) *core.UserDefinedFunctionV2 {
	switch v := o.m.Interface().(type) {
	case *core.FeatureView:
		return v.GetSpec().GetFeatureTransformation().GetUserDefinedFunction()
	case *core.OnDemandFeatureView:
		return v.GetSpec().GetFeatureTransformation().GetUserDefinedFunction()
	case *core.StreamFeatureView:
		return v.GetSpec().GetFeatureTransformation().GetUserDefinedFunction()
	}
	return nil
}
