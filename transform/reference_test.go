package transform

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// The reference evaluator computes random expressions cell by cell, from the tree
// that made their text: it shares no code with the compiler and the kernels. Integers
// are big and cut to 64 bits at the end of each step.

// cellType is the type of a column of the reference.
type cellType uint8

const (
	cellBool cellType = iota
	cellInt
	cellFloat
)

// term is a random expression: its text, its type, and its value in a row.
type term struct {
	text string
	t    cellType
	at   func(row int) (i int64, f float64)
}

func (x term) float(row int) float64 {
	i, f := x.at(row)
	if x.t == cellFloat {
		return f
	}
	return float64(i)
}

// wrapped cuts a big integer to 64 bits.
func wrapped(x *big.Int) int64 {
	low := new(big.Int).And(x, new(big.Int).SetUint64(math.MaxUint64))
	return int64(low.Uint64())
}

type expressions struct {
	rng    *rand.Rand
	ints   map[string][]int64
	floats map[string][]float64
	rows   int
}

func (e *expressions) leaf(t cellType) term {
	switch t {
	case cellBool:
		x, y := e.make(cellInt, 0), e.make(cellInt, 0)
		return term{fmt.Sprintf("(%s < %s)", x.text, y.text), cellBool, func(row int) (int64, float64) {
			a, _ := x.at(row)
			b, _ := y.at(row)
			if a < b {
				return 1, 0
			}
			return 0, 0
		}}
	case cellInt:
		name := []string{"a", "b"}[e.rng.IntN(2)]
		return term{fmt.Sprintf("i[%q]", name), cellInt, func(row int) (int64, float64) { return e.ints[name][row], 0 }}
	}
	name := []string{"x", "y"}[e.rng.IntN(2)]
	return term{fmt.Sprintf("i[%q]", name), cellFloat, func(row int) (int64, float64) { return 0, e.floats[name][row] }}
}

func (e *expressions) make(t cellType, depth int) term {
	if depth == 0 || e.rng.IntN(5) == 0 {
		return e.leaf(t)
	}
	switch t {
	case cellBool:
		return e.condition(depth)
	case cellInt:
		return e.integer(depth)
	}
	return e.floating(depth)
}

func (e *expressions) condition(depth int) term {
	switch e.rng.IntN(3) {
	case 0:
		x, y := e.make(cellFloat, depth-1), e.make(cellInt, depth-1)
		return term{fmt.Sprintf("(%s >= %s)", x.text, y.text), cellBool, func(row int) (int64, float64) {
			if x.float(row) >= y.float(row) {
				return 1, 0
			}
			return 0, 0
		}}
	case 1:
		x := e.make(cellBool, depth-1)
		return term{"(~" + x.text + ")", cellBool, func(row int) (int64, float64) {
			v, _ := x.at(row)
			return 1 - v, 0
		}}
	}
	x, y := e.make(cellBool, depth-1), e.make(cellBool, depth-1)
	or := e.rng.IntN(2) == 0
	op := map[bool]string{true: "|", false: "&"}[or]
	return term{fmt.Sprintf("(%s %s %s)", x.text, op, y.text), cellBool, func(row int) (int64, float64) {
		a, _ := x.at(row)
		b, _ := y.at(row)
		if or {
			return max(a, b), 0
		}
		return min(a, b), 0
	}}
}

func (e *expressions) integer(depth int) term {
	if e.rng.IntN(4) == 0 {
		c, x, y := e.make(cellBool, depth-1), e.make(cellInt, depth-1), e.make(cellInt, depth-1)
		return term{fmt.Sprintf("pd.Series(np.where(%s, %s, %s))", c.text, x.text, y.text), cellInt, func(row int) (int64, float64) {
			if is, _ := c.at(row); is != 0 {
				return x.at(row)
			}
			return y.at(row)
		}}
	}
	x, y := e.make(cellInt, depth-1), e.make(cellInt, depth-1)
	op := []string{"+", "-", "*"}[e.rng.IntN(3)]
	return term{fmt.Sprintf("(%s %s %s)", x.text, op, y.text), cellInt, func(row int) (int64, float64) {
		i, _ := x.at(row)
		j, _ := y.at(row)
		a, b, out := big.NewInt(i), big.NewInt(j), new(big.Int)
		switch op {
		case "+":
			out.Add(a, b)
		case "-":
			out.Sub(a, b)
		default:
			out.Mul(a, b)
		}
		return wrapped(out), 0
	}}
}

func (e *expressions) floating(depth int) term {
	x := e.make(cellFloat, depth-1)
	switch e.rng.IntN(4) {
	case 0:
		return term{x.text + ".fillna(0.5)", cellFloat, func(row int) (int64, float64) {
			if f := x.float(row); f == f {
				return 0, f
			}
			return 0, 0.5
		}}
	case 1:
		return term{fmt.Sprintf("abs(%s)", x.text), cellFloat, func(row int) (int64, float64) { return 0, math.Abs(x.float(row)) }}
	}
	y := e.make([]cellType{cellInt, cellFloat}[e.rng.IntN(2)], depth-1)
	op := []string{"+", "-", "*", "/"}[e.rng.IntN(4)]
	return term{fmt.Sprintf("(%s %s %s)", x.text, op, y.text), cellFloat, func(row int) (int64, float64) {
		a, b := x.float(row), y.float(row)
		switch op {
		case "+":
			return 0, a + b
		case "-":
			return 0, a - b
		case "*":
			return 0, a * b
		}
		return 0, a / b
	}}
}

// fillRandom sets the inputs of a batch and of the reference.
func (e *expressions) fill(t *testing.T, p *Program, b *Batch) {
	ints := []int64{0, 1, -1, 7, 1 << 40, math.MaxInt64, math.MinInt64, -12345}
	floats := []float64{0, math.Copysign(0, -1), 0.5, -1.5, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 5e-324}
	for _, n := range []string{"a", "b"} {
		e.ints[n] = make([]int64, e.rows)
		for i := range e.rows {
			e.ints[n][i] = ints[e.rng.IntN(len(ints))]
		}
	}
	for _, n := range []string{"x", "y"} {
		e.floats[n] = make([]float64, e.rows)
		for i := range e.rows {
			e.floats[n][i] = floats[e.rng.IntN(len(floats))]
		}
	}
	for i, in := range p.Inputs() {
		for row := range e.rows {
			var v []byte
			if in.Type == types.ValueType_DOUBLE {
				v = value.AppendDouble(nil, e.floats[in.Name][row])
			} else {
				v = value.AppendInt64(nil, e.ints[in.Name][row])
			}
			if err := b.SetValue(i, row, v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestColumnsAgreeWithAReferenceThatWorksCellByCell(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 400 {
		e := &expressions{rng, map[string][]int64{}, map[string][]float64{}, 1 + rng.IntN(9)}
		x := e.make([]cellType{cellBool, cellInt, cellFloat}[n%3], 1+rng.IntN(4))
		text := "def fn(i):\n    out = pd.DataFrame()\n    out[\"o\"] = " + x.text + "\n    return out\n"
		p, err := Compile(view("pandas", text, corpusInputs, nil, []Field{{"o", types.ValueType_DOUBLE}}), nil)
		if err != nil {
			t.Fatalf("%s: %v", x.text, err)
		}
		for range 2 { // a second run uses the memory of the first
			b := p.Acquire(e.rows)
			e.fill(t, p, b)
			if err := p.Run(t.Context(), b); err != nil {
				t.Fatalf("%s: %v", x.text, err)
			}
			for row := range e.rows {
				got := b.outs[0].at(row)
				i, f := x.at(row)
				same := got.i == i && got.k == map[cellType]kind{cellBool: kBool, cellInt: kInt}[x.t]
				if x.t == cellFloat {
					same = got.k == kFloat && (math.Float64bits(got.f) == math.Float64bits(f) || got.f != got.f && f != f)
				}
				if !same {
					t.Fatalf("%s in row %d is %v %v %v, want %v %v", x.text, row, got.k, got.i, got.f, i, f)
				}
			}
			p.Release(b)
		}
	}
}

// alone is a host of the interpreter without modules and files.
type alone struct{}

func (alone) Module(string) (*python.Module, bool) { return nil, false }
func (alone) Find(string) (*python.File, bool)     { return nil, false }

// TestPythonModeAgreesWithTheInterpreter runs the functions of the corpus in the
// interpreter of definitions, too, which walks the tree value by value.
func TestPythonModeAgreesWithTheInterpreter(t *testing.T) {
	compared := 0
	programs := map[string]kept{}
	for _, r := range readRecorded(t) {
		p, ok := programs[r.Function]
		if !ok {
			p, _ = corpusView(t, r.Function)
			programs[r.Function] = p
		}
		if p.Program == nil || p.mode != pythonMode || r.Error != "" {
			continue
		}
		source, ok := callText(p.Program, r)
		if !ok {
			continue
		}
		run := python.New(t.Context(), alone{})
		m, err := run.Load(&python.File{Name: "fn.py", Source: source}, "fn")
		if err != nil {
			run.Close()
			continue // it needs NumPy, or integers of more than 64 bits
		}
		b := p.Acquire(r.Rows)
		fill(t, p.Program, b, r)
		if err := p.Run(t.Context(), b); err != nil {
			t.Errorf("%s: %v", r.Function, err)
		}
		for i, o := range p.Outputs() {
			got, err := str(listVal(b.outs[i].objs))
			if want := python.Repr(m.Names[o.Name]); err == nil && got != want && !strings.Contains(want, "<unknown") {
				t.Errorf("%s makes %s, the interpreter %s", r.Function, got, want)
			}
			compared++
		}
		p.Release(b)
		run.Close()
	}
	if compared < 50 {
		t.Errorf("only %d columns were compared", compared)
	}
}

// callText is a program that calls a function with the inputs of a table.
func callText(p *Program, r recorded) (string, bool) {
	text := p.file.Source + "\nnan = float('nan')\ninf = float('inf')\nresult = " + p.main.name + "({"
	for _, in := range p.Inputs() {
		if in.Type == types.ValueType_UNIX_TIMESTAMP || itemType(in.Type) != types.ValueType_INVALID {
			return "", false
		}
		text += fmt.Sprintf("%q: [", in.Name)
		for _, cell := range r.Inputs[in.Name] {
			literal, err := strconvLiteral(cell.(string))
			if err != nil {
				return "", false
			}
			text += literal + ", "
		}
		text += "], "
	}
	text += "})\n"
	for _, o := range p.Outputs() {
		text += fmt.Sprintf("%s = result[%q]\n", o.Name, o.Name)
	}
	return text, true
}

func strconvLiteral(cell string) (string, error) {
	switch cell[0] {
	case 'n':
		return "None", nil
	case 'b':
		return map[string]string{"b:1": "True", "b:0": "False"}[cell], nil
	case 'i':
		if cell == "i:-9223372036854775808" {
			return "-9223372036854775807 - 1", nil
		}
		return cell[2:], nil
	case 's':
		return repr(textVal(cell[2:])), nil
	}
	return str(floatVal(parseHex(cell[2:])))
}
