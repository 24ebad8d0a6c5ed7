package python

// match reads a match statement; nil when the word is a name here.
func (p *parser) match() stmt {
	s := &matchStmt{node: node{p.cur().from}}
	isMatch := p.try(func() bool {
		p.advance()
		s.subject = p.expressions()
		if !p.accept(":") || p.cur().kind != newline {
			return false
		}
		p.advance()
		return p.cur().kind == indent && p.peek().kind == name && p.peek().text == "case"
	})
	if !isMatch {
		return nil
	}
	p.advance()
	if !p.enter() {
		return s
	}
	defer p.leave()
	for p.err == nil && p.accept("case") {
		c := matchCase{pattern: p.patterns()}
		if p.accept("if") {
			c.guard = p.named()
		}
		c.body = p.block()
		s.cases = append(s.cases, c)
	}
	if p.cur().kind != dedent {
		p.unexpected()
	}
	p.advance()
	return s
}

// patterns reads a pattern, or several without brackets.
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
		return &pattern{at: first.at, kind: patternOr, name: p.identifier(), parts: []*pattern{first}}
	}
	return first
}

func (p *parser) closedPattern() *pattern {
	t := p.cur()
	q := &pattern{at: t.from}
	switch {
	case p.accept("*"):
		q.kind, q.name = patternStar, p.identifier()
	case p.is("(") || p.is("["):
		return p.sequencePattern()
	case p.is("{"):
		q.kind = patternComplex
		p.mappingPattern()
	case t.kind == name && !keyword(t.text):
		e := p.dottedPattern()
		n, plain := e.(*nameExpr)
		switch {
		case p.accept("("):
			q.kind = patternComplex
			p.classPattern()
		case !plain:
			q.kind, q.value = patternValue, e
		case n.name != "_":
			q.name = n.name
		}
	default:
		q.kind, q.value = patternValue, p.binary(5)
	}
	return q
}

func (p *parser) dottedPattern() expr {
	var e expr = &nameExpr{node{p.cur().from}, p.identifier()}
	for p.err == nil && p.accept(".") {
		e = &attrExpr{node{e.pos()}, e, p.identifier()}
	}
	return e
}

func (p *parser) sequencePattern() *pattern {
	open := p.advance()
	closing := map[string]string{"(": ")", "[": "]"}[open.text]
	q := &pattern{at: open.from, kind: patternSequence}
	comma := false
	for p.err == nil && !p.is(closing) {
		q.parts = append(q.parts, p.asPattern())
		if !p.accept(",") {
			break
		}
		comma = true
	}
	p.expect(closing)
	if open.text == "(" && len(q.parts) == 1 && !comma {
		return q.parts[0]
	}
	return q
}

func (p *parser) mappingPattern() {
	p.advance()
	for p.err == nil && !p.is("}") {
		if p.accept("**") {
			p.identifier()
		} else {
			p.closedPattern()
			p.expect(":")
			p.asPattern()
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
}

func (p *parser) classPattern() {
	for p.err == nil && !p.is(")") {
		if p.cur().kind == name && p.peek().kind == operator && p.peek().text == "=" {
			p.advance()
			p.advance()
		}
		p.asPattern()
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}
