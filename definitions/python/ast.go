package python

// expr is an expression. Every node has its start position in the file.
type expr interface{ pos() int }

type node struct{ at int }

func (n node) pos() int { return n.at }

type (
	nameExpr struct {
		node
		name string
	}
	constExpr struct {
		node
		value any
	} // nil, bool, int64, float64, string, Bytes, Ellipsis
	// fstring is a sequence of constant texts and formatted expressions.
	fstring struct {
		node
		parts []fpart
	}
	listExpr struct {
		node
		items []expr
	}
	tupleExpr struct {
		node
		items []expr
	}
	setExpr struct {
		node
		items []expr
	}
	dictExpr struct {
		node
		keys, values []expr
	} // a nil key spreads its value
	attrExpr struct {
		node
		value expr
		name  string
	}
	indexExpr struct {
		node
		value, index expr
	}
	sliceExpr struct {
		node
		from, to, step expr
	}
	callExpr struct {
		node
		fn   expr
		args []argument
	}
	unaryExpr struct {
		node
		op    string
		value expr
	}
	binaryExpr struct {
		node
		op          string
		left, right expr
	}
	boolExpr struct {
		node
		and         bool
		left, right expr
	}
	compareExpr struct {
		node
		first expr
		ops   []string
		rest  []expr
	}
	ifExpr struct {
		node
		cond, then, otherwise expr
	}
	lambdaExpr struct {
		node
		params []param
		body   expr
		binds  *binding
	}
	comprehension struct {
		node
		kind       byte // '[', '{', ':' for a dict, '(' for a generator
		key, value expr
		clauses    []clause
	}
	starExpr struct {
		node
		value expr
	}
	walrusExpr struct {
		node
		name  string
		value expr
	}
	// yieldExpr is yield, or yield from when all is set; value may be nil.
	yieldExpr struct {
		node
		value expr
		all   bool
	}
	// awaitExpr is await, whose result only running Python can give.
	awaitExpr struct {
		node
		value expr
	}
)

// fpart is a part of an f-string: text, or an expression with its conversion and
// its format, which is itself an f-string.
type fpart struct {
	text   string
	value  expr
	repr   byte // 'r', 's', 'a' or 0
	format []fpart
}

// argument of a call: positional, named, or spread (* or **).
type argument struct {
	name   string
	spread int // 1 for *, 2 for **
	value  expr
}

// clause is one "for … in … if …" of a comprehension.
type clause struct {
	target, source expr
	conds          []expr
}

// param is a parameter of a function; rest is 1 for *args and 2 for **kwargs.
type param struct {
	name       string
	kind       expr // annotation
	fallback   expr
	rest       int
	keyword    bool // keyword-only
	positional bool // positional-only
}

// stmt is a statement.
type stmt interface{ pos() int }

type (
	assignStmt struct {
		node
		targets []expr
		value   expr
	}
	// annotatedStmt is "name: type", with a value or without.
	annotatedStmt struct {
		node
		target expr
		kind   expr
		value  expr
	}
	augmentStmt struct {
		node
		target expr
		op     string
		value  expr
	}
	exprStmt struct {
		node
		value expr
	}
	importStmt struct {
		node
		module string
		as     string // the bound name
		whole  bool   // "import a.b" binds a
	}
	fromStmt struct {
		node
		module string
		names  []imported
	}
	funcStmt struct {
		node
		name       string
		params     []param
		returns    expr // the annotation
		body       []stmt
		decorators []expr
		from       int    // start of the first decorator
		source     string // with decorators, as inspect.getsource returns it
		generator  bool
		async      bool
		binds      *binding
	}
	classStmt struct {
		node
		name       string
		bases      []argument
		body       []stmt
		decorators []expr
		binds      *binding
	}
	ifStmt struct {
		node
		cond            expr
		then, otherwise []stmt
	}
	forStmt struct {
		node
		target, source  expr
		body, otherwise []stmt
		async           bool
	}
	whileStmt struct {
		node
		cond            expr
		body, otherwise []stmt
	}
	tryStmt struct {
		node
		body     []stmt
		handlers []handler
		orElse   []stmt
		finally  []stmt
	}
	withStmt struct {
		node
		values  []expr
		targets []expr
		body    []stmt
		async   bool
	}
	matchStmt struct {
		node
		subject expr
		cases   []matchCase
	}
	returnStmt struct {
		node
		value expr
	}
	raiseStmt struct {
		node
		value expr
	}
	assertStmt struct {
		node
		cond, message expr
	}
	deleteStmt struct {
		node
		targets []expr
	}
	// scopeStmt is global or nonlocal.
	scopeStmt struct {
		node
		names  []string
		global bool
	}
	// jumpStmt is pass, break or continue.
	jumpStmt struct {
		node
		word string
	}
	// groupStmt holds several statements that come from one line.
	groupStmt struct {
		node
		body []stmt
	}
)

// imported is one name of a from-import; "*" stands for all.
type imported struct {
	name, as string
	at       int
}

// handler is an except clause.
type handler struct {
	kinds expr
	as    string
	body  []stmt
}

// matchCase is one case of a match statement.
type matchCase struct {
	pattern *pattern
	guard   expr
	body    []stmt
}

// pattern is the pattern of a case.
type pattern struct {
	at    int
	kind  patternKind
	name  string // name of a capture, of **rest or of "as"
	value expr   // a value, or a class
	parts []*pattern
	keys  []expr   // keys of a mapping, one per part
	names []string // attribute names, for the last parts of a class
}

type patternKind uint8

const (
	patternAny      patternKind = iota // _ or a name
	patternValue                       // a literal or a dotted name
	patternOr                          // a | b
	patternSequence                    // [a, b]
	patternStar                        // *rest
	patternMapping                     // {"a": b}
	patternClass                       // Class(a, name=b)
)
