package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// every is a repository with a view of each kind: carts of two features, and clicks (a
// stream), ratio (on demand) and good (labels).
func every() registry.Objects {
	o := carts("a", "b")
	o.FeatureViews[0].Spec.BatchSource.CreatedTimestampColumn = "made"
	o.FeatureViews[0].Spec.BatchSource.DataSourceClassType = "feast.infra.offline_stores.file_source.FileSource"
	field := func(name string) *core.FeatureSpecV2 { return &core.FeatureSpecV2{Name: name, ValueType: 4} }
	table := &core.DataSource{Name: "table", Type: core.DataSource_CUSTOM_SOURCE, DataSourceClassType: "p.q.Table"}
	o.DataSources = append(o.DataSources, table)
	o.StreamFeatureViews = []*core.StreamFeatureView{{Spec: &core.StreamFeatureViewSpec{
		Name: "clicks", BatchSource: proto.CloneOf(table), EntityColumns: []*core.FeatureSpecV2{field("k")}, Features: []*core.FeatureSpecV2{field("k"), field("a")},
	}}}
	o.OnDemandFeatureViews = []*core.OnDemandFeatureView{{Spec: &core.OnDemandFeatureViewSpec{Name: "ratio", Features: []*core.FeatureSpecV2{field("a")}}}}
	o.LabelViews = []*core.LabelView{{Spec: &core.LabelViewSpec{
		Name: "good", Features: []*core.FeatureSpecV2{field("a"), field("labeler")},
		Source: &core.DataSource{Name: "push", Type: core.DataSource_PUSH_SOURCE, BatchSource: proto.CloneOf(table)},
	}}}
	return o
}

// wantProjection is the projection that Feast makes of a view by itself.
func wantProjection(view string, version int, features ...string) *core.FeatureViewProjection {
	p := &core.FeatureViewProjection{FeatureViewName: view, ViewType: "featureView"}
	switch view {
	case "carts":
		p.TimestampField, p.CreatedTimestampColumn = "made", "made" // the created time in both, as in Feast
		p.BatchSource = &core.DataSource{Name: "carts_source", Type: core.DataSource_BATCH_FILE, TimestampField: "at", CreatedTimestampColumn: "made"}
	case "clicks", "good":
		p.BatchSource = &core.DataSource{Name: "table", Type: core.DataSource_CUSTOM_SOURCE, DataSourceClassType: "p.q.Table"}
	}
	if view == "good" {
		p.ViewType = "labelView"
	}
	if version >= 0 {
		p.VersionTag = proto.Int32(int32(version))
	}
	for _, f := range features {
		p.FeatureColumns = append(p.FeatureColumns, &core.FeatureSpecV2{Name: f, ValueType: 4})
	}
	return p
}

// Each reference becomes a projection of its own, after those that the service has.
func TestReferencesBecomeProjections(t *testing.T) {
	stored := &core.Registry{}
	applied(t, stored, every(), time.Now())
	for _, c := range []struct {
		references []string
		// empty applies to an empty registry; partly leaves carts and clicks to the registry.
		empty, partly bool
		want          []*core.FeatureViewProjection
		err           string
	}{
		{references: []string{"carts"}, want: []*core.FeatureViewProjection{wantProjection("carts", -1, "a", "b")}},
		{references: []string{"carts"}, empty: true, want: []*core.FeatureViewProjection{wantProjection("carts", -1, "a", "b")}},
		{
			references: []string{"carts:b", "carts@latest:a", "carts@:b", "carts@LATEST"},
			want:       []*core.FeatureViewProjection{wantProjection("carts", -1, "b"), wantProjection("carts", -1, "a"), wantProjection("carts", -1, "b"), wantProjection("carts", -1, "a", "b")},
		},
		{
			references: []string{"carts@v0", "carts@V0:b", "carts@v00:a"},
			want:       []*core.FeatureViewProjection{wantProjection("carts", 0, "a", "b"), wantProjection("carts", 0, "b"), wantProjection("carts", 0, "a")},
		},
		{
			references: []string{"clicks", "clicks:a", "clicks@v0", "ratio", "ratio@v0:a", "good", "good@v0"},
			want: []*core.FeatureViewProjection{
				wantProjection("clicks", -1, "a"), wantProjection("clicks", -1, "a"), wantProjection("clicks", 0, "k", "a"),
				wantProjection("ratio", -1, "a"), wantProjection("ratio", 0, "a"), wantProjection("good", -1, "a", "labeler"), wantProjection("good", 0, "a", "labeler"),
			},
		},
		{references: []string{"carts:b", "clicks"}, partly: true, want: []*core.FeatureViewProjection{wantProjection("carts", -1, "b"), wantProjection("clicks", -1, "k", "a")}},
		{references: []string{"nope"}, err: "feature service all: Feature view nope does not exist in project shop"},
		{references: []string{"carts@x:a"}, err: "feature service all: Feature view carts@x does not exist in project shop"},
		{references: []string{""}, err: "feature service all: Feature view  does not exist in project shop"},
		{references: []string{":a"}, err: "feature service all: Feature view  does not exist in project shop"},
		{references: []string{"carts@v1"}, err: "feature service all: Version v1 of feature view carts does not exist in project shop"},
		{references: []string{"carts@v0"}, empty: true, err: "feature service all: Version v0 of feature view carts does not exist in project shop"},
		{references: []string{"carts:zz"}, err: "feature service all: Invalid feature reference 'carts:zz': feature 'zz' not found on feature view 'carts'."},
		{references: []string{"carts:"}, err: "feature service all: Invalid feature reference 'carts:': feature '' not found on feature view 'carts'."},
		{references: []string{"clicks:k"}, err: "feature service all: Invalid feature reference 'clicks:k': feature 'k' not found on feature view 'clicks'."},
	} {
		t.Run(strings.Join(c.references, " "), func(t *testing.T) {
			reg := proto.CloneOf(stored)
			if c.empty {
				reg = &core.Registry{}
			}
			o := every()
			if c.partly {
				o.FeatureViews, o.StreamFeatureViews = nil, nil
			}
			o.References = map[string][]string{"all": c.references}
			given := proto.CloneOf(o.FeatureServices[0])
			_, err := registry.Apply(reg, "shop", o, time.Now())
			if c.err != "" {
				if err == nil || err.Error() != c.err || fault.KindOf(err) == fault.Internal {
					t.Errorf("%v\nwant %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			opts := cmp.Options{protocmp.Transform(), protocmp.IgnoreFields(&core.DataSource{}, "meta")}
			want := slices.Concat(given.GetSpec().GetFeatures(), c.want)
			if diff := cmp.Diff(want, reg.GetFeatureServices()[0].GetSpec().GetFeatures(), opts); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !proto.Equal(given, o.FeatureServices[0]) {
				t.Error("the definition has changed; a plan is made more than once from it")
			}
			if c.partly {
				return
			}
			if again, err := registry.Apply(reg, "shop", o, time.Now()); err != nil || len(again) > 0 {
				t.Errorf("applied again: %v, %v", again, err)
			}
		})
	}
}

// A version that this apply makes is not stored yet.
func TestAReferenceDoesNotSeeVersionsOfItsOwnApply(t *testing.T) {
	reg := &core.Registry{}
	applied(t, reg, carts("a"), time.Now())
	o := carts("a", "b")
	o.References = map[string][]string{"all": {"carts@v1:b"}}
	if _, err := registry.Apply(reg, "shop", o, time.Now()); err == nil || !strings.Contains(err.Error(), "Version v1 of feature view carts does not exist") {
		t.Fatal(err)
	}
	o.References = nil
	applied(t, reg, o, time.Now())
	o.References = map[string][]string{"all": {"carts@v1:b", "carts@v0"}}
	applied(t, reg, o, time.Now())
	if f := reg.GetFeatureServices()[0].GetSpec().GetFeatures(); len(f) != 3 || len(f[2].GetFeatureColumns()) != 1 {
		t.Error(f)
	}
}

func TestVersionsOfDefinitions(t *testing.T) {
	for text, want := range map[string]int32{"": -1, "latest": -1, "LATEST": -1, "v0": 0, "V12": 12, "version3": 3, "Version03": 3} {
		if got, err := registry.ParseVersion(text); got != want || err != nil {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"2", "v", "version", "v-1", "v+1", "v 1", "v1 ", "vv1", "1v", "v2147483648", "latest1"} {
		o := carts("a")
		o.FeatureViews[0].Spec.Version = text
		want := "feature view carts: Invalid version string '" + text + "'. Expected 'latest', 'vN', or 'versionN' (e.g. 'v2', 'version3')."
		if _, err := registry.Apply(&core.Registry{}, "shop", o, time.Now()); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
