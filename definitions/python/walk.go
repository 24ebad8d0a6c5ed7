package python

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
	case *augmentStmt:
		walkExpr(s.value, visit)
	case *exprStmt:
		walkExpr(s.value, visit)
	case *returnStmt:
		walkExpr(s.value, visit)
	case *funcStmt:
		walkExprs(s.decorators, visit)
		walk(s.body, visit)
	case *classStmt:
		walkExprs(s.decorators, visit)
		walk(s.body, visit)
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
		for _, p := range e.parts {
			walkExpr(p.value, visit)
		}
	case *shifted:
		walkExpr(e.value, visit)
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
