package transform

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/definitions/syntax"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Service computes functions that banquet does not compile, as Feast's transformation
// service does. It is safe for concurrent use.
type Service interface {
	// Transform runs the function of a view. The caller releases the table, which has
	// those columns that the call wants and the function returned. Its cells can be read
	// without any further check. The error is a fault that names the view and the service.
	Transform(ctx context.Context, call *Call) (arrow.Table, error)
	// Address is where the service is, for messages.
	Address() string
}

// Call asks a Service for the results of one function.
type Call struct {
	Project, View string
	// Rows are the inputs. Their columns have the names by which the function finds them.
	Rows arrow.RecordBatch
	// Want says which columns of the result are needed.
	Want func(column string) bool
}

// remote is what a Program has instead of a compiled function.
type remote struct {
	service Service
	project string
	why     error
}

// CompileFor does what CompileWith does. If a function is not one that banquet computes,
// but one that Feast's transformation service runs, the Program calls the service; nil
// stands for no service.
func CompileFor(s Service, view *core.OnDemandFeatureView, keys, more []*core.FeatureSpecV2) (*Program, error) {
	p, err := CompileWith(view, keys, more)
	if s == nil || err == nil || fault.KindOf(err) != fault.Unimplemented {
		return p, err
	}
	if reason := unserved(view.GetSpec()); reason != "" {
		return nil, withReason(err, "; the transformation service at "+s.Address()+" "+reason)
	}
	return compileRemote(s, view.GetSpec(), fields(keys), fields(more), err)
}

// Remote is the address of the service that computes the function, and why banquet does
// not; empty if it does, and without a program.
func (p *Program) Remote() (address string, why error) {
	if p == nil || p.remote == nil {
		return "", nil
	}
	return p.remote.service.Address(), p.remote.why
}

// unserved says why Feast's service does not compute a view.
func unserved(spec *core.OnDemandFeatureViewSpec) string {
	mode := spec.GetMode()
	u := spec.GetFeatureTransformation().GetUserDefinedFunction()
	if mode == "" {
		mode = u.GetMode()
	}
	switch {
	case len(spec.GetAggregations()) > 0:
		return "computes no aggregations either"
	case mode != "pandas" && mode != "":
		return "computes the mode pandas only"
	}
	return ""
}

// withReason adds a text to an error of Compile, and to that about its place.
func withReason(err error, text string) error {
	f := *fault.Of(err)
	f.Text += text
	var p *PlaceError
	if errors.As(err, &p) {
		return f.Because(&PlaceError{p.Line, p.Text + text})
	}
	return f.Because(err)
}

// compileRemote makes a Program that calls a service.
//
// Nobody knows which columns a function reads that is not compiled. It gets all features
// of its sources and all request data, as in Feast; join keys, which the rows may lack,
// only if the text names them.
func compileRemote(s Service, spec *core.OnDemandFeatureViewSpec, keys, more []Field, why error) (*Program, error) {
	text, skipped := dedent(Source(spec))
	p := &Program{
		view: spec.GetName(), outputs: fields(spec.GetFeatures()), mode: remoteMode, file: &python.File{Name: spec.GetName(), Source: text}, skipped: skipped,
		remote: &remote{service: s, project: spec.GetProject(), why: why},
	}
	t := functionText{text: text}
	if tree, err := python.Tree(p.file); err == nil {
		t.tree, t.mentioned = tree, mentioned(tree)
		if at := slices.IndexFunc(tree, isFunction); at >= 0 {
			p.start = tree[at].At()
			t.text = text[p.start:] // decorators name features, too
		}
	}
	if err := p.remoteInputs(spec, append(keys, more...), &t); err != nil {
		return nil, err
	}
	// A column of booleans with a null is one of objects in pandas, which Arrow cannot say
	// of a part without any.
	p.mixes = t.mixesRows() || slices.ContainsFunc(p.inputs, func(in Input) bool { return in.Type == types.ValueType_BOOL && !in.Optional })
	p.batches.New = func() any { return newBatch(p) }
	return p, nil
}

// functionText is the text of a function that is not compiled.
type functionText struct {
	text      string // empty if only Feast's pickle is stored
	tree      []syntax.Stmt
	mentioned map[string]bool
}

// names reports whether the text has a name as a whole, as an attribute or as a text.
func (t *functionText) names(name string) bool {
	return t.mentioned[name] || strings.Contains(t.text, `"`+name+`"`) || strings.Contains(t.text, "'"+name+"'")
}

// mayRead reports whether the text has one of the names of a column as a word, or is not
// known.
func (t *functionText) mayRead(names []string) bool {
	return strings.TrimSpace(t.text) == "" || slices.ContainsFunc(names, t.hasWord)
}

func (t *functionText) hasWord(word string) bool {
	part := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; word != ""; {
		at := strings.Index(t.text[from:], word)
		if at < 0 {
			return false
		}
		from += at + len(word)
		before, _ := utf8.DecodeLastRuneInString(t.text[:from-len(word)])
		after, _ := utf8.DecodeRuneInString(t.text[from:])
		if !part(before) && !part(after) {
			return true
		}
	}
	return true
}

// remoteInputs chooses what is sent, and under which names.
func (p *Program) remoteInputs(spec *core.OnDemandFeatureViewSpec, keys []Field, t *functionText) error {
	all := candidates(spec, keys)
	owners := map[string]int{}
	for _, c := range all {
		if key := c.View == "" && !c.Request; !key || t.names(c.Name) {
			owners[c.Name]++
		}
	}
	for _, c := range all {
		name := c.Name
		switch key := c.View == "" && !c.Request; {
		case key && !t.names(name):
			continue
		case owners[name] > 1 && t.names(name):
			return p.error(fault.Unimplemented, `reads the column "`+name+`", which several of its sources have; write view__`+name)
		case owners[name] > 1:
			if name = t.fullName(c); name == "" {
				continue
			}
		}
		if !sendable(c.Type) {
			if t.names(name) {
				return p.error(fault.Unimplemented, `reads the column "`+name+`" of type `+c.Type.String()+", which cannot be sent to the transformation service at "+p.remote.service.Address())
			}
			continue
		}
		c.Optional = !t.mayRead(c.names)
		p.inputs, p.names = append(p.inputs, c.Input), append(p.names, []string{name})
	}
	return nil
}

// fullName is view__feature if the text has it, and else empty.
func (t *functionText) fullName(c candidate) string {
	name := c.names[len(c.names)-1]
	if name == c.Name || !strings.Contains(t.text, name) {
		return ""
	}
	return name
}

// sendable reports whether columns of a type can be sent to a service.
func sendable(t types.ValueType_Enum) bool {
	return OutputType(t).ID() != arrow.STRING || t == types.ValueType_STRING
}

// mixesRows reports whether the result of a row may depend on other rows. That is so
// unless all that the text uses is known to compute with each row alone.
func (t *functionText) mixesRows() bool {
	if len(t.tree) == 0 || mixesRows(t.tree) {
		return true
	}
	own := map[string]bool{}
	for _, s := range t.tree {
		if f, ok := s.(*syntax.Func); ok {
			own[f.Name] = true
		}
	}
	mixes := otherStatements(t.tree)
	visit(t.tree, func(e syntax.Expr) {
		switch e := e.(type) {
		case *syntax.OtherExpr:
			mixes = true
		case *syntax.Attr:
			mixes = mixes || !eachRow(e)
		case *syntax.Call:
			switch fn := e.Fn.(type) {
			case *syntax.Name:
				mixes = mixes || !own[fn.ID] && !slices.Contains(rowFunctions(), fn.ID)
			case *syntax.Attr:
				mixes = mixes || fn.Name == "apply" && !applied(fn.Value, e.Args)
			default:
				mixes = true
			}
		}
	})
	return mixes
}

func isFunction(s syntax.Stmt) bool {
	_, ok := s.(*syntax.Func)
	return ok
}

// otherStatements reports whether a statement is of a kind that the syntax tree does not
// show.
func otherStatements(body []syntax.Stmt) bool {
	for _, s := range body {
		if _, other := s.(*syntax.OtherStmt); other {
			return true
		}
		if slices.ContainsFunc(blocks(s), otherStatements) {
			return true
		}
	}
	return false
}

// eachRow reports whether an attribute computes with each row alone.
func eachRow(a *syntax.Attr) bool {
	switch of := a.Value.(type) {
	case *syntax.Attr:
		if of.Name == "str" {
			return a.Name != "cat" && a.Name != "get_dummies"
		}
		if of.Name == "dt" {
			return true
		}
	case *syntax.Name:
		if of.ID == "re" || of.ID == "math" {
			return true
		}
	}
	return slices.Contains(rowAttributes(), a.Name)
}

// applied reports whether apply is called for each value or each row.
func applied(to syntax.Expr, args []syntax.Arg) bool {
	if _, series := to.(*syntax.Index); series {
		return true
	}
	return slices.ContainsFunc(args, func(a syntax.Arg) bool { return a.Name == "axis" })
}

// rowFunctions are functions of Python that compute with single values.
func rowFunctions() []string {
	return []string{"abs", "bool", "float", "int", "isinstance", "round", "str", "zip"}
}

// rowAttributes are attributes of columns, frames, texts, matches and modules that compute
// with each row alone.
func rowAttributes() []string {
	return []string{
		"DataFrame", "str", "dt", "columns",
		"abs", "add", "apply", "assign", "astype", "between", "clip", "copy", "div", "divide", "drop", "eq", "fillna", "floordiv", "ge", "get", "gt",
		"isin", "isna", "isnull", "le", "lt", "map", "mask", "mod", "mul", "multiply", "ne", "notna", "notnull", "pow", "radd", "rdiv", "rename",
		"rmul", "round", "rsub", "rtruediv", "sub", "subtract", "truediv", "where",
		"end", "group", "groups", "start",
		"capitalize", "casefold", "endswith", "isalpha", "isdigit", "islower", "isupper", "lower", "lstrip", "removeprefix", "removesuffix", "rstrip",
		"split", "startswith", "strip", "title", "upper", "zfill",
		"exp", "float32", "float64", "int32", "int64", "isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "nan", "power", "sqrt",
	}
}
