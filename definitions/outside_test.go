package definitions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
)

const entityOf = "from feast import Entity\ne = Entity(name=NAME)\n"

// A change that a file makes outside of itself has the same effect as in Python, or
// is refused.
func TestWhatIsChangedOutsideOfAFile(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // the error, or the names of the entities
	}{
		{"a file that subprocess may write", map[string]string{
			"features.py": "import subprocess\nsubprocess.run('echo new > n.txt', shell=True)\nNAME = open('n.txt').read()\n" + entityOf, "n.txt": "old",
		}, "features.py:3:8: n.txt is not read, since subprocess.run() is not run, which may write it"},
		{"a file that os.system may write", map[string]string{
			"features.py": "import os\nos.system('x')\nNAME = str(os.path.exists('n.txt'))\n" + entityOf, "n.txt": "old",
		}, "features.py:3:12: n.txt is not read, since os.system() is not run, which may write it"},
		{"a file that pandas may write", map[string]string{
			"features.py": "import pandas as pd\npd.DataFrame({}).to_csv('n.txt')\nNAME = open('n.txt').read()\n" + entityOf, "n.txt": "old",
		}, "features.py:3:8: n.txt is not read, since pandas.DataFrame().to_csv() is not run, which may write it"},
		{"a file beside what pandas reads", map[string]string{
			"features.py": "import pandas as pd\npd.set_option('x', 1)\nd = pd.read_csv('d.csv')\nNAME = open('n.txt').read()\n" + entityOf, "n.txt": "old",
		}, "old"},
		{"the directory of a with", map[string]string{
			"features.py": "from contextlib import chdir\nwith chdir('d'):\n    NAME = 'a'\n" + entityOf,
		}, "features.py:2:6: contextlib.chdir() is not read"},
		{"a builtin that is replaced", map[string]string{
			"features.py": "import builtins\nbuiltins.len = lambda x: 42\nNAME = str(len([]))\n" + entityOf,
		}, "features.py:2:1: builtins.len is replaced, which is not read"},
		{"a function of Python's that is replaced", map[string]string{
			"features.py": "import json\njson.loads = lambda x: 'a'\nNAME = json.loads('1')\n" + entityOf,
		}, "features.py:2:1: json.loads is replaced, which is not read"},
		{"a class of Feast's that is replaced", map[string]string{
			"features.py": "import feast\nfeast.Entity = feast.Field\nNAME = 'a'\n" + entityOf,
		}, "features.py:2:1: feast.Entity is replaced, which is not read"},
		{"warnings that are errors", map[string]string{
			"features.py": "import warnings\nwarnings.simplefilter('error')\nNAME = 'a'\n" + entityOf,
		}, "features.py:2:1: warnings.simplefilter('error') is not read: warnings would become errors"},
		{"warnings that are not", map[string]string{
			"features.py": "import warnings\nwarnings.filterwarnings(action='ignore', category=DeprecationWarning)\nNAME = 'a'\n" + entityOf,
		}, "a"},
		{"a module of Python's name", map[string]string{
			"features.py": "from threading import NAME\n" + entityOf, "threading.py": "NAME = 'own'\n",
		}, "features.py:1:1: module 'threading' is in the repository and may be installed too"},
		{"a file of definitions of a name of Python's", map[string]string{
			"features.py": "NAME = 'a'\n" + entityOf, "test/more.py": "NAME = 'lost'\n" + entityOf,
		}, "test/more.py cannot be imported: it has the name of module 'test', which Python would take in its place"},
		{"a message of Feast's", map[string]string{
			"features.py": "from feast.protos.feast.types.Value_pb2 import ValueType\nfrom feast import Entity\ne = Entity(name='a', value_type=ValueType.INT64)\n",
		}, "features.py:3:33: Entity argument 'value_type' depends on what cannot be known"},
		{"a module that is imported before the search path is changed", map[string]string{
			"features.py": "import sys\nsys.path.insert(0, 'lib')\nfrom conf import NAME\n" + entityOf, "conf.py": "NAME = 'outer'\n", "lib/conf.py": "NAME = 'inner'\n",
		}, "outer"},
		{"a module that is imported after it", map[string]string{
			"features.py": "import sys\nsys.path.insert(0, 'lib')\nfrom zconf import NAME\n" + entityOf, "zconf.py": "NAME = 'outer'\n", "lib/zconf.py": "NAME = 'inner'\n",
		}, "inner"},
		{"names that Python takes for one", map[string]string{
			"features.py": "NAME = 'a'\n\uff2eAME = 'b'\n" + entityOf,
		}, "features.py:2:1: Python reads this name as 'NAME'; write it that way"},
		{"a line that ends with a carriage return", map[string]string{
			"features.py": "NAME = 'a'\n# comment\r" + entityOf,
		}, "features.py:2:10: a single carriage return ends a line in Python"},
		{"bytes of another encoding", map[string]string{"features.py": "NAME = b'\\xe9'.decode('latin-1')\n" + entityOf}, "features.py:1:8: decode() is read of UTF-8 alone"},
		{"bytes that are no text", map[string]string{"features.py": "NAME = b'\\xe9'.decode()\n" + entityOf}, "features.py:1:8: decode() is read of UTF-8 alone"},
		{"bytes of UTF-8", map[string]string{"features.py": "NAME = b'\\xc3\\xa9'.decode('utf-8')\n" + entityOf}, "\u00e9"},
		{"a variable that is set in a loop that is not known", map[string]string{
			"features.py": "import os, random\nfor k in random.sample(['A'], 1):\n    os.environ[k] = 'b'\nNAME = os.environ.get('A', 'a')\n" + entityOf,
		}, "features.py:2:10: the loop on random.sample() cannot be known without running Python, and it may change 'os'"},
		{"a variable that may be set by a method", map[string]string{
			"features.py": "import os, random\nif random.random() > 2:\n    os.environ.setdefault('A', 'b')\nNAME = os.environ.get('A', 'a')\n" + entityOf,
		}, "features.py:2:4: the condition on random.random() cannot be known without running Python, and it may change 'os'"},
		{"a variable that is read in a block that is not known", map[string]string{
			"features.py": "import os, random\nif random.random() > 2:\n    x = os.path.join('a', os.environ.get('A', ''))\nNAME = 'a'\n" + entityOf,
		}, "a"},
		{"a file that another one writes", map[string]string{
			"a.py": "import pandas as pd\npd.DataFrame({}).to_csv('n.txt')\n", "features.py": "NAME = open('n.txt').read()\n" + entityOf, "n.txt": "old",
		}, "features.py:1:8: n.txt is not read, since a.py is not run, which may write it"},
		{"a file that another one writes as a program", map[string]string{
			"a.py": "import pandas as pd\nif __name__ == '__main__':\n    pd.DataFrame({}).to_csv('n.txt')\n", "features.py": "NAME = open('n.txt').read()\n" + entityOf, "n.txt": "old",
		}, "old"},
		{"a module that another one changes", map[string]string{
			"a.py": "from conf import N\nN.append('late')\n", "features.py": "from conf import N\nNAME = '_'.join(N)\n" + entityOf, "conf.py": "N = ['first']\n",
		}, "first_late"},
		{"a working directory that another one changes", map[string]string{
			"a.py": "import os\nos.chdir('..')\n", "features.py": "NAME = 'a'\n" + entityOf,
		}, "a.py:2:1: os.chdir() is not read"},
		{"a feature of old", map[string]string{
			"features.py": "from feast import Entity, Feature, FeatureView\nNAME = 'a'\nv = FeatureView(name='v', features=[Feature('a')])\n" + entityOf,
		}, "features.py:3:37: views no longer accept Feature; write Field(name=…, dtype=…) instead"},
		{"an import of it alone", map[string]string{"features.py": "from feast import Feature\nNAME = 'a'\n" + entityOf}, "a"},
		{"a module that fails where that is caught", map[string]string{
			"features.py": "try:\n    import conf\nexcept KeyError:\n    NAME = 'a'\n" + entityOf, "conf.py": "x = {}['k']\n",
		}, "conf.py:1:5: the dict has no key 'k'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			repo, err := definitions.Load(t.Context(), repository(t, c.files), definitions.Options{})
			var got []string
			if err != nil {
				got = append(got, err.Error())
			} else {
				for _, e := range repo.Objects.Entities {
					got = append(got, e.GetSpec().GetName())
				}
			}
			if text := strings.Join(got, " "); !strings.Contains(text, c.want) || err == nil && text != c.want {
				t.Errorf("%s\nwant %s", text, c.want)
			}
		})
	}
}

// A missing module or file is passed over and reported; apply then deletes nothing.
func TestWhatIsNotThereIsPassedOver(t *testing.T) {
	root := repository(t, map[string]string{"a.py": "import pkg.sub\n" + entityFile("a")})
	for _, name := range []string{"features.py", ".#a.py"} {
		if err := os.Symlink("gone.py", filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	repo, err := definitions.Load(t.Context(), root, definitions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "features.py: a broken link; a.py:1: module pkg is neither in the repository nor known to define nothing"
	if got := strings.Join(repo.Passed, "; "); got != want {
		t.Errorf("passed over are %s\nwant %s", got, want)
	}
}
