// Package syntax is the syntax tree of Python functions that other packages
// compile. It has the nodes of the subset that can be compiled; everything else
// of Python is a node that names it.
package syntax

// Pos is a byte offset in the source.
type Pos int

// At returns the offset at which a node starts.
func (p Pos) At() int { return int(p) }

// Expr is an expression.
type Expr interface{ At() int }

// Stmt is a statement.
type Stmt interface{ At() int }

// Expressions.
type (
	// Name is a variable.
	Name struct {
		Pos
		ID string
	}
	// Const is a literal: nil, bool, int64, float64 or string.
	Const struct {
		Pos
		Value any
	}
	// FString is a formatted text.
	FString struct {
		Pos
		Parts []Part
	}
	// Sequence is a list, tuple or set display: Kind is '[', '(' or '{'.
	Sequence struct {
		Pos
		Kind  byte
		Items []Expr
	}
	// Dict is a dict display; a nil key spreads its value.
	Dict struct {
		Pos
		Keys, Values []Expr
	}
	// Attr is value.name.
	Attr struct {
		Pos
		Value Expr
		Name  string
	}
	// Index is value[index].
	Index struct {
		Pos
		Value, Index Expr
	}
	// Slice is from:to:step within an index; missing parts are nil.
	Slice struct {
		Pos
		From, To, Step Expr
	}
	// Call is fn(args).
	Call struct {
		Pos
		Fn   Expr
		Args []Arg
	}
	// Unary is an operator before its operand: -, +, ~ or not.
	Unary struct {
		Pos
		Op    string
		Value Expr
	}
	// Binary is an arithmetic or bitwise operator.
	Binary struct {
		Pos
		Op          string
		Left, Right Expr
	}
	// Logic is "and" or "or".
	Logic struct {
		Pos
		And         bool
		Left, Right Expr
	}
	// Compare is a chain of comparisons.
	Compare struct {
		Pos
		First Expr
		Ops   []string
		Rest  []Expr
	}
	// Cond is "then if cond else otherwise".
	Cond struct {
		Pos
		Cond, Then, Else Expr
	}
	// Lambda is an anonymous function.
	Lambda struct {
		Pos
		Params []Param
		Body   Expr
	}
	// Comprehension is a list ('['), set ('{'), dict (':') or generator ('(').
	Comprehension struct {
		Pos
		Kind       byte
		Key, Value Expr
		Clauses    []Clause
	}
	// OtherExpr is an expression outside the subset.
	OtherExpr struct {
		Pos
		What string
	}
)

// Part of an f-string: Text, or Value with its conversion ('r', 's', 'a' or 0) and
// format.
type Part struct {
	Text    string
	Value   Expr
	Convert byte
	Format  []Part
}

// Arg is an argument of a call: Name is empty for positional ones; Spread is 1 for
// *value and 2 for **value.
type Arg struct {
	Name   string
	Spread int
	Value  Expr
}

// Clause is one "for target in source if conds" of a comprehension.
type Clause struct {
	Target, Source Expr
	Conds          []Expr
}

// Param is a parameter; Rest is 1 for *args and 2 for **kwargs.
type Param struct {
	Name     string
	Fallback Expr
	Rest     int
	Keyword  bool
}

// Handler is an except clause: Kinds is nil for a bare one, As is empty without "as".
type Handler struct {
	Kinds Expr
	As    string
	Body  []Stmt
}

// Statements.
type (
	// Assign binds a value to each target.
	Assign struct {
		Pos
		Targets []Expr
		Value   Expr
	}
	// Augment is target op= value.
	Augment struct {
		Pos
		Target Expr
		Op     string
		Value  Expr
	}
	// ExprStmt is an expression as a statement.
	ExprStmt struct {
		Pos
		Value Expr
	}
	// Import is "import module as name".
	Import struct {
		Pos
		Module, Name string
	}
	// From is "from module import item as name".
	From struct {
		Pos
		Module, Item, Name string
	}
	// Func is a function definition.
	Func struct {
		Pos
		Name      string
		Params    []Param
		Body      []Stmt
		Decorated bool
	}
	// If is a conditional statement.
	If struct {
		Pos
		Cond       Expr
		Then, Else []Stmt
	}
	// For is a loop over a sequence.
	For struct {
		Pos
		Target, Source Expr
		Body, Else     []Stmt
	}
	// While is a loop with a condition.
	While struct {
		Pos
		Cond       Expr
		Body, Else []Stmt
	}
	// Try catches exceptions.
	Try struct {
		Pos
		Body, Else, Finally []Stmt
		Handlers            []Handler
	}
	// Return ends a function; Value may be nil.
	Return struct {
		Pos
		Value Expr
	}
	// Jump is pass, break or continue.
	Jump struct {
		Pos
		Word string
	}
	// OtherStmt is a statement outside the subset.
	OtherStmt struct {
		Pos
		What string
	}
)
