package transform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// TestFunctionsThatOutliveTheirVariablesAreRefused holds that lambdas and nested
// functions share the variables of their function only where Python's result is the same.
func TestFunctionsThatOutliveTheirVariablesAreRefused(t *testing.T) {
	x := []Field{{"x", types.ValueType_INT64}}
	for name, tt := range map[string]struct{ body, want string }{
		"lambda that calls itself":    {"    f = lambda n: n if n < 2 else f(n - 1) + f(n - 2)\n    return {'o': [f(v + 4) for v in inputs['x']]}", "recursion"},
		"function that calls itself":  {"    def f(n):\n        if n < 2:\n            return n\n        return f(n - 1) + f(n - 2)\n    return {'o': [f(v + 4) for v in inputs['x']]}", "recursion"},
		"function that makes lambdas": {"    def by(n):\n        return lambda v: v * n\n    two, three = by(2), by(3)\n    return {'o': [two(v) for v in inputs['x']]}", "has ended"},
		"lambda that makes lambdas":   {"    by = lambda n: lambda v: v * n\n    two, three = by(2), by(3)\n    return {'o': [two(v) for v in inputs['x']]}", "has ended"},
		"decorated":                   {"    @cache\n    def f(n):\n        return n\n    return {'o': [f(v) for v in inputs['x']]}", "decorator"},
		"nonlocal":                    {"    n = 0\n    def f(v):\n        nonlocal n\n        n = n + v\n        return n\n    return {'o': [f(v) for v in inputs['x']]}", "not supported"},
		"unset variable":              {"    def f(v):\n        if v == 1:\n            r = v\n        return r\n    return {'o': [f(v) for v in inputs['x']]}", "has no value"},
		"unknown argument":            {"    def f(v):\n        return v\n    return {'o': [f(v, w=1) for v in inputs['x']]}", "does not have"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(view("python", "def fn(inputs):\n"+tt.body+"\n", x, nil, []Field{{"o", types.ValueType_INT64}}), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestALambdaReadsItsOwnFunction holds that a lambda that another function calls
// reads the variables of the function that made it.
func TestALambdaReadsItsOwnFunction(t *testing.T) {
	text := "def fn(inputs):\n    by = 3\n    return {'o': twice(lambda v: v * by, inputs['x'])}\n\n\ndef twice(f, values):\n    other = 100\n    return [f(f(v)) for v in values]\n"
	p, err := Compile(view("python", text, []Field{{"x", types.ValueType_INT64}}, nil, []Field{{"o", types.ValueType_INT64}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := runInts(t, p, 1, 2); got[0] != 9 || got[1] != 18 {
		t.Errorf("got %v, want 9 and 18", got)
	}
}

// runInts runs a program of one input and one output of integers.
func runInts(tb testing.TB, p *Program, in ...int64) []int64 {
	tb.Helper()
	b := p.Acquire(len(in))
	defer p.Release(b)
	for row, v := range in {
		if err := b.SetValue(0, row, value.AppendInt64(nil, v)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := p.Run(tb.Context(), b); err != nil {
		tb.Fatal(err)
	}
	out := make([]int64, len(in))
	for row := range in {
		got, err := b.AppendValue(nil, 0, row)
		if err != nil {
			tb.Fatal(err)
		}
		out[row], _ = value.Int64(got)
	}
	return out
}

// TestCompilingLambdasBesideManyVariables holds that the time is not the product of
// both: it was seconds for such a text.
func TestCompilingLambdasBesideManyVariables(t *testing.T) {
	var b strings.Builder
	b.WriteString("def fn(i):\n")
	for n := range 5000 {
		fmt.Fprintf(&b, "    v%d = 1\n    f%d = lambda y: y\n", n, n)
	}
	b.WriteString("    return {'o': i['x']}\n")
	begin := time.Now()
	if _, err := Compile(view("python", b.String(), []Field{{"x", types.ValueType_INT64}}, nil, []Field{{"o", types.ValueType_INT64}}), nil); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 6*time.Second {
		t.Errorf("it took %v", took)
	}
}
