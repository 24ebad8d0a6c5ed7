package transform

import (
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestWhatCannotBeComputedIsRefusedWithItsPlace checks the errors of Compile: one
// line with the view, the line of the function and the construct.
func TestWhatCannotBeComputedIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, mode, text, want string
		kind                   fault.Kind
	}{
		{"a module", "pandas", "def fn(df):\n    import requests\n    return requests.get(df)\n", `on-demand feature view "odfv" cannot be computed: line 2 of its function: module requests is not supported`, fault.Unimplemented},
		{"a part of a module", "pandas", "def fn(df):\n    from os import path as p\n    return p.join(\"a\", \"b\")\n", "line 2 of its function: module os is not supported", fault.Unimplemented},
		{"a function of a module that is known", "python", "def fn(i):\n    from math import gamma\n    return gamma(1)\n", "line 3 of its function: math.gamma is not supported", fault.Unimplemented},
		{"all of a module", "python", "from math import *\ndef fn(i):\n    return i\n", "line 1 of its function: from math import * is not supported", fault.Unimplemented},
		{"a method", "pandas", "def fn(df):\n    out = pd.DataFrame()\n    out[\"o\"] = df[\"a\"].rolling(3).sum()\n    return out\n", "line 3 of its function: method .rolling() is not supported", fault.Unimplemented},
		{"a name of the module", "pandas", "def fn(df):\n    return scale(df)\n", "line 2 of its function: name 'scale' is not defined in the stored text", fault.Unimplemented},
		{"a statement", "python", "def fn(i):\n    with open(\"x\") as f:\n        return {}\n", "line 2 of its function: with is not supported", fault.Unimplemented},
		{"recursion", "python", "def fn(i):\n    return fn(i)\n", "line 2 of its function: fn calls itself", fault.Unimplemented},
		{"a column that no source has", "pandas", "def fn(df):\n    out = pd.DataFrame()\n    out[\"o\"] = df[\"a\"] + df[\"amont\"]\n    return out\n", `line 3 of its function: KeyError: no source of the view has the column "amont"`, fault.Invalid},
		{"types that do not fit", "pandas", "def fn(df):\n    return pd.DataFrame({\"o\": df[\"s\"] * df[\"s\"]})\n", "line 2 of its function: TypeError: unsupported operand type(s) for *: 'str' and 'str'", fault.Invalid},
		{"a missing output", "pandas", "def fn(df):\n    return df[[\"a\"]]\n", `KeyError: the function returned no column "o"`, fault.Invalid},
		{"no DataFrame", "pandas", "def fn(df):\n    return df[\"a\"]\n", "the function returned a Series of int64, not a DataFrame", fault.Invalid},
		{"a lambda as text", "python", "lambda d: d\n", "a statement outside of functions is not supported", fault.Unimplemented},
		{"no text", "pandas", " \n", "has no stored source text", fault.Unimplemented},
		{"bad syntax", "pandas", "def fn(df:\n", "has a function that banquet does not read: line 1", fault.Unimplemented},
		{"another mode", "substrait", "x", "has mode substrait", fault.Unimplemented},
		{"a text as a mask", "pandas", "def fn(df):\n    out = pd.DataFrame()\n    out[\"o\"] = 1 if df[\"a\"] > 1 else 2\n    return out\n", "line 3 of its function: ValueError: the truth value of a column is ambiguous", fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Compile(view(c.mode, c.text, corpusInputs, nil, []Field{{"o", types.ValueType_DOUBLE}}), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != c.kind || strings.Contains(err.Error(), "\n") {
				t.Errorf("Compile says %v (%v), want %q", err, fault.KindOf(err), c.want)
			}
		})
	}
}

func TestALoopWithoutEndDelaysNobody(t *testing.T) {
	begin := time.Now()
	p, err := Compile(view("python", "def fn(i):\n    while True:\n        pass\n", corpusInputs, nil, []Field{{"o", types.ValueType_DOUBLE}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("compiling takes %v", d)
	}
	b := p.Acquire(1)
	if err := p.Run(t.Context(), b); err == nil || !strings.Contains(err.Error(), "does not end within its bound of steps") {
		t.Errorf("Run says %v", err)
	}
}

// TestColumnsThatAFunctionMayFind holds that only a column that the function surely
// does not find is refused: one that it looks for, or makes, is none.
func TestColumnsThatAFunctionMayFind(t *testing.T) {
	for name, body := range map[string]string{
		"asked for":              "return {'o': i['new'] if 'new' in i else i['a']}",
		"updated":                "i.update({'new': i['a']})\n    return {'o': i['new']}",
		"updated by name":        "i.update(new=i['a'])\n    return {'o': i['new']}",
		"tried":                  "try:\n        x = i['new']\n    except KeyError:\n        x = i['a']\n    return {'o': x}",
		"one of several targets": "i['new'], x = i['a'], 1\n    return {'o': i['new']}",
		"else of a while":        "while False:\n        pass\n    else:\n        i['new'] = i['a']\n    return {'o': i['new']}",
		"another dict of a loop": "a = i['a']\n    for i in [{'new': a}]:\n        x = i['new']\n    return {'o': x}",
	} {
		p, err := singleton("def fn(i):\n    "+body+"\n", []Field{{"a", types.ValueType_INT64}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := runOne(t, p, 3); got != 3 {
			t.Errorf("%s: %d, want 3", name, got)
		}
	}
}
