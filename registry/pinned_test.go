package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// pinnedServices is a registry of the view carts, at version 1 with the features a and
// b, whose version 0 has only a, and of some services over it.
func pinnedServices(t *testing.T) *core.Registry {
	t.Helper()
	reg, now := &core.Registry{}, time.Now()
	applied(t, reg, carts("a"), now)
	o := carts("a", "b")
	service := func(name string, projections ...*core.FeatureViewProjection) {
		o.FeatureServices = append(o.FeatureServices, &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: name, Features: projections}})
	}
	projection := func(version int, alias string, joinKey string, features ...string) *core.FeatureViewProjection {
		p := &core.FeatureViewProjection{FeatureViewName: "carts", FeatureViewNameAlias: alias}
		if version >= 0 {
			p.VersionTag = proto.Int32(int32(version))
		}
		if joinKey != "" {
			p.JoinKeyMap = map[string]string{"shopper": joinKey}
		}
		for _, f := range features {
			p.FeatureColumns = append(p.FeatureColumns, &core.FeatureSpecV2{Name: f, ValueType: 4})
		}
		return p
	}
	service("current", projection(-1, "", "", "a", "b"))
	service("first", projection(0, "", "", "a"))
	service("aliased", projection(1, "x", "", "b"))
	service("both", projection(1, "", "", "b"), projection(0, "", "", "a"))
	service("parts", projection(-1, "", "one", "b"), projection(1, "", "", "b"), projection(-1, "", "other", "a"))
	service("twice", projection(-1, "", "", "a"), projection(-1, "", "", "a"))
	service("gone", projection(9, "", "", "a"))
	service("lost", projection(0, "", "", "b"))
	indexed := projection(-1, "", "", "a", "b")
	indexed.FeatureColumns[1].VectorIndex = true
	service("indexed", indexed)
	metric := projection(-1, "", "", "a", "b")
	metric.FeatureColumns[1].VectorSearchMetric = "L2"
	service("metric", metric)
	applied(t, reg, o, now)
	return reg
}

// A projection with a version has the features of this version, and the version is
// part of the names in the response. Projections of one name are one view.
func TestAServiceReadsTheVersionsItNames(t *testing.T) {
	reg := pinnedServices(t)
	for _, c := range []struct {
		service   string
		versioned bool
		want      string // view@version (columns), … or an error
	}{
		{"current", true, "carts@1 (carts__a carts__b)"},
		{"current", false, "carts@1 (carts__a carts__b)"},
		{"first", true, "carts@0 (carts@v0__a)"},
		{"aliased", true, "carts@1 (x@v1__b)"},
		{"both", true, "carts@1 (carts@v1__b), carts@0 (carts@v0__a)"},
		{"parts", true, "carts@1 (carts__b carts__a) by one, carts@1 (carts@v1__b)"},
		{"twice", true, "Duplicate features named carts__a found."},
		{"gone", true, "Version v9 of feature view carts does not exist in project shop"},
		{"lost", true, "The projection for carts cannot be applied because it contains b which the FeatureView doesn't have."},
		{"indexed", true, "The projection for carts cannot be applied because it contains b which"},
		{"metric", false, "The projection for carts cannot be applied because it contains b which"},
		{"first", false, "Version-qualified ref 'carts@v0' not supported: online versioning is disabled. Set 'enable_online_feature_view_versioning: true' under 'registry' in feature_store.yaml."},
		{"aliased", false, "Version-qualified ref 'carts@v1' not supported"},
		{"gone", false, "Version-qualified ref 'carts@v9' not supported"},
	} {
		t.Run(fmt.Sprint(c.service, " ", c.versioned), func(t *testing.T) {
			snapshot, err := registry.OpenSnapshot(reg, registry.Options{VersionedTables: c.versioned})
			if err != nil {
				t.Fatal(err)
			}
			p, err := snapshot.Project("shop")
			if err != nil {
				t.Fatal(err)
			}
			views, err := p.Select(registry.Selection{Service: c.service, FullNames: true, Versioned: c.versioned})
			if err != nil {
				if !strings.HasPrefix(err.Error(), c.want) || fault.KindOf(err) == fault.Internal {
					t.Errorf("%v\nwant %s", err, c.want)
				}
				return
			}
			var got []string
			for _, v := range views {
				var columns []string
				for _, f := range v.Features {
					columns = append(columns, v.Column(f, true))
				}
				text := fmt.Sprintf("%s@%d (%s)", v.View.Name, v.View.Version, strings.Join(columns, " "))
				if k := v.JoinKeyMap["shopper"]; k != "" {
					text += " by " + k
				}
				got = append(got, text)
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("%s\nwant %s", text, c.want)
			}
		})
	}
}

// Of a view that may not serve and a projection that no longer fits it, the error names
// the view, as in Feast.
func TestADisabledViewIsNamedFirst(t *testing.T) {
	reg := pinnedServices(t)
	reg.FeatureViews[0].Spec.Disabled = true
	snapshot, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := snapshot.Project("shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Select(registry.Selection{Service: "metric"}); fault.KindOf(err) != fault.Disabled {
		t.Error(err)
	}
}
