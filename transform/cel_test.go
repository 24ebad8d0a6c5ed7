package transform

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

var celInputs = []Field{
	{"a", types.ValueType_INT64},
	{"i", types.ValueType_INT32},
	{"x", types.ValueType_DOUBLE},
	{"f", types.ValueType_FLOAT},
	{"s", types.ValueType_STRING},
	{"b", types.ValueType_BOOL},
	{"t", types.ValueType_UNIX_TIMESTAMP},
	{"l", types.ValueType_INT64_LIST},
	{"bytes", types.ValueType_BYTES},
	{"size", types.ValueType_INT64},
	{"in", types.ValueType_INT64},
}

// celView is a view with one expression, over view "v".
func celView(expr string, out types.ValueType_Enum) *core.OnDemandFeatureView {
	v := view("python", "", celInputs, []Field{{"now", types.ValueType_UNIX_TIMESTAMP}}, []Field{{"o", out}})
	v.Spec.FeatureTransformation.GetUserDefinedFunction().BodyText = ExpressionsFunction("odfv", []Expression{{"o", expr}}).GetBodyText()
	return v
}

// celValues are the rows of the tests: usual values, nulls, extremes, other values.
var celValues = map[string][4]any{
	"a": {int64(7), nil, int64(math.MaxInt64), int64(0)},
	"i": {int32(-3), nil, int32(math.MaxInt32), int32(0)},
	"x": {2.5, nil, math.Inf(1), math.NaN()},
	"f": {float32(0.1), nil, float32(1e30), float32(0)},
	"s": {"abc", nil, "", "é"},
	"b": {true, nil, false, true},
	"t": {time.Unix(1_700_000_000, 0), nil, time.Unix(-1, 0), time.Unix(0, 0)},
	"l": {[]int64{1, 2, 3}, nil, []int64{}, []int64{math.MinInt64}},

	"size": {int64(1), int64(1), int64(1), int64(1)},
	"now":  {time.Unix(1_700_003_600, 0), time.Unix(0, 0), time.Unix(0, 0), time.Unix(0, 0)},
}

// cellOf is a value as stored bytes.
func cellOf(v any) []byte {
	switch v := v.(type) {
	case int64:
		return value.AppendInt64(nil, v)
	case int32:
		return value.AppendInt32(nil, v)
	case float64:
		return value.AppendDouble(nil, v)
	case float32:
		return value.AppendFloat(nil, v)
	case string:
		return value.AppendString(nil, v)
	case bool:
		return value.AppendBool(nil, v)
	case time.Time:
		return value.AppendUnixTimestamp(nil, v.Unix())
	case []int64:
		items := make([]val, len(v))
		for i, x := range v {
			items[i] = intVal(x)
		}
		return appendTyped(nil, types.ValueType_INT64_LIST, listVal(items))
	}
	return nil
}

// runCEL computes an expression for one row of celValues; the result is text, or the error.
func runCEL(t *testing.T, p *Program, row int) string {
	t.Helper()
	b := p.Acquire(1)
	defer p.Release(b)
	for i, in := range p.Inputs() {
		if err := b.SetValue(i, 0, cellOf(celValues[in.Name][row])); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(t.Context(), b); err != nil {
		return "error: " + err.Error()
	}
	if _, err := b.AppendValue(nil, 0, 0); err != nil {
		return "error: " + err.Error()
	}
	v, _ := b.result(0, 0)
	switch {
	case v.null():
		return "null"
	case v.k == kTime:
		return itoa(v.i)
	}
	return repr(v)
}

func TestExpressions(t *testing.T) {
	const i64, f64, text, boolean, at = types.ValueType_INT64, types.ValueType_DOUBLE, types.ValueType_STRING, types.ValueType_BOOL, types.ValueType_UNIX_TIMESTAMP
	const overflow = `error: on-demand feature view "odfv" cannot be computed: feature "o", row 0: `
	for _, c := range []struct {
		expr string
		out  types.ValueType_Enum
		want [4]string
	}{
		{"a + 1", i64, [4]string{"8", "null", overflow + "integer overflow", "1"}},
		{"a / 2", i64, [4]string{"3", "null", "4611686018427387903", "0"}},
		{"100 / a", i64, [4]string{"14", "null", "0", overflow + "division by zero"}},
		{"100 / nullIf(a, 0)", i64, [4]string{"14", "null", "0", "null"}},
		{"100 % coalesce(nullIf(a, 0), 3)", i64, [4]string{"2", "1", "100", "1"}},
		{"coalesce(a, int(i), -1)", i64, [4]string{"7", "-1", "9223372036854775807", "0"}},
		{"double(a) * x", f64, [4]string{"17.5", "null", "inf", "null"}},
		{"x / 0.0", f64, [4]string{"inf", "null", "inf", "null"}},
		{"isNull(x)", boolean, [4]string{"False", "True", "False", "True"}},
		{"isNull(x) ? 0.0 : x + 1.0", f64, [4]string{"3.5", "0.0", "inf", "0.0"}},
		{"x > 1.0 || b", boolean, [4]string{"True", "null", "True", "True"}},
		{"isNull(a) || a > 5", boolean, [4]string{"True", "True", "True", "False"}},
		{"b ? a : 0", i64, [4]string{"7", "null", "0", "0"}},
		{"f", f64, [4]string{"0.10000000149011612", "null", "1.0000000150474662e+30", "0.0"}},
		{"double(f) * 1e10", types.ValueType_FLOAT, [4]string{"1000000000.0", "null", overflow + "1.0000000150474662e+40 is out of range of Float32", "0.0"}},
		{"i * i", types.ValueType_INT32, [4]string{"9", "null", `error: on-demand feature view "odfv" returned for feature "o" in row 0 what is no INT32: ValueError: 4611686014132420609 is out of range`, "0"}},
		{`s + "-" + string(a)`, text, [4]string{"'abc-7'", "null", "'-9223372036854775807'", "'é-0'"}},
		{"size(s)", i64, [4]string{"3", "null", "0", "1"}},
		{"v__size + 1", i64, [4]string{"2", "2", "2", "2"}},
		{"v__in + 1", i64, [4]string{"null", "null", "null", "null"}},
		{`s.matches("^a.*c$")`, boolean, [4]string{"True", "null", "False", "False"}},
		{"(now - t).getSeconds()", i64, [4]string{"3600", "null", "1", "0"}},
		{"t + duration('1h')", at, [4]string{"1700003600", "null", "3599", "3600"}},
		{"t.getFullYear()", i64, [4]string{"2023", "null", "1969", "1970"}},
		{"t.getHours('Europe/Berlin')", i64, [4]string{"23", "null", "0", "1"}},
		{"l.filter(a, a > 1)", types.ValueType_INT64_LIST, [4]string{"[2, 3]", "null", "[]", "[]"}},
		{"l.exists(k, k == a)", boolean, [4]string{"False", "null", "False", "False"}},
		{"l[0]", i64, [4]string{"1", "null", overflow + "index out of bounds: 0", "-9223372036854775808"}},
		{"size(l) > 0 ? l[0] - 1 : 0", i64, [4]string{"0", "null", "0", overflow + "integer overflow"}},
		{"[a, 1]", types.ValueType_INT64_LIST, [4]string{"[7, 1]", "null", "[9223372036854775807, 1]", "[0, 1]"}},
		{"{'abc': 1, 'é': 2}[s]", i64, [4]string{"1", "null", overflow + "no such key: ", "2"}},
		{"s in ['abc', 'z']", boolean, [4]string{"True", "null", "False", "False"}},
		{"int(x)", i64, [4]string{"2", "null", overflow + "integer overflow", "null"}},
		{"int(s)", i64, [4]string{overflow + `type conversion error from 'string' to 'int'`, "null", overflow + `type conversion error from 'string' to 'int'`, overflow + `type conversion error from 'string' to 'int'`}},
		{"math.greatest(x, 3.0)", f64, [4]string{"3.0", "null", "inf", "null"}},
		{"1 + 1", i64, [4]string{"2", "2", "2", "2"}},
		{"1 / 0 > 0 || isNull(a)", boolean, [4]string{overflow + "division by zero", "True", overflow + "division by zero", overflow + "division by zero"}},
	} {
		p, err := Compile(celView(c.expr, c.out), nil)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		for row, want := range c.want {
			if got := runCEL(t, p, row); got != want {
				t.Errorf("%s: row %d is %s, want %s", c.expr, row, got, want)
			}
		}
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	deep := strings.Repeat("(", 500) + "a" + strings.Repeat(")", 500)
	for _, c := range []struct {
		expr string
		out  types.ValueType_Enum
		want string
	}{
		{"a +", types.ValueType_INT64, `feature "o" at 1:4 of its expression: Syntax error`},
		{"a\n + aa", types.ValueType_INT64, `feature "o" at 2:4 of its expression: no source of the view has the column "aa"`},
		{"coalesc(a, 1)", types.ValueType_INT64, `there is coalesce`},
		{"a + x", types.ValueType_DOUBLE, `at 1:3 of its expression: found no matching overload for '_+_' applied to '(int, double)'`},
		{"a", types.ValueType_DOUBLE, `is declared as DOUBLE and needs an expression of type double; this one has type int; convert it with double(…)`},
		{"x", types.ValueType_INT64, `convert it with int(…)`},
		{"dyn(a)", types.ValueType_INT64, `this one has type dyn`},
		{"b ? 1 : null", types.ValueType_INT64, `no matching overload`},
		{"a == null", types.ValueType_BOOL, `test a column with isNull(column)`},
		{"bytes", types.ValueType_INT64, `reads the column "bytes" of type BYTES, which expressions cannot read`},
		{"b'1'", types.ValueType_BYTES, `feature "o" has type BYTES, which expressions cannot make`},
		{"", types.ValueType_INT64, `Syntax error`},
		{deep, types.ValueType_INT64, `recursion`},
		{strings.Repeat("a + ", 5000) + "a", types.ValueType_INT64, `size exceeds`},
		{"[" + strings.Repeat("[1,2,3,4,5,6,7,8,9,10],", 1)[:22] + "].exists(q, true)", types.ValueType_INT64, `this one has type bool`},
	} {
		_, err := Compile(celView(c.expr, c.out), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.60s: %v, want %s", c.expr, err, c.want)
		}
	}
}

// An expression that costs too much ends with an error, and one that waits for it ends
// with its context.
func TestExpressionsAreBounded(t *testing.T) {
	expr := "l.all(c, l.all(d, l.all(e, c + d + e > 0)))"
	p, err := Compile(celView(expr, types.ValueType_BOOL), nil)
	if err != nil {
		t.Fatal(err)
	}
	long := make([]int64, 1000)
	for i := range long {
		long[i] = 1
	}
	run := func(ctx context.Context) error {
		b := p.Acquire(1)
		defer p.Release(b)
		if err := b.SetValue(0, 0, cellOf(long)); err != nil {
			t.Fatal(err)
		}
		return p.Run(ctx, b)
	}
	if err := run(t.Context()); err == nil || !strings.Contains(err.Error(), "cost") || fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx); fault.KindOf(err) != fault.Of(context.Canceled).Kind {
		t.Errorf("%v", err)
	}
}

func TestExpressionsReadOnlyWhatTheyMention(t *testing.T) {
	p, err := Compile(celView("l.exists(a, a > v__i + key)", types.ValueType_BOOL), []Field{{"key", types.ValueType_INT64}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `on-demand feature view odfv (CEL)
  reads v__i INT32 (v)
  reads l INT64_LIST (v)
  reads key INT64 (join key)
  makes o BOOL
  | o = l.exists(a, a > v__i + key)
`
	if got := p.String(); got != want || p.MixesRows() {
		t.Errorf("%s\nmixes %v", got, p.MixesRows())
	}
}

func TestALaterFormOfExpressionsIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		expressionsMark + "2\nwhat there will be":             `has expressions in form 2; this banquet knows form 1`,
		expressionsMark + "1" + expressionsStart + "{":        "has expressions that cannot be read; apply it again",
		expressionsMark + "1" + expressionsStart + `{"p":""}`: `has no expression for feature "o"; apply it again`,
	} {
		v := celView("a", types.ValueType_INT64)
		v.Spec.FeatureTransformation.GetUserDefinedFunction().BodyText = text
		if _, err := Compile(v, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}

// FuzzExpression compiles and runs any text: it must end, within its bounds and without
// a panic.
func FuzzExpression(f *testing.F) {
	for _, e := range []string{
		"a + 1", "coalesce(x, 0.0)", "l.map(k, k * a)", "s.matches(s)", "isNull(t) ? 1 : a", "l.all(c, l.all(d, c == d))", "{s: a}[s]", "math.least(a, 1)",
		"timestamp(s)", "s + s + s", "[l, l].map(q, q.map(w, w))", "nullIf(a, 1) == 1", "\x00", "`a`", "google.protobuf.Int64Value{value: a}", "r'\\'", "has(v.a)", "0x", "1u",
	} {
		f.Add(e)
	}
	outs := []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_DOUBLE, types.ValueType_BOOL, types.ValueType_STRING, types.ValueType_INT64_LIST}
	f.Fuzz(func(t *testing.T, expr string) {
		begin := time.Now()
		for _, out := range outs {
			p, err := Compile(celView(expr, out), nil)
			if err == nil {
				for row := range 4 {
					runCEL(t, p, row)
				}
			} else if fault.KindOf(err) == fault.Internal || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v", expr, err)
			}
		}
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("%q takes %v", expr, d)
		}
	})
}

func BenchmarkExpressionOf100Rows(b *testing.B) {
	v := debtView()
	v.Spec.Mode = "python"
	v.Spec.FeatureTransformation.GetUserDefinedFunction().BodyText = ExpressionsFunction("odfv", []Expression{
		{"total_debt_due", "double(credit_card_due + mortgage_due + student_loan_due + vehicle_loan_due + loan_amnt)"},
		{"loan_to_income", "double(loan_amnt) / person_income"},
	}).GetBodyText()
	p, err := Compile(v, nil)
	if err != nil {
		b.Fatal(err)
	}
	for i := range p.exprs {
		if p.exprs[i].counted {
			b.Fatal("the cost of arithmetic is counted")
		}
	}
	benchOf100Rows(b, p)
}
