package transform

import (
	"slices"

	"github.com/banquet-fs/banquet/definitions/syntax"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/similar"
)

// candidate is a column that the function may read, and the names under which it
// finds it.
type candidate struct {
	Input
	names []string
}

// sources finds the inputs of a view: of all columns of its sources those that the
// text mentions. Feast gives a function each feature under its own name and as
// view__feature.
func (p *Program) sources(spec *core.OnDemandFeatureViewSpec, keys []Field, mentioned map[string]bool) error {
	return p.choose(candidates(spec, keys), mentioned)
}

// candidates are the columns that the function of a view may read.
func candidates(spec *core.OnDemandFeatureViewSpec, keys []Field) []candidate {
	var all []candidate
	for _, name := range sortedKeys(spec.GetSources()) {
		switch s := spec.GetSources()[name]; {
		case s.GetRequestDataSource() != nil:
			for _, f := range s.GetRequestDataSource().GetRequestDataOptions().GetSchema() {
				all = append(all, candidate{Input{Field: Field{f.GetName(), f.GetValueType()}, Request: true}, []string{f.GetName()}})
			}
		case s.GetFeatureViewProjection() != nil:
			v := s.GetFeatureViewProjection()
			all = append(all, features(v.GetFeatureViewName(), v.GetFeatureColumns())...)
		case s.GetFeatureView() != nil:
			v := s.GetFeatureView().GetSpec()
			all = append(all, features(v.GetName(), v.GetFeatures())...)
		}
	}
	for _, k := range keys {
		if !slices.ContainsFunc(all, func(c candidate) bool { return c.View == "" && c.Name == k.Name }) {
			all = append(all, candidate{Input{Field: k}, []string{k.Name}})
		}
	}
	return all
}

func features(view string, columns []*core.FeatureSpecV2) []candidate {
	var out []candidate
	for _, f := range columns {
		out = append(out, candidate{Input{Field: Field{f.GetName(), f.GetValueType()}, View: view}, []string{f.GetName(), view + "__" + f.GetName()}})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// ambiguous is the kind of an error about a column that several sources have. Feast gives
// a function the column of the last source, whichever that is, so that its definition is
// no mistake; it is only not computed here.
func (p *Program) ambiguous() fault.Kind {
	if p.mode == expressionMode {
		return fault.Invalid
	}
	return fault.Unimplemented
}

// choose keeps the columns that the text mentions.
func (p *Program) choose(all []candidate, mentioned map[string]bool) error {
	owners := map[string]int{}
	for _, c := range all {
		for _, n := range c.names {
			owners[n]++
		}
	}
	for _, c := range all {
		var names []string
		for _, n := range c.names {
			switch {
			case !mentioned[n] && !p.whole:
			case owners[n] > 1 && mentioned[n]:
				return p.error(p.ambiguous(), "reads the column \""+n+"\", which several of its sources have; write view__"+c.Name)
			case owners[n] == 1:
				names = append(names, n)
			}
		}
		if len(names) > 0 {
			p.inputs, p.names = append(p.inputs, c.Input), append(p.names, names)
		}
	}
	return nil
}

// visit calls fn for each expression of the statements.
func visit(body []syntax.Stmt, fn func(syntax.Expr)) {
	v := visitor{fn}
	v.block(body)
}

type visitor struct{ fn func(syntax.Expr) }

func (v visitor) block(body []syntax.Stmt) {
	for _, s := range body {
		switch s := s.(type) {
		case *syntax.Assign:
			v.exprs(s.Targets...)
			v.exprs(s.Value)
		case *syntax.Augment:
			v.exprs(s.Target, s.Value)
		case *syntax.ExprStmt:
			v.exprs(s.Value)
		case *syntax.Return:
			v.exprs(s.Value)
		case *syntax.Func:
			v.block(s.Body)
		case *syntax.If:
			v.exprs(s.Cond)
			v.block(s.Then)
			v.block(s.Else)
		case *syntax.For:
			v.exprs(s.Target, s.Source)
			v.block(s.Body)
			v.block(s.Else)
		case *syntax.While:
			v.exprs(s.Cond)
			v.block(s.Body)
			v.block(s.Else)
		case *syntax.Try:
			v.block(s.Body)
			for _, h := range s.Handlers {
				v.block(h.Body)
			}
			v.block(s.Else)
		}
	}
}

func (v visitor) exprs(list ...syntax.Expr) {
	for _, e := range list {
		if e == nil {
			continue
		}
		v.fn(e)
		switch e := e.(type) {
		case *syntax.Sequence:
			v.exprs(e.Items...)
		case *syntax.Dict:
			v.exprs(e.Keys...)
			v.exprs(e.Values...)
		case *syntax.Attr:
			v.exprs(e.Value)
		case *syntax.Index:
			v.exprs(e.Value, e.Index)
		case *syntax.Slice:
			v.exprs(e.From, e.To, e.Step)
		case *syntax.Call:
			v.exprs(e.Fn)
			for _, a := range e.Args {
				v.exprs(a.Value)
			}
		case *syntax.FString:
			v.parts(e.Parts)
		default:
			v.operators(e)
		}
	}
}

func (v visitor) parts(parts []syntax.Part) {
	for _, p := range parts {
		v.exprs(p.Value)
		v.parts(p.Format)
	}
}

func (v visitor) operators(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Unary:
		v.exprs(e.Value)
	case *syntax.Binary:
		v.exprs(e.Left, e.Right)
	case *syntax.Logic:
		v.exprs(e.Left, e.Right)
	case *syntax.Compare:
		v.exprs(e.First)
		v.exprs(e.Rest...)
	case *syntax.Cond:
		v.exprs(e.Cond, e.Then, e.Else)
	case *syntax.Lambda:
		v.exprs(e.Body)
	case *syntax.Comprehension:
		v.exprs(e.Key, e.Value)
		for _, c := range e.Clauses {
			v.exprs(c.Target, c.Source)
			v.exprs(c.Conds...)
		}
	}
}

// mentioned collects the texts and attributes of a tree: the names that may be
// columns.
func mentioned(tree []syntax.Stmt) map[string]bool {
	out := map[string]bool{}
	visit(tree, func(e syntax.Expr) {
		switch e := e.(type) {
		case *syntax.Const:
			if s, ok := e.Value.(string); ok {
				out[s] = true
			}
		case *syntax.Attr:
			out[e.Name] = true
		case *syntax.FString:
			for _, p := range e.Parts {
				out[p.Text] = true
			}
		}
	})
	return out
}

// usesAll reports whether the function may depend on all inputs at once: it goes
// through rows or columns, or computes the names of columns.
func usesAll(tree []syntax.Stmt) bool {
	all := false
	visit(tree, func(e syntax.Expr) {
		switch e := e.(type) {
		case *syntax.Attr:
			switch e.Name {
			case "columns", "items", "keys", "values", "iterrows", "itertuples", "shape":
				all = true
			}
		case *syntax.Call:
			attr, ok := e.Fn.(*syntax.Attr)
			if _, whole := attrValue(attr, ok).(*syntax.Name); whole && attr.Name == "apply" && len(e.Args) > 1 {
				all = true
			}
		case *syntax.Index:
			all = all || builtText(e.Index)
		}
	})
	return all
}

// builtText reports whether an expression makes a text from parts.
func builtText(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.FString:
		return true
	case *syntax.Binary:
		_, left := constText(e.Left)
		_, right := constText(e.Right)
		return left || right || builtText(e.Left) || builtText(e.Right)
	}
	return false
}

func attrValue(a *syntax.Attr, ok bool) syntax.Expr {
	if !ok {
		return nil
	}
	return a.Value
}

// unknownColumns reports a column that the function reads from its parameter and
// that neither a source has nor the function makes or looks for.
func (p *Program) unknownColumns(main *syntax.Func) error {
	parameter := main.Params[0].Name
	found := findings{known: map[string]bool{}, mentions: map[string]int{}}
	for _, names := range p.names {
		for _, n := range names {
			found.known[n] = true
		}
	}
	visitTargets(main.Body, found.target)
	visit(main.Body, found.expr)
	tried(main.Body, func(body []syntax.Stmt) {
		for name := range readsOf(body, parameter) {
			found.known[name] = true
		}
	})
	if slices.Contains(found.bound, parameter) {
		return nil
	}
	reads := readsOf(main.Body, parameter)
	for _, name := range sortedKeys(reads) {
		if found.known[name] || found.mentions[name] > reads[name].times {
			continue
		}
		hint := ""
		if near := similar.Nearest(name, sortedKeys(found.known)); near != "" {
			hint = "; there is " + near
		}
		return p.fault(place(&failure{class: "KeyError", text: "no source of the view has the column \"" + name + "\"" + hint}, reads[name].at))
	}
	return nil
}

// findings are what a function does with names and texts.
type findings struct {
	known    map[string]bool // columns that it has or makes
	mentions map[string]int  // how often it has a text, or an argument of this name
	bound    []string        // its variables
}

func (f *findings) target(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Index:
		if name, ok := constText(e.Index); ok {
			f.known[name] = true
		}
	case *syntax.Name:
		f.bound = append(f.bound, e.ID)
	}
}

func (f *findings) expr(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Const:
		if s, ok := e.Value.(string); ok {
			f.mentions[s]++
		}
	case *syntax.Call:
		for _, a := range e.Args {
			f.mentions[a.Name]++
		}
	case *syntax.Lambda:
		for _, p := range e.Params {
			f.bound = append(f.bound, p.Name)
		}
	case *syntax.Comprehension:
		for _, c := range e.Clauses {
			targets(f.target, c.Target)
		}
	}
}

// tried calls fn for the blocks whose errors the function may catch.
func tried(body []syntax.Stmt, fn func([]syntax.Stmt)) {
	for _, s := range body {
		if t, ok := s.(*syntax.Try); ok {
			fn(t.Body)
		}
		for _, b := range blocks(s) {
			tried(b, fn)
		}
	}
}

// columnReads are the reads of one column: the place of the first, and their number.
type columnReads struct{ at, times int }

// readsOf finds the columns that a function reads from a parameter.
func readsOf(body []syntax.Stmt, parameter string) map[string]columnReads {
	reads := map[string]columnReads{}
	visit(body, func(e syntax.Expr) {
		x, ok := e.(*syntax.Index)
		if !ok {
			return
		}
		n, isName := x.Value.(*syntax.Name)
		name, isText := constText(x.Index)
		if !isName || !isText || n.ID != parameter {
			return
		}
		r := reads[name]
		if r.times == 0 {
			r.at = x.At()
		}
		r.times++
		reads[name] = r
	})
	return reads
}

func constText(e syntax.Expr) (string, bool) {
	c, ok := e.(*syntax.Const)
	if !ok {
		return "", false
	}
	s, ok := c.Value.(string)
	return s, ok
}

// visitTargets calls fn for the targets of statements, and for parameters.
func visitTargets(body []syntax.Stmt, fn func(syntax.Expr)) {
	for _, s := range body {
		switch s := s.(type) {
		case *syntax.Assign:
			targets(fn, s.Targets...)
		case *syntax.Augment:
			targets(fn, s.Target)
		case *syntax.For:
			targets(fn, s.Target)
		case *syntax.Func:
			for _, p := range s.Params {
				fn(&syntax.Name{ID: p.Name})
			}
		}
		for _, b := range blocks(s) {
			visitTargets(b, fn)
		}
	}
}

// targets calls fn for targets, and for those within them.
func targets(fn func(syntax.Expr), list ...syntax.Expr) {
	for _, e := range list {
		if s, ok := e.(*syntax.Sequence); ok {
			targets(fn, s.Items...)
			continue
		}
		fn(e)
	}
}
