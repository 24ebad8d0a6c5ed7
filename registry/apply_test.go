package registry_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// carts is a repository of one feature view with features of a service.
func carts(features ...string) registry.Objects {
	source := &core.DataSource{Name: "carts_source", Type: core.DataSource_BATCH_FILE, TimestampField: "at"}
	view := &core.FeatureView{Spec: &core.FeatureViewSpec{
		Name: "carts", Online: true, BatchSource: proto.CloneOf(source), EntityColumns: []*core.FeatureSpecV2{{Name: "shopper", ValueType: 4}},
	}}
	for _, f := range features {
		view.Spec.Features = append(view.Spec.Features, &core.FeatureSpecV2{Name: f, ValueType: 4})
	}
	service := &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: "all", Features: []*core.FeatureViewProjection{
		{FeatureViewName: "carts", FeatureColumns: view.Spec.Features, BatchSource: proto.CloneOf(source)},
	}}}
	return registry.Objects{DataSources: []*core.DataSource{source}, FeatureViews: []*core.FeatureView{view}, FeatureServices: []*core.FeatureService{service}}
}

func applied(t *testing.T, reg *core.Registry, o registry.Objects, now time.Time) registry.Changes {
	t.Helper()
	changes, err := registry.Apply(reg, "shop", o, now)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// A time in the registry has microseconds, as Python's: Feast would write a finer one as
// another time.
func TestTimesAreMicroseconds(t *testing.T) {
	reg := &core.Registry{}
	now := time.Date(2024, 1, 2, 3, 4, 5, 123456789, time.UTC)
	applied(t, reg, carts("items"), now)
	if err := registry.RecordMaterialization(reg, "shop", "carts", now.Add(-time.Hour), now, now); err != nil {
		t.Fatal(err)
	}
	meta := reg.GetFeatureViews()[0].GetMeta()
	for name, at := range map[string]*timestamppb.Timestamp{
		"created": meta.GetCreatedTimestamp(), "updated": meta.GetLastUpdatedTimestamp(),
		"version": reg.GetFeatureViewVersionHistory().GetRecords()[0].GetCreatedTimestamp(),
		"start":   meta.GetMaterializationIntervals()[0].GetStartTime(), "end": meta.GetMaterializationIntervals()[0].GetEndTime(),
	} {
		if at.GetNanos() != 123456000 {
			t.Errorf("%s is %v", name, at.AsTime())
		}
	}
}

// The sources within views, services and versions have the times of the registry's
// sources, as Feast's.
func TestSourcesWithinObjectsHaveTimes(t *testing.T) {
	reg := &core.Registry{}
	first := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	applied(t, reg, carts("items"), first)
	applied(t, reg, carts("items", "total"), first.Add(time.Hour))
	want := reg.GetDataSources()[0].GetMeta()
	if !want.GetCreatedTimestamp().AsTime().Equal(first) {
		t.Fatal(want)
	}
	version := &core.FeatureView{}
	if err := proto.Unmarshal(reg.GetFeatureViewVersionHistory().GetRecords()[1].GetFeatureViewProto(), version); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*core.DataSource{
		"view": reg.GetFeatureViews()[0].GetSpec().GetBatchSource(), "service": reg.GetFeatureServices()[0].GetSpec().GetFeatures()[0].GetBatchSource(),
		"version": version.GetSpec().GetBatchSource(),
	} {
		if !proto.Equal(got.GetMeta(), want) {
			t.Errorf("the source of the %s has %v, want %v", name, got.GetMeta(), want)
		}
	}
	if changes := applied(t, reg, carts("items", "total"), first.Add(2*time.Hour)); len(changes) > 0 {
		t.Errorf("the same definitions change %+v", changes)
	}
}

// Without promotion, a changed schema becomes a version, once, and the view stays.
func TestNoPromote(t *testing.T) {
	reg := &core.Registry{}
	now := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	applied(t, reg, carts("items"), now)
	before := proto.CloneOf(reg.GetFeatureViews()[0])
	next := carts("items", "total")
	next.NoPromote, next.FeatureServices = true, carts("items").FeatureServices
	changes := applied(t, reg, next, now)
	if len(changes) != 1 || changes[0].Kind != "version of feature view" || changes[0].Name != "carts@v1" {
		t.Errorf("the changes are %+v", changes)
	}
	if !proto.Equal(before, reg.GetFeatureViews()[0]) {
		t.Errorf("the view is %v", reg.GetFeatureViews()[0])
	}
	if changes := applied(t, reg, next, now); len(changes) > 0 || len(reg.GetFeatureViewVersionHistory().GetRecords()) != 2 {
		t.Errorf("a second apply changes %+v", changes)
	}
	next.NoPromote = false
	applied(t, reg, next, now)
	v := reg.GetFeatureViews()[0]
	if len(v.GetSpec().GetFeatures()) != 2 || v.GetMeta().GetCurrentVersionNumber() != 2 {
		t.Errorf("after a promotion the view is %v", v)
	}
}
