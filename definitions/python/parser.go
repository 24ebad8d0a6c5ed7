package python

import (
	"slices"
	"strings"
)

// maxDepth bounds the nesting of expressions and blocks.
const maxDepth = 150

// parser turns tokens into statements by recursive descent.
type parser struct {
	file   *File
	tokens []token
	at     int
	depth  int
	err    error
}

// parse reads a whole file.
func parse(file *File) ([]stmt, error) {
	tokens, err := lex(file)
	if err != nil {
		return nil, err
	}
	p := &parser{file: file, tokens: tokens}
	var body []stmt
	for p.err == nil && p.cur().kind != endOfFile {
		body = p.statement(body)
	}
	return body, p.err
}

func (p *parser) cur() token { return p.tokens[p.at] }

// advance takes a token. After an error the parser stands still at the end, so
// that every loop ends.
func (p *parser) advance() token {
	t := p.tokens[p.at]
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

func (p *parser) fail(at int, format string, args ...any) {
	if p.err == nil {
		p.err = p.file.fail(at, format, args...)
	}
	p.at = len(p.tokens) - 1
}

func (p *parser) is(s string) bool {
	t := p.cur()
	return (t.kind == operator || t.kind == name) && t.text == s
}

func (p *parser) accept(s string) bool {
	if !p.is(s) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail(p.cur().from, "expected %q", s)
	}
}

func (p *parser) identifier() string {
	if p.cur().kind != name {
		p.fail(p.cur().from, "expected a name")
		return ""
	}
	return p.advance().text
}

// enter counts one level of nesting; false is too deep.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(p.cur().from, "nested too deep")
	}
	return p.err == nil
}

func (p *parser) leave() { p.depth-- }

// block reads the body of a compound statement.
func (p *parser) block() []stmt {
	p.expect(":")
	if p.cur().kind != newline {
		return p.simpleLine(nil)
	}
	p.advance()
	if p.cur().kind != indent {
		p.fail(p.cur().from, "expected an indented block")
		return nil
	}
	p.advance()
	if !p.enter() {
		return nil
	}
	defer p.leave()
	var body []stmt
	for p.err == nil && p.cur().kind != dedent && p.cur().kind != endOfFile {
		body = p.statement(body)
	}
	p.advance()
	return body
}

// statement appends the statements of the next line or compound.
func (p *parser) statement(body []stmt) []stmt {
	t := p.cur()
	switch t.kind {
	case newline:
		p.advance()
		return body
	case indent:
		p.fail(t.from, "unexpected indentation")
		return body
	case operator:
		if t.text == "@" {
			return append(body, p.decorated())
		}
	case name:
		if s := p.compound(t); s != nil {
			return append(body, s)
		}
	}
	return p.simpleLine(body)
}

// compound reads a statement with a block; nil when none starts here.
func (p *parser) compound(t token) stmt {
	switch t.text {
	case "def", "class", "async":
		return p.definition(nil, t.from)
	case "if":
		p.advance()
		return p.conditional(t.from)
	case "for":
		p.advance()
		s := &forStmt{node: node{t.from}, target: p.targetList()}
		p.expect("in")
		s.source, s.body = p.expressions(), p.block()
		s.otherwise = p.elseBlock()
		return s
	case "while":
		p.advance()
		return &whileStmt{node: node{t.from}, cond: p.expression(), body: p.block(), otherwise: p.elseBlock()}
	case "try":
		p.advance()
		return p.try(t.from)
	case "with":
		p.advance()
		return p.with(t.from)
	}
	return nil
}

func (p *parser) elseBlock() []stmt {
	if !p.accept("else") {
		return nil
	}
	return p.block()
}

func (p *parser) conditional(at int) stmt {
	s := &ifStmt{node: node{at}, cond: p.named(), then: p.block()}
	switch {
	case p.is("elif"):
		if p.enter() {
			s.otherwise = []stmt{p.conditional(p.advance().from)}
			p.leave()
		}
	case p.accept("else"):
		s.otherwise = p.block()
	}
	return s
}

func (p *parser) try(at int) stmt {
	s := &tryStmt{node: node{at}, body: p.block()}
	for p.err == nil && p.accept("except") {
		h := handler{}
		p.accept("*")
		if !p.is(":") {
			h.kinds = p.expressions()
			if p.accept("as") {
				h.as = p.identifier()
			}
		}
		h.body = p.block()
		s.handlers = append(s.handlers, h)
	}
	s.orElse = p.elseBlock()
	if p.accept("finally") {
		s.finally = p.block()
	}
	return s
}

func (p *parser) with(at int) stmt {
	s := &withStmt{node: node{at}}
	closing := p.accept("(")
	for p.err == nil {
		s.values = append(s.values, p.expression())
		var target expr
		if p.accept("as") {
			target = p.target()
		}
		s.targets = append(s.targets, target)
		if !p.accept(",") || closing && p.is(")") {
			break
		}
	}
	if closing {
		p.expect(")")
	}
	s.body = p.block()
	return s
}

func (p *parser) decorated() stmt {
	from := p.cur().from
	var decorators []expr
	for p.err == nil && p.accept("@") {
		decorators = append(decorators, p.named())
		if p.cur().kind != newline {
			p.fail(p.cur().from, "expected the end of the line")
		}
		p.advance()
		for p.cur().kind == newline {
			p.advance()
		}
	}
	return p.definition(decorators, from)
}

// definition reads a function or a class; from is where its decorators start.
func (p *parser) definition(decorators []expr, from int) stmt {
	p.accept("async")
	switch t := p.cur(); {
	case p.accept("def"):
		f := &funcStmt{node: node{t.from}, name: p.identifier(), decorators: decorators}
		p.expect("(")
		f.params = p.params(")")
		p.expect(")")
		if p.accept("->") {
			p.expression()
		}
		f.body = p.block()
		f.source = p.sourceOf(from)
		return f
	case p.accept("class"):
		c := &classStmt{node: node{t.from}, name: p.identifier(), decorators: decorators}
		if p.accept("(") {
			c.bases = p.arguments()
		}
		c.body = p.block()
		return c
	}
	p.fail(p.cur().from, "expected def or class")
	return &ignoredStmt{}
}

// sourceOf gives the lines from a byte to the end of the last token read.
func (p *parser) sourceOf(from int) string {
	end := from
	for i := p.at - 1; i >= 0; i-- {
		if k := p.tokens[i].kind; k != dedent && k != newline && k != indent {
			end = p.tokens[i].to
			break
		}
	}
	src := p.file.Source
	start := strings.LastIndexByte(src[:min(from, len(src))], '\n') + 1
	if end > len(src) || end < start {
		return ""
	}
	if i := strings.IndexByte(src[end:], '\n'); i >= 0 {
		end += i
	} else {
		end = len(src)
	}
	return strings.ReplaceAll(src[start:end], "\r\n", "\n") + "\n"
}

// params reads parameters up to a closing token, which stays.
func (p *parser) params(closing string) []param {
	var params []param
	keyword := false
	for p.err == nil && !p.is(closing) {
		q := param{keyword: keyword}
		switch {
		case p.accept("/"):
		case p.accept("**"):
			q.rest, q.name = 2, p.identifier()
		case p.accept("*"):
			keyword = true
			if !p.is(",") && !p.is(closing) {
				q.rest, q.name = 1, p.identifier()
			}
		default:
			q.name = p.identifier()
		}
		if closing == ")" && p.accept(":") {
			p.expression()
		}
		if p.accept("=") {
			q.fallback = p.expression()
		}
		if q.name != "" {
			params = append(params, q)
		}
		if !p.accept(",") {
			break
		}
	}
	return params
}

// simpleLine reads the statements of one line.
func (p *parser) simpleLine(body []stmt) []stmt {
	for p.err == nil {
		body = append(body, p.simple())
		if !p.accept(";") || p.cur().kind == newline {
			break
		}
	}
	if k := p.cur().kind; p.err == nil && k != newline && k != endOfFile {
		p.fail(p.cur().from, "invalid syntax")
	}
	p.advance()
	return body
}

func (p *parser) simple() stmt {
	t := p.cur()
	if t.kind == name {
		switch t.text {
		case "import":
			p.advance()
			return p.imports(t.from)
		case "from":
			p.advance()
			return p.fromImport(t.from)
		case "pass", "break", "continue":
			p.advance()
			return &jumpStmt{node{t.from}, t.text}
		case "return", "raise":
			p.advance()
			return p.leaving(t)
		case "global", "nonlocal", "assert", "del":
			p.advance()
			p.expressions()
			return &ignoredStmt{node{t.from}}
		}
	}
	return p.assignment()
}

func (p *parser) leaving(t token) stmt {
	var v expr
	if !p.ended() {
		v = p.expressions()
		if t.text == "raise" && p.accept("from") {
			p.expression()
		}
	}
	if t.text == "return" {
		return &returnStmt{node{t.from}, v}
	}
	return &raiseStmt{node{t.from}, v}
}

func (p *parser) ended() bool {
	t := p.cur()
	return t.kind == newline || t.kind == endOfFile || t.kind == operator && t.text == ";"
}

// assignment reads an expression statement or any form of assignment.
func (p *parser) assignment() stmt {
	at := p.cur().from
	first := p.expressions()
	if p.accept(":") { // an annotation, which says nothing to the reader
		p.expression()
		if !p.accept("=") {
			return &ignoredStmt{node{at}}
		}
		return &assignStmt{node: node{at}, targets: []expr{first}, value: p.expressions()}
	}
	if t := p.cur(); t.kind == operator && len(t.text) > 1 && strings.HasSuffix(t.text, "=") && !slices.Contains([]string{"==", "!=", "<=", ">=", ":="}, t.text) {
		p.advance()
		return &augmentStmt{node{at}, first, strings.TrimSuffix(t.text, "="), p.expressions()}
	}
	if !p.is("=") {
		return &exprStmt{node{at}, first}
	}
	s := &assignStmt{node: node{at}, targets: []expr{first}}
	for p.err == nil && p.accept("=") {
		s.targets = append(s.targets, p.expressions())
	}
	last := len(s.targets) - 1
	s.value, s.targets = s.targets[last], s.targets[:last]
	return s
}

func (p *parser) dotted() string {
	var b strings.Builder
	for p.is(".") || p.is("...") {
		b.WriteString(p.advance().text)
	}
	if p.is("import") {
		return b.String()
	}
	b.WriteString(p.identifier())
	for p.err == nil && p.accept(".") {
		b.WriteString("." + p.identifier())
	}
	return b.String()
}

func (p *parser) imports(at int) stmt {
	var list []stmt
	for p.err == nil {
		s := &importStmt{node: node{at}, module: p.dotted()}
		s.as, _, s.whole = strings.Cut(s.module, ".")
		if p.accept("as") {
			s.as, s.whole = p.identifier(), false
		}
		list = append(list, s)
		if !p.accept(",") {
			break
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return &ifStmt{node: node{at}, cond: &constExpr{node{at}, true}, then: list}
}

func (p *parser) fromImport(at int) stmt {
	s := &fromStmt{node: node{at}, module: p.dotted()}
	p.expect("import")
	if p.accept("*") {
		s.names = []imported{{name: "*"}}
		return s
	}
	closing := p.accept("(")
	for p.err == nil {
		n := p.identifier()
		i := imported{n, n}
		if p.accept("as") {
			i.as = p.identifier()
		}
		s.names = append(s.names, i)
		if !p.accept(",") || closing && p.is(")") {
			break
		}
	}
	if closing {
		p.expect(")")
	}
	return s
}
