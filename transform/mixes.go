package transform

import "github.com/banquet-fs/banquet/definitions/syntax"

// mixesRows reports whether the result of a row may depend on other rows, as far as
// the text shows: the function reduces a column, looks for values in one, takes an
// element of one, or keeps something from one row of a loop to the next. In doubt
// it does.
func mixesRows(tree []syntax.Stmt) bool {
	x := mixing{elements: map[string]bool{}, outside: map[string]bool{}}
	visit(tree, x.element)
	visitTargetsOfLoops(tree, x.elementNames)
	x.bound(tree, false)
	visit(tree, x.expr)
	x.loops(tree, false)
	return x.mixes
}

type mixing struct {
	elements map[string]bool // names that only hold elements: targets of loops, parameters of lambdas
	outside  map[string]bool // names that are bound outside of loops
	mixes    bool
}

func (x *mixing) elementNames(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Name:
		x.elements[e.ID] = true
	case *syntax.Sequence:
		for _, i := range e.Items {
			x.elementNames(i)
		}
	}
}

func (x *mixing) element(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Comprehension:
		for _, c := range e.Clauses {
			x.elementNames(c.Target)
		}
	case *syntax.Lambda:
		for _, p := range e.Params {
			x.elements[p.Name] = true
		}
	}
}

// visitTargetsOfLoops calls fn for the targets of for statements.
func visitTargetsOfLoops(body []syntax.Stmt, fn func(syntax.Expr)) {
	for _, s := range body {
		if s, ok := s.(*syntax.For); ok {
			fn(s.Target)
		}
		for _, b := range blocks(s) {
			visitTargetsOfLoops(b, fn)
		}
	}
}

// blocks are the statements within a statement.
func blocks(s syntax.Stmt) [][]syntax.Stmt {
	switch s := s.(type) {
	case *syntax.Func:
		return [][]syntax.Stmt{s.Body}
	case *syntax.If:
		return [][]syntax.Stmt{s.Then, s.Else}
	case *syntax.For:
		return [][]syntax.Stmt{s.Body, s.Else}
	case *syntax.While:
		return [][]syntax.Stmt{s.Body, s.Else}
	case *syntax.Try:
		out := [][]syntax.Stmt{s.Body, s.Else}
		for _, h := range s.Handlers {
			out = append(out, h.Body)
		}
		return out
	}
	return nil
}

// bound collects the names that are bound outside of loops; they are no elements.
func (x *mixing) bound(body []syntax.Stmt, loop bool) {
	for _, s := range body {
		if a, ok := s.(*syntax.Assign); ok && !loop {
			for _, t := range a.Targets {
				x.bind(t)
			}
		}
		for _, b := range blocks(s) {
			x.bound(b, loop || overRows(s))
		}
	}
}

func (x *mixing) bind(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Name:
		x.outside[e.ID] = true
		delete(x.elements, e.ID)
	case *syntax.Sequence:
		for _, i := range e.Items {
			x.bind(i)
		}
	}
}

// overRows reports whether a statement is a loop that may go through rows.
func overRows(s syntax.Stmt) bool {
	switch s := s.(type) {
	case *syntax.For:
		return !written(s.Source)
	case *syntax.While:
		return true
	}
	return false
}

// written reports whether an expression is a display of texts and numbers.
func written(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Const:
		return true
	case *syntax.Unary:
		return written(e.Value)
	case *syntax.Sequence:
		for _, i := range e.Items {
			if !written(i) {
				return false
			}
		}
		return true
	}
	return false
}

// loops looks for what a loop keeps from one row to the next.
func (x *mixing) loops(body []syntax.Stmt, loop bool) {
	for _, s := range body {
		switch a := s.(type) {
		case *syntax.Assign:
			for _, t := range a.Targets {
				x.kept(t, loop)
			}
		case *syntax.Augment:
			x.kept(a.Target, loop)
		case *syntax.For:
			if loop && overRows(s) && !x.ofElement(a.Source) {
				x.mixes = true
			}
		}
		_, nested := s.(*syntax.Func)
		for _, b := range blocks(s) {
			x.loops(b, loop && !nested || overRows(s))
		}
	}
}

// kept reports the target of an assignment in a loop that the next row sees.
func (x *mixing) kept(e syntax.Expr, loop bool) {
	switch e := e.(type) {
	case *syntax.Name:
		x.mixes = x.mixes || loop && x.outside[e.ID]
	case *syntax.Index:
		x.kept(e.Value, loop)
	case *syntax.Sequence:
		for _, i := range e.Items {
			x.kept(i, loop)
		}
	}
}

// ofElement reports whether an expression is an element, or is made of one.
func (x *mixing) ofElement(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Name:
		return x.elements[e.ID]
	case *syntax.Attr:
		return e.Name == "str" || x.ofElement(e.Value)
	case *syntax.Call:
		return x.ofElement(e.Fn)
	case *syntax.Index:
		return x.ofElement(e.Value)
	case *syntax.Logic:
		return x.ofElement(e.Left) && (x.ofElement(e.Right) || written(e.Right))
	}
	return false
}

func (x *mixing) expr(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Attr:
		switch e.Name {
		case "sum", "mean", "min", "max", "median", "count", "any", "all", "iloc", "values", "to_numpy", "tolist", "to_list", "empty", "shape", "size",
			"index", "extend", "update", "items", "shift", "diff", "std", "var", "quantile":
			x.mixes = true
		}
	case *syntax.Call:
		x.call(e)
	case *syntax.Index:
		x.index(e)
	case *syntax.Compare:
		for i, op := range e.Ops {
			if (op == "in" || op == "not in") && !written(e.Rest[i]) && !x.ofElement(e.Rest[i]) {
				x.mixes = true
			}
		}
	case *syntax.Comprehension:
		x.comprehension(e)
	}
}

func (x *mixing) call(e *syntax.Call) {
	for _, a := range e.Args {
		x.mixes = x.mixes || a.Spread != 0 && !overNames(a.Value)
	}
	switch fn := e.Fn.(type) {
	case *syntax.Name:
		switch fn.ID {
		case "sum", "min", "max", "len", "sorted", "any", "all", "enumerate", "set", "dict":
			x.mixes = true
		}
	case *syntax.Attr:
		all := fn.Name == "isin" && (len(e.Args) == 0 || !written(e.Args[0].Value))
		if all || fn.Name == "join" && (len(e.Args) == 0 || !x.ofElement(e.Args[0].Value)) {
			x.mixes = true
		}
	}
}

// index looks for an element of a column, by its number.
func (x *mixing) index(e *syntax.Index) {
	switch i := e.Index.(type) {
	case *syntax.Const:
		if _, text := i.Value.(string); text {
			return
		}
	case *syntax.Unary, *syntax.Slice:
	case *syntax.Binary:
		if builtText(i) {
			return
		}
	default:
		return
	}
	if !x.ofElement(e.Value) {
		x.mixes = true
	}
}

// comprehension looks for what is made of many rows: a dict or set, and loops
// within loops that do not go through an element.
func (x *mixing) comprehension(e *syntax.Comprehension) {
	x.mixes = x.mixes || e.Kind == ':' || e.Kind == '{'
	for i, c := range e.Clauses {
		x.mixes = x.mixes || i > 0 && !x.ofElement(c.Source)
	}
	within := func(e syntax.Expr) {
		inner, ok := e.(*syntax.Comprehension)
		if ok && !written(inner.Clauses[0].Source) && !x.ofElement(inner.Clauses[0].Source) {
			x.mixes = true
		}
	}
	visitor{within}.exprs(e.Key, e.Value)
}

// overNames reports whether an expression has one value for each of some names, such as
// the columns of a list.
func overNames(e syntax.Expr) bool {
	c, ok := e.(*syntax.Comprehension)
	if !ok || c.Kind == ':' {
		return written(e)
	}
	for _, clause := range c.Clauses {
		if !written(clause.Source) {
			return false
		}
	}
	return true
}
