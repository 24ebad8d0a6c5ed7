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
	return loadDir(t, repository(t, files))
}

func loadDir(t *testing.T, root string) *definitions.Repo {
	t.Helper()
	repo, err := definitions.Load(t.Context(), root, definitions.Options{Env: environment})
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// A file that cannot define anything cannot stop the others, whatever is wrong
// with it; what was passed over is listed.
func TestWhatCannotDefineIsPassedOver(t *testing.T) {
	for _, c := range []struct{ name, source, passed string }{
		{"plain code", "import pandas as pd\ndf = pd.read_csv('x.csv')\nprint(df.describe())\n", ""},
		{"no Python", "this is not\n\tPython (", "other.py: not readable as Python, and it does not mention feast: other.py:2:9: '(' is never closed"},
		{"not UTF-8", "x = '\xff'\n", "other.py: not readable as Python, and it does not mention feast: other.py:1:6: the file is not UTF-8"},
		{"Python 2", "print 'hello'\n", "other.py: not readable as Python, and it does not mention feast: other.py:1:7: invalid syntax"},
		{"a client of Feast", "from feast import FeatureStore\nstore = FeatureStore('.')\nrows = store.get_online_features(['v:a'], [{'e': 1}]).to_dict()\nprint(rows['a'][0] + 1)\n", "other.py:3: FeatureStore.get_online_features.to_dict() is not run"},
		{"deep nesting", "x = " + strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500) + "\n", "nested too deep"},
		{"an empty file", "", ""},
		{"an unknown condition", "import third\nimport feast\nif third.x:\n    y = 1\nelse:\n    z = 2\nprint(y, z)\n", "other.py:3: the block of the condition on third.x, which only running Python can tell"},
		{"harmless names", "import feast\nfrom numpy import *\n", "other.py:2: what 'from numpy import *' gives is not known"},
		{"a harmless call", "import feast, pandas\ndf = pandas.read_csv('x.csv')\n", "other.py:2: pandas.read_csv() is not run"},
		{"a call that may fail", "import feast, pandas\ntry:\n    df = pandas.read_csv('x.csv')\nexcept OSError:\n    df = None\n", "other.py:3: pandas.read_csv() is not run"},
		{"the branch without a module", "import feast\ntry:\n    import ours\nexcept ImportError:\n    ours = None\n", "other.py:3: module ours is not in the repository; the branch without it was taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			repo := load(t, map[string]string{"features.py": simple, "other.py": c.source})
			if got := strings.Join(repo.Passed, "\n"); !strings.Contains(got, c.passed) || c.passed == "" && got != "" {
				t.Errorf("passed over is\n%s\nwant\n%s", got, c.passed)
			}
			if len(repo.Objects.Entities) != 1 {
				t.Errorf("%d entities are read", len(repo.Objects.Entities))
			}
		})
	}
}

// A file that mentions Feast, itself or through other files, is read completely.
func TestWhatMayDefineIsReadWhole(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"an error before Feast is imported", "import os\nos.environ['UNSET']\nfrom feast import Entity\n", "other.py:2:1: environment variable UNSET is not set"},
		{"a failing client", "from feast import FeatureStore\nstore = FeatureStore('.')\nx = int('no number')\n", "other.py:3:5: invalid literal for int()"},
		{"a client that changes the registry", "from feast import FeatureStore\nFeatureStore('.').apply([])\n", "other.py:2:1: attribute 'apply' of a FeatureStore is not read"},
		{"a client that gives a view", "from feast import FeatureStore\nv = FeatureStore('.').get_feature_view('v')\n", "other.py:2:5: attribute 'get_feature_view' of a FeatureStore is not read"},
		{"an endless loop", "import feast\nwhile True:\n    pass\n", "does a loop ever end?"},
		{"a script that reads the repository", "import features\nassert features.e.name == 'x', 'no'\n", "other.py:2:1: this assertion does not hold: no"},
		{"names of elsewhere", "from third import view\n", "other.py:1:19: 'view' may be a definition: only running Python can tell what third.view is; module 'third' is neither in the repository nor known to define nothing"},
		{"all names of elsewhere", "from third import *\n", "other.py:1:1: what 'from third import *' gives cannot be known"},
		{"an attribute of elsewhere", "import third\nview = third.view\n", "other.py:2:1: 'view' may be a definition"},
		{"a call of elsewhere", "import third\nthird.register(globals())\n", "other.py:2:1: third.register() may make or change definitions and is not run; module 'third' is neither"},
		{"a misspelt file", "from featres import e\n", "other.py:1:21: 'e' may be a definition: only running Python can tell what featres.e is"},
		{"a call that is given a maker", "import feast, subprocess\nsubprocess.run(feast.Entity)\n", "other.py:2:1: subprocess.run() is not run, and it has or is given what makes or holds definitions"},
		{"a call that is given a function that makes", "import feast, pandas\ndf = pandas.DataFrame()\ndf.apply(lambda r: feast.Entity(name=r))\n", "is not run, and it has or is given what makes or holds definitions"},
		{"a call that is given a method of a list", "import features, pandas\nnames = []\npandas.Series().map(lambda n: names.append(n))\nimport feast\n", "is given a function that changes values of the file"},
		{"a call that is given all names", "import feast, logging\nlogging.config.dictConfig(globals())\n", "is not run, and it has or is given what makes or holds definitions"},
		{"a shuffled list", "import feast, random\nnames = ['a', 'b']\nrandom.shuffle(names)\n", "random.shuffle() is not run, and it changes the list it is given"},
		{"code as text", "import feast\nexec('e = feast.Entity(name=\"x\")')\n", "other.py:2:1: exec() is not read"},
		{"a handler of logs that makes", "import feast, logging\nclass H(logging.Handler):\n    def emit(self, r): globals()['v'] = feast.Entity(name='v')\nlogging.getLogger().addHandler(H())\n", "other.py:4:32: H, made from logging.Handler() is not run, and it has or is given what makes or holds definitions"},
		{"an object of a class with an unknown base that changes a list", "import feast, unittest\nnames = []\nclass T(unittest.TestCase):\n    def __init__(self): names.append('a')\nT()\n", "and it has or is given a function that changes values of the file"},
		{"a coroutine", "import feast, asyncio\nasync def make():\n    return feast.Entity(name='x')\nx = asyncio.run(make())\n", "other.py:4:17: async functions are not run, and make() is one"},
		{"a block that adds to a list", "import feast, pandas\nnames = []\nif pandas.x:\n    names.append('a')\n", "other.py:3:4: the condition on pandas.x cannot be known without running Python, and it may change 'names'"},
		{"a block that imports", "import feast, pandas\nif pandas.x:\n    from features import e as mine\n", "and definitions depend on it"},
		{"a block that unbinds", "import pandas\nfrom features import e\nif pandas.x:\n    del e\n", "and definitions depend on it"},
		{"a block that sets a global", "import feast, pandas\nn = 1\ndef f():\n    global n\n    n = 2\nif pandas.x:\n    f()\n", "and it changes values of the file"},
		{"a definition in a try that may fail", "import feast, pandas\ntry:\n    pandas.read_csv('x')\n    e = feast.Entity(name='x')\nexcept OSError:\n    pass\n", "other.py:2:1: whether pandas.read_csv() succeeds cannot be known without running Python, and definitions depend on it"},
		{"definitions sorted by what is unknown", "import feast, pandas\na, b = sorted([feast.Entity(name='x'), feast.Entity(name='y')], key=pandas.rank)\n", "into which a definition went"},
		{"a definition chosen by an unknown key", "import feast, pandas\nx = {'a': feast.Entity(name='x')}[pandas.key]\n", "into which a definition went"},
		{"a definition chosen by an unknown number", "import feast, pandas\nx = [feast.Entity(name='x')][pandas.n]\n", "into which a definition went"},
		{"a definition got by an unknown key", "import feast, pandas\nx = {'a': feast.Entity(name='x')}.get(pandas.key)\n", "into which a definition went"},
		{"a way to definitions that is given away", "import feast, pandas\nd = {'a': feast.Entity(name='x')}\ns = pandas.Series(['a']).map(d.get)\n", "it has or is given what makes or holds definitions"},
		{"an unknown part of a list of definitions", "import feast, pandas\nx, = [feast.Entity(name='x')][:pandas.n]\n", "into which a definition went"},
		{"definitions and what is unknown in one list", "import feast, pandas\nl = [feast.Entity(name='x')] + pandas.l\nx = l[0]\n", "into which a definition went"},
		{"definitions chosen by an unknown condition", "import feast, pandas\nl = [feast.Entity(name='x')]\nx, = [e for e in l if pandas.x]\n", "and definitions depend on it"},
		{"a list that what is unknown is added to", "import feast, pandas\nnames = ['a']\nnames += pandas.l\n", "a list is changed by what cannot be known"},
		{"a definition with a module that may be missing", "import feast\ntry:\n    import torch\n    e = feast.Entity(name='x')\nexcept ImportError:\n    pass\n", "whether torch is installed cannot be known"},
		{"a definition with a name that may be missing", "import feast, os\ntry:\n    os.getpgid_of\nexcept AttributeError:\n    e = feast.Entity(name='x')\n", "whether os.getpgid_of is there cannot be known"},
		{"a definition with an import that may be missing", "import feast\ntry:\n    from numpy import newest\nexcept ImportError:\n    e = feast.Entity(name='x')\n", "whether numpy.newest is there cannot be known"},
		{"a definition that is put elsewhere", "import feast, pandas\npandas.x = feast.Entity(name='x')\n", "a definition is put into pandas"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := repository(t, map[string]string{"features.py": simple, "other.py": c.source})
			_, err := definitions.Load(t.Context(), root, definitions.Options{Env: environment})
			if err == nil {
				t.Fatal("it loads")
			}
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it is refused with\n%s\nwant\n%s", err, c.want)
			}
		})
	}
}

// A file that imports Feast only through another file is read, too.
func TestAnErrorInAnImportedFileStopsTheLoad(t *testing.T) {
	root := repository(t, map[string]string{"features.py": simple, "other.py": "import helper\n", "helper.py": "import feast\nundefined\n"})
	_, err := definitions.Load(t.Context(), root, definitions.Options{})
	if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "helper.py:2:1: name 'undefined' is not defined") {
		t.Errorf("the error is %v", err)
	}
}

// A file that imports Feast and cannot be parsed may define something: it stops
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
			if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "other.py:2:") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// An object that no module binds to a name is not collected, and is noted.
func TestWhatIsBoundToNoNameIsNoted(t *testing.T) {
	repo := load(t, map[string]string{"features.py": `from feast import Entity, FeatureService, FeatureView, Field
from feast.types import Int64
views = [FeatureView(name="listed", entities=[Entity(name="inline")])]
FeatureService(name="lost", features=views)
v = FeatureView(name="v", schema=[Field(name="a", dtype=Int64)])
w = v.with_name("w")
`})
	for _, want := range []string{
		"features.py:3: FeatureView listed is created but no module binds it to a name, so it is not part of the repository",
		"features.py:3: Entity inline is created but no module binds it to a name, so it is not part of the repository",
		"features.py:4: FeatureService lost is created but no module binds it to a name, so it is not part of the repository",
		"w is bound to a projection of view v, which is not a definition of its own; write it where it is used",
	} {
		if !slices.Contains(repo.Notes, want) {
			t.Errorf("%q is not among the notes\n%s", want, strings.Join(repo.Notes, "\n"))
		}
	}
	if len(repo.Objects.FeatureViews) != 1 || len(repo.Objects.FeatureServices) != 0 || len(repo.Objects.Entities) != 0 {
		t.Error("an object without a name is collected")
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
		"dir": filepath.Join(outside, "dir"), "gone.py": filepath.Join(outside, "gone.py"), "inside.py": "a.py", "loop.py": "loop.py",
	} {
		if err := os.Symlink(to, filepath.Join(root, from)); err != nil {
			t.Fatal(err)
		}
	}
	repo, err := definitions.Load(t.Context(), root, definitions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(repo), " "); got != "a" { // once, under the name of the link's target
		t.Errorf("read are %s", got)
	}
	for from, to := range map[string]string{"linked.py": filepath.Join(outside, "secret.py"), "up.py": "../" + filepath.Base(outside) + "/secret.py"} {
		root := repository(t, map[string]string{"a.py": entityFile("a")})
		if err := os.Symlink(to, filepath.Join(root, from)); err != nil {
			t.Fatal(err)
		}
		_, err := definitions.Load(t.Context(), root, definitions.Options{})
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), from+" is a link to "+filepath.Join(outside, "secret.py")) {
			t.Errorf("%s: the error is %v", from, err)
		}
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
		t.Errorf("a malformed pattern: the error is %v", err)
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

// Modules are found as Python finds them: from the root, which Feast appends to
// sys.path, and through PYTHONPATH.
func TestHowFilesImportEachOther(t *testing.T) {
	base := repository(t, map[string]string{
		"src/repo/entities.py":       "from feast import Entity\nuser = Entity(name=\"user\")\n",
		"src/repo/views/__init__.py": "order = ['package']\n",
		"src/repo/views/common.py":   "from . import order\norder.append('common')\nOWNER = \"o\"\n",
		"src/repo/views/users.py":    "from feast import FeatureView\nfrom entities import user\nfrom .common import OWNER\nimport views.common\nfrom views import order\nassert order == ['package', 'common'] and views.common.OWNER == 'o'\nassert (__name__, __package__) == ('views.users', 'views')\nv = FeatureView(name=\"v\", entities=[user], owner=OWNER)\n",
		"src/repo/circular_one.py":   "import feast\nfrom circular_two import b\na = 1\n",
		"src/repo/circular_two.py":   "import feast\nimport circular_one\nb = feast.Entity(name=\"circular\")\n",
		"src/repo/listed.py":         "from feast import Entity\n__all__ = [\"shown\"]\nshown = Entity(name=\"shown\")\nhidden = Entity(name=\"hidden\")\n",
		"src/repo/starred.py":        "from listed import *\nassert \"hidden\" not in globals() and shown.name == \"shown\"\nimport feast\n",
	})
	root := filepath.Join(base, "src/repo")
	repo, err := definitions.Load(t.Context(), root, definitions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(names(repo), " "), "circular hidden shown user"; got != want {
		t.Errorf("entities are %s, want %s", got, want)
	}
	if len(repo.Objects.FeatureViews) != 1 || repo.Objects.FeatureViews[0].GetSpec().GetOwner() != "o" {
		t.Errorf("the views are %v\n%s", repo.Objects.FeatureViews, strings.Join(repo.Notes, "\n"))
	}

	own := filepath.Join(root, "own.py")
	if err := os.WriteFile(own, []byte("from src.repo.entities import user as mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := definitions.Load(t.Context(), root, definitions.Options{}); err == nil || !strings.Contains(err.Error(), "own.py:1:31: 'mine' may be a definition") {
		t.Errorf("an import by the path of the repository: %v", err)
	}
	for _, path := range []string{base, "../.."} {
		env := func(name string) (string, bool) { return path, name == "PYTHONPATH" }
		repo, err := definitions.Load(t.Context(), root, definitions.Options{Env: env})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(names(repo), " "), "circular hidden shown user user"; got != want { // once per name of the module
			t.Errorf("with PYTHONPATH=%s entities are %s, want %s", path, got, want)
		}
	}
}

func TestFilesThatPythonWouldNotImport(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"json.py", simple, "json.py cannot be imported: it has the name of module 'json', which Python would take in its place"},
		{"pandas/views.py", simple, "pandas/views.py cannot be imported: it has the name of module 'pandas'"},
		{"feast/views.py", simple, "feast/views.py cannot be imported: it has the name of module 'feast'"},
		{"v1.2/views.py", simple, "v1.2/views.py cannot be imported: its path holds a dot"},
		{".hidden/views.py", simple, ".hidden/views.py cannot be imported: its path holds a dot"},
		{"a/b.py", simple, "a/b.py cannot be imported: No module named 'a.b'; 'a' is not a package"},
		{"c/d.py", "import feast\nimport e\ne.f()\n", "c/d.py:3:1: e.f() may make or change definitions"},
		{"g.py", "import feast\nimport redis\n", "g.py:2:1: module 'redis' is in the repository and may be installed too"},
		{"h.py", "import feast\nfrom . import a\n", "h.py:2:1: attempted relative import with no known parent package"},
		{"c/i.py", "import feast\nfrom ... import a\n", "c/i.py:2:1: attempted relative import beyond top-level package"},
		{"j.py", "import feast\nfrom k import *\n", "j.py:2:1: module 'k' has no attribute 'lost'"},
		{"l.py", "import feast\nfrom m import n\n", "__getattr__ of module 'm' is not read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := repository(t, map[string]string{
				c.name: c.source, "a.py": "", "c/e.py": "", "redis.py": "", "k.py": "__all__ = ['lost']\n", "m.py": "def __getattr__(name): return name\n",
			})
			_, err := definitions.Load(t.Context(), root, definitions.Options{})
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
		})
	}
}
