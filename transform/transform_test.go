package transform

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// view makes an on-demand view over one view "v" and request data.
func view(mode, text string, features, request, outputs []Field) *core.OnDemandFeatureView {
	specs := func(fields []Field) []*core.FeatureSpecV2 {
		var out []*core.FeatureSpecV2
		for _, f := range fields {
			out = append(out, &core.FeatureSpecV2{Name: f.Name, ValueType: f.Type})
		}
		return out
	}
	return &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{
		Name: "odfv", Mode: mode, Features: specs(outputs),
		Sources: map[string]*core.OnDemandSource{
			"v": {Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: &core.FeatureViewProjection{FeatureViewName: "v", FeatureColumns: specs(features)}}},
			"r": {Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{
				Type: core.DataSource_REQUEST_SOURCE, Name: "r",
				Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: specs(request)}},
			}}},
		},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "fn", BodyText: text, Mode: mode},
		}},
	}}
}

const totalDebt = `@on_demand_feature_view(sources=[credit_history, loan_request], schema=[Field(name="total_debt_due", dtype=Float64)], mode="pandas")
def total_debt_calc(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["total_debt_due"] = (inputs["credit_card_due"] + inputs["mortgage_due"] + inputs["student_loan_due"] + inputs["vehicle_loan_due"] + inputs["loan_amnt"]).astype("float64")
    out["loan_to_income"] = (inputs["loan_amnt"] / inputs["person_income"]).astype("float64")
    return out
`

func debtView() *core.OnDemandFeatureView {
	return view("pandas", totalDebt,
		[]Field{{"credit_card_due", types.ValueType_INT64}, {"mortgage_due", types.ValueType_INT64}, {"student_loan_due", types.ValueType_INT64}, {"vehicle_loan_due", types.ValueType_INT64}, {"unused", types.ValueType_INT64}},
		[]Field{{"loan_amnt", types.ValueType_INT64}, {"person_income", types.ValueType_DOUBLE}},
		[]Field{{"total_debt_due", types.ValueType_DOUBLE}, {"loan_to_income", types.ValueType_DOUBLE}})
}

func fillDebt(tb testing.TB, p *Program, b *Batch, buf []byte) {
	for i, in := range p.Inputs() {
		for row := range b.Rows() {
			v := value.AppendInt64(buf[:0], int64(1000*(i+1)+row))
			if in.Type == types.ValueType_DOUBLE {
				v = value.AppendDouble(buf[:0], 50000.5)
			}
			if err := b.SetValue(i, row, v); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func TestTheDebtOfATutorial(t *testing.T) {
	p, err := Compile(debtView(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Inputs()); n != 6 {
		t.Fatalf("the function reads %d inputs, want 6: the unused one is not read", n)
	}
	b := p.Acquire(3)
	fillDebt(t, p, b, nil)
	if err := p.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	got, err := b.AppendValue(nil, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := value.Float64(got); !ok || f != 1002+3002+4002+5002+6002 {
		t.Errorf("total_debt_due is %v", f)
	}
}

// benchOf100Rows measures a function with the decoding of its inputs and the encoding of its
// outputs.
func benchOf100Rows(b *testing.B, p *Program) {
	buf, out := make([]byte, 0, 32), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		batch := p.Acquire(100)
		fillDebt(b, p, batch, buf)
		if err := p.Run(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		out = out[:0]
		for i := range p.Outputs() {
			for row := range 100 {
				var err error
				if out, err = batch.AppendValue(out, i, row); err != nil {
					b.Fatal(err)
				}
			}
		}
		p.Release(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/row")
}

func BenchmarkDebtOf100Rows(b *testing.B) {
	p, err := Compile(debtView(), nil)
	if err != nil {
		b.Fatal(err)
	}
	benchOf100Rows(b, p)
}

func BenchmarkPythonModeOf100Rows(b *testing.B) {
	text := "def fn(i):\n    return {\"o\": [None if v is None else v * f for v, f in zip(i[\"x\"], i[\"a\"])]}\n"
	p, err := Compile(view("python", text, corpusInputs, nil, []Field{{"o", types.ValueType_DOUBLE}}), nil)
	if err != nil {
		b.Fatal(err)
	}
	benchOf100Rows(b, p)
}

// The sample rows of the compiler say nothing about inputs of a type without a sample.
func TestInputsOfEveryTypeCompile(t *testing.T) {
	for number, name := range types.ValueType_Enum_name {
		kind := types.ValueType_Enum(number)
		if kind == types.ValueType_INVALID || kind == types.ValueType_NULL {
			continue
		}
		text := "def fn(inputs):\n    return {\"n\": [1 if x is None else 2 for x in inputs[\"x\"]], \"m\": [len(x) for x in inputs[\"x\"]]}\n"
		if !strings.HasSuffix(name, "_LIST") {
			text = "def fn(inputs):\n    return {\"n\": [1 if x is None else 2 for x in inputs[\"x\"]]}\n"
		}
		if _, err := Compile(view("python", text, []Field{{"x", kind}}, nil, []Field{{"n", types.ValueType_INT64}}), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := "def fn(inputs):\n    return {\"n\": [x + 1 for x in inputs[\"x\"]]}\n"
	if _, err := Compile(view("python", text, []Field{{"x", types.ValueType_INT64_LIST}}, nil, []Field{{"n", types.ValueType_INT64}}), nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a list is no number: %v", err)
	}
}

// The cause of an error says the line of the stored text, also if that does not begin with
// its function.
func TestTheCauseOfAnErrorHasItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"def fn(df):\n    x = df\n    return x.rolling(3)\n":        "line 3: method .rolling() is not supported",
		"\n\n    def fn(df):\n        return df.rolling(3)\n":       "line 4: method .rolling() is not supported",
		"\n@decorated\ndef fn(df):\n    return df[\"x\"] +\n":       "line 4: ",
		"@decorated\ndef fn(df):\n    with df:\n        return 1\n": "line 3: ",
	} {
		_, err := Compile(view("pandas", text, []Field{{"x", types.ValueType_INT64}}, nil, []Field{{"n", types.ValueType_INT64}}), nil)
		var p *PlaceError
		if !errors.As(err, &p) || !strings.HasPrefix(p.Error(), want) {
			t.Errorf("%q: %v, cause %v", text, err, p)
		}
	}
}

// Feast accepts a column that two sources have, so that it is not an error of the
// definition.
func TestAColumnOfSeveralSources(t *testing.T) {
	v := view("pandas", "def fn(df):\n    out = pd.DataFrame()\n    out[\"o\"] = df[\"a\"] + 1\n    return out\n", []Field{{"a", types.ValueType_INT64}}, nil, []Field{{"o", types.ValueType_INT64}})
	other, _ := proto.Clone(v.GetSpec().GetSources()["v"]).(*core.OnDemandSource)
	v.Spec.Sources["w"] = other
	other.GetFeatureViewProjection().FeatureViewName = "w"
	if _, err := Compile(v, nil); fault.KindOf(err) != fault.Unimplemented || !strings.Contains(err.Error(), `reads the column "a", which several of its sources have; write view__a`) {
		t.Error(err)
	}
}
