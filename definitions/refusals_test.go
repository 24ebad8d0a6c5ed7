package definitions_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
)

const head = `import third
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Int64, Array
e = Entity(name="e")
s = FileSource(path="p", timestamp_field="ts")
`

// What cannot be read is refused with its place and what to write instead.
func TestRefusalsSayWhereAndWhatToWrite(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"an unknown value", head + `v = FeatureView(name="v", entities=[e], source=s, ttl=third.ttl)`, `features.py:7:55: FeatureView argument 'ttl' depends on what cannot be known without running Python (third.ttl); write its value out
    v = FeatureView(name="v", entities=[e], source=s, ttl=third.ttl)
                                                          ^`},
		{"an unknown item", head + `v = FeatureView(name="v", schema=[Field(name="a", dtype=Int64), third.field])`, `features.py:7:34: FeatureView argument 'schema' depends on what cannot be known without running Python (third.field); write its value out`},
		{"an unknown tag", head + `v = FeatureView(name="v", tags={"a": third.x})`, `features.py:7:32: FeatureView argument 'tags' depends on what cannot be known without running Python (third.x); write it out`},
		{"unknown arguments", head + `v = FeatureView(name="v", **third.kwargs)`, `features.py:7:5: FeatureView is given arguments that cannot be known without running Python (third.kwargs); write them out`},
		{"an unknown condition", head + "if third.enabled:\n    v = FeatureView(name=\"v\")\n", `features.py:7:4: the condition on third.enabled cannot be known without running Python, and definitions depend on it; write this without it`},
		{"an unknown loop", head + "for n in third.names:\n    globals()[n] = FeatureView(name=n)\n", `features.py:7:10: the loop on third.names cannot be known without running Python, and definitions depend on it; write this without it`},
		{"an unknown list", head + `a, b = [FeatureView(name=n) for n in third.names]`, `features.py:7:9: this depends on a loop that cannot be known without running Python (third.names), and definitions depend on it; write it without`},
		{"an unknown choice", head + `v = FeatureView(name="v") if third.on else None`, `features.py:7:5: this depends on a condition that cannot be known without running Python (third.on), and definitions depend on it; write it without`},
		{"a module that may be missing", head + "try:\n    import torch\nexcept ImportError:\n    v = FeatureView(name=\"v\")\n", `features.py:7:1: whether torch is installed cannot be known without running Python, and definitions depend on it; write this without it`},
		{"what may be missing", head + "try:\n    from torch import DAYS\nexcept ImportError:\n    DAYS = 3\nv = FeatureView(name=\"v\", ttl=timedelta(days=DAYS))", `features.py:11:31: FeatureView argument 'ttl' depends on what cannot be known without running Python (torch.DAYS); write its value out`},
		{"a refusal within try", head + "try:\n    v = FeatureView(name=\"v\", ttl=third.ttl)\nexcept Exception:\n    v = None\n", `features.py:8:35: FeatureView argument 'ttl' depends on`},
		{"a file that is opened", head + `v = FeatureView(name="v", source=s, description=open("d.txt").read())`, `features.py:7:49: [Errno 2] No such file or directory: 'd.txt'`},
		{"an old argument", head + `v = FeatureView(name="v", features=[], source=s)`, `features.py:7:36: FeatureView has no argument 'features'; list the features as schema=[Field(…)]`},
		{"another old argument", head + `v = FeatureView(name="v", batch_source=s)`, `features.py:7:40: FeatureView has no argument 'batch_source'; give the data source as source=…`},
		{"a misspelt argument", head + `v = FeatureView(name="v", entites=[e])`, `features.py:7:35: FeatureView has no argument 'entites'; is 'entities' meant?`},
		{"entities by name", head + `v = FeatureView(name="v", entities=["e"])`, `features.py:7:36: FeatureView argument 'entities' holds a str; give the Entity objects, not their names`},
		{"positional arguments", head + `e2 = Entity("e2")`, `features.py:7:6: Entity accepts only keyword arguments: Entity(name=…)`},
		{"a wrong type", head + `v = FeatureView(name="v", ttl=86400)`, `features.py:7:31: FeatureView argument 'ttl' is a int, want a timedelta`},
		{"an old type", head + `f = Field(name="f", dtype=ValueType.INT64)`, `features.py:7:27: Field argument 'dtype' is ValueType.INT64; give a type of feast.types, such as Int64`},
		{"a missing argument", head + `f = Field(name="f")`, `features.py:7:5: Field lacks argument 'dtype'`},
		{"an unsupported source", head + "from feast.infra.data_sources.contrib.iceberg_catalog import UnityCatalogSource\nb = UnityCatalogSource(warehouse=\"w\")", `features.py:8:5: UnityCatalogSource is not supported`},
		{"a subclass", head + "class Mine(FeatureView):\n    pass\n", `features.py:7:12: a class made from FeatureView cannot be read; call FeatureView(…) itself`},
		{"a set attribute", head + "v = FeatureView(name=\"v\")\nv.ttl = timedelta(days=1)", `features.py:8:1: attribute 'ttl' of a FeatureView cannot be set here; give it to the constructor`},
		{"features that are appended", head + "v = FeatureView(name=\"v\")\nv.features.append(Field(name=\"a\", dtype=Int64))", `features.py:8:1: the fields of a view are not changed here; give them to the constructor`},
		{"features that are added", head + "v = FeatureView(name=\"v\")\nv.features += [Field(name=\"a\", dtype=Int64)]", `features.py:8:1: the fields of a view are not changed here; give them to the constructor`},
		{"a feature that is deleted", head + "v = FeatureView(name=\"v\", schema=[Field(name=\"a\", dtype=Int64)])\ndel v.features[0]", `features.py:8:1: the fields of a view are not changed here; give them to the constructor`},
		{"a feature that is set", head + "v = FeatureView(name=\"v\", schema=[Field(name=\"a\", dtype=Int64)])\nv.features[0] = 1", `features.py:8:1: the fields of a view are not changed here; give them to the constructor`},
		{"entities that are sorted", head + "v = FeatureView(name=\"v\", entities=[e])\nv.entities.sort()", `features.py:8:1: the entities of a view are not changed here; give them to the constructor`},
		{"a list of Feast's that is changed", head + "from feast.permissions.action import READ\nREAD.clear()", `features.py:8:1: Feast's own lists are not changed; make a list of your own`},
		{"a list that a source keeps", "from feast import RequestSource\n" + head + "l = [Field(name=\"a\", dtype=Int64)]\nr = RequestSource(name=\"r\", schema=l)\nl.append(Field(name=\"b\", dtype=Int64))", `features.py:10:1: a list that was given to RequestSource as 'schema' is not changed afterwards; complete it before, or make another one`},
		{"a description that is set", head + "e.description = \"x\"", `features.py:7:1: attribute 'description' of a Entity cannot be set here; give it to the constructor`},
		{"an own exception", head + "class ConfigError(Exception):\n    pass\nraise ConfigError(\"set X first\")", `features.py:9:1: the file raises ConfigError: set X first`},
		{"a missing feature", head + "v = FeatureView(name=\"v\", schema=[Field(name=\"a\", dtype=Int64)])\nf = FeatureService(name=\"f\", features=[v[[\"b\"]]])", `features.py:8:40: feature view v has no feature "b"`},
		{"a feature without a list", head + "v = FeatureView(name=\"v\")\nf = FeatureService(name=\"f\", features=[v[\"b\"]])", `features.py:8:40: features are chosen by a list of names: v[["feature"]]`},
		{"a reserved name", head + `v = FeatureView(name="v@2")`, `features.py:7:22: FeatureView name "v@2" must not contain '@' or ':'`},
		{"an undefined name", head + `v = FeatureView(name=nme)`, `features.py:7:22: name 'nme' is not defined`},
		{"an unset variable", "import os\n" + head + `v = FeatureView(name=os.environ["UNSET_HERE"])`, `features.py:8:22: environment variable UNSET_HERE is not set`},
		{"a syntax error", head + "v = FeatureView(name=\"v\"\nw = 1\n", `features.py:7:16: '(' is never closed`},
		{"another syntax error", head + "v = FeatureView(name=\"v\",, source=s)\n", `features.py:7:26: invalid syntax
    v = FeatureView(name="v",, source=s)
                             ^`},
		{"a wrong indentation", head + "  v = 1\n", `features.py:7:3: unexpected indentation`},
		{"an error in an f-string", head + `v = FeatureView(name=f"a{nme}")`, `features.py:7:26: name 'nme' is not defined`},
		{"a loop without an end", head + "while True:\n    pass\nv = FeatureView(name=\"v\")", `this file does too much work to be read as definitions; does a loop ever end?`},
		{"what the file itself raises", head + `raise RuntimeError("set X first")`, `features.py:7:1: the file raises RuntimeError: set X first`},
		{"an import that is not there", head + `from . import nothing`, `features.py:7:1: attempted relative import with no known parent package`},
		{"tags that change to the wrong", head + "tags = {\"a\": \"b\"}\nv = FeatureView(name=\"v\", tags=tags)\ntags[\"c\"] = 1\n", `features.py:8:5: FeatureView argument 'tags' holds 'c': 1; keys and values must be texts`},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := repository(t, map[string]string{"features.py": c.source})
			_, err := definitions.Load(t.Context(), root, definitions.Options{})
			if err == nil {
				t.Fatal("it loads")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("it is refused with\n%s\nwant\n%s", err, c.want)
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Object.Kind != "definition" || !strings.HasPrefix(f.Object.Name, "features.py:") {
				t.Errorf("the fault is %+v", f)
			}
		})
	}
}

// Errors in imported files name the file that they are in.
func TestAnErrorNamesTheFileItIsIn(t *testing.T) {
	root := repository(t, map[string]string{
		"features.py": "from feast import Entity\nfrom lib.keys import key\ne = Entity(name=key)\n",
		"lib/keys.py": "from .deep import NOTHING as key\n",
		"lib/deep.py": "VALUE = 1\nOTHER = VALUE + 'x'\n",
	})
	_, err := definitions.Load(t.Context(), root, definitions.Options{})
	want := "lib/deep.py:2:9: unsupported operand type(s) for +: 'int' and 'str'\n    OTHER = VALUE + 'x'\n            ^"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestProjectsMustFit(t *testing.T) {
	for _, c := range []struct{ name, source, project, want string }{
		{"the same", `p = Project(name="a")`, "a", ""},
		{"none", ``, "a", ""},
		{"another", `p = Project(name="b")`, "a", "the repository defines project b, feature_store.yaml says project: a; make them the same"},
		{"two", "p = Project(name=\"a\")\nq = Project(name=\"b\")", "a", "the repository defines 2 Project objects (a, b, …); one is allowed"},
		{"one by two names", "p = Project(name=\"a\")\nq = p", "a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := repository(t, map[string]string{"features.py": "from feast import Project\n" + c.source})
			_, err := definitions.Load(t.Context(), root, definitions.Options{Project: c.project})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
