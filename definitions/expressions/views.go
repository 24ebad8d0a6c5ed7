package expressions

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/similar"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
)

// view reads one view.
func (r *reader) view(n *yaml.Node) {
	line := target(n).Line
	m := r.mapping(n, "a view", "name", "description", "owner", "org", "tags", "entities", "sources", "write_to_online_store", "features")
	spec := &core.OnDemandFeatureViewSpec{
		Name: r.text(m["name"], "name"), Description: r.text(m["description"], "description"), Owner: r.text(m["owner"], "owner"),
		Org: r.text(m["org"], "org"), WriteToOnlineStore: r.flag(m["write_to_online_store"], "write_to_online_store"),
		Mode: "python", Version: "latest", Sources: map[string]*core.OnDemandSource{},
	}
	name := spec.GetName()
	switch other := r.views[strings.ToLower(name)]; {
	case name == "":
		r.fail(line, "a view needs a name")
		return
	case strings.ContainsAny(name, "@:"):
		r.fail(line, "name %q must not contain '@' or ':'", name)
	case other != "":
		r.fail(line, "on-demand feature view %s: there is %s already; give one of them another name", name, other)
	}
	r.views[strings.ToLower(name)] = "on-demand feature view " + name
	r.places[name] = place(line)
	for _, p := range r.pairs(m["tags"], "tags") {
		if spec.Tags == nil {
			spec.Tags = map[string]string{}
		}
		spec.Tags[p.key.Value] = r.text(p.value, "tag "+p.key.Value)
	}
	r.entities(spec, m["entities"], line)
	for _, s := range r.list(m["sources"], "sources") {
		r.source(spec, s)
	}
	if len(spec.GetSources()) == 0 && len(r.faults) == 0 {
		r.fail(line, "view %s needs sources: names of feature views, or request data", name)
	}
	r.features(spec, m["features"], line)
	r.made = append(r.made, &core.OnDemandFeatureView{Spec: spec})
}

// entities reads the names of entities.
func (r *reader) entities(spec *core.OnDemandFeatureViewSpec, n *yaml.Node, line int) {
	all := map[string]*core.EntitySpecV2{}
	var names []string
	for _, e := range r.repo.Objects.Entities {
		all[e.GetSpec().GetName()] = e.GetSpec()
		names = append(names, e.GetSpec().GetName())
	}
	for _, item := range r.list(n, "entities") {
		name := r.text(item, "an entity")
		e := all[name]
		if e == nil {
			r.fail(item.Line, "view %s: there is no entity %q%s", spec.GetName(), name, nearest(name, names))
			continue
		}
		if slices.Contains(spec.GetEntities(), name) {
			r.fail(item.Line, "view %s has the entity %s twice", spec.GetName(), name)
			continue
		}
		spec.Entities = append(spec.Entities, name)
		if e.GetValueType() != types.ValueType_INVALID {
			spec.EntityColumns = append(spec.EntityColumns, &core.FeatureSpecV2{Name: e.GetJoinKey(), ValueType: e.GetValueType()})
		}
	}
	if len(spec.GetEntities()) > 0 {
		return
	}
	spec.Entities = []string{registry.DummyEntity}
	if spec.GetWriteToOnlineStore() {
		r.fail(line, "view %s has write_to_online_store and needs entities, the keys of its rows", spec.GetName())
	}
}

func nearest(name string, names []string) string {
	if near := similar.Nearest(name, names); near != "" {
		return "; there is " + near
	}
	return ""
}

// source reads a source: a name, {view, features} or {request, schema}.
func (r *reader) source(spec *core.OnDemandFeatureViewSpec, n *yaml.Node) {
	n = target(n)
	if n.Kind == yaml.ScalarNode {
		r.project(spec, n.Line, r.text(n, "a source"), nil)
		return
	}
	m := r.mapping(n, "a source", "view", "features", "request", "schema")
	switch {
	case (m["view"] == nil) == (m["request"] == nil):
		r.fail(n.Line, "view %s: a source is the name of a feature view, {view: name, features: [...]}, or {request: name, schema: {...}}", spec.GetName())
	case m["request"] != nil:
		r.request(spec, n.Line, r.text(m["request"], "request"), m)
	case m["schema"] != nil:
		r.fail(m["schema"].Line, "view %s: a feature view as a source has features, not a schema", spec.GetName())
	default:
		var chosen []string
		for _, f := range r.list(m["features"], "features of a source") {
			chosen = append(chosen, r.text(f, "a feature of a source"))
		}
		r.project(spec, n.Line, r.text(m["view"], "view"), chosen)
	}
}

// request adds request data.
func (r *reader) request(spec *core.OnDemandFeatureViewSpec, line int, name string, m map[string]*yaml.Node) {
	if m["features"] != nil {
		r.fail(m["features"].Line, "view %s: request data has a schema, not features", spec.GetName())
	}
	var schema []*core.FeatureSpecV2
	for _, p := range r.pairs(m["schema"], "schema of "+name) {
		schema = append(schema, &core.FeatureSpecV2{Name: p.key.Value, ValueType: r.kind(p.value, "field "+p.key.Value)})
	}
	if len(schema) == 0 || name == "" {
		r.fail(line, "view %s: request data needs a name and a schema: {request: name, schema: {field: Int64}}", spec.GetName())
		return
	}
	r.add(spec, line, name, &core.OnDemandSource{Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{
		Name: name, Type: core.DataSource_REQUEST_SOURCE,
		Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: schema}},
	}}})
}

func (r *reader) add(spec *core.OnDemandFeatureViewSpec, line int, name string, s *core.OnDemandSource) {
	if spec.GetSources()[name] != nil {
		r.fail(line, "view %s has the source %s twice", spec.GetName(), name)
		return
	}
	spec.Sources[name] = s
}

// stored is what a projection needs of a feature view.
type stored struct {
	features, keys []*core.FeatureSpecV2
	source         *core.DataSource
}

// project adds a feature view, or some of its features.
func (r *reader) project(spec *core.OnDemandFeatureViewSpec, line int, name string, chosen []string) {
	all := map[string]stored{}
	var names []string
	for _, v := range r.repo.Objects.FeatureViews {
		s := v.GetSpec()
		all[s.GetName()] = stored{s.GetFeatures(), s.GetEntityColumns(), s.GetBatchSource()}
		names = append(names, s.GetName())
	}
	for _, v := range r.repo.Objects.StreamFeatureViews {
		s := v.GetSpec()
		all[s.GetName()] = stored{s.GetFeatures(), s.GetEntityColumns(), s.GetBatchSource()}
		names = append(names, s.GetName())
	}
	v, ok := all[name]
	if !ok {
		r.fail(line, "view %s: there is no feature view %q%s; a source is a feature view of the Python files, or {request: name, schema: {...}}", spec.GetName(), name, nearest(name, names))
		return
	}
	p := &core.FeatureViewProjection{FeatureViewName: name, ViewType: "featureView"}
	registry.SetBatchSource(p, v.source)
	var have []string
	for _, f := range v.features {
		have = append(have, f.GetName())
		isKey := slices.ContainsFunc(v.keys, func(k *core.FeatureSpecV2) bool { return k.GetName() == f.GetName() })
		if !isKey && (len(chosen) == 0 || slices.Contains(chosen, f.GetName())) {
			c, _ := proto.Clone(f).(*core.FeatureSpecV2)
			p.FeatureColumns = append(p.FeatureColumns, c)
		}
	}
	for _, f := range chosen {
		switch {
		case len(v.features) == 0: // an apply finds the features of a view without a schema
			p.FeatureColumns = append(p.FeatureColumns, &core.FeatureSpecV2{Name: f})
		case !slices.Contains(have, f):
			r.fail(line, "view %s: feature view %s has no feature %q%s", spec.GetName(), name, f, nearest(f, have))
		}
	}
	r.add(spec, line, name, &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: p}})
}

// features reads the features and their expressions.
func (r *reader) features(spec *core.OnDemandFeatureViewSpec, n *yaml.Node, line int) {
	var list []transform.Expression
	for _, p := range r.pairs(n, "features") {
		m := r.mapping(p.value, "feature "+p.key.Value, "type", "expr", "description")
		f := &core.FeatureSpecV2{Name: p.key.Value, Description: r.text(m["description"], "description")}
		if m["type"] == nil {
			r.fail(p.key.Line, "feature %s of view %s needs a type: %s", p.key.Value, spec.GetName(), strings.Join(typeNames(), ", "))
		} else {
			f.ValueType = r.kind(m["type"], "type of feature "+p.key.Value)
		}
		list = append(list, r.expressionOf(spec.GetName(), p, m["expr"]))
		spec.Features = append(spec.Features, f)
	}
	if len(list) == 0 {
		r.fail(line, "view %s needs features: {name: {type: Float64, expr: ...}}", spec.GetName())
	}
	spec.FeatureTransformation = &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
		UserDefinedFunction: transform.ExpressionsFunction(spec.GetName(), list),
	}}
}

// kind reads the name of a type of Feast.
func (r *reader) kind(n *yaml.Node, what string) types.ValueType_Enum {
	text := r.text(n, what)
	if text == "" && target(n).ShortTag() != "!!str" && target(n).ShortTag() != "!!null" {
		return types.ValueType_INVALID // text has said so
	}
	name := strings.ReplaceAll(text, " ", "")
	scalar, isList := strings.CutPrefix(name, "Array(")
	if isList {
		scalar = strings.TrimSuffix(scalar, ")")
	}
	t, ok := map[string]types.ValueType_Enum{
		"Int32": types.ValueType_INT32, "Int64": types.ValueType_INT64, "Float32": types.ValueType_FLOAT, "Float64": types.ValueType_DOUBLE,
		"String": types.ValueType_STRING, "Bool": types.ValueType_BOOL, "UnixTimestamp": types.ValueType_UNIX_TIMESTAMP,
	}[scalar]
	if isList && ok && t != types.ValueType_UNIX_TIMESTAMP && strings.HasSuffix(name, ")") {
		return types.ValueType_Enum(types.ValueType_Enum_value[t.String()+"_LIST"])
	}
	if !ok || isList {
		r.fail(target(n).Line, "%s: %q is no type that expressions know%s; they know %s", what, name, nearest(name, typeNames()), strings.Join(typeNames(), ", "))
	}
	return t
}

func typeNames() []string {
	return []string{"Int32", "Int64", "Float32", "Float64", "String", "Bool", "UnixTimestamp", "Array(Int64)", "Array(Float64)", "Array(String)", "Array(Bool)"}
}
