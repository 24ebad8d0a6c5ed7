package definitions_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// recording is Feast's result for a repository, written by testdata/record.py.
type recording struct {
	Registry json.RawMessage `json:"registry"`
	Error    string          `json:"error"`
}

// recorded reads a recording; the repository's path is written as <root>.
func recorded(t *testing.T, name, root string) (*core.Registry, string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(b), "<root>", root)), &r); err != nil {
		t.Fatal(err)
	}
	reg := new(core.Registry)
	if r.Error == "" {
		if err := protojson.Unmarshal(r.Registry, reg); err != nil {
			t.Fatal(err)
		}
	}
	return reg, r.Error
}

// message converts objects to the form of the recordings.
func message(o registry.Objects) *core.Registry {
	reg := &core.Registry{
		DataSources: o.DataSources, Entities: o.Entities, FeatureViews: o.FeatureViews, StreamFeatureViews: o.StreamFeatureViews,
		OnDemandFeatureViews: o.OnDemandFeatureViews, LabelViews: o.LabelViews, FeatureServices: o.FeatureServices, Permissions: o.Permissions,
	}
	if o.Project != nil {
		reg.Projects = []*core.Project{o.Project}
	}
	for _, s := range reg.GetFeatureServices() {
		// For features chosen before inference only the names are known; Feast keeps
		// these outside of the message.
		for _, p := range s.GetSpec().GetFeatures() {
			p.FeatureColumns = slices.DeleteFunc(p.GetFeatureColumns(), func(f *core.FeatureSpecV2) bool { return f.GetValueType() == 0 })
			if len(p.GetFeatureColumns()) == 0 {
				p.FeatureColumns = nil
			}
		}
		for _, ref := range o.References[s.GetSpec().GetName()] {
			s.Spec.Features = append(s.Spec.Features, &core.FeatureViewProjection{FeatureViewName: ref, ViewType: "reference"})
		}
	}
	for _, v := range reg.GetStreamFeatureViews() { // Feast lists these in any order
		slices.SortFunc(v.GetSpec().GetFeatures(), func(a, b *core.FeatureSpecV2) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	return reg
}

func environment(name string) (string, bool) { return "from the environment", name == "BANQUET_SET" }

// repository creates a repository of files.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// cases lists the recorded repositories with their files.
func cases(t *testing.T) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	single, err := filepath.Glob("testdata/cases/*.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range single {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out["cases/"+strings.TrimSuffix(filepath.Base(path), ".py")] = map[string]string{"features.py": string(b)}
	}
	dirs, err := os.ReadDir("testdata/repos")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		files := map[string]string{}
		root := filepath.Join("testdata/repos", d.Name())
		err = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			rel, _ := filepath.Rel(root, path)
			files[rel] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		out["repos/"+d.Name()] = files
	}
	if len(out) < 100 {
		t.Fatalf("only %d recorded cases were found", len(out))
	}
	return out
}

// differences are the cases in which banquet deliberately differs from Feast, and
// why.
func differences() map[string]string {
	return map[string]string{
		"cases/two_projects":                      "Feast refuses the second project after the files are read",
		"cases/projections_bound":                 "Feast collects projections as views of the same name and then refuses to apply them",
		"cases/source_filesource_path_":           "an empty path names no file",
		"cases/source_pushsource_name_":           "an empty name names nothing",
		"cases/source_requestsource_name_schema_": "an empty name names nothing",
		"cases/label_views":                       "Feast refuses the label view without entities when it is applied",
		"cases/on_demand_without_function":        "Feast refuses it when it is applied",
	}
}

// Every recorded repository gives Feast's result, or is refused if Feast refuses
// it.
func TestRepositoriesGiveWhatFeastGives(t *testing.T) {
	differ := differences()
	for name, files := range cases(t) {
		if differ[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			root := repository(t, files)
			want, fails := recorded(t, name, root)
			repo, err := definitions.Load(t.Context(), root, definitions.Options{Env: environment})
			if fails != "" {
				if err == nil {
					t.Errorf("it loads, but Feast says %s", fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(want, message(repo.Objects), protocmp.Transform()); diff != "" {
				t.Errorf("(-Feast +banquet)\n%s", diff)
			}
		})
	}
}
