package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// later is a field that no message has.
const later = 901

func unknown(n protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), text)
}

// eachMessage calls do for a message and all messages in it, with the path of each.
func eachMessage(m protoreflect.Message, path string, do func(path string, m protoreflect.Message)) {
	do(path, m)
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := path + "." + string(f.Name())
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				eachMessage(e.Message(), at+"["+k.String()+"]", do)
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				e := v.List().Get(i).Message()
				name := e.Descriptor().Fields().ByName("name")
				label := ""
				if name != nil {
					label = e.Get(name).String()
				}
				eachMessage(e, at+"["+label+"]", do)
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			eachMessage(v.Message(), at, do)
		}
		return true
	})
}

// everyKind has an object of each kind, with messages in all of its fields.
func everyKind() registry.Objects {
	o := every()
	o.Project = &core.Project{Spec: &core.ProjectSpec{Name: "shop", Owner: "me"}}
	o.Entities = []*core.Entity{{Spec: &core.EntitySpecV2{Name: "shopper", JoinKey: "shopper"}}}
	o.Permissions = []*core.Permission{{Spec: &core.PermissionSpec{Name: "all", Policy: &core.Policy{PolicyType: &core.Policy_RoleBasedPolicy{RoleBasedPolicy: &core.RoleBasedPolicy{Roles: []string{"r"}}}}}}}
	o.DataSources = append(o.DataSources, &core.DataSource{
		Name: "spark", Type: core.DataSource_BATCH_SPARK,
		Options: &core.DataSource_SparkOptions_{SparkOptions: &core.DataSource_SparkOptions{Table: "t", TableFormat: &core.TableFormat{Format: &core.TableFormat_DeltaFormat_{DeltaFormat: &core.TableFormat_DeltaFormat{}}}}},
	})
	ratio := o.OnDemandFeatureViews[0].Spec
	ratio.Sources = map[string]*core.OnDemandSource{"carts": {Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: wantProjection("carts", -1, "a")}}}
	ratio.FeatureTransformation = &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
		UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "f", Body: []byte("pickle"), BodyText: "lambda d: d", Mode: "python"},
	}}
	ratio.Aggregations = []*core.Aggregation{{Column: "a", Function: "sum"}, {Column: "a", Function: "max"}}
	o.FeatureServices[0].Spec.Features = append(o.FeatureServices[0].Spec.Features, wantProjection("carts", 0, "a"), wantProjection("carts", -1, "b"))
	o.FeatureServices[0].Spec.LoggingConfig = &core.LoggingConfig{SampleRate: 1, Destination: &core.LoggingConfig_FileDestination_{FileDestination: &core.LoggingConfig_FileDestination{Path: "p"}}}
	return o
}

// ofLaterFeast is a registry of definitions, in which every message has a field that
// only a later Feast knows.
func ofLaterFeast(t *testing.T, o registry.Objects) *core.Registry {
	t.Helper()
	reg := &core.Registry{}
	applied(t, reg, o, time.Unix(1000, 0))
	eachMessage(reg.ProtoReflect(), "", func(path string, m protoreflect.Message) {
		switch m.Interface().(type) {
		case *core.Registry, *core.FeatureViewVersionHistory, *core.FeatureViewVersionRecord, *timestamppb.Timestamp:
		default:
			m.SetUnknown(unknown(later, path))
		}
	})
	return reg
}

// unknowns lists what messages have in the field of the later Feast.
func unknowns(reg *core.Registry) map[string]string {
	out := map[string]string{}
	eachMessage(reg.ProtoReflect(), "", func(path string, m protoreflect.Message) {
		if u := m.GetUnknown(); len(u) > 0 {
			out[path] = string(u)
		}
	})
	return out
}

func TestAnUnchangedDefinitionKeepsFieldsOfALaterFeast(t *testing.T) {
	reg := ofLaterFeast(t, everyKind())
	before := proto.CloneOf(reg)
	if changes := applied(t, reg, everyKind(), time.Now()); len(changes) > 0 {
		t.Errorf("%+v", changes)
	}
	if diff := cmp.Diff(before, reg, protocmp.Transform()); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
}

// Everything that is still there after a change keeps its fields.
func TestAChangedDefinitionKeepsFieldsOfALaterFeast(t *testing.T) {
	reg := ofLaterFeast(t, everyKind())
	before := unknowns(reg)
	o := everyKind()
	o.Project.Spec.Owner = "you"
	o.Entities[0].Spec.Owner = "you"
	o.Permissions[0].Spec.NamePatterns = []string{"x"}
	for _, s := range o.DataSources {
		s.Owner = "you"
	}
	o.FeatureViews[0].Spec.Owner = "you"
	o.FeatureViews[0].Spec.Features = []*core.FeatureSpecV2{{Name: "c", ValueType: 4}, {Name: "b", ValueType: 2}, {Name: "a", ValueType: 4}}
	o.StreamFeatureViews[0].Spec.Owner = "you"
	o.OnDemandFeatureViews[0].Spec.Owner = "you"
	o.OnDemandFeatureViews[0].Spec.FeatureTransformation.GetUserDefinedFunction().BodyText = "lambda e: e"
	o.LabelViews[0].Spec.Owner = "you"
	o.FeatureServices[0].Spec.Owner = "you"
	if changes := applied(t, reg, o, time.Now()); len(changes) != 11 {
		t.Errorf("%d changes: %+v", len(changes), changes)
	}
	if diff := cmp.Diff(before, unknowns(reg)); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
	if r := reg.GetFeatureViewVersionHistory().GetRecords(); len(r) != 6 {
		t.Errorf("%d versions, want one more of carts and of ratio", len(r))
	}
	before = unknowns(reg)
	if changes := applied(t, reg, o, time.Now()); len(changes) > 0 {
		t.Errorf("the same once more: %+v", changes)
	}
	if diff := cmp.Diff(before, unknowns(reg)); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
}

// What a definition removes takes its fields along; elements keep theirs wherever they
// move to.
func TestFieldsOfALaterFeastBelongToTheirElement(t *testing.T) {
	reg := ofLaterFeast(t, everyKind())
	o := everyKind()
	features := o.FeatureViews[0].Spec.Features
	features[0], features[1] = features[1], features[0]
	o.OnDemandFeatureViews[0].Spec.Aggregations = []*core.Aggregation{{Column: "a", Function: "max"}, {Column: "b", Function: "max"}}
	projections := o.FeatureServices[0].Spec.Features
	o.FeatureServices[0].Spec.Features = []*core.FeatureViewProjection{projections[2], projections[1]}
	tags := func(m proto.Message) string { return string(m.ProtoReflect().GetUnknown()) }
	was := proto.CloneOf(reg)
	// Which of two equal names is which shows in their content.
	old := was.GetFeatureServices()[0].GetSpec().GetFeatures()
	for i, p := range old {
		p.ProtoReflect().SetUnknown(unknown(later, string(rune('0'+i))))
	}
	aggregations := was.GetOnDemandFeatureViews()[0].GetSpec().GetAggregations()
	for i, g := range aggregations {
		g.ProtoReflect().SetUnknown(unknown(later, string(rune('0'+i))))
	}
	reg = proto.CloneOf(was)
	applied(t, reg, o, time.Now())
	got := reg.GetFeatureViews()[0].GetSpec().GetFeatures()
	before := was.GetFeatureViews()[0].GetSpec().GetFeatures()
	if tags(got[0]) != tags(before[1]) || tags(got[1]) != tags(before[0]) {
		t.Errorf("features: %v", got)
	}
	if g := reg.GetOnDemandFeatureViews()[0].GetSpec().GetAggregations(); tags(g[0]) != tags(aggregations[1]) || tags(g[1]) != "" {
		t.Errorf("aggregations: %v", g)
	}
	if p := reg.GetFeatureServices()[0].GetSpec().GetFeatures(); tags(p[0]) != tags(old[2]) || tags(p[1]) != tags(old[1]) {
		t.Errorf("projections: %v", p)
	}
}

// A message that the definition lacks is kept if only a later Feast knows what is in
// it. An unknown member of a oneof does not come back beside another one.
func TestMessagesOfALaterFeast(t *testing.T) {
	o := carts("a")
	format := func(f *core.TableFormat) *core.DataSource {
		return &core.DataSource{Name: "spark", Type: core.DataSource_BATCH_SPARK, Options: &core.DataSource_SparkOptions_{SparkOptions: &core.DataSource_SparkOptions{Table: "t", TableFormat: f}}}
	}
	stored := new(core.TableFormat)
	stored.ProtoReflect().SetUnknown(unknown(later, "paimon"))
	o.DataSources = append(o.DataSources, format(stored))
	reg := &core.Registry{}
	applied(t, reg, o, time.Now())
	o.DataSources[1] = format(nil)
	if changes := applied(t, reg, o, time.Now()); len(changes) > 0 || !proto.Equal(reg.GetDataSources()[1].GetSparkOptions().GetTableFormat(), stored) {
		t.Errorf("%+v; %v", changes, reg.GetDataSources()[1])
	}
	delta := &core.TableFormat{Format: &core.TableFormat_DeltaFormat_{DeltaFormat: &core.TableFormat_DeltaFormat{CheckpointLocation: "c"}}}
	o.DataSources[1] = format(delta)
	if changes := applied(t, reg, o, time.Now()); len(changes) != 1 || !proto.Equal(reg.GetDataSources()[1].GetSparkOptions().GetTableFormat(), delta) {
		t.Errorf("%+v; %v", changes, reg.GetDataSources()[1])
	}
}

// A definition by a later Feast has all of its fields: what it lacks is removed, but in
// the meta message, which no definition has.
func TestDefinitionsOfALaterFeast(t *testing.T) {
	reg := ofLaterFeast(t, carts("a"))
	o := carts("a")
	o.Later = true
	o.FeatureViews[0].Spec.ProtoReflect().SetUnknown(unknown(later+1, "new"))
	if changes := applied(t, reg, o, time.Now()); !changes.Loud() {
		t.Errorf("%+v", changes)
	}
	v := reg.GetFeatureViews()[0]
	if got := string(v.GetSpec().ProtoReflect().GetUnknown()); got != string(unknown(later+1, "new")) {
		t.Errorf("the spec has %q", got)
	}
	if len(v.GetMeta().ProtoReflect().GetUnknown()) == 0 {
		t.Error("the meta message has lost its field")
	}
	if changes := applied(t, reg, o, time.Now()); len(changes) > 0 {
		t.Errorf("once more: %+v", changes)
	}
	o.Later = false
	o.FeatureViews[0].Spec.ProtoReflect().SetUnknown(nil)
	if changes := applied(t, reg, o, time.Now()); len(changes) > 0 {
		t.Errorf("by this Feast: %+v", changes)
	}
}

// A data source of an old registry may have no meta message.
func TestASourceWithoutMeta(t *testing.T) {
	reg := &core.Registry{}
	applied(t, reg, carts("a"), time.Now())
	reg.DataSources[0].Meta = nil
	if changes := applied(t, reg, carts("a", "b"), time.Now()); !changes.Loud() {
		t.Error(changes)
	}
}
