package definitions

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

// view is a feature view of any kind, with the data for its projections.
type view struct {
	class    string
	kinds    []string // the classes that it derives from
	msg      proto.Message
	name     string
	entities []string
	keys     []*field // entity columns
	// features are those of the definition; empty when they are to be inferred.
	features []*field
	byName   map[string]*field // the features, once some are chosen
	given    *source           // as given
	batch    *source
	stream   *source
	plain    map[string]any // attributes
	tags     *python.Dict
	// A projection is a view made by with_name, with_join_key_map or [[…]];
	// projectionOnly is view.projection itself.
	projected      bool
	projectionOnly bool
	chosen         []*field
	desired        []string // chosen features of a view whose features are inferred
	alias          string
	joinMap        *python.Dict
	readBack       readBack // how Feast restores its function
}

// Kinds lists the classes of a view.
func (v *view) Kinds() []string {
	if v.projectionOnly {
		return []string{"FeatureViewProjection"}
	}
	return append([]string{v.class}, v.kinds...)
}

// Attr returns the methods that make projections, and the attributes.
func (v *view) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return v.name, true
	case "tags":
		return v.tags, true
	case "features":
		return fieldList(v.features), true
	case "entity_columns":
		return fieldList(v.keys), true
	case "schema":
		return fieldList(append(slices.Clone(v.keys), v.features...)), true
	case "entities":
		l := python.ReadOnlyList("the entities of a view are not changed here; give them to the constructor")
		for _, e := range v.entities {
			l.Items = append(l.Items, e)
		}
		return l, true
	case "batch_source":
		return sourceOrNone(v.batch), true
	case "stream_source":
		return sourceOrNone(v.stream), true
	case "source":
		return sourceOrNone(v.batch), true
	case "projection":
		out := *v
		out.projectionOnly = true
		return &out, true
	case "with_name", "with_join_key_map":
		return &python.Builtin{Name: name, Call: func(c *python.Call) (any, error) { return v.changed(name, c) }}, true
	}
	found, ok := v.plain[name]
	return found, ok
}

func sourceOrNone(s *source) any {
	if s == nil {
		return nil
	}
	return s
}

func fieldList(fields []*field) *python.List {
	l := python.ReadOnlyList("the fields of a view are not changed here; give them to the constructor")
	for _, f := range fields {
		l.Items = append(l.Items, f)
	}
	return l
}

// Equal is Python's ==, based on names.
func (v *view) Equal(other any) (equal, known bool) {
	o, ok := other.(*view)
	return false, !ok || o.name != v.name || o.class != v.class
}

// changed is with_name and with_join_key_map.
func (v *view) changed(name string, c *python.Call) (any, error) {
	out := *v
	out.projected = true
	if name == "with_name" {
		a := bind(name, c, "name!")
		out.alias = a.name("name")
		return &out, a.err
	}
	a := bind(name, c, "join_key_map!")
	out.joinMap = a.tags("join_key_map", func(map[string]string) {})
	return &out, a.err
}

// Index is view[["a", "b"]].
func (v *view) Index(key any) (any, error) {
	items, ok := key.(*python.List)
	if !ok {
		return nil, fmt.Errorf("features are chosen by a list of names: %s[[\"feature\"]]", v.name)
	}
	out := *v
	out.projected, out.chosen, out.desired = true, nil, nil
	if len(v.byName) == 0 {
		v.byName = make(map[string]*field, len(v.features))
		for _, f := range slices.Backward(v.features) { // the first of a name counts
			v.byName[f.spec.GetName()] = f
		}
	}
	for _, item := range items.Items {
		name, ok := python.Plain(item).(string)
		if !ok {
			return nil, fmt.Errorf("features are chosen by name, not by a %s", python.TypeName(item))
		}
		if len(v.features) == 0 {
			out.desired = append(out.desired, name)
			continue
		}
		f, ok := v.byName[name]
		if !ok {
			return nil, fmt.Errorf("feature view %s has no feature %q", v.name, name)
		}
		out.chosen = append(out.chosen, f)
	}
	return &out, nil
}

// project creates the projection message. A chosen feature of a view whose
// features are inferred later has a name but no type yet.
func (v *view) project() *core.FeatureViewProjection {
	p := &core.FeatureViewProjection{FeatureViewName: v.name, FeatureViewNameAlias: v.alias, ViewType: "featureView"}
	if v.joinMap != nil {
		p.JoinKeyMap, _ = readTags(v.joinMap, "join_key_map") // checked when it was given
	}
	if v.class == "LabelView" {
		p.ViewType = "labelView"
	}
	if v.batch != nil {
		registry.SetBatchSource(p, v.batch.message())
	}
	switch {
	case v.desired != nil:
		for _, name := range v.desired {
			p.FeatureColumns = append(p.FeatureColumns, &core.FeatureSpecV2{Name: name})
		}
	case v.chosen != nil:
		p.FeatureColumns = specs(v.chosen)
	default:
		p.FeatureColumns = specs(v.features)
	}
	return p
}

// newView reads what the constructors of all views share: the name, the entities
// and the schema, which it splits.
func newView(a *args, class string, kinds ...string) *view {
	v := &view{class: class, kinds: append(kinds, "BaseFeatureView"), name: a.name("name")}
	if strings.ContainsAny(v.name, "@:") {
		a.failAt("name", "name %q must not contain '@' or ':'", v.name)
	}
	byKey := map[string]*core.EntitySpecV2{}
	for _, e := range a.entities() {
		spec := e.proto.GetSpec()
		if byKey[spec.GetJoinKey()] != nil {
			a.failAt("entities", "%q has two entities that share join key %s", v.name, spec.GetJoinKey())
		}
		byKey[spec.GetJoinKey()] = spec
		v.entities = append(v.entities, spec.GetName())
	}
	for _, f := range each[*field](a, "schema", "fields") {
		e := byKey[f.spec.GetName()]
		if e == nil {
			v.features = append(v.features, f)
			continue
		}
		if t := e.GetValueType(); t != types.ValueType_INVALID && t != f.spec.GetValueType() {
			a.failAt("schema", "%q: entity %s has type %s, its field in the schema %s", v.name, e.GetName(), t, f.kind)
		}
		v.keys = append(v.keys, f)
	}
	if len(v.entities) == 0 && class != "LabelView" {
		v.entities = []string{registry.DummyEntity}
	}
	v.plain = map[string]any{
		"description": a.text("description"), "owner": a.text("owner"), "org": a.text("org"), "ttl": library.Timedelta(0), "online": true,
		"offline": false, "version": "latest",
	}
	if class == "BatchFeatureView" {
		v.plain["ttl"], v.plain["online"] = nil, false
	}
	for _, n := range []string{"ttl", "online", "offline", "version"} {
		if given, ok := a.bound[n]; ok {
			v.plain[n] = given
		}
	}
	return v
}

func (a *args) entities() []*entity {
	var out []*entity
	for _, v := range a.list("entities") {
		e, ok := v.(*entity)
		if !ok {
			a.failAt("entities", "argument 'entities' holds a %s; give the Entity objects, not their names", python.TypeName(v))
			return nil
		}
		out = append(out, e)
	}
	return out
}

// from reads the data source of a view, and its parent views.
func (v *view) from(a *args) (parents []*view) {
	given, ok := a.get("source")
	if !ok {
		return nil
	}
	switch s := given.(type) {
	case *source:
		v.setSource(a, s)
		return nil
	case *view:
		parents = []*view{s}
	default:
		parents = each[*view](a, "source", "feature views")
	}
	a.keep("source")
	for _, p := range parents {
		if _, ok := p.msg.(*core.FeatureView); !ok {
			a.failAt("source", "argument 'source' holds a %s; views are derived from FeatureViews", p.class)
			return nil
		}
	}
	if len(parents) == 0 {
		return nil
	}
	v.batch = one[*source](a, "sink_source", "a data source")
	if v.batch == nil {
		a.fail("%q is derived from views and must have a sink_source", v.name)
	}
	v.checkMapping(a)
	return parents
}

func (v *view) setSource(a *args, s *source) {
	v.given = s
	switch {
	case s.streams():
		v.stream, v.batch = s, s.batch
		if s.batch == nil {
			a.failAt("source", "%q needs a batch source: give stream source %s a batch_source", v.name, s.proto.GetName())
		}
	case s.class == "RequestSource":
		a.failAt("source", "%q: a request source feeds on-demand feature views only", v.name)
	default:
		v.batch = s
	}
	v.checkMapping(a)
}

// checkMapping refuses fields with a name that the source maps to another.
func (v *view) checkMapping(a *args) {
	if v.batch == nil || a.err != nil {
		return
	}
	mapping := v.batch.proto.GetFieldMapping()
	for _, f := range slices.Concat(v.keys, v.features) {
		if to, ok := mapping[f.spec.GetName()]; ok {
			a.failAt("schema", "%q: its source maps column %s to %s; name the field %s, or remove the mapping", v.name, f.spec.GetName(), to, to)
		}
	}
}

func (v *view) checkVectors(a *args) {
	n := 0
	for _, f := range v.features {
		if f.spec.GetVectorIndex() {
			n++
		}
	}
	if n > 1 {
		a.failAt("schema", "%q has %d fields with vector_index; one is allowed", v.name, n)
	}
}

// ttl is a view's time to live: zero when it is left out, nil for None.
func (a *args) ttl() *durationpb.Duration {
	if _, given := a.bound["ttl"]; !given {
		return durationpb.New(0)
	}
	return a.duration("ttl")
}

// featureView builds the message that FeatureView and BatchFeatureView share.
func (a *args) featureView(v *view, ttl *durationpb.Duration, online bool) *core.FeatureViewSpec {
	spec := &core.FeatureViewSpec{
		Name: v.name, Entities: v.entities, EntityColumns: specs(v.keys), Features: specs(v.features), Ttl: ttl,
		Online: a.flag("online", online), Offline: a.flag("offline", false), Description: a.text("description"), Owner: a.text("owner"), Org: a.text("org"),
		EnableValidation: a.flag("enable_validation", false), Version: a.textOr("version", "latest"), Disabled: !a.flag("enabled", true),
	}
	parents := v.from(a)
	v.checkVectors(a)
	v.msg = &core.FeatureView{Spec: spec}
	v.tags = a.tags("tags", func(t map[string]string) { spec.Tags = t })
	a.call.Later(func() error {
		spec.BatchSource, spec.StreamSource = v.batch.annotated(), v.stream.annotated()
		for _, p := range parents {
			if m, ok := p.msg.(*core.FeatureView); ok {
				spec.SourceViews = append(spec.SourceViews, m.GetSpec())
			}
		}
		return nil
	})
	return spec
}

func newFeatureView(c *python.Call) (any, error) {
	a := bind("FeatureView", c, "*", "name!", "source?", "sink_source?", "schema?", "entities?", "ttl?", "online", "offline", "description", "tags?",
		"owner", "org", "mode?", "enable_validation", "version", "enabled")
	v := newView(a, "FeatureView")
	a.featureView(v, a.ttl(), true).Mode = a.mode("")
	return v, a.err
}

func newLabelView(c *python.Call) (any, error) {
	a := bind("LabelView", c, "*", "name!", "source?", "schema?", "entities?", "ttl?", "online", "description", "tags?", "owner", "labeler_field",
		"conflict_policy", "reference_feature_view?")
	v := newView(a, "LabelView")
	v.given = one[*source](a, "source", "a data source")
	v.batch = v.given
	if v.given != nil && v.given.class == "PushSource" {
		v.batch, v.stream = v.given.batch, v.given
	}
	v.addKeys(a)
	spec := &core.LabelViewSpec{
		Name: v.name, Entities: v.entities, EntityColumns: specs(v.keys), Features: specs(v.features), Ttl: a.ttl(), Online: a.flag("online", true),
		Description: a.text("description"), Owner: a.text("owner"), LabelerField: a.textOr("labeler_field", "labeler"),
		ReferenceFeatureView: a.text("reference_feature_view"),
	}
	if m := a.member("conflict_policy", "ConflictPolicy"); m != nil {
		spec.ConflictPolicy = core.ConflictResolutionPolicy(m.number)
	}
	if len(v.entities) == 0 {
		a.fail("%q has no entities; a label view needs at least one", v.name)
	}
	v.msg = &core.LabelView{Spec: spec}
	v.tags = a.tags("tags", func(t map[string]string) { spec.Tags = t })
	a.call.Later(func() error {
		spec.Source = v.given.annotated()
		return nil
	})
	return v, a.err
}

// addKeys adds the join keys that the schema does not list.
func (v *view) addKeys(a *args) {
	for _, e := range a.entities() {
		spec := e.proto.GetSpec()
		if slices.ContainsFunc(v.keys, func(f *field) bool { return f.spec.GetName() == spec.GetJoinKey() }) {
			continue
		}
		kind := spec.GetValueType()
		if kind == types.ValueType_INVALID {
			kind = types.ValueType_STRING
		}
		v.keys = append(v.keys, &field{spec: &core.FeatureSpecV2{Name: spec.GetJoinKey(), ValueType: kind}, kind: &dtype{value: kind, name: kind.String()}})
	}
}
