package definitions

import (
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

const (
	trackMetricsTag   = "feast:track_metrics"
	inputSchemaPrefix = "__input_schema__"
)

func newOnDemandFeatureView(c *python.Call) (any, error) {
	a := bind("OnDemandFeatureView", c, "*", "name!", "entities?", "schema?", "sources?", "input_schema?", "udf?", "udf_string?", "feature_transformation?",
		"mode", "description", "tags?", "owner", "org", "write_to_online_store", "singleton", "track_metrics", "aggregations?", "version", "enabled")
	mode := a.onDemandMode()
	return onDemandView(a, a.given(mode, "pandas", "python"), mode)
}

// onDemandDecorator is @on_demand_feature_view.
func onDemandDecorator() func(*python.Call) (any, error) {
	params := []string{
		"*", "name?", "entities?", "schema!", "sources?", "input_schema?", "aggregations?", "mode", "description", "tags?", "owner", "org",
		"write_to_online_store", "singleton", "track_metrics", "explode", "version",
	}
	return decorator("on_demand_feature_view", params, func(a *args, fn *python.Function) (any, error) {
		mode := a.onDemandMode()
		return onDemandView(a, a.decorated(fn, mode, "pandas", "python"), mode)
	})
}

func (a *args) onDemandMode() string {
	mode := strings.ToLower(a.textOr("mode", "pandas"))
	if mode == "substrait" {
		a.failAt("mode", "has mode substrait, whose plan only Python can make; use mode=\"pandas\" or \"python\"")
	}
	return mode
}

// onDemandView creates an on-demand feature view.
func onDemandView(a *args, t *transformation, mode string) (any, error) {
	v := newView(a, "OnDemandFeatureView")
	spec := &core.OnDemandFeatureViewSpec{
		Name: v.name, Entities: v.entities, EntityColumns: specs(v.keys), Features: specs(v.features), Mode: mode,
		Description: a.text("description"), Owner: a.text("owner"), Org: a.text("org"),
		WriteToOnlineStore: a.flag("write_to_online_store", false), Singleton: a.flag("singleton", false), Version: a.textOr("version", "latest"),
		Disabled: !a.flag("enabled", true), Aggregations: a.aggregations(), FeatureTransformation: t.message(),
	}
	if spec.Singleton && mode != "python" {
		a.failAt("singleton", "%q: singleton needs mode=\"python\"", v.name)
	}
	if t == nil && len(spec.GetAggregations()) == 0 {
		a.fail("%q needs a function or aggregations", v.name)
	}
	track := a.flag("track_metrics", false)
	v.tags = a.tags("tags", func(t map[string]string) {
		delete(t, trackMetricsTag)
		if track {
			if t == nil {
				t = map[string]string{}
			}
			t[trackMetricsTag] = "true"
		}
		spec.Tags = t
	})
	a.onDemandSources(spec)
	v.readBack = a.readsBack("on-demand feature view "+v.name, t, runnerOf(mode))
	v.msg = &core.OnDemandFeatureView{Spec: spec}
	return v, a.err
}

// onDemandSources reads the views and request data that a view uses. If two
// projections of one view have the same name, the last one counts, as in Feast.
func (a *args) onDemandSources(spec *core.OnDemandFeatureViewSpec) {
	var views []*view
	var requests []*source
	for _, v := range a.list("sources") {
		switch s := v.(type) {
		case *view:
			if _, ok := s.msg.(*core.OnDemandFeatureView); ok {
				a.failAt("sources", "%q: an on-demand feature view cannot be made from another (%s)", spec.GetName(), s.name)
			}
			views = append(views, s)
		case *source:
			if s.class != "RequestSource" {
				a.failAt("sources", "%q: argument 'sources' holds a %s; want feature views and request sources", spec.GetName(), s.class)
			}
			requests = append(requests, s)
		default:
			a.failAt("sources", "%q: argument 'sources' holds a %s; want feature views and request sources", spec.GetName(), python.TypeName(v))
		}
	}
	if a.bound["input_schema"] != nil {
		requests = append(requests, a.inputSchema(spec))
	} else if len(views)+len(requests) == 0 {
		a.fail("%q needs sources or an input_schema", spec.GetName())
	}
	for _, v := range views {
		if slices.ContainsFunc(requests, func(s *source) bool { return s.proto.GetName() == v.name }) {
			a.failAt("sources", "%q has a feature view and a request source of one name, %s", spec.GetName(), v.name)
		}
	}
	a.call.Later(func() error {
		spec.Sources = map[string]*core.OnDemandSource{}
		for _, v := range views {
			spec.Sources[v.name] = &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: v.project()}}
		}
		for _, s := range requests {
			spec.Sources[s.proto.GetName()] = &core.OnDemandSource{Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: s.message()}}
		}
		return nil
	})
}

// inputSchema creates the request source that Feast stores for an input_schema.
func (a *args) inputSchema(spec *core.OnDemandFeatureViewSpec) *source {
	fields := each[*field](a, "input_schema", "fields")
	for _, g := range spec.GetAggregations() {
		if g.GetColumn() != "" && !slices.ContainsFunc(fields, func(f *field) bool { return f.spec.GetName() == g.GetColumn() }) {
			a.failAt("aggregations", "%q: aggregated column %s is not in the input_schema", spec.GetName(), g.GetColumn())
		}
	}
	return &source{class: "RequestSource", proto: &core.DataSource{
		Name: inputSchemaPrefix + spec.GetName(), Type: core.DataSource_REQUEST_SOURCE, Options: requestOptions(fields),
	}}
}
