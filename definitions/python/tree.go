package python

import "github.com/banquet-fs/banquet/definitions/syntax"

// Tree parses a file for packages that compile functions. Afterwards Line only
// reads the file, so that several goroutines can call it.
func Tree(file *File) ([]syntax.Stmt, error) {
	body, err := parse(file)
	if err != nil {
		return nil, err
	}
	file.line(0) // finds the lines
	return treeStmts(body), nil
}

// Line is the number of the line that contains a byte, from 1.
func (f *File) Line(at int) int { return f.line(at) }

func treeStmts(body []stmt) []syntax.Stmt {
	var out []syntax.Stmt
	for _, s := range body {
		if g, ok := s.(*groupStmt); ok {
			out = append(out, treeStmts(g.body)...)
			continue
		}
		out = append(out, treeStmt(s)...)
	}
	return out
}

func treeStmt(s stmt) []syntax.Stmt {
	at := syntax.Pos(s.pos())
	switch s := s.(type) {
	case *assignStmt:
		return one(&syntax.Assign{Pos: at, Targets: treeExprs(s.targets), Value: treeExpr(s.value)})
	case *annotatedStmt:
		if s.value == nil {
			return one(&syntax.Jump{Pos: at, Word: "pass"})
		}
		return one(&syntax.Assign{Pos: at, Targets: []syntax.Expr{treeExpr(s.target)}, Value: treeExpr(s.value)})
	case *augmentStmt:
		return one(&syntax.Augment{Pos: at, Target: treeExpr(s.target), Op: s.op, Value: treeExpr(s.value)})
	case *exprStmt:
		return one(&syntax.ExprStmt{Pos: at, Value: treeExpr(s.value)})
	case *importStmt:
		return one(&syntax.Import{Pos: at, Module: s.module, Name: s.as})
	case *fromStmt:
		var out []syntax.Stmt
		for _, n := range s.names {
			out = append(out, &syntax.From{Pos: syntax.Pos(n.at), Module: s.module, Item: n.name, Name: n.as})
		}
		return out
	default:
		return one(treeBlock(s, at))
	}
}

func one(s syntax.Stmt) []syntax.Stmt { return []syntax.Stmt{s} }

// treeBlock converts statements that contain others, and jumps.
func treeBlock(s stmt, at syntax.Pos) syntax.Stmt {
	switch s := s.(type) {
	case *funcStmt:
		if s.generator || s.async {
			return &syntax.OtherStmt{Pos: at, What: "a generator or async function"}
		}
		return &syntax.Func{Pos: at, Name: s.name, Params: treeParams(s.params), Body: treeStmts(s.body), Decorated: len(s.decorators) > 0}
	case *ifStmt:
		return &syntax.If{Pos: at, Cond: treeExpr(s.cond), Then: treeStmts(s.then), Else: treeStmts(s.otherwise)}
	case *forStmt:
		if s.async {
			return &syntax.OtherStmt{Pos: at, What: "async for"}
		}
		return &syntax.For{Pos: at, Target: treeExpr(s.target), Source: treeExpr(s.source), Body: treeStmts(s.body), Else: treeStmts(s.otherwise)}
	case *whileStmt:
		return &syntax.While{Pos: at, Cond: treeExpr(s.cond), Body: treeStmts(s.body), Else: treeStmts(s.otherwise)}
	case *tryStmt:
		out := &syntax.Try{Pos: at, Body: treeStmts(s.body), Else: treeStmts(s.orElse), Finally: treeStmts(s.finally)}
		for _, h := range s.handlers {
			out.Handlers = append(out.Handlers, syntax.Handler{Kinds: treeExpr(h.kinds), As: h.as, Body: treeStmts(h.body)})
		}
		return out
	case *returnStmt:
		return &syntax.Return{Pos: at, Value: treeExpr(s.value)}
	case *jumpStmt:
		return &syntax.Jump{Pos: at, Word: s.word}
	}
	return &syntax.OtherStmt{Pos: at, What: stmtName(s)}
}

func stmtName(s stmt) string {
	switch s.(type) {
	case *classStmt:
		return "a class"
	case *withStmt:
		return "with"
	case *matchStmt:
		return "match"
	case *raiseStmt:
		return "raise"
	case *assertStmt:
		return "assert"
	case *deleteStmt:
		return "del"
	case *scopeStmt:
		return "global or nonlocal"
	}
	return "this statement"
}

func treeExprs(list []expr) []syntax.Expr {
	out := make([]syntax.Expr, len(list))
	for i, e := range list {
		out[i] = treeExpr(e)
	}
	return out
}

func treeExpr(e expr) syntax.Expr {
	if e == nil {
		return nil
	}
	at := syntax.Pos(e.pos())
	switch e := e.(type) {
	case *nameExpr:
		return &syntax.Name{Pos: at, ID: e.name}
	case *constExpr:
		switch e.value.(type) {
		case nil, bool, int64, float64, string:
			return &syntax.Const{Pos: at, Value: e.value}
		}
		return &syntax.OtherExpr{Pos: at, What: "a literal of type " + TypeName(e.value)}
	case *attrExpr:
		return &syntax.Attr{Pos: at, Value: treeExpr(e.value), Name: e.name}
	case *indexExpr:
		return &syntax.Index{Pos: at, Value: treeExpr(e.value), Index: treeExpr(e.index)}
	case *sliceExpr:
		return &syntax.Slice{Pos: at, From: treeExpr(e.from), To: treeExpr(e.to), Step: treeExpr(e.step)}
	case *callExpr:
		out := &syntax.Call{Pos: at, Fn: treeExpr(e.fn)}
		for _, a := range e.args {
			out.Args = append(out.Args, syntax.Arg{Name: a.name, Spread: a.spread, Value: treeExpr(a.value)})
		}
		return out
	}
	return treeOperator(e, at)
}

func treeOperator(e expr, at syntax.Pos) syntax.Expr {
	switch e := e.(type) {
	case *unaryExpr:
		return &syntax.Unary{Pos: at, Op: e.op, Value: treeExpr(e.value)}
	case *binaryExpr:
		return &syntax.Binary{Pos: at, Op: e.op, Left: treeExpr(e.left), Right: treeExpr(e.right)}
	case *boolExpr:
		return &syntax.Logic{Pos: at, And: e.and, Left: treeExpr(e.left), Right: treeExpr(e.right)}
	case *compareExpr:
		return &syntax.Compare{Pos: at, First: treeExpr(e.first), Ops: e.ops, Rest: treeExprs(e.rest)}
	case *ifExpr:
		return &syntax.Cond{Pos: at, Cond: treeExpr(e.cond), Then: treeExpr(e.then), Else: treeExpr(e.otherwise)}
	case *lambdaExpr:
		return &syntax.Lambda{Pos: at, Params: treeParams(e.params), Body: treeExpr(e.body)}
	}
	return treeDisplay(e, at)
}

func treeDisplay(e expr, at syntax.Pos) syntax.Expr {
	switch e := e.(type) {
	case *fstring:
		return &syntax.FString{Pos: at, Parts: treeParts(e.parts)}
	case *listExpr:
		return &syntax.Sequence{Pos: at, Kind: '[', Items: treeExprs(e.items)}
	case *tupleExpr:
		return &syntax.Sequence{Pos: at, Kind: '(', Items: treeExprs(e.items)}
	case *setExpr:
		return &syntax.Sequence{Pos: at, Kind: '{', Items: treeExprs(e.items)}
	case *dictExpr:
		return &syntax.Dict{Pos: at, Keys: treeExprs(e.keys), Values: treeExprs(e.values)}
	case *comprehension:
		out := &syntax.Comprehension{Pos: at, Kind: e.kind, Key: treeExpr(e.key), Value: treeExpr(e.value)}
		for _, c := range e.clauses {
			out.Clauses = append(out.Clauses, syntax.Clause{Target: treeExpr(c.target), Source: treeExpr(c.source), Conds: treeExprs(c.conds)})
		}
		return out
	}
	return &syntax.OtherExpr{Pos: at, What: exprName(e)}
}

func exprName(e expr) string {
	switch e.(type) {
	case *starExpr:
		return "*"
	case *walrusExpr:
		return ":="
	case *yieldExpr:
		return "yield"
	case *awaitExpr:
		return "await"
	}
	return "this expression"
}

func treeParts(parts []fpart) []syntax.Part {
	out := make([]syntax.Part, len(parts))
	for i, p := range parts {
		out[i] = syntax.Part{Text: p.text, Value: treeExpr(p.value), Convert: p.repr, Format: treeParts(p.format)}
	}
	return out
}

func treeParams(params []param) []syntax.Param {
	out := make([]syntax.Param, len(params))
	for i, p := range params {
		out[i] = syntax.Param{Name: p.name, Fallback: treeExpr(p.fallback), Rest: p.rest, Keyword: p.keyword}
	}
	return out
}
