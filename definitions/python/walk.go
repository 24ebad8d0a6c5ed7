package python

import (
	"slices"
	"strings"
)

// anyStmt reports whether a test holds for one of the statements, including those
// in blocks; with deep also for those in nested functions and classes.
func anyStmt(body []stmt, deep bool, test func(stmt) bool) bool {
	return slices.ContainsFunc(body, func(s stmt) bool {
		_, blocks := partsOf(s)
		switch s := s.(type) {
		case *funcStmt:
			return test(s) || deep && anyStmt(s.body, deep, test)
		case *classStmt:
			return test(s) || deep && anyStmt(s.body, deep, test)
		}
		return test(s) || slices.ContainsFunc(blocks, func(b []stmt) bool { return anyStmt(b, deep, test) })
	})
}

// walk visits every name that statements mention, including nested functions and
// classes. "yield" stands for a yield, and ":=name" for a name that an expression
// binds.
func walk(body []stmt, visit func(name string)) {
	anyStmt(body, true, func(s stmt) bool {
		walkStmt(s, visit)
		return false
	})
}

func walkStmt(s stmt, visit func(name string)) {
	exprs, _ := partsOf(s)
	for _, e := range exprs {
		walkExpr(e, visit)
	}
}

// partsOf returns the parts of a statement: its expressions, some of them nil,
// and the blocks that run in its own scope.
func partsOf(s stmt) ([]expr, [][]stmt) {
	switch s := s.(type) {
	case *ifStmt:
		return []expr{s.cond}, [][]stmt{s.then, s.otherwise}
	case *forStmt:
		return []expr{s.target, s.source}, [][]stmt{s.body, s.otherwise}
	case *whileStmt:
		return []expr{s.cond}, [][]stmt{s.body, s.otherwise}
	case *withStmt:
		return append(slices.Clone(s.values), s.targets...), [][]stmt{s.body}
	case *groupStmt:
		return nil, [][]stmt{s.body}
	case *tryStmt:
		var list []expr
		blocks := [][]stmt{s.body, s.orElse, s.finally}
		for _, h := range s.handlers {
			list, blocks = append(list, h.kinds), append(blocks, h.body)
		}
		return list, blocks
	case *matchStmt:
		list, blocks := []expr{s.subject}, [][]stmt(nil)
		for _, c := range s.cases {
			list, blocks = append(list, c.guard), append(blocks, c.body)
			eachPattern(c.pattern, func(p *pattern) { list = append(append(list, p.value), p.keys...) })
		}
		return list, blocks
	}
	return exprsOf(s), nil
}

// exprsOf lists the expressions of a statement without blocks in its scope.
func exprsOf(s stmt) []expr {
	switch s := s.(type) {
	case *assignStmt:
		return append(slices.Clone(s.targets), s.value)
	case *annotatedStmt:
		return []expr{s.target, s.value}
	case *augmentStmt:
		return []expr{s.target, s.value}
	case *exprStmt:
		return []expr{s.value}
	case *returnStmt:
		return []expr{s.value}
	case *raiseStmt:
		return []expr{s.value}
	case *assertStmt:
		return []expr{s.cond, s.message}
	case *deleteStmt:
		return s.targets
	case *funcStmt:
		return append(slices.Clone(s.decorators), fallbacks(s.params)...)
	case *classStmt:
		return append(slices.Clone(s.decorators), values(s.bases)...)
	}
	return nil
}

func fallbacks(params []param) []expr {
	var list []expr
	for _, p := range params {
		list = append(list, p.fallback)
	}
	return list
}

func values(args []argument) []expr {
	var list []expr
	for _, a := range args {
		list = append(list, a.value)
	}
	return list
}

// eachPattern visits a pattern and its parts.
func eachPattern(p *pattern, visit func(*pattern)) {
	if p == nil {
		return
	}
	visit(p)
	for _, part := range p.parts {
		eachPattern(part, visit)
	}
}

func walkExpr(e expr, visit func(string)) {
	eachExpr(e, func(e expr) {
		switch e := e.(type) {
		case *nameExpr:
			visit(e.name)
		case *attrExpr:
			visit(e.name)
		case *walrusExpr:
			visit(":=" + e.name)
		case *yieldExpr:
			visit("yield")
		}
	})
}

// eachExpr visits an expression and its subexpressions.
func eachExpr(e expr, visit func(expr)) {
	if e == nil {
		return
	}
	visit(e)
	for _, part := range children(e) {
		eachExpr(part, visit)
	}
}

// children lists the direct subexpressions of an expression; some are nil.
func children(e expr) []expr {
	switch e := e.(type) {
	case *fstring:
		return piecesOf(e.parts)
	case *listExpr:
		return e.items
	case *tupleExpr:
		return e.items
	case *setExpr:
		return e.items
	case *dictExpr:
		return append(slices.Clone(e.keys), e.values...)
	case *attrExpr:
		return []expr{e.value}
	case *indexExpr:
		return []expr{e.value, e.index}
	case *sliceExpr:
		return []expr{e.from, e.to, e.step}
	case *callExpr:
		return append([]expr{e.fn}, values(e.args)...)
	case *lambdaExpr:
		return append([]expr{e.body}, fallbacks(e.params)...)
	case *comprehension:
		list := []expr{e.key, e.value}
		for _, c := range e.clauses {
			list = append(append(list, c.source), c.conds...)
		}
		return list
	}
	return operands(e)
}

// operands lists the operands of an operator.
func operands(e expr) []expr {
	switch e := e.(type) {
	case *starExpr:
		return []expr{e.value}
	case *walrusExpr:
		return []expr{e.value}
	case *unaryExpr:
		return []expr{e.value}
	case *binaryExpr:
		return []expr{e.left, e.right}
	case *boolExpr:
		return []expr{e.left, e.right}
	case *compareExpr:
		return append([]expr{e.first}, e.rest...)
	case *ifExpr:
		return []expr{e.cond, e.then, e.otherwise}
	case *yieldExpr:
		return []expr{e.value}
	case *awaitExpr:
		return []expr{e.value}
	}
	return nil
}

// piecesOf lists the expressions of an f-string.
func piecesOf(parts []fpart) []expr {
	var list []expr
	for _, p := range parts {
		list = append(append(list, p.value), piecesOf(p.format)...)
	}
	return list
}

// assigned lists the names that statements bind, or delete, in their own scope.
func assigned(body []stmt) []string {
	var names []string
	anyStmt(body, false, func(s stmt) bool {
		names = append(names, assignedBy(s)...)
		walkStmt(s, func(n string) {
			if rest, ok := strings.CutPrefix(n, ":="); ok {
				names = append(names, rest)
			}
		})
		return false
	})
	return names
}

// assignedBy lists the names that a statement itself binds.
func assignedBy(s stmt) []string {
	names := targetNames(targetsOf(s)...)
	switch s := s.(type) {
	case *importStmt:
		return []string{s.as}
	case *fromStmt:
		for _, n := range s.names {
			names = append(names, n.as)
		}
	case *funcStmt:
		return []string{s.name}
	case *classStmt:
		return []string{s.name}
	case *tryStmt:
		for _, h := range s.handlers {
			if h.as != "" {
				names = append(names, h.as)
			}
		}
	case *matchStmt:
		for _, c := range s.cases {
			eachPattern(c.pattern, func(p *pattern) {
				if p.name != "" {
					names = append(names, p.name)
				}
			})
		}
	}
	return names
}

// targetsOf lists the targets that a statement assigns to, or deletes.
func targetsOf(s stmt) []expr {
	switch s := s.(type) {
	case *assignStmt:
		return s.targets
	case *annotatedStmt:
		if s.value != nil {
			return []expr{s.target}
		}
	case *augmentStmt:
		return []expr{s.target}
	case *forStmt:
		return []expr{s.target}
	case *withStmt:
		return s.targets
	case *deleteStmt:
		return s.targets
	}
	return nil
}

// eachTarget visits the names, attributes and items in targets.
func eachTarget(targets []expr, visit func(expr)) {
	for _, t := range targets {
		switch t := t.(type) {
		case *tupleExpr:
			eachTarget(t.items, visit)
		case *listExpr:
			eachTarget(t.items, visit)
		case *starExpr:
			eachTarget([]expr{t.value}, visit)
		default:
			visit(t)
		}
	}
}

func targetNames(targets ...expr) []string {
	var names []string
	eachTarget(targets, func(e expr) {
		if n, ok := e.(*nameExpr); ok {
			names = append(names, n.name)
		}
	})
	return names
}

// leaves reports whether statements may return or yield from their function.
func leaves(body []stmt) bool {
	return anyStmt(body, false, func(s stmt) bool {
		_, found := s.(*returnStmt)
		walkStmt(s, func(n string) { found = found || n == "yield" })
		return found
	})
}

// jumps reports whether statements break or continue an enclosing loop.
func jumps(body []stmt) bool {
	return slices.ContainsFunc(body, func(s stmt) bool {
		switch s := s.(type) {
		case *jumpStmt:
			return s.word != "pass"
		case *forStmt:
			return jumps(s.otherwise)
		case *whileStmt:
			return jumps(s.otherwise)
		}
		_, blocks := partsOf(s)
		return slices.ContainsFunc(blocks, jumps)
	})
}

// changed lists the names whose lists, dicts or objects statements may change: by
// assigning to a part, by a method, or by passing them to a call.
func changed(body []stmt) []string {
	var names []string
	visit := func(e expr) {
		if n := root(e); n != "" {
			names = append(names, n)
		}
	}
	anyStmt(body, false, func(s stmt) bool {
		_, augments := s.(*augmentStmt)
		eachTarget(targetsOf(s), func(e expr) {
			switch t := e.(type) {
			case *nameExpr:
				if augments {
					visit(t)
				}
			case *attrExpr:
				visit(t.value)
			case *indexExpr:
				visit(t.value)
			}
		})
		exprs, _ := partsOf(s)
		for _, e := range exprs {
			eachExpr(e, func(e expr) {
				if c, ok := e.(*callExpr); ok {
					visitCall(c, visit)
				}
			})
		}
		return false
	})
	return names
}

// partsSet lists the names of which statements set a part, such as an environment
// variable.
func partsSet(body []stmt) []string {
	var names []string
	anyStmt(body, false, func(s stmt) bool {
		eachTarget(targetsOf(s), func(e expr) {
			if _, name := e.(*nameExpr); !name {
				names = append(names, root(e))
			}
		})
		exprs, _ := partsOf(s)
		for _, e := range exprs {
			eachExpr(e, func(e expr) {
				if c, ok := e.(*callExpr); ok {
					if method, ok := c.fn.(*attrExpr); ok {
						if of, ok := method.value.(*attrExpr); ok && of.name == "environ" && !onlyReads(method.name) {
							names = append(names, root(of))
						}
					}
				}
			})
		}
		return false
	})
	return names
}

// visitCall visits the values that a call may change: the owner of the method,
// and the arguments.
func visitCall(c *callExpr, visit func(expr)) {
	if n, ok := c.fn.(*nameExpr); ok && onlyReads(n.name) {
		return
	}
	if a, ok := c.fn.(*attrExpr); ok && !onlyReads(a.name) {
		visit(a.value)
	}
	for _, arg := range c.args {
		visit(arg.value)
	}
}

// onlyReads names functions and methods that change neither their owner nor their
// arguments.
func onlyReads(name string) bool {
	switch name {
	case "print", "len", "str", "int", "float", "bool", "repr", "list", "tuple", "set", "dict", "sorted", "min", "max", "sum", "any", "all", "abs", "round", "range",
		"enumerate", "zip", "isinstance", "type", "format", "getattr", "hasattr":
		return true
	case "upper", "lower", "strip", "split", "replace", "startswith", "endswith", "join", "get", "items", "keys", "values", "copy", "index", "count", "encode", "title":
		return true
	}
	return false
}

// root is the name at the start of a chain of attributes, indexes and calls.
func root(e expr) string {
	for {
		switch x := e.(type) {
		case *nameExpr:
			return x.name
		case *attrExpr:
			e = x.value
		case *indexExpr:
			e = x.value
		case *callExpr:
			e = x.fn
		default:
			return ""
		}
	}
}

// Imports lists the modules that a file imports anywhere. For a file that cannot
// be parsed the list is empty.
func Imports(file *File) []string {
	body, err := parse(file)
	if err != nil {
		return nil
	}
	var names []string
	collectImports(body, &names)
	return names
}

func collectImports(body []stmt, names *[]string) {
	anyStmt(body, true, func(s stmt) bool {
		switch s := s.(type) {
		case *importStmt:
			*names = append(*names, s.module)
		case *fromStmt:
			*names = append(*names, s.module)
			for _, n := range s.names {
				*names = append(*names, s.module+"."+n.name)
			}
		}
		return false
	})
}
