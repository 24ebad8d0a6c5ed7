package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	twoViews = `from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64
from names import VIEW

shopper = Entity(name="shopper", join_keys=["shopper"], value_type=ValueType.INT64)
s = FileSource(name="s", path="carts.csv", timestamp_field="at")
carts = FeatureView(name=VIEW, entities=[shopper], schema=[Field(name="items", dtype=Int64)], source=s)
wishes = FeatureView(name="wishes", entities=[shopper], schema=[Field(name="items", dtype=Int64)], source=s)
`
	oneWay = "  Or read the repository with Python: banquet apply --python\n"
)

// brokenRepo makes a repository of two views, applies it, and then overwrites
// files.
func brokenRepo(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := newRepo(t, sqliteRepo, twoViews)
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("names.py", "VIEW = \"carts\"\n")
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	for name, text := range files {
		if text == "" {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(name, text)
	}
	return dir
}

// A valid repository that then breaks: each command names the place in a few
// lines, and neither the registry nor a table changes.
func TestABrokenRepositoryDeletesNothing(t *testing.T) {
	after := func(text string) map[string]string { return map[string]string{"features.py": twoViews + text} }
	before := func(text string) map[string]string { return map[string]string{"features.py": text + twoViews} }
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // part of the output
		way   bool   // whether --python is suggested
	}{
		{"a line above the imports", before("import os\nos.environ[\"X\"] = undefined\n"), "features.py:2:19: name 'undefined' is not defined\n", true},
		{"a view from elsewhere", after("from mylib import make\nv = make()\n"), "features.py:9:19: 'make' may be a definition", true},
		{"a typo in the name of a module", map[string]string{"features.py": strings.Replace(twoViews, "from names", "from namse", 1)}, "features.py:3:19: 'VIEW' may be a definition", true},
		{"a module that is gone", map[string]string{"names.py": ""}, "features.py:3:19: 'VIEW' may be a definition", true},
		{"threads", after("from concurrent.futures import ThreadPoolExecutor\n"), "features.py:9:32: 'ThreadPoolExecutor' may be a definition", true},
		{"exec", after("exec(\"x = 1\")\n"), "features.py:9:1: exec() is not read", true},
		{"apply of a table", after("import pandas as pd\npd.DataFrame().apply(lambda n: FeatureView(name=n))\n"), "features.py:10:1: pandas.DataFrame().apply() is not run", true},
		{"a merge conflict", map[string]string{"features.py": strings.Replace(twoViews, "wishes =", "<<<<<<< HEAD\nwishes =", 1)}, "features.py:8:1: invalid syntax\n", true},
		{"a merge conflict in a module", map[string]string{"names.py": "<<<<<<< HEAD\nVIEW = \"a\"\n=======\nVIEW = \"b\"\n>>>>>>> b\n"}, "names.py:1:1: invalid syntax\n", true},
		{"no end", after("x = (1,\n"), "features.py:9:5: '(' is never closed\n", true},
		{"no text", after("\x00"), "features.py:9:1: unexpected character '\\x00'\n", true},
		{"another encoding", after("# caf\xe9\n"), "    # caf\ufffd\n", true},
		{"an exception", after("class Unset(Exception): pass\nraise Unset(\"set KIND first\")\n"), "features.py:10:1: the file raises Unset: set KIND first\n", true},
		{"an end", after("import sys\nsys.exit(\"no\")\n"), "features.py:10:1: the file ends here by exit()", true},
		{"a metaclass", after("class M(type): pass\n"), "features.py:9:9: a class made from type is not read", true},
		{"an unknown condition", after("import random\nif random.random() > 2:\n    del wishes\n"), "features.py:10:4: the condition on random.random()", true},
		{"a view of another name twice", after("again = FeatureView(name=\"Wishes\", entities=[shopper], source=s)\n"), "features.py:9:9: feature view wishes is defined twice, the other is at features.py:8", false},
		{"an entity twice", map[string]string{"other.py": "from feast import Entity\ne = Entity(name=\"shopper\", join_keys=[\"x\"])\n"}, "other.py:2:5: entity shopper is defined twice, the other is at features.py:5", false},
		{"a feature that is missing", after("from feast import FeatureService\nz = FeatureService(name=\"z\", features=[carts[[\"no\"]]])\n"), "features.py:10:40: feature view carts has no feature \"no\"\n", true},
		{"a transformation that cannot stand alone", after("from feast.on_demand_feature_view import on_demand_feature_view\nK = 3\n@on_demand_feature_view(sources=[carts], schema=[Field(name=\"b\", dtype=Int64)])\ndef o(df, k=K):\n    return df\n"), "features.py:12:13: function o of on-demand feature view o uses 'K'", false},
		{"another kind of file", map[string]string{"features.py": "\xff\xfef\x00r\x00o\x00m\x00\n\x00"}, "this would delete", false},
		{"a file that is passed over, and a view that is gone", map[string]string{"notes.py": "print \"2\"\n", "features.py": strings.Replace(twoViews, "wishes =", "# wishes =", 1)}, "this would delete", false},
		{"a call that is passed over, and a view that is gone", map[string]string{"features.py": "import pandas as pd\ndf = pd.read_csv(\"x.csv\")\n" + strings.Replace(twoViews, "wishes =", "# wishes =", 1)}, "this would delete", false},
		{"an import that is passed over, and a view that is gone", map[string]string{"features.py": "import extra.views\n" + strings.Replace(twoViews, "wishes =", "# wishes =", 1)}, "this would delete", false},
		{"a configuration that is not YAML", map[string]string{"feature_store.yaml": "project: [\n"}, "feature_store.yaml:1: not YAML", false},
		{"a configuration of nothing", map[string]string{"feature_store.yaml": "# no\n"}, "feature_store.yaml:1: the file holds no settings", false},
		{"a store that is not built in", map[string]string{"feature_store.yaml": strings.Replace(sqliteRepo, "type: sqlite", "type: cassandra", 1)}, "feature_store.yaml:5: online_store cassandra is not built into banquet", false},
		{"a registry that is not built in", map[string]string{"feature_store.yaml": strings.Replace(sqliteRepo, "registry: registry.db", "registry:\n  registry_store_type: PostgreSQLRegistryStore\n  path: registry.db", 1)}, "PostgreSQLRegistryStore is not built into banquet", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := brokenRepo(t, c.files)
			was := snapshot(t, dir)
			for _, verb := range []string{"validate", "plan", "apply"} {
				code, _, errText := command(t, nil, "-c", dir, verb)
				if code != 1 || !strings.Contains(errText, c.want) || strings.Count(errText, "\n") > 6 {
					t.Errorf("%s: exit %d\n%s", verb, code, errText)
				}
				if way := strings.HasSuffix(errText, oneWay); way != c.way {
					t.Errorf("%s: --python is suggested: %v\n%s", verb, way, errText)
				}
				if snapshot(t, dir) != was {
					t.Errorf("%s: the registry or a table has changed", verb)
				}
			}
		})
	}
}

// The style of a file, and other files beside it, change nothing.
func TestUnusualButValidRepositories(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"Windows":          {"features.py": strings.ReplaceAll(twoViews, "\n", "\r\n")},
		"a mark":           {"features.py": "\ufeff" + twoViews},
		"another name":     {"features.py": "", "views.py": twoViews},
		"old Python":       {"notes.py": "print \"2\"\n"},
		"a module of none": {"features.py": "import pkg.sub\n" + twoViews},
	} {
		t.Run(name, func(t *testing.T) {
			dir := brokenRepo(t, files)
			code, out, errText := command(t, nil, "-c", dir, "plan")
			if code != 0 || !strings.Contains(out, "No changes") {
				t.Errorf("exit %d\n%s%s", code, out, errText)
			}
		})
	}
}
