package definitions_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
)

const simple = "from feast import Entity\ne = Entity(name=\"e\")\n"

// load reads files that must be readable.
func load(t *testing.T, files map[string]string) *definitions.Repo {
	t.Helper()
	repo, err := definitions.Load(t.Context(), repository(t, files), definitions.Options{Env: environment})
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// A file that defines nothing cannot stop the others, whatever is wrong with it.
func TestAFileThatDefinesNothingIsANote(t *testing.T) {
	for _, c := range []struct{ name, source, note string }{
		{"plain code", "import pandas as pd\ndf = pd.read_csv('x.csv')\nprint(df.describe())\n", "other.py: defines nothing"},
		{"no Python", "this is not\n\tPython (", "other.py: passed over, it defines nothing and is no Python that can be read: other.py:2:10: '(' is never closed"},
		{"not UTF-8", "x = '\xff'\n", "other.py: passed over, it defines nothing and is no Python that can be read: other.py:1:1: the file is not UTF-8"},
		{"Python 2", "print 'hello'\n", "other.py: passed over, it defines nothing and is no Python that can be read: other.py:1:7: invalid syntax"},
		{"a client of Feast", "from feast import FeatureStore\nstore = FeatureStore('.')\nrows = store.get_online_features(['v:a'], [{'e': 1}]).to_dict()\nprint(rows['a'][0] + 1)\n", "other.py: defines nothing"},
		{"a failing client", "from feast import FeatureStore\nstore = FeatureStore('.')\nx = int('no number')\n", "other.py: passed over, it defines nothing and cannot be read: other.py:3:5: invalid literal for int() with base 10: 'no number'"},
		{"a training loop", "from feast import FeatureStore\nfor epoch in range(10 ** 9):\n    pass\n", "other.py: passed over, it defines nothing and cannot be read: other.py:2:14: a range of 1000000000 numbers is too long to be read"},
		{"an endless loop", "import feast\nwhile True:\n    pass\n", "does a loop ever end?"},
		{"a script that reads the repository", "import features\nassert features.e.name == 'x', 'no'\n", "this assertion does not hold: no"},
		{"deep nesting", "x = " + strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500) + "\n", "nested too deep"},
		{"an empty file", "", "other.py: defines nothing"},
		{"an unknown condition", "import third\nimport feast\nif third.x:\n    y = 1\nelse:\n    z = 2\nprint(y, z)\n", "other.py:3: a block was passed over: its condition depends on third.x"},
		{"unknown names", "import feast\nfrom third import *\n", "other.py:2: what 'from third import *' gives is not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			repo := load(t, map[string]string{"features.py": simple, "other.py": c.source})
			if !slices.ContainsFunc(repo.Notes, func(n string) bool { return strings.Contains(n, c.note) }) {
				t.Errorf("the notes are\n%s\nwant\n%s", strings.Join(repo.Notes, "\n"), c.note)
			}
			if len(repo.Objects.Entities) != 1 {
				t.Errorf("%d entities are read", len(repo.Objects.Entities))
			}
		})
	}
}

// What imports Feast and cannot be parsed may have defined something: it stops
// the load.
func TestABrokenFileThatImportsFeastIsAnError(t *testing.T) {
	for name, source := range map[string]string{
		"feast":              "from feast import Entity\ne = Entity(name=\"x\"\n",
		"a module of Feast":  "import feast.types as t\nf(\n",
		"another definition": "from features import e\nx = [\n",
	} {
		t.Run(name, func(t *testing.T) {
			root := repository(t, map[string]string{"features.py": simple, "other.py": source})
			_, err := definitions.Load(t.Context(), root, definitions.Options{})
			if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "other.py:3:1: '") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// An object that no module binds to a name is not collected, and says so.
func TestWhatIsBoundToNoNameIsNoted(t *testing.T) {
	repo := load(t, map[string]string{"features.py": `from feast import Entity, FeatureService, FeatureView, Field
from feast.types import Int64
views = [FeatureView(name="listed", entities=[Entity(name="inline")])]
FeatureService(name="lost", features=views)
v = FeatureView(name="v", schema=[Field(name="a", dtype=Int64)])
w = v.with_name("w")
`})
	for _, want := range []string{
		"features.py:3: FeatureView listed is made and no module binds it to a name, so it is not part of the repository",
		"features.py:3: Entity inline is made and no module binds it to a name, so it is not part of the repository",
		"features.py:4: FeatureService lost is made and no module binds it to a name, so it is not part of the repository",
		"w is bound to a projection of view v, which is no definition of its own; write it where it is used",
	} {
		if !slices.Contains(repo.Notes, want) {
			t.Errorf("%q is not among the notes\n%s", want, strings.Join(repo.Notes, "\n"))
		}
	}
	if len(repo.Objects.FeatureViews) != 1 || len(repo.Objects.FeatureServices) != 0 || len(repo.Objects.Entities) != 0 {
		t.Error("what no name is bound to is collected")
	}
}

// names lists the entities of a repository, sorted.
func names(repo *definitions.Repo) []string {
	var out []string
	for _, e := range repo.Objects.Entities {
		out = append(out, e.GetSpec().GetName())
	}
	slices.Sort(out)
	return out
}

func entityFile(name string) string {
	return "from feast import Entity\nx = Entity(name=\"" + name + "\")\n"
}

func TestWhichFilesAreRead(t *testing.T) {
	repo := load(t, map[string]string{
		"a.py": entityFile("a"), "deep/er/b.py": entityFile("b"), "deep/__init__.py": entityFile("package"), "notes.txt": "x", "c.pyc": "x",
		".git/hooks/x.py": entityFile("git"), ".venv/lib/x.py": entityFile("venv"), "deep/__pycache__/x.py": entityFile("cache"),
		"deep/.ipynb_checkpoints/x.py": entityFile("notebook"), ".pytest_cache/x.py": entityFile("pytest"),
		"env/pyvenv.cfg": "", "env/lib/x.py": entityFile("environment"), "lib/site-packages/x.py": entityFile("packages"),
		"skipped/x.py": entityFile("skipped"), "skipped_not/x.py": entityFile("c"), "x_test.py": entityFile("test"), "deep/x_test.py": entityFile("d"),
		"any/where/old.py": entityFile("old"), "trailing/x.py": entityFile("trailing"), "set1.py": entityFile("set1"), "set2.py": entityFile("e"),
		".feastignore": "# comment\nskipped\n*_test.py # at the top only\n**/old.py\ntrailing/\n\nset[!2].py\n",
	})
	if got, want := strings.Join(names(repo), " "), "a b c d e"; got != want {
		t.Errorf("read are %s, want %s", got, want)
	}
}

func TestLinksOutOfTheRepositoryAreNotFollowed(t *testing.T) {
	outside := repository(t, map[string]string{"secret.py": entityFile("secret"), "dir/x.py": entityFile("dir")})
	root := repository(t, map[string]string{
		"a.py":       entityFile("a"),
		"imports.py": "from feast import Entity\ntry:\n    from linked import x\nexcept ImportError:\n    pass\ntry:\n    from .. import secret as s\nexcept ImportError:\n    pass\n",
	})
	for from, to := range map[string]string{
		"linked.py": filepath.Join(outside, "secret.py"), "dir": filepath.Join(outside, "dir"), "up.py": "../" + filepath.Base(outside) + "/secret.py",
		"inside.py": "a.py", "loop.py": "loop.py",
	} {
		if err := os.Symlink(to, filepath.Join(root, from)); err != nil {
			t.Fatal(err)
		}
	}
	repo, err := definitions.Load(t.Context(), root, definitions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(repo), " "); got != "a a" { // a.py, and by its other name
		t.Errorf("read are %s", got)
	}
}

func TestARepositoryThatCannotBeReadIsUnavailable(t *testing.T) {
	for name, root := range map[string]string{
		"missing": filepath.Join(t.TempDir(), "missing"), "a file": filepath.Join(repository(t, map[string]string{"f": ""}), "f"),
	} {
		if _, err := definitions.Load(t.Context(), root, definitions.Options{}); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), root) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	root := repository(t, map[string]string{".feastignore": "a[\n", "a.py": simple})
	if _, err := definitions.Load(t.Context(), root, definitions.Options{}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "a[") {
		t.Errorf("a pattern that is none: the error is %v", err)
	}
	root = repository(t, map[string]string{"big.py": strings.Repeat("#", 5<<20)})
	if _, err := definitions.Load(t.Context(), root, definitions.Options{}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "big.py is larger than 4 MiB") {
		t.Errorf("a large file: the error is %v", err)
	}
}

func TestACanceledLoadEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := definitions.Load(ctx, repository(t, map[string]string{"a.py": simple}), definitions.Options{}); fault.KindOf(err) != fault.Canceled {
		t.Errorf("the error is %v", err)
	}
}

// A repository may import itself by the name of its directory, and files beside
// each other.
func TestHowFilesImportEachOther(t *testing.T) {
	base := repository(t, map[string]string{
		"src/repo/entities.py":      "from feast import Entity\nuser = Entity(name=\"user\")\n",
		"src/repo/views/common.py":  "OWNER = \"o\"\n",
		"src/repo/views/users.py":   "from feast import FeatureView\nfrom repo.entities import user\nfrom common import OWNER\nfrom src.repo.entities import user as again\nfrom ..entities import user as third\nassert user is again is third\nv = FeatureView(name=\"v\", entities=[user], owner=OWNER)\n",
		"src/repo/circular_one.py":  "import feast\nfrom circular_two import b\na = 1\n",
		"src/repo/circular_two.py":  "import feast\nimport circular_one\nb = feast.Entity(name=\"circular\")\n",
		"src/repo/views/listed.py":  "from feast import Entity\n__all__ = [\"shown\"]\nshown = Entity(name=\"shown\")\nhidden = Entity(name=\"hidden\")\n",
		"src/repo/views/starred.py": "from listed import *\nassert \"hidden\" not in globals() and shown.name == \"shown\"\nimport feast\n",
	})
	repo, err := definitions.Load(t.Context(), filepath.Join(base, "src/repo"), definitions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(names(repo), " "), "circular hidden shown user"; got != want {
		t.Errorf("entities are %s, want %s", got, want)
	}
	if len(repo.Objects.FeatureViews) != 1 || repo.Objects.FeatureViews[0].GetSpec().GetOwner() != "o" {
		t.Errorf("the views are %v\n%s", repo.Objects.FeatureViews, strings.Join(repo.Notes, "\n"))
	}
}
