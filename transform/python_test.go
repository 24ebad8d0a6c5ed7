package transform

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// singleton compiles a function of a singleton with an integer as its result.
func singleton(text string, features []Field) (*Program, error) {
	v := view("python", text, features, nil, []Field{{"o", types.ValueType_INT64}})
	v.Spec.Singleton = true
	return Compile(v, nil)
}

// TestExpressionsOfPython holds results that Python 3.11 has; a is 3.
func TestExpressionsOfPython(t *testing.T) {
	for _, tt := range []struct {
		expr string
		want int64
		err  string
	}{
		{"len(set([i['a'], i['a'], 3.0]))", 1, ""},
		{"sum({1, 1, 2})", 3, ""},
		{"len({x % 2 for x in [1, 3, i['a']]})", 1, ""},
		{"max({i['a'], 1}) + min({i['a'], 1})", 4, ""},
		{"sorted({i['a'], 1, 3})[1]", 3, ""},
		{"3 if 1 in {1, i['a']} and all({1, 2}) else 0", 3, ""},
		{"len([s for s in {'x', 'x', 'y'}])", 2, ""},
		{"list(enumerate([5], i['a']))[0][0]", 3, ""},
		{"list(enumerate([5], True))[0][0]", 1, ""},
		{"1 if (i['a'] * 1e300).is_integer() else 0", 1, ""},
		{"1 if (i['a'] * 1e300 * 1e300).is_integer() else 0", 0, ""},
		{"len(range(-9223372036854775807, 9223372036854775807, 4611686018427387904))", 4, ""},
		{"len(range(9223372036854775807, -9223372036854775807, -9223372036854775807 - 1))", 2, ""},
		{"len(range(5, -5, -3)) + len(range(5, -5)) + len(range(i['a']))", 7, ""},
		{"np.round(i['a'], 2)", 3, ""},
		{"int(np.round(True))", 0, "np.round() of a bool is not supported"},
		{"list({i['a'], 1})[0]", 0, "the order of a set of numbers is not supported; use sorted()"},
		{"sum({0.1, 0.2, 0.3})", 0, "the order of a set of numbers is not supported"},
		{"len({(1, 2), (1, 2)})", 0, "a tuple in a set is not supported"},
		{"len({1, 2} & {2}) * 10 + len({1, 2} | {2.0, 5})", 13, ""},
		{"1 if {1, 2} + {3} else 0", 0, "unsupported operand type(s) for +: 'set' and 'set'"},
		{"1 if {1, 2}.issubset([2, 1, 3]) and {1}.isdisjoint(range(2, 5)) else 0", 1, ""},
		{"max(*[1, i['a']], 2, *(5,))", 5, ""},
		{"round(*[2.567], **{'ndigits': 0})", 3, ""},
		{"len(dict(**{'x': 1}, y=2))", 2, ""},
		{"len(dict(x=1, **{'x': 1}))", 0, "got multiple values for keyword argument 'x'"},
		{"max(*5)", 0, "'int' object is not iterable"},
		{"len('{0}{1}{0}'.format(i['a'], 'xy'))", 4, ""},
		{"len('{x.y}'.format(x=1))", 0, "a field such as {x.y} is not supported"},
		{"len({'x': 1} | {'y': 2})", 0, "operator | of a dict and a dict is not supported"},
		{"len(sum([[1], [2, 3]], []))", 3, ""},
		{"len([{2}.extend([i['a']])])", 0, "method .extend() of a set is not supported"},
		{"len(3 * [0]) + len([1] * -1)", 3, ""},
	} {
		p, err := singleton("def fn(i):\n    return {'o': "+tt.expr+"}\n", []Field{{"a", types.ValueType_INT64}})
		if err != nil {
			if tt.err == "" || fault.KindOf(err) == fault.Internal || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.expr, err, tt.err)
			}
			continue
		}
		in := []int64{3}
		if len(p.Inputs()) == 0 {
			in = nil
		}
		if got := runOne(t, p, in...); got != tt.want || tt.err != "" {
			t.Errorf("%s is %d, want %d, error %q", tt.expr, got, tt.want, tt.err)
		}
	}
}

// runOne runs a program for one row.
func runOne(t *testing.T, p *Program, in ...int64) int64 {
	t.Helper()
	b := p.Acquire(1)
	defer p.Release(b)
	for i, v := range in {
		if err := b.SetValue(i, 0, value.AppendInt64(nil, v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	got, err := b.AppendValue(nil, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := value.Int64(got)
	return n
}

// TestASingletonThatAddsToItsInputs holds that a row sees nothing of the row before,
// also if the dict is large.
func TestASingletonThatAddsToItsInputs(t *testing.T) {
	names := strings.Split("abcdefgh", "")
	var features []Field
	text := "def fn(i):\n"
	for _, n := range names {
		features = append(features, Field{n, types.ValueType_INT64})
	}
	text += "    i['new'] = 1 if 'new' in i else 0\n    return {'o': i['new'] + " + "i['" + strings.Join(names, "'] + i['") + "']}\n"
	p, err := singleton(text, features)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 3
	b := p.Acquire(rows)
	defer p.Release(b)
	for i := range names {
		for row := range rows {
			if err := b.SetValue(i, row, value.AppendInt64(nil, int64(row))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for row := range rows {
		got, err := b.AppendValue(nil, 0, row)
		if n, _ := value.Int64(got); n != int64(8*row) || err != nil {
			t.Errorf("row %d is %d, %v; want %d", row, n, err, 8*row)
		}
	}
}
