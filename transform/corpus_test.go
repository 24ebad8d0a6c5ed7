package transform

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// corpusInputs are the inputs that record.py makes.
var corpusInputs = []Field{
	{"a", types.ValueType_INT64},
	{"b", types.ValueType_INT64},
	{"c", types.ValueType_INT32},
	{"x", types.ValueType_DOUBLE},
	{"y", types.ValueType_DOUBLE},
	{"f", types.ValueType_FLOAT},
	{"s", types.ValueType_STRING},
	{"u", types.ValueType_STRING},
	{"p", types.ValueType_BOOL},
	{"q", types.ValueType_BOOL},
	{"t", types.ValueType_UNIX_TIMESTAMP},
	{"w", types.ValueType_UNIX_TIMESTAMP},
}

// corpusLists are more inputs, of the functions that mention one.
var corpusLists = []Field{{"list_x", types.ValueType_DOUBLE_LIST}, {"list_y", types.ValueType_DOUBLE_LIST}, {"list_f", types.ValueType_FLOAT_LIST}}

// recorded is what Python made of a table.
type recorded struct {
	Function string
	Rows     int
	Inputs   map[string][]any
	Error    string
	Outputs  map[string]struct {
		Dtype string
		Cells []any
	}
}

// kept is a function of the corpus. Its results may differ from Python's by ulp
// units in the last place, and it may refuse a table with a text.
type kept struct {
	*Program
	ulp     int
	refuses string
}

// corpusView makes the view of a file of the corpus.
func corpusView(tb testing.TB, name string) (k kept, err error) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "corpus", name+".py"))
	if err != nil {
		tb.Fatal(err)
	}
	mode, outputs := "", []Field(nil)
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "# ")), ": ")
		switch {
		case !strings.HasPrefix(line, "# "):
		case key == "mode":
			mode = rest
		case key == "ulp":
			k.ulp, _ = strconv.Atoi(rest)
		case key == "refuses":
			k.refuses = rest
		case key == "outputs":
			for _, o := range strings.Fields(rest) {
				n, t, _ := strings.Cut(o, ":")
				outputs = append(outputs, Field{n, types.ValueType_Enum(types.ValueType_Enum_value[t])})
			}
		}
	}
	singleton := mode == "singleton"
	if singleton {
		mode = "python"
	}
	inputs := corpusInputs
	if strings.Contains(string(text), "list_") {
		inputs = slices.Concat(corpusInputs, corpusLists)
	}
	v := view(mode, string(text), inputs, nil, outputs)
	v.Spec.Singleton = singleton
	v.Spec.GetFeatureTransformation().GetUserDefinedFunction().Name = name
	k.Program, err = Compile(v, nil)
	return k, err
}

func stored(t types.ValueType_Enum, cell any) []byte {
	s, ok := cell.(string)
	if !ok {
		return storedList(t, cell.([]any))
	}
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "i":
		i, _ := strconv.ParseInt(rest, 10, 64)
		switch t {
		case types.ValueType_INT32:
			return value.AppendInt32(nil, int32(i))
		case types.ValueType_UNIX_TIMESTAMP:
			return value.AppendUnixTimestamp(nil, i)
		}
		return value.AppendInt64(nil, i)
	case "f":
		f := parseHex(rest)
		if t == types.ValueType_FLOAT {
			return value.AppendFloat(nil, float32(f))
		}
		return value.AppendDouble(nil, f)
	case "s":
		return value.AppendString(nil, rest)
	case "b":
		return value.AppendBool(nil, rest == "1")
	}
	return nil
}

func storedList(t types.ValueType_Enum, cells []any) []byte {
	out := protowire.AppendTag(nil, protowire.Number(t), protowire.BytesType)
	var items []byte
	for _, c := range cells {
		f := parseHex(strings.TrimPrefix(c.(string), "f:"))
		if t == types.ValueType_FLOAT_LIST {
			items = protowire.AppendFixed32(items, math.Float32bits(float32(f)))
		} else {
			items = protowire.AppendFixed64(items, math.Float64bits(f))
		}
	}
	packed := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), items)
	return protowire.AppendBytes(out, packed)
}

func parseHex(s string) float64 {
	switch s {
	case "inf":
		return math.Inf(1)
	case "-inf":
		return math.Inf(-1)
	case "nan":
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return f
}

// shownCell writes a value as record.py does.
func shownCell(v val) any {
	if v.null() {
		return "n"
	}
	switch v.k {
	case kBool:
		return fmt.Sprintf("b:%d", v.i)
	case kInt:
		return fmt.Sprintf("i:%d", v.i)
	case kFloat:
		return "f:" + strconv.FormatFloat(v.f, 'x', -1, 64)
	case kText:
		return "s:" + v.s
	}
	return "?:" + v.typeName()
}

func sameCell(got val, want any, ulp int) bool {
	s, ok := want.(string)
	if !ok {
		return false
	}
	if rest, isFloat := strings.CutPrefix(s, "f:"); isFloat && got.k == kFloat {
		f := parseHex(rest)
		if math.Float64bits(f) == math.Float64bits(got.f) {
			return true
		}
		distance := int64(math.Float64bits(f)) - int64(math.Float64bits(got.f))
		return f == f && got.f == got.f && max(distance, -distance) <= int64(ulp)
	}
	return shownCell(got) == want
}

// dtypeName writes the type of a column as pandas does.
func dtypeName(c *column) string {
	if c.dt == dTime || c.dt == dDelta {
		unit := map[int64]string{second: "s", 1_000_000: "ms", microsecond: "us", nanosecond: "ns"}[c.unit]
		if c.utc {
			unit += ", UTC"
		}
		return c.dt.String() + "[" + unit + "]"
	}
	if c.ext != extNone {
		return c.ext.String()
	}
	return c.dt.String()
}

func readRecorded(tb testing.TB) []recorded {
	tb.Helper()
	name := "testdata/recorded.jsonl"
	if other := os.Getenv("TRANSFORM_RECORDED"); other != "" {
		name = other
	}
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var out []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			tb.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func fill(tb testing.TB, p *Program, b *Batch, r recorded) {
	tb.Helper()
	for i, in := range p.Inputs() {
		cells, ok := r.Inputs[in.Name]
		if !ok {
			tb.Fatalf("%s: the table has no %s", r.Function, in.Name)
		}
		for row, cell := range cells {
			kind := in.Type
			v := stored(kind, cell)
			if cell == "n" && len(v) == 0 {
				continue
			}
			if err := b.SetValue(i, row, v); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// TestResultsAreThoseOfPandasAndPython compares values, types and nulls, bit by bit.
func TestResultsAreThoseOfPandasAndPython(t *testing.T) {
	programs := map[string]kept{}
	for i, r := range readRecorded(t) {
		p, ok := programs[r.Function]
		if !ok {
			var err error
			if p, err = corpusView(t, r.Function); err != nil {
				t.Error(err)
			}
			programs[r.Function] = p
		}
		if p.Program == nil {
			continue
		}
		t.Run(fmt.Sprintf("%s/%d", r.Function, i%10), func(t *testing.T) { compareRecorded(t, p, r) })
	}
}

func compareRecorded(t *testing.T, p kept, r recorded) {
	b := p.Acquire(r.Rows)
	defer p.Release(b)
	fill(t, p.Program, b, r)
	err := p.Run(t.Context(), b)
	if r.Error != "" {
		// Columns of only nulls fail in pandas where it looks for zeros; here they are null.
		if err == nil && (p.mode != pandasMode || !strings.Contains(r.Error, "NoneType")) {
			t.Errorf("no error, Python raises %s", r.Error)
		}
		return
	}
	if err != nil {
		large := strings.Contains(err.Error(), "64 bits") && hasLarge(r)
		if !large && (p.refuses == "" || !strings.Contains(err.Error(), p.refuses)) {
			t.Errorf("%v\n%v\n%v", err, r.Inputs, r.Outputs)
		}
		t.Log("refused:", err)
		return
	}
	for i, o := range p.Outputs() {
		want, c := r.Outputs[o.Name], b.outs[i]
		if want.Dtype != "" && dtypeName(c) != want.Dtype {
			t.Errorf("%s has type %s, want %s", o.Name, dtypeName(c), want.Dtype)
		}
		for row := range r.Rows {
			if !sameCell(c.at(row), want.Cells[row], p.ulp) {
				t.Errorf("%s in row %d is %v, want %v (inputs %s)", o.Name, row, shownCell(c.at(row)), want.Cells[row], rowOf(r, row))
				break
			}
		}
	}
}

func rowOf(r recorded, row int) string {
	var b strings.Builder
	for _, n := range sortedKeys(r.Inputs) {
		fmt.Fprintf(&b, " %s=%v", n, r.Inputs[n][row])
	}
	return b.String()
}

// hasLarge reports whether a table has numbers whose results may not fit into 64
// bits: Python's integers grow, and casts of NumPy give other numbers.
func hasLarge(r recorded) bool {
	for _, cells := range r.Inputs {
		for _, c := range cells {
			text, _ := c.(string)
			kind, rest, _ := strings.Cut(text, ":")
			switch kind {
			case "i":
				if i, _ := strconv.ParseInt(rest, 10, 64); i > 1<<52 || i < -1<<52 {
					return true
				}
			case "f":
				if math.Abs(parseHex(rest)) >= 1<<52 {
					return true
				}
			}
		}
	}
	return false
}
