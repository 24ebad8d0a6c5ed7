package python

import (
	"strings"

	"github.com/banquet-fs/banquet/definitions/tokens"
)

const (
	// maxDepth bounds the nesting of expressions and blocks.
	maxDepth = tokens.MaxDepth
	// maxChain bounds chains that are flat in the text but nested in the tree:
	// operators, attributes, calls.
	maxChain = 2000
	// maxSource bounds the size of a file, in bytes.
	maxSource = 4 << 20
)

// parser builds statements from tokens by recursive descent.
type parser struct {
	file   *File
	tokens []tokens.Token
	at     int
	depth  int
	yields bool // the current function yields
	binds  *binding
	class  string // class of the current body
	// functions counts the enclosing functions; future is the token up to which
	// imports from __future__ are allowed.
	functions, future int
	err               error
}

// parse parses a whole file, once.
func parse(file *File) ([]stmt, error) {
	if file.parsed == nil {
		body, err := parseSource(file)
		file.parsed = &parsed{body, err}
	}
	return file.parsed.body, file.parsed.err
}

func parseSource(file *File) ([]stmt, error) {
	if len(file.Source) > maxSource {
		return nil, file.fail(0, "the file is larger than %d MiB", maxSource>>20)
	}
	list, err := tokens.Lex(file.Source)
	if err != nil {
		return nil, file.place(err)
	}
	p := &parser{file: file, tokens: list}
	if p.cur().Kind == tokens.Text {
		p.future = 2 // after the docstring and its newline
	}
	var body []stmt
	p.body(false, nil, func() {
		for p.err == nil && p.cur().Kind != tokens.EndOfFile {
			body = p.statement(body)
		}
	})
	return body, p.err
}

// Check checks the syntax of a file.
func Check(file *File) error {
	_, err := parse(file)
	return err
}

func (p *parser) cur() tokens.Token {
	t := p.tokens[p.at]
	if t.Kind == tokens.Name && p.class != "" && strings.HasPrefix(t.Text, "__") && !strings.HasSuffix(t.Text, "__") {
		t.Text = "_" + p.class + t.Text // a private name of the class
	}
	return t
}

func (p *parser) peek() tokens.Token { return p.tokens[min(p.at+1, len(p.tokens)-1)] }

// advance consumes a token. After an error the parser stays at the end, so that
// every loop ends.
func (p *parser) advance() tokens.Token {
	t := p.cur()
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

// unexpected reports a token that is not allowed here.
func (p *parser) unexpected() {
	switch t := p.cur(); t.Kind {
	case tokens.Newline, tokens.EndOfFile:
		p.fail(t.From, "invalid syntax: the line ends too early")
	case tokens.Indent:
		p.fail(t.From, "unexpected indentation")
	default:
		p.fail(t.From, "invalid syntax")
	}
}

func (p *parser) is(s string) bool {
	t := p.cur()
	return (t.Kind == tokens.Operator || t.Kind == tokens.Name) && t.Text == s
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
		p.fail(p.cur().From, "invalid syntax: expected '%s'", s)
	}
}

// list parses items separated by commas up to a closing token, which is not
// consumed; it reports whether there is a comma after the last item.
func (p *parser) list(closing string, item func()) bool {
	comma := false
	for p.err == nil && !p.is(closing) {
		item()
		if comma = p.accept(","); !comma {
			break
		}
	}
	return comma
}

func (p *parser) identifier() string {
	if t := p.cur(); t.Kind != tokens.Name || tokens.Keyword(t.Text) {
		p.fail(t.From, "invalid syntax: expected a name")
		return ""
	}
	return p.advance().Text
}

// enter counts one level of nesting; it returns false if that is too deep.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(p.cur().From, "nested too deep")
	}
	return p.err == nil
}

func (p *parser) leave() { p.depth-- }

// chained counts one more link of a chain.
func (p *parser) chained(n *int) {
	if *n++; *n > maxChain {
		p.fail(p.cur().From, "this expression is too long; write it in parts")
	}
}

// try runs a parse function that may not match; if it does not, the state is
// restored.
func (p *parser) try(read func() bool) bool {
	at, yields := p.at, p.yields
	if read() && p.err == nil {
		return true
	}
	p.at, p.yields, p.err = at, yields, nil
	return false
}

// block parses the body of a compound statement.
func (p *parser) block() []stmt {
	p.expect(":")
	if p.cur().Kind != tokens.Newline {
		return p.simpleLine(nil)
	}
	p.advance()
	if p.cur().Kind != tokens.Indent {
		p.fail(p.cur().From, "expected an indented block")
		return nil
	}
	p.advance()
	if !p.enter() {
		return nil
	}
	defer p.leave()
	var body []stmt
	for p.err == nil && p.cur().Kind != tokens.Dedent && p.cur().Kind != tokens.EndOfFile {
		body = p.statement(body)
	}
	p.advance()
	return body
}

// statement appends the statements of the next line or compound statement.
func (p *parser) statement(body []stmt) []stmt {
	t := p.cur()
	switch t.Kind {
	case tokens.Newline:
		p.advance()
		return body
	case tokens.Indent:
		p.fail(t.From, "unexpected indentation")
		return body
	case tokens.Operator:
		if t.Text == "@" {
			return append(body, p.decorated())
		}
	case tokens.Name:
		if s := p.compound(t); s != nil {
			return append(body, s)
		}
	default:
	}
	return p.simpleLine(body)
}

// compound parses a statement with a block; nil if none starts here.
func (p *parser) compound(t tokens.Token) stmt {
	switch t.Text {
	case "def", "class":
		return p.definition(nil, t.From)
	case "async":
		switch p.peek().Text {
		case "for":
			p.advance()
			s := p.loop()
			s.async = true
			return s
		case "with":
			p.advance()
			s := p.with()
			s.async = true
			return s
		}
		return p.definition(nil, t.From)
	case "if":
		p.advance()
		return p.conditional(t.From)
	case "for":
		return p.loop()
	case "while":
		p.advance()
		return &whileStmt{node: node{t.From}, cond: p.named(), body: p.block(), otherwise: p.elseBlock()}
	case "try":
		p.advance()
		return p.tryStatement(t.From)
	case "with":
		return p.with()
	case "match":
		return p.match()
	}
	return nil
}

func (p *parser) loop() *forStmt {
	s := &forStmt{node: node{p.advance().From}, target: p.targetList()}
	p.expect("in")
	s.source, s.body = p.expressions(), p.block()
	s.otherwise = p.elseBlock()
	return s
}

func (p *parser) elseBlock() []stmt {
	if !p.accept("else") {
		return nil
	}
	return p.block()
}

// conditional parses the part after if or elif. A long chain of elif is one level
// in the file but many in the tree.
func (p *parser) conditional(at int) stmt {
	first := &ifStmt{node: node{at}, cond: p.named(), then: p.block()}
	last, links := first, 0
	for p.err == nil && p.is("elif") {
		p.chained(&links)
		next := &ifStmt{node: node{p.advance().From}, cond: p.named(), then: p.block()}
		last.otherwise = []stmt{next}
		last = next
	}
	last.otherwise = p.elseBlock()
	return first
}

func (p *parser) tryStatement(at int) stmt {
	s := &tryStmt{node: node{at}, body: p.block()}
	for p.err == nil && p.accept("except") {
		h := handler{}
		p.accept("*")
		if !p.is(":") {
			h.kinds = p.expression()
			if p.is(",") {
				p.fail(p.cur().From, "invalid syntax: several exception types must be in parentheses")
			}
			if p.accept("as") {
				h.as = p.bind(p.identifier())
			}
		}
		h.body = p.block()
		s.handlers = append(s.handlers, h)
	}
	s.orElse = p.elseBlock()
	if p.accept("finally") {
		s.finally = p.block()
	} else if len(s.handlers) == 0 {
		p.fail(p.cur().From, "expected 'except' or 'finally'")
	}
	return s
}

func (p *parser) with() *withStmt {
	s := &withStmt{node: node{p.advance().From}}
	items := func(closing string) {
		s.values, s.targets = nil, nil
		for p.err == nil {
			s.values = append(s.values, p.expression())
			var target expr
			if p.accept("as") {
				target = p.target()
			}
			s.targets = append(s.targets, target)
			if !p.accept(",") || p.is(closing) {
				break
			}
		}
	}
	inBrackets := p.is("(") && p.try(func() bool {
		p.advance()
		items(")")
		return p.accept(")") && p.is(":")
	})
	if !inBrackets {
		items(":")
	}
	s.body = p.block()
	return s
}

func (p *parser) decorated() stmt {
	from := p.cur().From
	var decorators []expr
	for p.err == nil && p.accept("@") {
		decorators = append(decorators, p.named())
		if p.cur().Kind != tokens.Newline {
			p.unexpected()
		}
		p.advance()
		for p.cur().Kind == tokens.Newline {
			p.advance()
		}
	}
	return p.definition(decorators, from)
}

// definition parses a function or a class; from is the start of its decorators.
func (p *parser) definition(decorators []expr, from int) stmt {
	async := p.accept("async")
	switch t := p.cur(); {
	case p.accept("def"):
		f := &funcStmt{node: node{t.From}, name: p.bind(p.identifier()), decorators: decorators, async: async, from: from}
		p.typeParameters()
		p.expect("(")
		f.params = p.params(")")
		p.expect(")")
		if p.accept("->") {
			f.returns = p.expressions()
		}
		p.functions++
		outer := p.yields
		p.yields = false
		f.binds = p.body(false, f.params, func() { f.body = p.block() })
		f.generator, p.yields = p.yields, outer
		f.source = tokens.Source(p.file.Source, p.tokens[:p.at], from)
		p.functions--
		return f
	case !async && p.accept("class"):
		c := &classStmt{node: node{t.From}, name: p.bind(p.identifier()), decorators: decorators}
		p.typeParameters()
		if p.accept("(") {
			c.bases = p.arguments()
		}
		outer := p.class
		p.class = strings.TrimLeft(c.name, "_")
		c.binds = p.body(true, nil, func() { c.body = p.block() })
		p.class = outer
		return c
	}
	p.unexpected()
	return &jumpStmt{word: "pass"}
}

// typeParameters skips the [T] of a generic definition.
func (p *parser) typeParameters() {
	if !p.accept("[") {
		return
	}
	p.list("]", func() {
		if !p.accept("**") {
			p.accept("*")
		}
		p.identifier()
		if p.accept(":") {
			p.expression()
		}
		if p.accept("=") {
			p.starred()
		}
	})
	p.expect("]")
}

// params parses parameters up to a closing token, which is not consumed.
func (p *parser) params(closing string) []param {
	var params []param
	keyword := false
	p.list(closing, func() {
		q := param{keyword: keyword}
		switch {
		case p.accept("/"):
			for i := range params {
				params[i].positional = true
			}
		case p.accept("**"):
			q.rest, q.name = 2, p.identifier()
		case p.accept("*"):
			if keyword {
				p.fail(p.cur().From, "invalid syntax: * is allowed only once")
			}
			keyword = true
			if !p.is(",") && !p.is(closing) {
				q.rest, q.name = 1, p.identifier()
			}
		default:
			q.name = p.identifier()
		}
		if closing == ")" && p.accept(":") {
			q.kind = p.starred()
		}
		if q.name != "" && q.rest == 0 && p.accept("=") {
			q.fallback = p.expression()
		}
		if q.name != "" {
			p.paramAfter(params, q)
			params = append(params, q)
		}
	})
	return params
}

// paramAfter checks a parameter against the preceding ones.
func (p *parser) paramAfter(before []param, q param) {
	for _, o := range before {
		switch {
		case o.name == q.name:
			p.fail(p.cur().From, "invalid syntax: two parameters are named %s", q.name)
		case o.rest == 2:
			p.fail(p.cur().From, "invalid syntax: parameter %s follows **%s", q.name, o.name)
		case o.fallback != nil && q.fallback == nil && q.rest == 0 && !q.keyword:
			p.fail(p.cur().From, "invalid syntax: parameter %s has no default but follows one that has", q.name)
		}
	}
}
