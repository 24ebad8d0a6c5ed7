package python

import (
	"math"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/definitions/tokens"
)

// expressions parses one expression, or a tuple without parentheses.
func (p *parser) expressions() expr {
	first := p.starred()
	if !p.is(",") {
		return first
	}
	t := &tupleExpr{node: node{first.pos()}, items: []expr{first}}
	for p.err == nil && p.accept(",") {
		if c := p.cur(); c.Kind == tokens.Newline || c.Kind == tokens.EndOfFile || c.Kind == tokens.Operator && (strings.IndexByte(")]}:;", c.Text[0]) >= 0 || strings.HasSuffix(c.Text, "=")) {
			break
		}
		t.items = append(t.items, p.starred())
	}
	return t
}

func (p *parser) starred() expr {
	if t := p.cur(); t.Kind == tokens.Operator && t.Text == "*" {
		p.advance()
		return &starExpr{node{t.From}, p.binary(1)}
	}
	return p.named()
}

// named parses an expression or name := expression.
func (p *parser) named() expr {
	e := p.expression()
	if n, ok := e.(*nameExpr); ok && p.accept(":=") {
		return &walrusExpr{n.node, p.bind(n.name), p.expression()}
	}
	return e
}

func (p *parser) expression() expr {
	if !p.enter() {
		return &constExpr{}
	}
	defer p.leave()
	t := p.cur()
	if t.Kind == tokens.Name && t.Text == "lambda" {
		return p.lambda()
	}
	e := p.or()
	if p.accept("if") {
		c := &ifExpr{node: node{e.pos()}, then: e, cond: p.or()}
		p.expect("else")
		c.otherwise = p.expression()
		return c
	}
	return e
}

func (p *parser) lambda() expr {
	t := p.advance()
	outer := p.yields
	l := &lambdaExpr{node: node{t.From}, params: p.params(":")}
	p.expect(":")
	l.binds = p.body(false, l.params, func() { l.body = p.expression() })
	p.yields = outer
	return l
}

func (p *parser) or() expr  { return p.joined("or", p.and) }
func (p *parser) and() expr { return p.joined("and", p.not) }

func (p *parser) joined(word string, part func() expr) expr {
	e := part()
	links := 0
	for p.err == nil && p.accept(word) {
		p.chained(&links)
		e = &boolExpr{node{e.pos()}, word == "and", e, part()}
	}
	return e
}

func (p *parser) not() expr {
	if t := p.cur(); p.accept("not") {
		if !p.enter() {
			return &constExpr{}
		}
		defer p.leave()
		return &unaryExpr{node{t.From}, "not", p.not()}
	}
	return p.comparison()
}

func (p *parser) comparison() expr {
	first := p.binary(1)
	c := &compareExpr{node: node{first.pos()}, first: first}
	for p.err == nil {
		op := p.comparator()
		if op == "" {
			break
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, p.binary(1))
	}
	if len(c.ops) == 0 {
		return first
	}
	return c
}

func (p *parser) comparator() string {
	t := p.cur()
	if t.Kind != tokens.Operator && t.Kind != tokens.Name {
		return ""
	}
	switch t.Text {
	case "==", "!=", "<", "<=", ">", ">=", "in":
		p.advance()
		return t.Text
	case "not":
		if p.peek().Text != "in" {
			return ""
		}
		p.advance()
		p.advance()
		return "not in"
	case "is":
		p.advance()
		if p.accept("not") {
			return "is not"
		}
		return "is"
	}
	return ""
}

// precedence of the binary operators, weakest first.
func precedence(op string) int {
	switch op {
	case "|":
		return 1
	case "^":
		return 2
	case "&":
		return 3
	case "<<", ">>":
		return 4
	case "+", "-":
		return 5
	case "*", "/", "//", "%", "@":
		return 6
	}
	return 0
}

func (p *parser) binary(weakest int) expr {
	left := p.unary()
	links := 0
	for p.err == nil && p.cur().Kind == tokens.Operator {
		op := p.cur().Text
		n := precedence(op)
		if n == 0 || n < weakest {
			break
		}
		p.advance()
		p.chained(&links)
		left = &binaryExpr{node{left.pos()}, op, left, p.binary(n + 1)}
	}
	return left
}

func (p *parser) unary() expr {
	t := p.cur()
	if t.Kind == tokens.Operator && (t.Text == "-" || t.Text == "+" || t.Text == "~") {
		p.advance()
		if !p.enter() {
			return &constExpr{}
		}
		defer p.leave()
		return &unaryExpr{node{t.From}, t.Text, p.unary()}
	}
	var e expr
	if p.accept("await") {
		e = &awaitExpr{node{t.From}, p.postfix(p.atom())}
	} else {
		e = p.postfix(p.atom())
	}
	if p.accept("**") {
		if !p.enter() {
			return &constExpr{}
		}
		defer p.leave()
		return &binaryExpr{node{e.pos()}, "**", e, p.unary()}
	}
	return e
}

func (p *parser) postfix(e expr) expr {
	links := 0
	for p.err == nil {
		switch {
		case p.accept("."):
			e = &attrExpr{node{e.pos()}, e, p.identifier()}
		case p.accept("("):
			e = &callExpr{node{e.pos()}, e, p.arguments()}
		case p.accept("["):
			e = &indexExpr{node{e.pos()}, e, p.subscript()}
			p.expect("]")
		default:
			return e
		}
		p.chained(&links)
	}
	return e
}

// arguments parses the arguments of a call and the closing parenthesis.
func (p *parser) arguments() []argument {
	var args []argument
	p.list(")", func() {
		switch {
		case p.accept("**"):
			args = append(args, argument{spread: 2, value: p.expression()})
		case p.accept("*"):
			args = append(args, argument{spread: 1, value: p.expression()})
		case p.cur().Kind == tokens.Name && p.peek().Kind == tokens.Operator && p.peek().Text == "=":
			n := p.identifier()
			p.advance()
			args = append(args, argument{name: n, value: p.expression()})
		default:
			v := p.named()
			if p.is("for") || p.is("async") {
				v = &comprehension{node: node{v.pos()}, kind: '(', value: v, clauses: p.clauses()}
			}
			args = append(args, argument{value: v})
		}
	})
	p.expect(")")
	return args
}

func (p *parser) subscript() expr {
	at := p.cur().From
	var items []expr
	comma := p.list("]", func() { items = append(items, p.slice()) })
	if len(items) == 0 {
		p.unexpected()
		return &constExpr{}
	}
	if _, star := items[0].(*starExpr); len(items) == 1 && !comma && !star {
		return items[0]
	}
	return &tupleExpr{node: node{at}, items: items}
}

func (p *parser) slice() expr {
	at := p.cur().From
	var from expr
	if !p.is(":") {
		from = p.starred()
	}
	if !p.accept(":") {
		return from
	}
	s := &sliceExpr{node: node{at}, from: from}
	if !p.is(":") && !p.is("]") && !p.is(",") {
		s.to = p.expression()
	}
	if p.accept(":") && !p.is("]") && !p.is(",") {
		s.step = p.expression()
	}
	return s
}

func (p *parser) atom() expr {
	t := p.cur()
	switch t.Kind {
	case tokens.Name:
		return p.word()
	case tokens.Number:
		p.advance()
		return p.numeral(t)
	case tokens.Text:
		return p.strings()
	case tokens.Operator:
		switch t.Text {
		case "(":
			return p.parenthesis()
		case "[":
			p.advance()
			return p.sequence(t.From, '[', "]")
		case "{":
			p.advance()
			return p.braces(t.From)
		case "...":
			p.advance()
			return &constExpr{node{t.From}, Ellipsis{}}
		}
	default:
	}
	p.unexpected()
	return &constExpr{}
}

func (p *parser) word() expr {
	t := p.cur()
	switch t.Text {
	case "None":
		p.advance()
		return &constExpr{node{t.From}, nil}
	case "True", "False":
		p.advance()
		return &constExpr{node{t.From}, t.Text == "True"}
	case "yield":
		p.advance()
		p.yields = true
		y := &yieldExpr{node: node{t.From}, all: p.accept("from")}
		if !p.ended() && !p.is(")") && !p.is("]") && !p.is("}") && !p.is("=") {
			y.value = p.expressions()
		}
		return y
	}
	if tokens.Keyword(t.Text) {
		p.unexpected()
		return &constExpr{}
	}
	p.advance()
	return &nameExpr{node{t.From}, t.Text}
}

// numeral parses a number. Integers beyond 64 bits and imaginary numbers are
// Unknown.
func (p *parser) numeral(t tokens.Token) expr {
	s := strings.ReplaceAll(t.Text, "_", "")
	lower := strings.ToLower(s)
	if strings.HasSuffix(lower, "j") && !strings.HasPrefix(lower, "0x") {
		return &constExpr{node{t.From}, &Unknown{Why: "the imaginary number " + t.Text}}
	}
	prefixed := len(lower) > 1 && lower[0] == '0' && strings.IndexByte("xob", lower[1]) >= 0
	whole := strings.Trim(s, "0123456789") == ""
	if prefixed || whole {
		base := 10
		if prefixed {
			base = 0
		} else if s[0] == '0' && strings.Trim(s, "0") != "" {
			p.fail(t.From, "invalid syntax: integers must not begin with 0; write 0o for octal")
		}
		v, err := strconv.ParseInt(s, base, 64)
		if err != nil && !strings.Contains(err.Error(), "range") {
			p.fail(t.From, "invalid syntax: %s is not a number", t.Text)
		}
		if err != nil {
			return &constExpr{node{t.From}, &Unknown{Why: "the number " + t.Text + ", which does not fit 64 bits"}}
		}
		return &constExpr{node{t.From}, v}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		p.fail(t.From, "invalid syntax: %s is not a number", t.Text)
	}
	return &constExpr{node{t.From}, v}
}

func (p *parser) parenthesis() expr {
	t := p.advance()
	if p.accept(")") {
		return &tupleExpr{node: node{t.From}}
	}
	e := p.starred()
	switch _, star := e.(*starExpr); {
	case p.is("for") || p.is("async"):
		e = &comprehension{node: node{t.From}, kind: '(', value: e, clauses: p.clauses()}
	case p.is(","):
		tuple := &tupleExpr{node: node{t.From}, items: []expr{e}}
		for p.err == nil && p.accept(",") && !p.is(")") {
			tuple.items = append(tuple.items, p.starred())
		}
		e = tuple
	case star:
		p.fail(e.pos(), "invalid syntax: a starred expression is not allowed here")
	}
	p.expect(")")
	if n, ok := e.(*nameExpr); ok { // (x) cannot be a target of := or a keyword of a call
		return &nameExpr{n.node, n.name}
	}
	return e
}

// sequence parses the rest of a list or set.
func (p *parser) sequence(at int, kind byte, closing string) expr {
	var items []expr
	for p.err == nil && !p.is(closing) {
		e := p.starred()
		if len(items) == 0 && (p.is("for") || p.is("async")) {
			c := &comprehension{node: node{at}, kind: kind, value: e, clauses: p.clauses()}
			p.expect(closing)
			return c
		}
		items = append(items, e)
		if !p.accept(",") {
			break
		}
	}
	p.expect(closing)
	if kind == '{' {
		return &setExpr{node{at}, items}
	}
	return &listExpr{node{at}, items}
}

// braces parses the rest of a dict or a set.
func (p *parser) braces(at int) expr {
	d := &dictExpr{node: node{at}}
	for p.err == nil && !p.is("}") {
		if p.accept("**") {
			d.keys, d.values = append(d.keys, nil), append(d.values, p.binary(1))
		} else {
			start := p.at
			k := p.starred()
			if len(d.keys) == 0 && !p.is(":") && p.err == nil {
				p.at = start
				return p.sequence(at, '{', "}")
			}
			p.expect(":")
			v := p.expression()
			if len(d.keys) == 0 && (p.is("for") || p.is("async")) {
				c := &comprehension{node: node{at}, kind: ':', key: k, value: v, clauses: p.clauses()}
				p.expect("}")
				return c
			}
			d.keys, d.values = append(d.keys, k), append(d.values, v)
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return d
}

func (p *parser) clauses() []clause {
	var list []clause
	for p.err == nil && (p.is("for") || p.is("async")) {
		p.accept("async")
		p.expect("for")
		c := clause{}
		p.body(true, nil, func() { c.target = p.targetList() }) // names local to the comprehension
		p.expect("in")
		c.source = p.or()
		for p.err == nil && p.accept("if") {
			cond := p.or()
			if n, ok := cond.(*nameExpr); ok && p.accept(":=") {
				cond = &walrusExpr{n.node, p.bind(n.name), p.or()}
			}
			c.conds = append(c.conds, cond)
		}
		list = append(list, c)
	}
	return list
}

// target parses an assignment target.
func (p *parser) target() expr {
	t := p.cur()
	if p.accept("*") {
		return &starExpr{node{t.From}, p.target()}
	}
	e := p.postfix(p.atom())
	p.bindable(e)
	return e
}

func (p *parser) targetList() expr {
	first := p.target()
	if !p.is(",") {
		return first
	}
	t := &tupleExpr{node: node{first.pos()}, items: []expr{first}}
	for p.err == nil && p.accept(",") && !p.is("in") && !p.ended() {
		t.items = append(t.items, p.target())
	}
	return t
}
