package transform

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestFunctionsThatSeveralRowsEnterAreFound holds that a function whose result of a
// row depends on other rows is not run batch by batch.
func TestFunctionsThatSeveralRowsEnterAreFound(t *testing.T) {
	fields := []Field{{"x", types.ValueType_INT64}, {"s", types.ValueType_STRING}}
	for name, tt := range map[string]struct {
		mode, body string
		want       bool
	}{
		"running sum":           {"python", "    out, total = [], 0\n    for v in i['x']:\n        total += v\n        out.append(total)\n    return {'o': out}", true},
		"running sum, assigned": {"python", "    out = []\n    total = 0\n    for v in i['x']:\n        total = total + v\n        out.append(total)\n    return {'o': out}", true},
		"state in a dict":       {"python", "    out, last = [], {'v': 0}\n    for v in i['x']:\n        out.append(v - last['v'])\n        last['v'] = v\n    return {'o': out}", true},
		"first":                 {"python", "    first = i['x'][0]\n    return {'o': [v - first for v in i['x']]}", true},
		"last":                  {"python", "    c = i['x']\n    return {'o': [v - c[-1] for v in c]}", true},
		"member of the column":  {"python", "    return {'o': [1 if v + 1 in i['x'] else 0 for v in i['x']]}", true},
		"dict of rows":          {"python", "    d = {s: v for s, v in zip(i['s'], i['x'])}\n    return {'o': [d[s] for s in i['s']]}", true},
		"loop in a loop":        {"python", "    return {'o': [[w for w in i['x'] if w > v] == [] for v in i['x']]}", true},
		"isin of a column":      {"pandas", "    return pd.DataFrame({'o': i['x'].isin(i['x'] * 2).astype(int)})", true},
		"first of a Series":     {"pandas", "    return pd.DataFrame({'o': i['x'] - i['x'].iloc[0]})", true},

		"each":                {"python", "    return {'o': [v * 2 for v in i['x']]}", false},
		"loop":                {"python", "    out = []\n    for v, s in zip(i['x'], i['s']):\n        r = v\n        if s in ('a', 'b'):\n            r = r + 1\n        elif 'c' in s and s[:1] == 'd':\n            r += 2\n        out.append(r)\n    return {'o': out}", false},
		"nested function":     {"python", "    def f(v, s):\n        r = 0\n        if s is None:\n            r = 1\n        return r + v\n    return {'o': [f(v, s) for v, s in zip(i['x'], i['s'])]}", false},
		"sum over columns":    {"pandas", "    df = pd.DataFrame()\n    df['o'] = i['x']\n    for c in ['x', 'x']:\n        df['o'] += i[c]\n    return df", false},
		"words":               {"pandas", "    return pd.DataFrame({'o': i['s'].str.split(' ').str[0].isin(['a']).astype(int)})", false},
		"words of each":       {"python", "    return {'o': [1 if s.split(' ')[0] in ['a'] else 0 for s in i['s']]}", false},
		"variables of values": {"pandas", "    a = i['x'] + 1\n    a = a * 2\n    return pd.DataFrame({'o': a})", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(view(tt.mode, "def fn(i):\n"+tt.body+"\n", fields, nil, []Field{{"o", types.ValueType_INT64}}), nil)
			if err != nil {
				t.Fatal(err)
			}
			if p.MixesRows() != tt.want {
				t.Errorf("MixesRows is %v", p.MixesRows())
			}
		})
	}
}
