package python

import "slices"

// walk visits every name that statements mention.
func walk(body []stmt, visit func(name string)) {
	for _, s := range body {
		walkStmt(s, visit)
	}
}

func walkStmt(s stmt, visit func(string)) {
	switch s := s.(type) {
	case *assignStmt:
		walkExprs(s.targets, visit)
		walkExpr(s.value, visit)
	case *annotatedStmt:
		walkExpr(s.value, visit)
	case *augmentStmt:
		walkExpr(s.value, visit)
	case *exprStmt:
		walkExpr(s.value, visit)
	case *returnStmt:
		walkExpr(s.value, visit)
	case *raiseStmt:
		walkExpr(s.value, visit)
	case *assertStmt:
		walkExpr(s.cond, visit)
	case *funcStmt:
		walkExprs(s.decorators, visit)
		for _, p := range s.params {
			walkExpr(p.fallback, visit)
		}
		walk(s.body, visit)
	case *classStmt:
		walkExprs(s.decorators, visit)
		for _, b := range s.bases {
			walkExpr(b.value, visit)
		}
		walk(s.body, visit)
	default:
		walkBlock(s, visit)
	}
}

func walkBlock(s stmt, visit func(string)) {
	switch s := s.(type) {
	case *ifStmt:
		walkExpr(s.cond, visit)
		walk(s.then, visit)
		walk(s.otherwise, visit)
	case *forStmt:
		walkExpr(s.source, visit)
		walk(s.body, visit)
		walk(s.otherwise, visit)
	case *whileStmt:
		walkExpr(s.cond, visit)
		walk(s.body, visit)
		walk(s.otherwise, visit)
	case *tryStmt:
		walk(s.body, visit)
		for _, h := range s.handlers {
			walk(h.body, visit)
		}
		walk(s.orElse, visit)
		walk(s.finally, visit)
	case *withStmt:
		walkExprs(s.values, visit)
		walk(s.body, visit)
	case *matchStmt:
		walkExpr(s.subject, visit)
		for _, c := range s.cases {
			walkExpr(c.guard, visit)
			walk(c.body, visit)
		}
	case *groupStmt:
		walk(s.body, visit)
	}
}

func walkExprs(list []expr, visit func(string)) {
	for _, e := range list {
		walkExpr(e, visit)
	}
}

func walkExpr(e expr, visit func(string)) {
	switch e := e.(type) {
	case *nameExpr:
		visit(e.name)
	case *fstring:
		walkParts(e.parts, visit)
	case *listExpr:
		walkExprs(e.items, visit)
	case *tupleExpr:
		walkExprs(e.items, visit)
	case *setExpr:
		walkExprs(e.items, visit)
	case *dictExpr:
		walkExprs(e.keys, visit)
		walkExprs(e.values, visit)
	case *attrExpr:
		walkExpr(e.value, visit)
		visit(e.name)
	case *indexExpr:
		walkExpr(e.value, visit)
		walkExpr(e.index, visit)
	case *sliceExpr:
		walkExprs([]expr{e.from, e.to, e.step}, visit)
	case *callExpr:
		walkExpr(e.fn, visit)
		for _, a := range e.args {
			walkExpr(a.value, visit)
		}
	case *lambdaExpr:
		walkExpr(e.body, visit)
	case *starExpr:
		walkExpr(e.value, visit)
	case *walrusExpr:
		walkExpr(e.value, visit)
	default:
		walkOperators(e, visit)
	}
}

func walkParts(parts []fpart, visit func(string)) {
	for _, p := range parts {
		walkExpr(p.value, visit)
		walkParts(p.format, visit)
	}
}

func walkOperators(e expr, visit func(string)) {
	switch e := e.(type) {
	case *unaryExpr:
		walkExpr(e.value, visit)
	case *binaryExpr:
		walkExpr(e.left, visit)
		walkExpr(e.right, visit)
	case *boolExpr:
		walkExpr(e.left, visit)
		walkExpr(e.right, visit)
	case *compareExpr:
		walkExpr(e.first, visit)
		walkExprs(e.rest, visit)
	case *ifExpr:
		walkExprs([]expr{e.cond, e.then, e.otherwise}, visit)
	case *comprehension:
		walkExprs([]expr{e.key, e.value}, visit)
		for _, c := range e.clauses {
			walkExpr(c.source, visit)
			walkExprs(c.conds, visit)
		}
	case *yieldExpr:
		walkExpr(e.value, visit)
	case *awaitExpr:
		walkExpr(e.value, visit)
	}
}

// assigned lists the names that statements bind in their own scope.
func assigned(body []stmt) []string {
	var names []string
	for _, s := range body {
		names = append(names, assignedBy(s)...)
	}
	return names
}

func assignedBy(s stmt) []string {
	switch s := s.(type) {
	case *assignStmt:
		return targetNames(s.targets...)
	case *annotatedStmt:
		if s.value != nil {
			return targetNames(s.target)
		}
	case *augmentStmt:
		return targetNames(s.target)
	case *importStmt:
		return []string{s.as}
	case *fromStmt:
		var names []string
		for _, n := range s.names {
			names = append(names, n.as)
		}
		return names
	case *funcStmt:
		return []string{s.name}
	case *classStmt:
		return []string{s.name}
	case *ifStmt:
		return append(assigned(s.then), assigned(s.otherwise)...)
	case *forStmt:
		return append(append(targetNames(s.target), assigned(s.body)...), assigned(s.otherwise)...)
	case *whileStmt:
		return append(assigned(s.body), assigned(s.otherwise)...)
	case *tryStmt:
		names := append(assigned(s.body), assigned(s.orElse)...)
		for _, h := range s.handlers {
			names = append(names, assigned(h.body)...)
		}
		return append(names, assigned(s.finally)...)
	case *withStmt:
		return append(targetNames(s.targets...), assigned(s.body)...)
	case *matchStmt:
		var names []string
		for _, c := range s.cases {
			names = append(names, assigned(c.body)...)
		}
		return names
	case *groupStmt:
		return assigned(s.body)
	}
	return nil
}

func targetNames(targets ...expr) []string {
	var names []string
	for _, t := range targets {
		switch t := t.(type) {
		case *nameExpr:
			names = append(names, t.name)
		case *tupleExpr:
			names = append(names, targetNames(t.items...)...)
		case *listExpr:
			names = append(names, targetNames(t.items...)...)
		case *starExpr:
			names = append(names, targetNames(t.value)...)
		}
	}
	return names
}

// leaves reports whether statements may return or yield from their function.
func leaves(body []stmt) bool {
	for _, s := range body {
		switch s := s.(type) {
		case *returnStmt:
			return true
		case *exprStmt:
			if _, ok := s.value.(*yieldExpr); ok {
				return true
			}
		case *ifStmt:
			if leaves(s.then) || leaves(s.otherwise) {
				return true
			}
		case *forStmt:
			if leaves(s.body) || leaves(s.otherwise) {
				return true
			}
		case *whileStmt:
			if leaves(s.body) {
				return true
			}
		case *withStmt:
			if leaves(s.body) {
				return true
			}
		case *tryStmt:
			if leaves(s.body) || leaves(s.orElse) || leaves(s.finally) || slices.ContainsFunc(s.handlers, func(h handler) bool { return leaves(h.body) }) {
				return true
			}
		case *matchStmt:
			for _, c := range s.cases {
				if leaves(c.body) {
					return true
				}
			}
		}
	}
	return false
}

// jumps reports whether statements break or continue a loop around them.
func jumps(body []stmt) bool {
	for _, s := range body {
		switch s := s.(type) {
		case *jumpStmt:
			if s.word != "pass" {
				return true
			}
		case *ifStmt:
			if jumps(s.then) || jumps(s.otherwise) {
				return true
			}
		case *withStmt:
			if jumps(s.body) {
				return true
			}
		case *tryStmt:
			if jumps(s.body) || jumps(s.orElse) || jumps(s.finally) || slices.ContainsFunc(s.handlers, func(h handler) bool { return jumps(h.body) }) {
				return true
			}
		case *matchStmt:
			if slices.ContainsFunc(s.cases, func(c matchCase) bool { return jumps(c.body) }) {
				return true
			}
		}
	}
	return false
}

// changed lists the names whose lists, dicts or objects statements may change:
// by assigning to a part of them, or by a method that does.
func changed(body []stmt) []string {
	var names []string
	visit := func(e expr) {
		if n := root(e); n != "" {
			names = append(names, n)
		}
	}
	for _, s := range body {
		switch s := s.(type) {
		case *assignStmt:
			for _, t := range s.targets {
				visitParts(t, visit)
			}
		case *augmentStmt:
			visit(s.target)
		case *deleteStmt:
			for _, t := range s.targets {
				visitParts(t, visit)
			}
		case *exprStmt:
			if c, ok := s.value.(*callExpr); ok {
				if a, ok := c.fn.(*attrExpr); ok {
					visit(a.value)
				}
				for _, arg := range c.args {
					visit(arg.value)
				}
			}
		case *ifStmt:
			names = append(append(names, changed(s.then)...), changed(s.otherwise)...)
		case *forStmt:
			names = append(append(names, changed(s.body)...), changed(s.otherwise)...)
		case *whileStmt:
			names = append(append(names, changed(s.body)...), changed(s.otherwise)...)
		case *withStmt:
			names = append(names, changed(s.body)...)
		case *tryStmt:
			names = append(append(append(names, changed(s.body)...), changed(s.orElse)...), changed(s.finally)...)
			for _, h := range s.handlers {
				names = append(names, changed(h.body)...)
			}
		}
	}
	return names
}

// visitParts visits what an assignment to a part changes.
func visitParts(target expr, visit func(expr)) {
	switch t := target.(type) {
	case *attrExpr:
		visit(t.value)
	case *indexExpr:
		visit(t.value)
	case *tupleExpr:
		for _, item := range t.items {
			visitParts(item, visit)
		}
	}
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

// Mentions reports whether a file that can be parsed mentions one of the names
// anywhere but in an import.
func Mentions(file *File, names func(string) bool) bool {
	body, err := parse(file)
	if err != nil {
		return false
	}
	found := false
	walk(body, func(n string) { found = found || names(n) })
	return found
}

// Imports lists the modules that a file imports, wherever the import stands.
// A file that cannot be parsed imports nothing.
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
	for _, s := range body {
		switch s := s.(type) {
		case *importStmt:
			*names = append(*names, s.module)
		case *fromStmt:
			*names = append(*names, s.module)
			for _, n := range s.names {
				*names = append(*names, s.module+"."+n.name)
			}
		case *groupStmt:
			collectImports(s.body, names)
		case *funcStmt:
			collectImports(s.body, names)
		case *classStmt:
			collectImports(s.body, names)
		case *ifStmt:
			collectImports(s.then, names)
			collectImports(s.otherwise, names)
		case *forStmt:
			collectImports(s.body, names)
		case *whileStmt:
			collectImports(s.body, names)
		case *withStmt:
			collectImports(s.body, names)
		case *tryStmt:
			collectImports(s.body, names)
			for _, h := range s.handlers {
				collectImports(h.body, names)
			}
			collectImports(s.orElse, names)
			collectImports(s.finally, names)
		}
	}
}
