package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/registrytest"
)

var (
	monday  = time.Date(2024, 1, 1, 10, 0, 0, 0, time.UTC)
	tuesday = monday.AddDate(0, 0, 1)
)

// one is an object of each kind, with a change of its definition.
type one struct {
	kind   registry.Kind
	noun   string
	object proto.Message
	change func(m proto.Message)
}

func ones() []one {
	features := func(names ...string) (list []*core.FeatureSpecV2) {
		for _, n := range names {
			list = append(list, &core.FeatureSpecV2{Name: n, ValueType: 4})
		}
		return list
	}
	return []one{
		{registry.KindEntity, "entity", &core.Entity{Spec: &core.EntitySpecV2{Name: "x", JoinKey: "k"}}, func(m proto.Message) {
			m.(*core.Entity).Spec.Description = "other"
		}},
		{registry.KindDataSource, "data source", &core.DataSource{Name: "x", Type: core.DataSource_BATCH_FILE}, func(m proto.Message) {
			m.(*core.DataSource).TimestampField = "at"
		}},
		{registry.KindFeatureView, "feature view", &core.FeatureView{Spec: &core.FeatureViewSpec{Name: "x", Features: features("f")}}, func(m proto.Message) {
			m.(*core.FeatureView).Spec.Ttl = durationpb.New(time.Hour)
		}},
		{registry.KindFeatureView, "stream feature view", &core.StreamFeatureView{Spec: &core.StreamFeatureViewSpec{Name: "x", Features: features("f")}}, func(m proto.Message) {
			m.(*core.StreamFeatureView).Spec.Owner = "other"
		}},
		{registry.KindFeatureView, "on demand feature view", &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{Name: "x", Features: features("f")}}, func(m proto.Message) {
			m.(*core.OnDemandFeatureView).Spec.Owner = "other"
		}},
		{registry.KindFeatureView, "label view", &core.LabelView{Spec: &core.LabelViewSpec{Name: "x", Features: features("f")}}, func(m proto.Message) {
			m.(*core.LabelView).Spec.Owner = "other"
		}},
		{registry.KindFeatureService, "feature service", &core.FeatureService{Spec: &core.FeatureServiceSpec{Name: "x"}}, func(m proto.Message) {
			m.(*core.FeatureService).Spec.Owner = "other"
		}},
		{registry.KindSavedDataset, "saved dataset", &core.SavedDataset{Spec: &core.SavedDatasetSpec{Name: "x"}}, func(m proto.Message) {
			m.(*core.SavedDataset).Spec.JoinKeys = []string{"k"}
		}},
		{registry.KindValidationReference, "validation reference", &core.ValidationReference{Name: "x", ReferenceDatasetName: "a"}, func(m proto.Message) {
			m.(*core.ValidationReference).ReferenceDatasetName = "b"
		}},
		{registry.KindPermission, "permission", &core.Permission{Spec: &core.PermissionSpec{Name: "x"}}, func(m proto.Message) {
			m.(*core.Permission).Spec.NamePatterns = []string{"b"}
		}},
		{registry.KindProject, "project", &core.Project{Spec: &core.ProjectSpec{Name: "x"}}, func(m proto.Message) {
			m.(*core.Project).Spec.Description = "other"
		}},
	}
}

// times are the created and updated times of an object; empty if its type has none.
func times(m proto.Message) string {
	f := m.ProtoReflect().Descriptor().Fields().ByName("meta")
	if f == nil {
		return ""
	}
	meta := m.ProtoReflect().Get(f).Message()
	at := func(name protoreflect.Name) string {
		t, _ := meta.Get(meta.Descriptor().Fields().ByName(name)).Message().Interface().(*timestamppb.Timestamp)
		return t.AsTime().Format("Mon")
	}
	return at("created_timestamp") + " " + at("last_updated_timestamp")
}

// stored finds the row of an object named x.
func stored(reg *core.Registry, like proto.Message) proto.Message {
	for _, r := range registry.Rows(reg) {
		if r.Name == "x" && r.Message.ProtoReflect().Descriptor() == like.ProtoReflect().Descriptor() {
			return r.Message
		}
	}
	return nil
}

func told(changes registry.Changes) string {
	var words []string
	for _, c := range changes {
		words = append(words, fmt.Sprint(c.Action, " ", c.Kind, " ", c.Name))
	}
	return strings.Join(words, ", ")
}

// An object of each kind is created, with its project, found equal, changed, and deleted.
// No other object changes.
func TestOneObjectOfEachKind(t *testing.T) {
	for _, o := range ones() {
		t.Run(o.noun, func(t *testing.T) {
			reg := registrytest.Full()
			others := proto.CloneOf(reg)
			given := proto.Clone(o.object)
			put := func(now time.Time, want, when string) {
				t.Helper()
				changes, err := registry.Put(reg, "x", o.object, now)
				if err != nil || told(changes) != want {
					t.Fatalf("%v, %v; want %s", told(changes), err, want)
				}
				if got := times(stored(reg, o.object)); got != "" && got != when {
					t.Errorf("created and updated are %s, want %s", got, when)
				}
			}
			first := "Created " + o.noun + " x"
			if o.kind != registry.KindProject {
				first = "Created project x, " + first
			}
			put(monday, first, "Mon Mon")
			if !proto.Equal(given, o.object) {
				t.Errorf("Put has changed what it was given: %v", o.object)
			}
			put(tuesday, "", "Mon Mon")
			o.change(o.object)
			put(tuesday, "Updated "+o.noun+" x", "Mon Tue")
			put(tuesday, "", "Mon Tue")
			if _, gone := registry.RowChanges(others, reg); len(gone) > 0 {
				t.Errorf("removed: %v", gone)
			}
			changes, err := registry.Delete(reg, "x", o.kind, "x")
			if want := "Deleted " + o.noun + " x"; err != nil || told(changes) != want {
				t.Errorf("%v, %v; want %s", told(changes), err, want)
			}
			if o.kind != registry.KindProject {
				if _, err := registry.Delete(reg, "x", registry.KindProject, "x"); err != nil {
					t.Error(err)
				}
			}
			if put, gone := registry.RowChanges(others, reg); len(put)+len(gone) > 0 {
				t.Errorf("left in the end: %v; removed: %v", put, gone)
			}
			_, err = registry.Delete(reg, "p", o.kind, "nope")
			want := string(o.kind) + " nope does not exist in project p"
			if o.kind == registry.KindProject {
				want = "Project nope does not exist"
			}
			if fault.KindOf(err) != fault.NotFound || err.Error() != want {
				t.Errorf("%v; want %s", err, want)
			}
		})
	}
}

// The same name in another project is another object.
func TestOneObjectOfTwoProjects(t *testing.T) {
	for _, o := range ones() {
		if o.kind == registry.KindProject {
			continue
		}
		reg := &core.Registry{}
		for _, project := range []string{"p", "q"} {
			if _, err := registry.Put(reg, project, o.object, monday); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := registry.Delete(reg, "p", o.kind, "x"); err != nil {
			t.Fatal(err)
		}
		left := slices.DeleteFunc(registry.Rows(reg), func(r registry.Row) bool { return r.Name != "x" })
		if len(left) != 1+len(reg.GetFeatureViewVersionHistory().GetRecords()) || left[0].Project != "q" {
			t.Errorf("%s: left are %v", o.noun, left)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	view := func(name, version string) proto.Message {
		return &core.FeatureView{Spec: &core.FeatureViewSpec{Name: name, Version: version}}
	}
	for _, c := range []struct {
		name   string
		object proto.Message
		kind   fault.Kind
		text   string
	}{
		{"no name", &core.Entity{}, fault.Invalid, "every entity needs a name"},
		{"no name of a view", view("", ""), fault.Invalid, "every feature view needs a name"},
		{"a name that no reference can have", view("a@b", ""), fault.Invalid, "'@' or ':'"},
		{"a name with a colon", view("a:b", ""), fault.Invalid, "'@' or ':'"},
		{"a version that is none", view("a", "seven"), fault.Invalid, "Invalid version string 'seven'"},
		{"the name of a view of another kind", view("x", ""), fault.Conflict, "The feature view name: x refers to feature views of different types."},
		{"a name that differs in case", view("X", ""), fault.Conflict, "feature views x and X would have names that differ only in case; delete x first"},
		{"another project", &core.Project{Spec: &core.ProjectSpec{Name: "q"}}, fault.Invalid, "project q cannot be written as project p"},
		{"what is not in a registry", &core.FeatureViewProjection{}, fault.Internal, "feast.core.FeatureViewProjection"},
	} {
		reg := &core.Registry{}
		if _, err := registry.Put(reg, "p", &core.StreamFeatureView{Spec: &core.StreamFeatureViewSpec{Name: "x"}}, monday); err != nil {
			t.Fatal(err)
		}
		before := proto.CloneOf(reg)
		if _, err := registry.Put(reg, "p", c.object, monday); fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", c.name, err)
		}
		if !proto.Equal(before, reg) {
			t.Errorf("%s has changed the registry", c.name)
		}
	}
}

// The versions of a view are those of applies: the schema makes one, other fields do not,
// and a pinned version comes back.
func TestVersionsOfAViewThatIsPut(t *testing.T) {
	reg := &core.Registry{}
	put := func(version string, now time.Time, features ...string) *core.FeatureView {
		t.Helper()
		v := &core.FeatureView{Spec: &core.FeatureViewSpec{Name: "x", Version: version, Owner: now.Format("Mon")}}
		for _, f := range features {
			v.Spec.Features = append(v.Spec.Features, &core.FeatureSpecV2{Name: f, ValueType: 4})
		}
		if _, err := registry.Put(reg, "p", v, now); err != nil {
			t.Fatal(err)
		}
		return reg.GetFeatureViews()[0]
	}
	expect := func(v *core.FeatureView, number int32, features, versions, intervals int) {
		t.Helper()
		m := v.GetMeta()
		if m.GetCurrentVersionNumber() != number || len(v.GetSpec().GetFeatures()) != features ||
			len(reg.GetFeatureViewVersionHistory().GetRecords()) != versions || len(m.GetMaterializationIntervals()) != intervals {
			t.Errorf("version %d of %d, %d features, %d intervals; want %d of %d, %d, %d", m.GetCurrentVersionNumber(), len(reg.GetFeatureViewVersionHistory().GetRecords()),
				len(v.GetSpec().GetFeatures()), len(m.GetMaterializationIntervals()), number, versions, features, intervals)
		}
	}
	expect(put("", monday, "a"), 0, 1, 1, 0)
	if err := registry.RecordMaterialization(reg, "p", "x", monday, tuesday, tuesday); err != nil {
		t.Fatal(err)
	}
	expect(put("", tuesday, "a"), 0, 1, 1, 1)
	if s := reg.GetFeatureViews()[0].GetMeta().GetState(); s != core.FeatureViewState_AVAILABLE_ONLINE {
		t.Errorf("the state is %v", s)
	}
	expect(put("", tuesday, "a", "b"), 1, 2, 2, 1)
	expect(put("v0", tuesday, "a", "b"), 0, 1, 2, 1)
	if _, err := registry.Delete(reg, "p", registry.KindFeatureView, "x"); err != nil {
		t.Fatal(err)
	}
	if h := reg.GetFeatureViewVersionHistory().GetRecords(); len(h) > 0 {
		t.Errorf("versions of a deleted view: %v", h)
	}
}

// A client reports a state by sending the view again, with the intervals and the version
// that it has read some time ago: only the state counts.
func TestAStateThatAClientSends(t *testing.T) {
	reg := &core.Registry{}
	view := &core.FeatureView{Spec: &core.FeatureViewSpec{Name: "x"}}
	if _, err := registry.Put(reg, "p", view, monday); err != nil {
		t.Fatal(err)
	}
	read := proto.CloneOf(reg.GetFeatureViews()[0])
	if err := registry.RecordMaterialization(reg, "p", "x", monday, tuesday, tuesday); err != nil {
		t.Fatal(err)
	}
	read.Meta.State, read.Meta.CurrentVersionNumber = core.FeatureViewState_MATERIALIZING, 7
	changes, err := registry.Put(reg, "p", read, tuesday)
	m := reg.GetFeatureViews()[0].GetMeta()
	if err != nil || len(changes) != 1 || changes.Loud() || m.GetState() != core.FeatureViewState_MATERIALIZING || m.GetCurrentVersionNumber() != 0 || len(m.GetMaterializationIntervals()) != 1 {
		t.Errorf("%v, %v: %v", told(changes), err, m)
	}
	read.Meta.State, read.Spec.Owner = core.FeatureViewState_GENERATED, "me"
	if _, err := registry.Put(reg, "p", read, tuesday); err != nil {
		t.Fatal(err)
	}
	if m = reg.GetFeatureViews()[0].GetMeta(); m.GetState() != core.FeatureViewState_GENERATED || m.GetCurrentVersionNumber() != 0 || len(m.GetMaterializationIntervals()) != 1 {
		t.Errorf("with another field: %v", m)
	}
}

func TestWhatAnObjectKeeps(t *testing.T) {
	reg := &core.Registry{}
	put := func(m proto.Message, now time.Time) {
		t.Helper()
		if _, err := registry.Put(reg, "p", m, now); err != nil {
			t.Fatal(err)
		}
	}
	// A source that comes with a created time keeps it, and gets Feast's class.
	put(&core.DataSource{Name: "s", Type: core.DataSource_PUSH_SOURCE, Meta: &core.DataSource_SourceMeta{CreatedTimestamp: timestamppb.New(monday)}}, tuesday)
	if s := reg.GetDataSources()[0]; times(s) != "Mon Tue" || s.GetDataSourceClassType() != "feast.data_source.PushSource" || s.GetProject() != "p" {
		t.Errorf("the source is %v", s)
	}
	// A view that is put after its source has the source's times within.
	put(&core.FeatureView{Spec: &core.FeatureViewSpec{Name: "v", BatchSource: &core.DataSource{Name: "s", Type: core.DataSource_PUSH_SOURCE}}}, tuesday)
	if got := times(reg.GetFeatureViews()[0].GetSpec().GetBatchSource()); got != "Mon Tue" {
		t.Errorf("the source within has the times %s", got)
	}
	// The rows of a saved dataset are from when they are from.
	put(&core.SavedDataset{Spec: &core.SavedDatasetSpec{Name: "d"}, Meta: &core.SavedDatasetMeta{MinEventTimestamp: timestamppb.New(monday), MaxEventTimestamp: timestamppb.New(tuesday)}}, monday)
	put(&core.SavedDataset{Spec: &core.SavedDatasetSpec{Name: "d", Tags: map[string]string{"a": "b"}}}, tuesday)
	if m := reg.GetSavedDatasets()[0].GetMeta(); !m.GetMinEventTimestamp().AsTime().Equal(monday) || !m.GetMaxEventTimestamp().AsTime().Equal(tuesday) || times(reg.GetSavedDatasets()[0]) != "Mon Tue" {
		t.Errorf("the saved dataset has %v", m)
	}
	// An apply of a repository leaves what only clients make.
	if _, err := registry.Apply(reg, "p", registry.Objects{}, tuesday); err != nil {
		t.Fatal(err)
	}
	if len(reg.GetSavedDatasets()) != 1 || len(reg.GetFeatureViews()) != 0 {
		t.Errorf("after an apply: %v", reg)
	}
}

// A project is deleted with everything in it, also what old versions of Feast have left,
// and nothing else.
func TestDeleteAProject(t *testing.T) {
	reg := registrytest.Full()
	before := proto.CloneOf(reg)
	changes, err := registry.Delete(reg, "", registry.KindProject, "p")
	if err != nil {
		t.Fatal(err)
	}
	var deleted int
	for _, r := range registry.Rows(before) {
		if r.Project == "p" && r.List != "feature_view_version_history" && r.List != "project_metadata" && r.List != "feature_tables" {
			deleted++
		}
	}
	if len(changes) != deleted {
		t.Errorf("%d objects are deleted of %d: %s", len(changes), deleted, told(changes))
	}
	_, gone := registry.RowChanges(before, reg)
	for _, r := range registry.Rows(before) {
		if is, should := slices.Contains(gone, r.Key), r.Project == "p"; is != should {
			t.Errorf("%v: deleted %v", r.Key, is)
		}
	}
}

// A view that becomes one of another kind keeps the versions of its new kind only,
// whichever of the kinds is applied first.
func TestAViewThatChangesItsKind(t *testing.T) {
	batch := registry.Objects{FeatureViews: []*core.FeatureView{{Spec: &core.FeatureViewSpec{Name: "x"}}}}
	stream := registry.Objects{StreamFeatureViews: []*core.StreamFeatureView{{Spec: &core.StreamFeatureViewSpec{Name: "x"}}}}
	for _, order := range [][]registry.Objects{{batch, stream}, {stream, batch}} {
		reg := &core.Registry{}
		for _, o := range order {
			if _, err := registry.Apply(reg, "p", o, monday); err != nil {
				t.Fatal(err)
			}
		}
		want := "feature_view"
		if len(reg.GetStreamFeatureViews()) > 0 {
			want = "stream_feature_view"
		}
		h := reg.GetFeatureViewVersionHistory().GetRecords()
		if n := len(reg.GetFeatureViews()) + len(reg.GetStreamFeatureViews()); n != 1 || len(h) != 1 || h[0].GetFeatureViewType() != want {
			t.Errorf("%d views, versions %v; want one of a %s", n, h, want)
		}
	}
}
