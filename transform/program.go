// Package transform computes on-demand feature views without Python. It reads the
// stored source text of their functions once, and compiles it to code that works on
// typed columns.
//
// The functions are those of Feast's modes pandas and python. The results are those
// of pandas, NumPy and Python, with their types, nulls, overflow and division.
// What banquet cannot compute is refused by name, with its line, and never
// approximated.
package transform

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/definitions/syntax"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Field is a named value and its type.
type Field struct {
	Name string
	Type types.ValueType_Enum
}

// Input is a column that a function reads.
type Input struct {
	Field
	// View is the source view of a feature, by the name of the stored view; empty for
	// request data and join keys.
	View string
	// Request is set for request data.
	Request bool
	// Optional is set for what the function may go without: it is not in its text.
	Optional bool
}

// Program is the compiled function of an on-demand feature view. It is safe for
// concurrent use.
type Program struct {
	view    string
	file    *python.File
	mode    mode
	main    *function
	inputs  []Input
	names   [][]string // by which the function finds each input
	outputs []Field
	whole   bool // the function computes with all of its inputs
	start   int  // of the function in the text, after its decorators
	skipped int  // empty lines before the text
	mixes   bool // the function may compute with several rows at once
	batches sync.Pool
	exprs   []expression // in expressionMode, instead of a function
	remote  *remote      // in remoteMode
}

type mode uint8

const (
	pandasMode mode = iota
	pythonMode
	singletonMode
	expressionMode
	remoteMode
)

// Compile compiles the function of an on-demand feature view.
//
// Keys are the join keys of the entity rows, which the function may read, too.
// The error is one line that names the view, the line of the function and the
// construct: an Unimplemented fault for what banquet does not compute, an Invalid
// fault for a function that cannot work with the inputs of the view, such as one
// that reads a column that no source has.
func Compile(view *core.OnDemandFeatureView, keys []Field) (*Program, error) {
	spec := view.GetSpec()
	p := &Program{view: spec.GetName(), outputs: fields(spec.GetFeatures())}
	if HasExpressions(spec) {
		return compileExpressions(p, spec, keys)
	}
	text, name, err := p.source(spec)
	if err != nil {
		return nil, err
	}
	p.file = &python.File{Name: p.view, Source: text}
	tree, err := python.Tree(p.file)
	if err != nil {
		return nil, p.syntaxError(err)
	}
	c := &compiler{
		file: p.file, funcs: map[string]*syntax.Func{}, done: map[string]*function{},
		foreign: map[string]error{}, mode: p.mode, modules: map[string]string{"pd": "pandas", "pandas": "pandas", "np": "numpy", "numpy": "numpy"},
	}
	main := c.top(tree, name)
	if c.err == nil && main == "" {
		c.err = outside("its text defines no function")
	}
	if c.err == nil {
		p.main = c.function(main, 0)
	}
	if c.err == nil && len(p.main.params) != 1 {
		c.err = outside("function %s has %d parameters; a transformation has one", main, len(p.main.params))
	}
	if c.err != nil {
		return nil, p.fault(c.err)
	}
	p.start = c.funcs[main].At()
	p.whole, p.mixes = usesAll(tree), p.mode != singletonMode && mixesRows(tree)
	if err := p.sources(spec, keys, mentioned(tree)); err != nil {
		return nil, err
	}
	p.batches.New = func() any { return newBatch(p) }
	if err := p.unknownColumns(c.funcs[main]); err != nil {
		return nil, err
	}
	return p, p.probe()
}

// CompileWith compiles a function with keys, and, if it cannot be compiled with these alone,
// with more keys as well. More keys from the start would make names ambiguous that are not,
// and give a function that reads all columns some that it does not need. The error is that
// of the first attempt. Of keys with the same name the first counts.
func CompileWith(view *core.OnDemandFeatureView, keys, more []*core.FeatureSpecV2) (*Program, error) {
	list := fields(keys)
	p, err := Compile(view, list)
	if err == nil || len(more) == 0 {
		return p, err
	}
	if p, again := Compile(view, append(list, fields(more)...)); again == nil {
		return p, nil
	}
	return nil, err
}

func fields(specs []*core.FeatureSpecV2) []Field {
	list := make([]Field, len(specs))
	for i, f := range specs {
		list[i] = Field{f.GetName(), f.GetValueType()}
	}
	return list
}

// source is the text and the name of the function.
func (p *Program) source(spec *core.OnDemandFeatureViewSpec) (text, name string, err error) {
	if len(spec.GetAggregations()) > 0 {
		return "", "", p.error(fault.Unimplemented, "has aggregations, which banquet does not compute")
	}
	mode := spec.GetMode()
	if u := spec.GetFeatureTransformation().GetUserDefinedFunction(); u != nil {
		text, name = u.GetBodyText(), u.GetName()
		if mode == "" {
			mode = u.GetMode()
		}
	} else {
		old := spec.GetUserDefinedFunction() // registries of older Feast have it here
		text, name = old.GetBodyText(), old.GetName()
	}
	switch {
	case mode == "python" && spec.GetSingleton():
		p.mode = singletonMode
	case mode == "python":
		p.mode = pythonMode
	case mode != "pandas" && mode != "":
		return "", "", p.error(fault.Unimplemented, "has mode "+mode+"; banquet computes pandas and python")
	}
	if strings.TrimSpace(text) == "" {
		return "", "", p.error(fault.Unimplemented, "has no stored source text; apply it again")
	}
	text, p.skipped = dedent(text)
	return text, name, nil
}

// dedent removes the indentation of the first line from all lines, and the empty lines
// before it.
func dedent(text string) (dedented string, skipped int) {
	all := text
	text = strings.TrimLeft(text, "\r\n")
	skipped = strings.Count(all[:len(all)-len(text)], "\n")
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	if indent == "" {
		return text, skipped
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, indent)
	}
	return strings.Join(lines, "\n"), skipped
}

// top reads the statements of the text outside of functions, and returns the name
// of the function to run: the one of the given name, else the first.
func (c *compiler) top(tree []syntax.Stmt, name string) string {
	first := ""
	for _, s := range tree {
		switch s := s.(type) {
		case *syntax.Func:
			c.funcs[s.Name] = s
			if first == "" {
				first = s.Name
			}
		case *syntax.Import, *syntax.From:
			c.simple(s)
		case *syntax.ExprStmt:
			if _, ok := s.Value.(*syntax.Const); !ok {
				c.fail(s.At(), outside("a statement outside of functions is not supported"))
			}
		case *syntax.OtherStmt:
			c.fail(s.At(), outside("%s is not supported", s.What))
		default:
			c.fail(s.At(), outside("a statement outside of functions is not supported"))
		}
	}
	if _, ok := c.funcs[name]; ok {
		return name
	}
	return first
}

// Inputs lists the columns that the function reads, in the order of Batch.
func (p *Program) Inputs() []Input { return p.inputs }

// Outputs lists the features that the function makes, in the order of Batch.
func (p *Program) Outputs() []Field { return p.outputs }

// MixesRows reports whether the result of a row may depend on other rows, so that a
// table must be computed in one Batch.
func (p *Program) MixesRows() bool { return p.mixes }

// View is the name of the on-demand feature view.
func (p *Program) View() string { return p.view }

// error makes a fault about the view.
func (p *Program) error(kind fault.Kind, text string) *fault.Error {
	return fault.New(kind, "on-demand feature view %q %s", p.view, text).About("on-demand feature view", p.view, "")
}

// fault makes a fault of a failure.
func (p *Program) fault(err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	kind := fault.Invalid
	if f.outside {
		kind = fault.Unimplemented
	}
	text := oneLine(f.Error())
	if f.at == 0 {
		return p.error(kind, "cannot be computed: "+text)
	}
	line := p.file.Line(f.at - 1)
	return p.error(kind, fmt.Sprintf("cannot be computed: line %d of its function: %s", line, text)).Because(&PlaceError{p.skipped + line, text})
}

// PlaceError is the cause of an error about a function: a line of its stored text, and what
// is wrong there.
type PlaceError struct {
	Line int // from 1
	Text string
}

// Error names the line and says what is wrong there.
func (p *PlaceError) Error() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// Source is the stored text of the function of a view.
func Source(spec *core.OnDemandFeatureViewSpec) string {
	if u := spec.GetFeatureTransformation().GetUserDefinedFunction(); u != nil {
		return u.GetBodyText()
	}
	return spec.GetUserDefinedFunction().GetBodyText() // as registries of older Feast have it
}

// oneLine shortens a text to a line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// syntaxError puts an error of the parser into one line.
func (p *Program) syntaxError(err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	first = strings.TrimPrefix(first, p.view+":")
	fault := p.error(fault.Unimplemented, "has a function that banquet does not read: line "+first)
	at, text, _ := strings.Cut(first, ":")
	line, notNumber := strconv.Atoi(at)
	if notNumber != nil {
		return fault
	}
	if _, rest, ok := strings.Cut(text, ": "); ok { // after the column
		text = rest
	}
	return fault.Because(&PlaceError{p.skipped + line, text})
}

// Acquire returns an empty Batch of a number of rows; Release gives it back.
func (p *Program) Acquire(rows int) *Batch {
	b, _ := p.batches.Get().(*Batch)
	b.reset(rows)
	return b
}

// maxKept bounds the memory of a Batch that is kept for the next run.
const maxKept = 8 << 20

// Release gives a Batch back. It must not be used any more.
func (p *Program) Release(b *Batch) {
	if b.m.mem.used+len(b.text)+64*cap(b.lists) < maxKept {
		clear(b.lists) // they are of any size
		p.batches.Put(b)
	}
}

// Run computes the outputs of a Batch. The error is a fault that names the view,
// and the line of the function; the Batch then has no outputs.
func (p *Program) Run(ctx context.Context, b *Batch) error {
	if err := b.run(ctx); err != nil {
		return p.fault(err)
	}
	return nil
}
