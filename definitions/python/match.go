package python

import "github.com/banquet-fs/banquet/definitions/tokens"

// match parses a match statement; nil if the word is a name here.
func (p *parser) match() stmt {
	s := &matchStmt{node: node{p.cur().From}}
	isMatch := p.try(func() bool {
		p.advance()
		s.subject = p.expressions()
		if !p.accept(":") || p.cur().Kind != tokens.Newline {
			return false
		}
		p.advance()
		return p.cur().Kind == tokens.Indent && p.peek().Kind == tokens.Name && p.peek().Text == "case"
	})
	if !isMatch {
		return nil
	}
	p.advance()
	if !p.enter() {
		return s
	}
	defer p.leave()
	for p.err == nil && (p.is("case") || p.cur().Kind == tokens.Newline) {
		if p.advance().Kind == tokens.Newline {
			continue
		}
		c := matchCase{pattern: p.patterns()}
		if p.accept("if") {
			c.guard = p.named()
		}
		c.body = p.block()
		s.cases = append(s.cases, c)
	}
	p.checkReached(s.cases)
	if p.cur().Kind != tokens.Dedent {
		p.unexpected()
	}
	p.advance()
	return s
}

// checkReached refuses cases after one that matches everything.
func (p *parser) checkReached(cases []matchCase) {
	for i, c := range cases {
		if c.pattern.kind == patternAny && c.guard == nil && i < len(cases)-1 {
			p.fail(c.pattern.at, "invalid syntax: this case matches everything, and other cases follow it")
		}
	}
}

// patterns parses a pattern, or several without brackets.
func (p *parser) patterns() *pattern {
	first := p.asPattern()
	if !p.is(",") {
		return first
	}
	seq := &pattern{at: first.at, kind: patternSequence, parts: []*pattern{first}}
	for p.err == nil && p.accept(",") && !p.is(":") && !p.is("if") {
		seq.parts = append(seq.parts, p.asPattern())
	}
	return seq
}

func (p *parser) asPattern() *pattern {
	if !p.enter() {
		return &pattern{}
	}
	defer p.leave()
	first := p.closedPattern()
	if p.is("|") {
		first = &pattern{at: first.at, kind: patternOr, parts: []*pattern{first}}
		for p.err == nil && p.accept("|") {
			first.parts = append(first.parts, p.closedPattern())
		}
	}
	if p.accept("as") {
		return &pattern{at: first.at, kind: patternOr, name: p.bind(p.identifier()), parts: []*pattern{first}}
	}
	return first
}

func (p *parser) closedPattern() *pattern {
	t := p.cur()
	q := &pattern{at: t.From}
	switch {
	case p.accept("*"):
		q.kind = patternStar
		if !p.accept("_") {
			q.name = p.bind(p.identifier())
		}
	case p.is("(") || p.is("["):
		return p.sequencePattern()
	case p.is("{"):
		q.kind = patternMapping
		p.mappingPattern(q)
	case t.Kind == tokens.Name && !tokens.Keyword(t.Text):
		e := p.dottedPattern()
		n, plain := e.(*nameExpr)
		switch {
		case p.accept("("):
			q.kind, q.value = patternClass, e
			p.classPattern(q)
		case !plain:
			q.kind, q.value = patternValue, e
		case n.name != "_":
			q.name = p.bind(n.name)
		}
	default:
		q.kind, q.value = patternValue, p.binary(5)
	}
	return q
}

func (p *parser) dottedPattern() expr {
	var e expr = &nameExpr{node{p.cur().From}, p.identifier()}
	for p.err == nil && p.accept(".") {
		e = &attrExpr{node{e.pos()}, e, p.identifier()}
	}
	return e
}

func (p *parser) sequencePattern() *pattern {
	open := p.advance()
	closing := map[string]string{"(": ")", "[": "]"}[open.Text]
	q := &pattern{at: open.From, kind: patternSequence}
	comma := p.list(closing, func() { q.parts = append(q.parts, p.asPattern()) })
	p.expect(closing)
	if open.Text == "(" && len(q.parts) == 1 && !comma {
		return q.parts[0]
	}
	return q
}

func (p *parser) mappingPattern(q *pattern) {
	p.advance()
	p.list("}", func() {
		if p.accept("**") {
			q.name = p.bind(p.identifier())
		} else {
			key := p.closedPattern()
			if p.expect(":"); key.kind != patternValue {
				p.fail(key.at, "invalid syntax: a mapping pattern has literal or dotted keys")
			}
			q.keys, q.parts = append(q.keys, key.value), append(q.parts, p.asPattern())
		}
	})
	p.expect("}")
}

func (p *parser) classPattern(q *pattern) {
	p.list(")", func() {
		if p.cur().Kind == tokens.Name && p.peek().Kind == tokens.Operator && p.peek().Text == "=" {
			q.names = append(q.names, p.identifier())
			p.advance()
		}
		q.parts = append(q.parts, p.asPattern())
	})
	p.expect(")")
}
