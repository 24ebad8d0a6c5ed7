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
	var all []candidate
	for _, name := range sortedKeys(spec.GetSources()) {
		switch s := spec.GetSources()[name]; {
		case s.GetRequestDataSource() != nil:
			for _, f := range s.GetRequestDataSource().GetRequestDataOptions().GetSchema() {
				all = append(all, candidate{Input{Field{f.GetName(), f.GetValueType()}, "", true}, []string{f.GetName()}})
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
	return p.choose(all, mentioned)
}

func features(view string, columns []*core.FeatureSpecV2) []candidate {
	var out []candidate
	for _, f := range columns {
		out = append(out, candidate{Input{Field{f.GetName(), f.GetValueType()}, view, false}, []string{f.GetName(), view + "__" + f.GetName()}})
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
// that neither a source has nor the function makes.
func (p *Program) unknownColumns(main *syntax.Func) error {
	known := map[string]bool{}
	for _, names := range p.names {
		for _, n := range names {
			known[n] = true
		}
	}
	parameter := main.Params[0].Name
	reassigned := false
	visitTargets(main.Body, func(e syntax.Expr) {
		switch e := e.(type) {
		case *syntax.Index:
			if name, ok := constText(e.Index); ok {
				known[name] = true
			}
		case *syntax.Name:
			reassigned = reassigned || e.ID == parameter
		}
	})
	if reassigned {
		return nil
	}
	reads := readsOf(main.Body, parameter)
	for _, name := range sortedKeys(reads) {
		if known[name] {
			continue
		}
		hint := ""
		if near := similar.Nearest(name, sortedKeys(known)); near != "" {
			hint = "; there is " + near
		}
		return p.fault(place(&failure{class: "KeyError", text: "no source of the view has the column \"" + name + "\"" + hint}, reads[name]))
	}
	return nil
}

// readsOf finds the columns that a function reads from a parameter, and where.
func readsOf(body []syntax.Stmt, parameter string) map[string]int {
	reads := map[string]int{}
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
		if _, seen := reads[name]; !seen {
			reads[name] = x.At()
		}
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

// visitTargets calls fn for the targets of assignments.
func visitTargets(body []syntax.Stmt, fn func(syntax.Expr)) {
	for _, s := range body {
		switch s := s.(type) {
		case *syntax.Assign:
			for _, t := range s.Targets {
				fn(t)
			}
		case *syntax.Augment:
			fn(s.Target)
		case *syntax.Func:
			for _, p := range s.Params {
				fn(&syntax.Name{ID: p.Name})
			}
			visitTargets(s.Body, fn)
		case *syntax.For:
			visitTargets(s.Body, fn)
			visitTargets(s.Else, fn)
		case *syntax.While:
			visitTargets(s.Body, fn)
		case *syntax.If:
			visitTargets(s.Then, fn)
			visitTargets(s.Else, fn)
		case *syntax.Try:
			visitTargets(s.Body, fn)
			for _, h := range s.Handlers {
				visitTargets(h.Body, fn)
			}
			visitTargets(s.Else, fn)
		}
	}
}
