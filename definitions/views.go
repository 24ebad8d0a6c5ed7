package definitions

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

// entity is an Entity.
type entity struct{ proto *core.Entity }

func (e *entity) String() string { return "Entity" }

// Attr gives what factories read of an entity.
func (e *entity) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return e.proto.GetSpec().GetName(), true
	case "join_key":
		return e.proto.GetSpec().GetJoinKey(), true
	}
	return nil, false
}

func newEntity(c *python.Call) (any, error) {
	a := bind("Entity", c, "*", "name", "join_keys", "value_type", "description", "tags", "owner")
	spec := &core.EntitySpecV2{Name: a.must("name"), Description: a.text("description"), Tags: a.tags("tags"), Owner: a.text("owner")}
	spec.JoinKey = spec.Name
	keys := a.texts("join_keys")
	if len(keys) > 1 {
		a.fail("%q has %d join keys; an entity has one, define another entity for each", spec.Name, len(keys))
	}
	if len(keys) == 1 {
		spec.JoinKey = keys[0]
	}
	if m := one[*member](a, "value_type", "a ValueType"); m != nil {
		spec.ValueType = types.ValueType_Enum(m.number)
	}
	return &entity{&core.Entity{Spec: spec}}, a.err
}

func newProject(c *python.Call) (any, error) {
	a := bind("Project", c, "*", "name", "description", "tags", "owner")
	return &project{&core.Project{Spec: &core.ProjectSpec{Name: a.must("name"), Description: a.text("description"), Tags: a.tags("tags"), Owner: a.text("owner")}}}, a.err
}

// project is a Project.
type project struct{ proto *core.Project }

func (p *project) String() string { return "Project" }

// view is a feature view of any kind, with what projections of it need.
type view struct {
	class string
	msg   proto.Message
	name  string
	// features are those of the definition; empty when they are to be inferred.
	features []*core.FeatureSpecV2
	batch    *core.DataSource
	sources  []*source // all that the view is made from
	// projection of the view: what with_name and view[[…]] make.
	chosen  []string
	alias   string
	joinMap map[string]string
}

func (v *view) String() string { return v.class }

// Attr gives the methods that make projections, and the name.
func (v *view) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return v.name, true
	case "with_name":
		return &python.Builtin{Name: name, Call: func(c *python.Call) (any, error) {
			a := bind("with_name", c, "name")
			out := *v
			out.alias = a.must("name")
			return &out, a.err
		}}, true
	case "with_join_key_map":
		return &python.Builtin{Name: name, Call: func(c *python.Call) (any, error) {
			a := bind("with_join_key_map", c, "join_key_map")
			out := *v
			out.joinMap = a.tags("join_key_map")
			return &out, a.err
		}}, true
	}
	return nil, false
}

// Index is view[["a", "b"]].
func (v *view) Index(key any) (any, error) {
	items, ok := key.(*python.List)
	if !ok {
		return nil, fmt.Errorf("features are chosen by a list of names: %s[[\"feature\"]]", v.name)
	}
	out := *v
	out.chosen = nil
	for _, item := range items.Items {
		name, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("features are chosen by name, not by a %s", python.TypeName(item))
		}
		if len(v.features) > 0 && !slices.ContainsFunc(v.features, func(f *core.FeatureSpecV2) bool { return f.GetName() == name }) {
			return nil, fmt.Errorf("feature view %s has no feature %q", v.name, name)
		}
		out.chosen = append(out.chosen, name)
	}
	return &out, nil
}

// project makes the projection message. A chosen feature of a view whose
// features are inferred later has no type yet.
func (v *view) project() *core.FeatureViewProjection {
	p := &core.FeatureViewProjection{
		FeatureViewName: v.name, FeatureViewNameAlias: v.alias, JoinKeyMap: v.joinMap, ViewType: "featureView",
	}
	if v.batch != nil {
		// The field named timestamp_field holds the created time's column: that
		// is how Feast fills it.
		p.TimestampField, p.CreatedTimestampColumn = v.batch.GetCreatedTimestampColumn(), v.batch.GetCreatedTimestampColumn()
		p.DatePartitionColumn, p.BatchSource = v.batch.GetDatePartitionColumn(), v.batch
	}
	if v.chosen == nil {
		p.FeatureColumns = slices.Clone(v.features)
		return p
	}
	for _, name := range v.chosen {
		i := slices.IndexFunc(v.features, func(f *core.FeatureSpecV2) bool { return f.GetName() == name })
		if i < 0 {
			p.FeatureColumns = append(p.FeatureColumns, &core.FeatureSpecV2{Name: name})
			continue
		}
		p.FeatureColumns = append(p.FeatureColumns, v.features[i])
	}
	return p
}

// body is what the constructors of all views share.
type body struct {
	name     string
	entities []string
	keys     []*core.FeatureSpecV2 // entity columns
	features []*core.FeatureSpecV2
	batch    *core.DataSource
	stream   *core.DataSource
	sources  []*source
}

// newBody reads entities, schema and source, and splits the schema.
func newBody(a *args, sourceArg string) body {
	b := body{name: a.must("name")}
	if strings.ContainsAny(b.name, "@:") {
		a.fail("name %q must not contain '@' or ':'", b.name)
	}
	byKey := map[string]*core.EntitySpecV2{}
	for _, v := range a.list("entities") {
		e, ok := v.(*entity)
		if !ok {
			a.fail("argument 'entities' holds a %s; give the Entity objects, not their names", python.TypeName(v))
			break
		}
		spec := e.proto.GetSpec()
		if byKey[spec.GetJoinKey()] != nil {
			a.fail("%q has two entities that share join key %s", b.name, spec.GetJoinKey())
		}
		byKey[spec.GetJoinKey()] = spec
		b.entities = append(b.entities, spec.GetName())
	}
	for _, f := range each[*field](a, "schema", "fields") {
		e := byKey[f.spec.GetName()]
		if e == nil {
			b.features = append(b.features, f.spec)
			continue
		}
		if t := e.GetValueType(); t != types.ValueType_INVALID && t != f.spec.GetValueType() {
			a.fail("%q: entity %s has type %s, its field in the schema %s", b.name, e.GetName(), t, f.spec.GetValueType())
		}
		b.keys = append(b.keys, f.spec)
	}
	if len(b.entities) == 0 {
		b.entities = []string{registry.DummyEntity}
	}
	b.setSource(a, sourceArg)
	return b
}

func (b *body) setSource(a *args, arg string) {
	v, ok := a.get(arg)
	if !ok {
		return
	}
	s, isSource := v.(*source)
	if !isSource {
		return // views over views are read by their constructor
	}
	b.sources = append(b.sources, s)
	switch s.proto.GetType() {
	case core.DataSource_PUSH_SOURCE, core.DataSource_STREAM_KAFKA, core.DataSource_STREAM_KINESIS:
		b.stream, b.batch = s.proto, s.proto.GetBatchSource()
		if b.batch == nil {
			a.fail("%q: a batch_source needs to be specified for stream source %s", b.name, s.proto.GetName())
		}
	case core.DataSource_REQUEST_SOURCE:
		a.fail("%q: a request source feeds on-demand feature views only", b.name)
	default:
		b.batch = s.proto
	}
	for from, to := range b.batch.GetFieldMapping() {
		for _, f := range append(slices.Clone(b.features), b.keys...) {
			if f.GetName() == from {
				a.fail("%q: field %s is mapped to %s by its source; use %s, or remove the mapping", b.name, from, to, to)
			}
		}
	}
}

func viewParams() []string {
	return []string{"*", "name", "source", "sink_source", "schema", "entities", "ttl", "online", "offline", "description", "tags", "owner", "org", "mode", "enable_validation", "version", "enabled"}
}

func version(a *args) string {
	if v := a.text("version"); v != "" {
		return v
	}
	return "latest"
}

func newFeatureView(c *python.Call) (any, error) {
	a := bind("FeatureView", c, viewParams()...)
	b := newBody(a, "source")
	ttl := a.duration("ttl")
	if ttl == nil {
		ttl = durationpb.New(0)
	}
	spec := &core.FeatureViewSpec{
		Name: b.name, Entities: b.entities, EntityColumns: b.keys, Features: b.features, Ttl: ttl, BatchSource: b.batch, StreamSource: b.stream,
		Online: a.flag("online", true), Offline: a.flag("offline", false), Description: a.text("description"), Tags: a.tags("tags"),
		Owner: a.text("owner"), Org: a.text("org"), Mode: a.text("mode"), EnableValidation: a.flag("enable_validation", false),
		Version: version(a), Disabled: !a.flag("enabled", true),
	}
	a.overViews(&b, spec)
	return newView("FeatureView", &core.FeatureView{Spec: spec}, b), a.err
}

// overViews reads a view that is defined over other views.
func (a *args) overViews(b *body, spec *core.FeatureViewSpec) {
	v, ok := a.get("source")
	if !ok {
		return
	}
	list := []any{v}
	if l, isList := v.(*python.List); isList {
		list = l.Items
	}
	for _, item := range list {
		switch s := item.(type) {
		case *source:
		case *view:
			m, isBatch := s.msg.(*core.FeatureView)
			if !isBatch {
				a.wrong("source", "a data source or feature views", item)
				return
			}
			spec.SourceViews = append(spec.SourceViews, m.GetSpec())
		default:
			a.wrong("source", "a data source", item)
			return
		}
	}
	if len(spec.SourceViews) == 0 {
		return
	}
	sink := one[*source](a, "sink_source", "a data source")
	if sink == nil {
		a.fail("%q is defined over views and must specify sink_source", b.name)
		return
	}
	b.batch, spec.BatchSource = sink.proto, sink.proto
	b.sources = append(b.sources, sink)
}

func newView(class string, msg proto.Message, b body) *view {
	return &view{class: class, msg: msg, name: b.name, features: b.features, batch: b.batch, sources: b.sources}
}

func newBatchFeatureView(c *python.Call) (any, error) {
	a := bind("BatchFeatureView", c, append(viewParams(), "udf", "udf_string", "feature_transformation", "batch_engine", "aggregations")...)
	return batchView(a, nil)
}

// batchView makes a BatchFeatureView, with the function of its decorator.
func batchView(a *args, fn *python.Function) (any, error) {
	for _, name := range []string{"udf", "feature_transformation"} {
		if _, ok := a.get(name); ok && fn == nil {
			a.fail("argument '%s' is not read; use the decorator @batch_feature_view", name)
		}
	}
	b := newBody(a, "source")
	spec := &core.FeatureViewSpec{
		Name: b.name, Entities: b.entities, EntityColumns: b.keys, Features: b.features, Ttl: a.duration("ttl"), BatchSource: b.batch, StreamSource: b.stream,
		Online: a.flag("online", false), Offline: a.flag("offline", false), Description: a.text("description"), Tags: a.tags("tags"),
		Owner: a.text("owner"), Org: a.text("org"), Mode: a.text("mode"), EnableValidation: a.flag("enable_validation", false), Version: version(a),
	}
	if spec.Mode == "" {
		spec.Mode = "python"
	}
	if fn != nil {
		spec.FeatureTransformation = function(fn, spec.Mode)
	}
	a.overViews(&b, spec)
	return newView("BatchFeatureView", &core.FeatureView{Spec: spec}, b), a.err
}

// function keeps the source text of a function; its pickle is Python's to make.
func function(fn *python.Function, mode string) *core.FeatureTransformationV2 {
	return &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
		UserDefinedFunction: &core.UserDefinedFunctionV2{Name: fn.Name, BodyText: fn.Source, Mode: mode},
	}}
}

func newStreamFeatureView(c *python.Call) (any, error) {
	return streamView(bind("StreamFeatureView", c, append(viewParams(), "aggregations", "timestamp_field", "udf", "udf_string", "stream_engine", "enable_tiling", "tiling_hop_size", "feature_transformation")...), nil)
}

func streamView(a *args, fn *python.Function) (any, error) {
	b := newBody(a, "source")
	ttl := a.duration("ttl")
	if ttl == nil {
		ttl = durationpb.New(0)
	}
	spec := &core.StreamFeatureViewSpec{
		Name: b.name, Entities: b.entities, EntityColumns: b.keys, Features: append(slices.Clone(b.keys), b.features...), Ttl: ttl,
		BatchSource: b.batch, StreamSource: b.stream, Online: a.flag("online", true), Description: a.text("description"), Tags: a.tags("tags"),
		Owner: a.text("owner"), Org: a.text("org"), Mode: a.text("mode"), TimestampField: a.text("timestamp_field"), Version: version(a),
		EnableTiling: a.flag("enable_tiling", false), TilingHopSize: a.duration("tiling_hop_size"),
		EnableValidation: a.flag("enable_validation", false), Disabled: !a.flag("enabled", true),
	}
	for _, g := range each[*aggregation](a, "aggregations", "aggregations") {
		spec.Aggregations = append(spec.Aggregations, g.proto)
	}
	if len(spec.Aggregations) > 0 && spec.TimestampField == "" {
		a.fail("%q has aggregations and needs a timestamp_field", b.name)
	}
	if fn != nil {
		spec.FeatureTransformation = function(fn, "")
		spec.UserDefinedFunction = &core.UserDefinedFunction{Name: fn.Name, BodyText: fn.Source}
	}
	return newView("StreamFeatureView", &core.StreamFeatureView{Spec: spec}, b), a.err
}

func newLabelView(c *python.Call) (any, error) {
	a := bind("LabelView", c, "*", "name", "source", "schema", "entities", "ttl", "online", "description", "tags", "owner", "labeler_field", "conflict_policy", "reference_feature_view", "retain_history")
	b := newBody(a, "source")
	ttl := a.duration("ttl")
	if ttl == nil {
		ttl = durationpb.New(0)
	}
	spec := &core.LabelViewSpec{
		Name: b.name, Entities: b.entities, EntityColumns: b.keys, Features: b.features, Ttl: ttl, Online: a.flag("online", true),
		Description: a.text("description"), Tags: a.tags("tags"), Owner: a.text("owner"), LabelerField: a.text("labeler_field"),
		ReferenceFeatureView: a.text("reference_feature_view"),
	}
	if spec.LabelerField == "" {
		spec.LabelerField = "labeler"
	}
	if m := one[*member](a, "conflict_policy", "a ConflictPolicy"); m != nil {
		spec.ConflictPolicy = core.ConflictResolutionPolicy(m.number)
	}
	if b.stream != nil {
		spec.Source = b.stream
	} else {
		spec.Source = b.batch
	}
	return newView("LabelView", &core.LabelView{Spec: spec}, b), a.err
}

// aggregation is an Aggregation.
type aggregation struct{ proto *core.Aggregation }

func (g *aggregation) String() string { return "Aggregation" }

func newAggregation(c *python.Call) (any, error) {
	a := bind("Aggregation", c, "column", "function", "time_window", "slide_interval", "name")
	p := &core.Aggregation{Column: a.must("column"), Function: a.must("function"), TimeWindow: a.duration("time_window"), SlideInterval: a.duration("slide_interval"), Name: a.text("name")}
	if p.SlideInterval == nil {
		p.SlideInterval = p.TimeWindow
	}
	return &aggregation{p}, a.err
}
