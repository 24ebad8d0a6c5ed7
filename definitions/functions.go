package definitions

import (
	"cmp"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// transformation is the function of a view: what Feast stores of it except the
// pickle, which only Python can make.
type transformation struct {
	class string
	proto *core.UserDefinedFunctionV2
	fn    *python.Function
	own   int // number of decorators that create the view
}

// Kinds lists the classes of a transformation.
func (t *transformation) Kinds() []string { return []string{t.class, "Transformation"} }

// message is a transformation as views store it; nil for none.
func (t *transformation) message() *core.FeatureTransformationV2 {
	if t == nil {
		return nil
	}
	return &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{UserDefinedFunction: t.proto}}
}

// newTransformation is Transformation(…) and its subclasses for one mode each.
func newTransformation(class, mode string) func(*python.Call) (any, error) {
	return func(c *python.Call) (any, error) {
		params := []string{"udf!", "udf_string!", "name?", "tags?", "description", "owner", "singleton"}
		if mode == "" {
			params = append([]string{"mode!"}, params...)
		}
		a := bind(class, c, params...)
		fn := a.function("udf")
		p := &core.UserDefinedFunctionV2{BodyText: a.text("udf_string"), Mode: a.mode(mode)}
		if fn != nil {
			p.Name = fn.Name
		}
		return &transformation{class: class, proto: p, fn: fn}, a.err
	}
}

func (a *args) function(name string) *python.Function {
	return one[*python.Function](a, name, "a function of the file")
}

// given reads the arguments udf, udf_string and feature_transformation; nil if
// there is no function.
func (a *args) given(mode string, modes ...string) *transformation {
	if t := one[*transformation](a, "feature_transformation", "a transformation"); t != nil {
		return t
	}
	fn := a.function("udf")
	if fn == nil {
		return nil
	}
	return a.written(fn, a.text("udf_string"), mode, modes...)
}

// written makes a transformation from a function and its text.
func (a *args) written(fn *python.Function, text, mode string, modes ...string) *transformation {
	for _, m := range modes {
		if m == mode {
			return &transformation{class: "Transformation", proto: &core.UserDefinedFunctionV2{Name: fn.Name, BodyText: text, Mode: mode}, fn: fn}
		}
	}
	a.failAt("mode", "has mode %q, which does not allow a function; use one of %s", mode, strings.Join(modes, ", "))
	return nil
}

// decorated is written for a function below the decorator of a view.
func (a *args) decorated(fn *python.Function, mode string, modes ...string) *transformation {
	t := a.written(fn, fn.Source, mode, modes...)
	if t != nil {
		t.own = 1
	}
	return t
}

// decorator is the result of @on_demand_feature_view(…) and the like: a function
// that accepts the decorated function.
func decorator(of string, params []string, build func(a *args, fn *python.Function) (any, error)) func(*python.Call) (any, error) {
	return func(c *python.Call) (any, error) {
		a := bind(of, c, params...)
		if a.err != nil {
			return nil, a.err
		}
		return &python.Builtin{Name: of, Definer: true, Call: func(inner *python.Call) (any, error) {
			if len(inner.Args) != 1 {
				a.fail("decorates a function")
				return nil, a.err
			}
			fn, ok := inner.Args[0].(*python.Function)
			if !ok || fn.Source == "" {
				what := python.TypeName(inner.Args[0])
				if ok {
					what = "lambda" // for Feast its text is the whole line
				}
				a.fail("decorates a %s, want a function written with def", what)
				return nil, a.err
			}
			if a.bound["name"] == nil {
				a.bound["name"] = fn.Name
			}
			return build(a, fn)
		}}, nil
	}
}

func newBatchFeatureView(c *python.Call) (any, error) {
	a := bind("BatchFeatureView", c, "*", "name!", "mode", "source?", "sink_source?", "entities?", "ttl?", "tags?", "online", "offline", "description", "owner",
		"org", "schema?", "udf?", "udf_string?", "feature_transformation?", "batch_engine?", "aggregations?", "enable_validation", "version")
	mode := a.mode("python")
	return batchView(a, a.given(mode, batchModes()...))
}

func batchModes() []string { return []string{"pandas", "python", "sql", "ray", "flink"} }

// batchDecorator is @batch_feature_view, which has other defaults.
func batchDecorator() func(*python.Call) (any, error) {
	params := []string{
		"*", "name?", "mode", "entities?", "ttl?", "source?", "tags?", "online", "offline", "description", "owner", "org", "schema?", "enable_validation", "version",
	}
	return decorator("batch_feature_view", params, func(a *args, fn *python.Function) (any, error) {
		for _, n := range []string{"online", "offline"} {
			if _, given := a.bound[n]; !given {
				a.bound[n] = true
			}
		}
		return batchView(a, a.decorated(fn, a.mode("python"), batchModes()...))
	})
}

// batchView makes a BatchFeatureView.
func batchView(a *args, t *transformation) (any, error) {
	v := newView(a, "BatchFeatureView", "FeatureView")
	aggregations := a.aggregations()
	s, isSource := a.bound["source"].(*source)
	switch {
	case isSource && (s.streams() || s.class == "RequestSource" || s.class == "IcebergSource"):
		a.failAt("source", "%q needs a batch source; %s is a %s", v.name, s.proto.GetName(), s.class)
	case a.bound["source"] == nil && aggregations != nil:
		a.fail("%q has aggregations and needs a source", v.name)
	case a.bound["source"] == nil && t == nil:
		a.fail("%q needs a source or a function", v.name)
	}
	spec := a.featureView(v, a.duration("ttl"), false)
	spec.Mode = a.mode("python")
	spec.FeatureTransformation = t.message()
	if t != nil {
		v.readBack = a.readsBack("batch feature view "+v.name, t, runnerOf(cmp.Or(t.proto.GetMode(), "python")))
	}
	return v, a.err
}

func newStreamFeatureView(c *python.Call) (any, error) {
	a := bind("StreamFeatureView", c, "*", "name!", "source!", "sink_source?", "entities?", "ttl", "tags?", "online", "offline", "description", "owner", "org",
		"schema?", "aggregations?", "mode", "timestamp_field?", "udf?", "udf_string?", "feature_transformation?", "stream_engine?", "enable_tiling",
		"tiling_hop_size?", "enable_validation", "version")
	return streamView(a, a.given(a.mode("python"), streamModes()...), a.mode("python"))
}

func streamModes() []string { return []string{"pandas", "python", "spark_sql", "spark", "flink"} }

// streamDecorator is @stream_feature_view.
func streamDecorator() func(*python.Call) (any, error) {
	params := []string{
		"*", "entities?", "ttl!", "tags?", "online", "description", "owner", "org", "schema?", "source!", "aggregations?", "mode", "timestamp_field?",
		"enable_validation", "version",
	}
	return decorator("stream_feature_view", params, func(a *args, fn *python.Function) (any, error) {
		mode := a.mode("spark")
		return streamView(a, a.decorated(fn, mode, streamModes()...), mode)
	})
}

func streamView(a *args, t *transformation, mode string) (any, error) {
	v := newView(a, "StreamFeatureView", "FeatureView")
	if s, ok := a.bound["source"].(*source); ok && s.class != "PushSource" && s.class != "KafkaSource" {
		a.failAt("source", "%q needs a PushSource or a KafkaSource; %s is a %s", v.name, s.proto.GetName(), s.class)
	}
	if _, derived := a.bound["source"].(*source); !derived && a.err == nil {
		a.failAt("source", "%q is derived from views, which is not read for stream feature views; give it a source", v.name)
	}
	v.from(a)
	v.checkVectors(a)
	spec := &core.StreamFeatureViewSpec{
		Name: v.name, Entities: v.entities, EntityColumns: specs(v.keys), Ttl: a.ttl(), Online: a.flag("online", true),
		Features:    append(specs(v.keys), specs(v.features)...),
		Description: a.text("description"), Owner: a.text("owner"), Org: a.text("org"), Mode: mode, TimestampField: a.text("timestamp_field"),
		Version: a.textOr("version", "latest"), EnableTiling: a.flag("enable_tiling", false), TilingHopSize: a.duration("tiling_hop_size"),
		EnableValidation: a.flag("enable_validation", false), Aggregations: a.aggregations(),
	}
	a.flag("offline", false)
	checkWindows(a, spec)
	if t != nil {
		// Feast writes the function twice, and its mode in neither.
		spec.FeatureTransformation = (&transformation{proto: &core.UserDefinedFunctionV2{Name: t.proto.GetName(), BodyText: t.proto.GetBodyText()}}).message()
		spec.UserDefinedFunction = &core.UserDefinedFunction{Name: t.proto.GetName(), BodyText: t.proto.GetBodyText()}
	}
	v.readBack = a.readsBack("stream feature view "+v.name, t, loadsPickle)
	v.msg = &core.StreamFeatureView{Spec: spec}
	v.tags = a.tags("tags", func(t map[string]string) { spec.Tags = t })
	a.call.Later(func() error {
		spec.BatchSource, spec.StreamSource = v.batch.annotated(), v.stream.annotated()
		return nil
	})
	return v, a.err
}

// checkWindows checks the aggregations of a stream feature view.
func checkWindows(a *args, spec *core.StreamFeatureViewSpec) {
	if len(spec.GetAggregations()) > 0 && spec.GetTimestampField() == "" {
		a.failAt("aggregations", "%q has aggregations and needs a timestamp_field", spec.GetName())
	}
	if !spec.GetEnableTiling() {
		return
	}
	hop := spec.GetTilingHopSize()
	if hop == nil || hop.AsDuration() == 0 {
		hop = &durationpb.Duration{Seconds: 300}
	}
	for _, g := range spec.GetAggregations() {
		if w := g.GetTimeWindow(); w != nil && hop.AsDuration() >= w.AsDuration() {
			a.failAt("tiling_hop_size", "%q has a tiling_hop_size of %s, which must be smaller than each time_window", spec.GetName(), hop.AsDuration())
		}
	}
}
