package definitions

import (
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// project is a Project.
type project struct {
	proto *core.Project
	tags  *python.Dict
}

// Kinds lists the classes of a project.
func (p *project) Kinds() []string { return []string{"Project"} }

// Attr returns the attributes of a project.
func (p *project) Attr(name string) (any, bool) {
	spec := p.proto.GetSpec()
	switch name {
	case "name":
		return spec.GetName(), true
	case "description":
		return spec.GetDescription(), true
	case "owner":
		return spec.GetOwner(), true
	case "tags":
		return p.tags, true
	}
	return nil, false
}

func newProject(c *python.Call) (any, error) {
	a := bind("Project", c, "*", "name!", "description", "tags?", "owner", "created_timestamp?", "last_updated_timestamp?")
	spec := &core.ProjectSpec{Name: a.name("name"), Description: a.text("description"), Owner: a.text("owner")}
	p := &project{proto: &core.Project{Spec: spec}}
	p.tags = a.tags("tags", func(t map[string]string) { spec.Tags = t })
	return p, a.err
}

// entity is an Entity.
type entity struct {
	proto *core.Entity
	kind  *member // value type
	tags  *python.Dict
}

// Kinds lists the classes of an entity.
func (e *entity) Kinds() []string { return []string{"Entity"} }

// Attr returns the attributes of an entity.
func (e *entity) Attr(name string) (any, bool) {
	spec := e.proto.GetSpec()
	switch name {
	case "name":
		return spec.GetName(), true
	case "join_key":
		return spec.GetJoinKey(), true
	case "description":
		return spec.GetDescription(), true
	case "owner":
		return spec.GetOwner(), true
	case "value_type":
		return e.kind, e.kind != nil
	case "tags":
		return e.tags, true
	}
	return nil, false
}

// Equal is Python's ==, based on names.
func (e *entity) Equal(other any) (equal, known bool) {
	o, ok := other.(*entity)
	return false, !ok || o.proto.GetSpec().GetName() != e.proto.GetSpec().GetName()
}

func newEntity(c *python.Call) (any, error) {
	a := bind("Entity", c, "*", "name!", "join_keys?", "value_type?", "description", "tags?", "owner")
	spec := &core.EntitySpecV2{Name: a.name("name"), Description: a.text("description"), Owner: a.text("owner")}
	spec.JoinKey = spec.Name
	keys := a.texts("join_keys")
	if len(keys) > 1 {
		a.failAt("join_keys", "%q has %d join keys; an entity has one, define another entity for each", spec.Name, len(keys))
	}
	if len(keys) == 1 {
		spec.JoinKey = keys[0]
	}
	e := &entity{proto: &core.Entity{Spec: spec}, kind: a.member("value_type", "ValueType")}
	if e.kind != nil {
		spec.ValueType = types.ValueType_Enum(e.kind.number)
	}
	e.tags = a.tags("tags", func(t map[string]string) { spec.Tags = t })
	return e, a.err
}

// member is a value of an enumeration; nil if it is not given.
func (a *args) member(name, enum string) *member {
	m := one[*member](a, name, "a "+enum)
	if m != nil && m.enum != enum {
		a.wrong(name, "a "+enum, m)
	}
	return m
}

// field is a Field.
type field struct {
	spec *core.FeatureSpecV2
	kind *dtype
	tags *python.Dict
}

// Kinds lists the classes of a field.
func (f *field) Kinds() []string { return []string{"Field"} }

// Attr returns the attributes of a field.
func (f *field) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return f.spec.GetName(), true
	case "dtype":
		return f.kind, true
	case "description":
		return f.spec.GetDescription(), true
	case "tags":
		return f.tags, true
	case "vector_index":
		return f.spec.GetVectorIndex(), true
	case "vector_length":
		return int64(f.spec.GetVectorLength()), true
	}
	return nil, false
}

// Equal is Python's ==, based on names and types.
func (f *field) Equal(other any) (equal, known bool) {
	o, ok := other.(*field)
	return false, !ok || o.spec.GetName() != f.spec.GetName() || !o.kind.same(f.kind)
}

func newField(c *python.Call) (any, error) {
	a := bind("Field", c, "*", "name!", "dtype!", "description", "tags?", "vector_index", "vector_length", "vector_search_metric?")
	f := &field{kind: a.dtype("dtype")}
	if a.err != nil {
		return nil, a.err
	}
	f.spec = &core.FeatureSpecV2{
		Name: a.name("name"), ValueType: f.kind.value, Description: a.text("description"),
		VectorIndex: a.flag("vector_index", false), VectorLength: a.integer("vector_length"), VectorSearchMetric: a.text("vector_search_metric"),
	}
	f.tags = a.tags("tags", func(t map[string]string) {
		for k, v := range f.kind.tags() {
			if t == nil {
				t = map[string]string{}
			}
			t[k] = v
		}
		f.spec.Tags = t
	})
	return f, a.err
}

// dtype is a type of feast.types.
func (a *args) dtype(name string) *dtype {
	v, ok := a.get(name)
	if !ok {
		return nil
	}
	if m, isMember := v.(*member); isMember && m.enum == "ValueType" {
		a.failAt(name, "argument '%s' is %s; give a type of feast.types, such as Int64", name, m)
		return nil
	}
	d, isType := v.(*dtype)
	if !isType {
		a.wrong(name, "a type of feast.types, such as Int64", v)
	}
	return d
}

// aggregation is an Aggregation.
type aggregation struct{ proto *core.Aggregation }

// Kinds lists the classes of an aggregation.
func (g *aggregation) Kinds() []string { return []string{"Aggregation"} }

// Attr returns the attributes of an aggregation.
func (g *aggregation) Attr(name string) (any, bool) {
	switch name {
	case "column":
		return g.proto.GetColumn(), true
	case "function":
		return g.proto.GetFunction(), true
	case "name":
		return g.proto.GetName(), true
	}
	return nil, false
}

func newAggregation(c *python.Call) (any, error) {
	a := bind("Aggregation", c, "column?", "function?", "time_window?", "slide_interval?", "name?")
	p := &core.Aggregation{
		Column: a.text("column"), Function: a.text("function"), TimeWindow: a.duration("time_window"),
		SlideInterval: a.duration("slide_interval"), Name: a.text("name"),
	}
	if s := p.SlideInterval; s == nil || s.GetSeconds() == 0 && s.GetNanos() == 0 {
		p.SlideInterval = p.TimeWindow
	}
	return &aggregation{p}, a.err
}

func (a *args) aggregations() []*core.Aggregation {
	a.keep("aggregations")
	var out []*core.Aggregation
	for _, g := range each[*aggregation](a, "aggregations", "aggregations") {
		out = append(out, g.proto)
	}
	return out
}
