package definitions_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
)

// Inputs that were once read silently with another result than Feast's.
func TestInputsOnceReadWronglyAreRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a lambda below a decorator", map[string]string{
			"features.py": "from feast.on_demand_feature_view import on_demand_feature_view\nv = on_demand_feature_view(sources=[], schema=[])(lambda x: x)\n",
		}, "features.py:2:5: on_demand_feature_view decorates a lambda, want a function written with def"},
		{"a class made from what is not known", map[string]string{
			"features.py": "import feast\nimport nowhere\nclass A(nowhere.Base): pass\n",
		}, "features.py:3:9: a class made from nowhere.Base may make or change definitions"},
		{"a file without Feast that sets the environment", map[string]string{
			"a.py":        "import os\nos.environ[\"KIND\"] = str(undefined)\n",
			"features.py": "import os\nimport feast\ne = feast.Entity(name=\"e\" + os.environ.get(\"KIND\", \"\"))\n",
		}, "a.py:2:26: name 'undefined' is not defined"},
		{"a file without Feast that changes a builtin", map[string]string{
			"a.py":        "import builtins\nbuiltins.len = undefined\n",
			"features.py": "import feast\ne = feast.Entity(name=\"e\")\n",
		}, "a.py:2:16: name 'undefined' is not defined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := definitions.Load(t.Context(), repository(t, c.files), definitions.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

// A file that only reads the environment cannot define anything and stays idle.
func TestAFileThatOnlyReadsTheEnvironmentIsIdle(t *testing.T) {
	repo, err := definitions.Load(t.Context(), repository(t, map[string]string{
		"a.py":        "import os\nx = os.environ[\"UNSET\"]\ny = os.environ.get(\"UNSET\") == undefined\n",
		"features.py": "import feast\ne = feast.Entity(name=\"e\")\n",
	}), definitions.Options{})
	if err != nil || len(repo.Objects.Entities) != 1 || strings.Join(repo.Idle, " ") != "a.py" {
		t.Errorf("%+v %v", repo, err)
	}
}
