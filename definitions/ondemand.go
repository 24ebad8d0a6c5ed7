package definitions

import (
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

func onDemandParams() []string {
	return []string{
		"*", "name", "entities", "schema", "sources", "input_schema", "aggregations", "mode", "description", "tags", "owner", "org",
		"write_to_online_store", "singleton", "track_metrics", "explode", "version", "enabled", "udf", "udf_string", "feature_transformation",
	}
}

// decorator is what @on_demand_feature_view(…) and its siblings give: a
// function that takes the decorated one.
func decorator(name string, params []string, build func(a *args, fn *python.Function) (any, error)) func(*python.Call) (any, error) {
	return func(c *python.Call) (any, error) {
		a := bind(name, c, params...)
		if a.err != nil {
			return nil, a.err
		}
		return &python.Builtin{Name: name, Call: func(inner *python.Call) (any, error) {
			if len(inner.Args) != 1 {
				a.fail("decorates a function")
				return nil, a.err
			}
			fn, ok := inner.Args[0].(*python.Function)
			if !ok {
				a.fail("decorates a %s, want a function", python.TypeName(inner.Args[0]))
				return nil, a.err
			}
			if a.text("name") == "" {
				a.bound["name"] = fn.Name
			}
			return build(a, fn)
		}}, nil
	}
}

func newOnDemandFeatureView(c *python.Call) (any, error) {
	a := bind("OnDemandFeatureView", c, onDemandParams()...)
	fn := one[*python.Function](a, "udf", "a function of this file")
	return onDemandView(a, fn)
}

// onDemandView makes an on-demand feature view. Its function is kept as source
// text: banquet neither runs nor pickles it.
func onDemandView(a *args, fn *python.Function) (any, error) {
	b := newBody(a, "")
	spec := &core.OnDemandFeatureViewSpec{
		Name: b.name, Entities: b.entities, EntityColumns: b.keys, Features: b.features, Mode: strings.ToLower(a.text("mode")),
		Description: a.text("description"), Tags: a.tags("tags"), Owner: a.text("owner"), Org: a.text("org"),
		WriteToOnlineStore: a.flag("write_to_online_store", false), Singleton: a.flag("singleton", false), Version: version(a),
		Disabled: !a.flag("enabled", true), Sources: map[string]*core.OnDemandSource{},
	}
	if spec.Mode == "" {
		spec.Mode = "pandas"
	}
	if spec.Singleton && spec.Mode != "python" {
		a.fail("%q: singleton needs mode=\"python\"", b.name)
	}
	if a.flag("track_metrics", false) {
		if spec.Tags == nil {
			spec.Tags = map[string]string{}
		}
		spec.Tags["feast:track_metrics"] = "true"
	}
	for _, g := range each[*aggregation](a, "aggregations", "aggregations") {
		spec.Aggregations = append(spec.Aggregations, g.proto)
	}
	if fn != nil {
		spec.FeatureTransformation = function(fn, spec.Mode)
	}
	b.sources = a.onDemandSources(spec)
	return newView("OnDemandFeatureView", &core.OnDemandFeatureView{Spec: spec}, b), a.err
}

// onDemandSources reads the views and request data that a view computes from.
func (a *args) onDemandSources(spec *core.OnDemandFeatureViewSpec) []*source {
	var sources []*source
	for _, v := range a.list("sources") {
		switch s := v.(type) {
		case *view:
			name := s.name
			if s.alias != "" {
				name = s.alias
			}
			spec.Sources[name] = &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: s.project()}}
		case *source:
			if s.proto.GetType() != core.DataSource_REQUEST_SOURCE {
				a.fail("%q: argument 'sources' holds a %s; want feature views and request sources", spec.Name, s.proto.GetType())
				continue
			}
			sources = append(sources, s)
			spec.Sources[s.proto.GetName()] = a.requestSource(s.proto)
		default:
			a.wrong("sources", "feature views and request sources", v)
		}
	}
	var schema []*core.FeatureSpecV2
	for _, f := range each[*field](a, "input_schema", "fields") {
		schema = append(schema, f.spec)
	}
	if schema != nil {
		name := "__input_schema__" + spec.Name
		spec.Sources[name] = a.requestSource(&core.DataSource{
			Name: name, Type: core.DataSource_REQUEST_SOURCE,
			Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: schema}},
		})
	}
	if len(spec.Sources) == 0 {
		a.fail("%q needs sources or an input_schema", spec.Name)
	}
	return sources
}

// requestSource is request data within a view: there Feast writes no class.
func (a *args) requestSource(s *core.DataSource) *core.OnDemandSource {
	p := &core.DataSource{Name: s.GetName(), Type: s.GetType(), TimestampField: s.GetTimestampField(), Description: s.GetDescription(), Tags: s.GetTags(), Owner: s.GetOwner(), Options: s.GetOptions()}
	return &core.OnDemandSource{Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: p}}
}
