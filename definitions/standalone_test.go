package definitions_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
)

const onDemandHead = `import math
import pandas as p
from typing import Any, Dict
from feast import Field, PushSource, FileSource, RequestSource, OnDemandFeatureView, StreamFeatureView
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64
from lib.scale import scale
rq = RequestSource(name="rq", schema=[Field(name="x", dtype=Float64)])
K = 2
`

const decorate = `@on_demand_feature_view(sources=[rq], schema=[Field(name="y", dtype=Float64)], mode="python")
`

// A function is kept by its text alone or by a substitute for its pickle, or it
// is an error that names what is missing.
func TestFunctionsThatFeastReadsBack(t *testing.T) {
	pandas := strings.Replace(decorate, "python", "pandas", 1)
	stream := `v = StreamFeatureView(name="od", source=PushSource(name="p", batch_source=FileSource(path="x", timestamp_field="t")), mode="python", udf=f, udf_string="f")`
	for _, c := range []struct{ name, source, pickle, err string }{
		{"a text that is sufficient", decorate + "def od(a):\n    return a\n", "", ""},
		{"annotations in mode python", decorate + "def od(a: Dict[str, Any]) -> Dict[str, Any]:\n    return a\n", "", ""},
		{"a default that is imported", decorate + "def od(a, k=math.e):\n    return a\n", "import math\ndef od(a, k=math.e):\n    return a\n", ""},
		{"a stream view", "def f(df: Dict) -> 'Any':\n    return p.concat(df)\n" + stream, "from typing import Dict\nfrom typing import Any\nimport pandas as p\ndef f(df", ""},
		{"a default of the module", decorate + "def od(a, k=K):\n    return a\n", "", "features.py:11:13: function od of on-demand feature view od uses 'K', which its own text does not define; write it without that name, or read the repository with --python, which keeps Feast's pickle\n    def od(a, k=K):\n                ^"},
		{"a name of the module", decorate + "def od(a):\n    return a * K\n", "", "features.py:12:16: function od of on-demand feature view od uses 'K', which its own text does not define: Feast runs the text alone; define or import it inside the function"},
		{"an import of the module", decorate + "def od(a):\n    return math.sin(a)\n", "", "features.py:12:12: function od of on-demand feature view od uses 'math'"},
		{"a default of the repository", decorate + "def od(a, k=scale):\n    return a\n", "", "uses 'scale'"},
		{"an annotation in mode pandas", pandas + "def od(a: p.DataFrame):\n    return a\n", "", "features.py:11:11: function od of on-demand feature view od has an annotation with 'p'"},
		{"a result in mode pandas", pandas + "def od(a) -> int:\n    return a\n", "", "is annotated to return int; a function of mode pandas returns pd.DataFrame"},
		{"another decorator", "def same(f):\n    return f\n" + decorate + "@same\ndef od(a):\n    return a\n", "", "has another decorator"},
		{"a quote in a comment", strings.Replace(decorate, "rq],", "rq], # it's\n", 1) + "def od(a):\n    return a\n", "", "Feast cannot remove"},
		{"a closure", "def make(k):\n    " + decorate + "    def od(a, b=k):\n        return a\n    return od\nod = make(1)\n", "", "features.py:12:17: function od of on-demand feature view od uses 'k'"},
		{"a lambda", `od = OnDemandFeatureView(name="od", sources=[rq], mode="python", udf=lambda a: a, udf_string="lambda a: a")`, "", "features.py:10:6: function <lambda> of on-demand feature view od has a text that defines no function"},
		{"no text", "def f(a):\n    return a\n" + `od = OnDemandFeatureView(name="od", sources=[rq], mode="python", udf=f)`, "", "has no udf_string"},
		{"a stream view that needs the module", "def f(df):\n    return df * K\n" + stream, "", "features.py:11:17: function f of stream feature view od uses 'K', which is neither its own nor an import of its module"},
		{"with Windows' line ends", strings.ReplaceAll(decorate+"def od(a):\n    return a * K\n", "\n", "\r\n"), "", "features.py:12:16: function od"},
	} {
		t.Run(c.name, func(t *testing.T) {
			repo, err := definitions.Load(t.Context(), repository(t, map[string]string{"features.py": onDemandHead + c.source, "lib/scale.py": "scale = 3\n"}), definitions.Options{})
			if err != nil {
				t.Fatal(err)
			}
			err, refused := repo.Objects.Unreadable["od"]
			if refused != (c.err != "") || refused && !strings.Contains(err.Error(), c.err) {
				t.Errorf("it is %v, want %q", err, c.err)
			}
			if pickle := repo.Objects.Pickles["od"]; (pickle != nil) != (c.pickle != "") || !strings.Contains(string(pickle), c.pickle) {
				t.Errorf("the pickle is %q, want %q in it", pickle, c.pickle)
			}
		})
	}
}
