package transform

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	celerrors "cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/similar"
)

const (
	// maxExpression bounds the text of an expression, in characters.
	maxExpression = 10_000
	// maxCost bounds what an expression may cost for one row, in CEL's units, of which
	// each is some 20 to 100 ns.
	maxCost = 100_000
	// cheapCost is the cost up to which an expression is not counted while it runs.
	cheapCost = 1_000
)

// ExpressionError is the cause of an error about one expression.
type ExpressionError struct {
	Feature string
	// Line and Column in the text of the expression count from 1; 0 is unknown.
	Line, Column int
	Text         string
}

// Error says what is wrong in the expression, without its place.
func (e *ExpressionError) Error() string { return e.Text }

// expression is the compiled expression of a feature.
type expression struct {
	Expression
	out     Field
	program cel.Program
	counted bool // its cost is counted while it runs
}

// compileExpressions compiles the expressions of a view.
func compileExpressions(p *Program, spec *core.OnDemandFeatureViewSpec, keys []Field) (*Program, error) {
	list, err := p.expressions(spec)
	if err != nil {
		return nil, err
	}
	p.mode = expressionMode
	c := &exprCompiler{p: p, mentioned: map[string]bool{}}
	parser, err := c.env(nil)
	if err != nil {
		return nil, p.error(fault.Internal, "cannot be compiled").Because(err)
	}
	for i, e := range list {
		if err := c.parse(parser, e, p.outputs[i]); err != nil {
			return nil, err
		}
	}
	if err := p.sources(spec, keys, c.mentioned); err != nil {
		return nil, err
	}
	env, err := c.variables()
	if err != nil {
		return nil, err
	}
	for i := range c.list {
		if err := c.check(env, &c.list[i], allNames(spec, keys)); err != nil {
			return nil, err
		}
	}
	p.exprs = c.list
	p.batches.New = func() any { return newBatch(p) }
	return p, nil
}

// exprCompiler compiles the expressions of one view.
type exprCompiler struct {
	p         *Program
	mentioned map[string]bool
	list      []expression
}

// env is CEL with its standard library, the functions of math, and those for nulls.
func (c *exprCompiler) env(variables []cel.EnvOption) (*cel.Env, error) {
	t := cel.TypeParamType("T")
	null := nullValue()
	options := append([]cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(100),
		cel.DefaultUTCTimeZone(true),
		ext.Math(ext.MathVersion(2)),
		cel.Function("isNull", cel.Overload("isNull_T", []*cel.Type{t}, cel.BoolType,
			cel.OverloadIsNonStrict(), cel.UnaryBinding(isNull))),
		cel.Function("coalesce",
			cel.Overload("coalesce_T_T", []*cel.Type{t, t}, t, cel.OverloadIsNonStrict(),
				cel.BinaryBinding(func(a, b ref.Val) ref.Val { return coalesce(a, b) })),
			cel.Overload("coalesce_T_T_T", []*cel.Type{t, t, t}, t, cel.OverloadIsNonStrict(), cel.FunctionBinding(coalesce))),
		cel.Function("nullIf", cel.Overload("nullIf_T_T", []*cel.Type{t, t}, t,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return nullIf(a, b, null) }))),
	}, variables...)
	return cel.NewEnv(options...)
}

// parse parses an expression and collects the columns that it mentions.
func (c *exprCompiler) parse(env *cel.Env, e Expression, out Field) error {
	x := expression{Expression: e, out: out}
	if celType(out.Type) == nil {
		return c.fail(&x, 0, 0, "has type "+out.Type.String()+", which expressions cannot make; they make "+exprTypes())
	}
	parsed, issues := env.Parse(e.Text)
	if issues.Err() != nil {
		return c.issue(&x, issues.Errors()[0], nil)
	}
	walkNames(parsed.NativeRep().Expr(), nil, c.mentioned)
	c.list = append(c.list, x)
	return nil
}

// walkNames collects the names that an expression has from outside of its macros.
func walkNames(e ast.Expr, bound []string, out map[string]bool) {
	all := func(list ...ast.Expr) {
		for _, x := range list {
			walkNames(x, bound, out)
		}
	}
	switch e.Kind() {
	case ast.IdentKind:
		if !slices.Contains(bound, e.AsIdent()) {
			out[e.AsIdent()] = true
		}
	case ast.CallKind:
		if e.AsCall().IsMemberFunction() {
			all(e.AsCall().Target())
		}
		all(e.AsCall().Args()...)
	case ast.ListKind:
		all(e.AsList().Elements()...)
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			all(entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
	case ast.StructKind:
		for _, f := range e.AsStruct().Fields() {
			all(f.AsStructField().Value())
		}
	case ast.SelectKind:
		all(e.AsSelect().Operand())
	case ast.ComprehensionKind:
		x := e.AsComprehension()
		all(x.IterRange(), x.AccuInit())
		bound = append(slices.Clone(bound), x.IterVar(), x.IterVar2(), x.AccuVar())
		all(x.LoopCondition(), x.LoopStep(), x.Result())
	}
}

// variables declares the inputs.
func (c *exprCompiler) variables() (*cel.Env, error) {
	var list []cel.EnvOption
	for i, in := range c.p.inputs {
		t := celType(in.Type)
		if t == nil {
			return nil, c.p.error(fault.Invalid, fmt.Sprintf("reads the column %q of type %s, which expressions cannot read; they read %s", in.Name, in.Type, exprTypes()))
		}
		for _, name := range c.p.names[i] {
			list = append(list, cel.Variable(name, t))
		}
	}
	env, err := c.env(list)
	if err != nil {
		return nil, c.p.error(fault.Invalid, "has a column whose name CEL uses itself: "+oneLine(err.Error())+"; write view__feature")
	}
	return env, nil
}

// check checks the types of an expression and its cost, and makes its program.
func (c *exprCompiler) check(env *cel.Env, x *expression, names []string) error {
	checked, issues := env.Compile(x.Text)
	if issues.Err() != nil {
		return c.issue(x, issues.Errors()[0], names)
	}
	if want := celType(x.out.Type); !checked.OutputType().IsExactType(want) {
		return c.fail(x, 0, 0, fmt.Sprintf("is declared as %s and needs an expression of type %s; this one has type %s%s",
			x.out.Type, want, checked.OutputType(), conversion(want, checked.OutputType())))
	}
	estimate, err := env.EstimateCost(checked, unknownSizes{})
	if err != nil {
		return c.fail(x, 0, 0, "has an expression whose cost cannot be estimated: "+err.Error())
	}
	if estimate.Min > maxCost {
		return c.fail(x, 0, 0, fmt.Sprintf("has an expression that costs at least %d; the limit is %d", estimate.Min, maxCost))
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if x.counted = estimate.Max > cheapCost; x.counted {
		options = append(options, cel.CostLimit(maxCost))
	}
	if x.program, err = env.Program(checked, options...); err != nil {
		return c.fail(x, 0, 0, "has an expression that always fails: "+err.Error())
	}
	return nil
}

// conversion advises how to make one type of another.
func conversion(want, got *cel.Type) string {
	for _, t := range []*cel.Type{cel.IntType, cel.DoubleType, cel.StringType, cel.TimestampType} {
		if want.IsExactType(t) && (got.IsExactType(cel.IntType) || got.IsExactType(cel.DoubleType) || got.IsExactType(cel.UintType) || got.IsExactType(cel.StringType)) {
			return fmt.Sprintf("; convert it with %s(…)", strings.TrimPrefix(want.String(), "google.protobuf."))
		}
	}
	return ""
}

// issue is the error of CEL's parser or checker.
func (c *exprCompiler) issue(x *expression, e *celerrors.Error, names []string) error {
	text := e.Message
	if name, ok := strings.CutPrefix(text, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		text = "no source of the view has the column \"" + name + "\", and CEL has no function of this name"
		if near := similar.Nearest(name, names); near != "" {
			text += "; there is " + near
		}
	}
	if strings.Contains(text, "null)'") || strings.Contains(text, "(null") {
		text += "; test a column with isNull(column)"
	}
	return c.fail(x, e.Location.Line(), e.Location.Column()+1, text)
}

func (c *exprCompiler) fail(x *expression, line, column int, text string) error {
	where := fmt.Sprintf("cannot be computed: feature %q ", x.Feature)
	text = oneLine(text)
	if line > 0 {
		where += fmt.Sprintf("at %d:%d of its expression: ", line, column)
	}
	return c.p.error(fault.Invalid, where+text).Because(&ExpressionError{Feature: x.Feature, Line: line, Column: column, Text: text})
}

// allNames are the columns that the expressions of a view may read, for advice.
func allNames(spec *core.OnDemandFeatureViewSpec, keys []Field) []string {
	every := &Program{whole: true}
	_ = every.sources(spec, keys, map[string]bool{}) // nothing is mentioned, so nothing is ambiguous
	names := []string{"isNull", "coalesce", "nullIf"}
	for _, list := range every.names {
		names = append(names, list...)
	}
	return names
}

// celType is the type of CEL for a type of Feast; nil if there is none.
func celType(t types.ValueType_Enum) *cel.Type {
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64:
		return cel.IntType
	case types.ValueType_FLOAT, types.ValueType_DOUBLE:
		return cel.DoubleType
	case types.ValueType_STRING:
		return cel.StringType
	case types.ValueType_BOOL:
		return cel.BoolType
	case types.ValueType_UNIX_TIMESTAMP:
		return cel.TimestampType
	}
	if of := itemType(t); of != types.ValueType_INVALID {
		return cel.ListType(celType(of))
	}
	return nil
}

func exprTypes() string {
	return "integers, floats, texts, booleans, times, and lists of the first four"
}
