package python

import (
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/tokens"
)

// simpleLine parses the statements of one line.
func (p *parser) simpleLine(body []stmt) []stmt {
	for p.err == nil {
		body = append(body, p.simple())
		if !p.accept(";") || p.cur().Kind == tokens.Newline {
			break
		}
	}
	if k := p.cur().Kind; p.err == nil && k != tokens.Newline && k != tokens.EndOfFile {
		p.unexpected()
	}
	p.advance()
	return body
}

func (p *parser) simple() stmt {
	t := p.cur()
	if t.Kind != tokens.Name {
		return p.assignment()
	}
	switch t.Text {
	case "import":
		p.advance()
		return p.imports(t.From)
	case "from":
		p.advance()
		return p.fromImport(t.From)
	case "pass", "break", "continue":
		p.advance()
		return &jumpStmt{node{t.From}, t.Text}
	case "return", "raise":
		p.advance()
		return p.leaving(t)
	case "global", "nonlocal":
		return p.scopes()
	case "assert":
		p.advance()
		s := &assertStmt{node: node{t.From}, cond: p.expression()}
		if p.accept(",") {
			s.message = p.expression()
		}
		return s
	case "del":
		p.advance()
		s := &deleteStmt{node: node{t.From}}
		s.targets = []expr{p.targetList()}
		return s
	case "type":
		if next := p.peek(); next.Kind == tokens.Name && !tokens.Keyword(next.Text) {
			return p.typeAlias()
		}
	}
	return p.assignment()
}

// typeAlias parses "type Name = …", whose value is never needed.
func (p *parser) typeAlias() stmt {
	at := p.advance().From
	target := &nameExpr{node{at}, p.bind(p.identifier())}
	p.typeParameters()
	p.expect("=")
	p.expression()
	return &assignStmt{node{at}, []expr{target}, &constExpr{node{at}, &Unknown{Why: "a type", Trust: Harmless}}}
}

func (p *parser) scopes() stmt {
	t := p.advance()
	s := &scopeStmt{node: node{t.From}, global: t.Text == "global"}
	for p.err == nil {
		s.names = append(s.names, p.identifier())
		if !p.accept(",") {
			break
		}
	}
	p.declare(s)
	return s
}

func (p *parser) leaving(t tokens.Token) stmt {
	var v expr
	if !p.ended() {
		v = p.expressions()
		if t.Text == "raise" && p.accept("from") {
			p.expression()
		}
	}
	if t.Text == "return" {
		return &returnStmt{node{t.From}, v}
	}
	return &raiseStmt{node{t.From}, v}
}

func (p *parser) ended() bool {
	t := p.cur()
	return t.Kind == tokens.Newline || t.Kind == tokens.EndOfFile || t.Kind == tokens.Operator && t.Text == ";"
}

// assignment parses an expression statement or any form of assignment.
func (p *parser) assignment() stmt {
	at := p.cur().From
	if next := p.peek(); p.cur().Kind == tokens.Name && next.Kind == tokens.Operator && next.Text == ":=" {
		p.fail(next.From, "invalid syntax: a := statement must be in parentheses")
	}
	first := p.expressions()
	if p.accept(":") {
		s := &annotatedStmt{node: node{at}, target: first, kind: p.expression()}
		p.bindable(first)
		if p.accept("=") {
			s.value = p.expressions()
		}
		return s
	}
	t := p.cur()
	if t.Kind == tokens.Operator && len(t.Text) > 1 && strings.HasSuffix(t.Text, "=") && !slices.Contains([]string{"==", "!=", "<=", ">=", ":="}, t.Text) {
		p.advance()
		p.bindable(first)
		return &augmentStmt{node{at}, first, strings.TrimSuffix(t.Text, "="), p.expressions()}
	}
	if !p.is("=") {
		return &exprStmt{node{at}, first}
	}
	s := &assignStmt{node: node{at}, targets: []expr{first}}
	links := 0
	for p.err == nil && p.accept("=") {
		p.chained(&links)
		s.targets = append(s.targets, p.expressions())
	}
	last := len(s.targets) - 1
	s.value, s.targets = s.targets[last], s.targets[:last]
	for _, target := range s.targets {
		p.bindable(target)
	}
	return s
}

// bindable checks that an expression can be assigned to.
func (p *parser) bindable(target expr) {
	switch t := target.(type) {
	case *nameExpr:
		p.bind(t.name)
	case *attrExpr, *indexExpr:
	case *tupleExpr:
		p.bindableItems(t.items)
	case *listExpr:
		p.bindableItems(t.items)
	default:
		if p.err == nil {
			p.fail(target.pos(), "invalid syntax: this cannot be assigned to")
		}
	}
}

func (p *parser) bindableItems(items []expr) {
	stars := 0
	for _, item := range items {
		if s, ok := item.(*starExpr); ok {
			stars++
			item = s.value
		}
		p.bindable(item)
	}
	if stars > 1 {
		p.fail(items[0].pos(), "invalid syntax: only one name of a list can have a star")
	}
}

func (p *parser) dotted() string {
	var b strings.Builder
	for p.is(".") || p.is("...") {
		b.WriteString(p.advance().Text)
	}
	if p.is("import") && b.Len() > 0 {
		return b.String()
	}
	b.WriteString(p.identifier())
	for p.err == nil && p.accept(".") {
		b.WriteString("." + p.identifier())
	}
	return b.String()
}

func (p *parser) imports(at int) stmt {
	group := &groupStmt{node: node{at}}
	for p.err == nil {
		s := &importStmt{node: node{at}, module: p.dotted()}
		s.as, _, s.whole = strings.Cut(s.module, ".")
		if p.accept("as") {
			s.as, s.whole = p.identifier(), false
		}
		p.bind(s.as)
		group.body = append(group.body, s)
		if !p.accept(",") {
			break
		}
	}
	if len(group.body) == 1 {
		return group.body[0]
	}
	return group
}

func (p *parser) fromImport(at int) stmt {
	from := p.at - 1
	s := &fromStmt{node: node{at}, module: p.dotted()}
	p.expect("import")
	if s.module == "__future__" {
		defer p.futures(s, from)
	}
	if t := p.cur(); p.accept("*") {
		if p.functions > 0 {
			p.fail(t.From, "invalid syntax: import * is allowed only at module level")
		}
		s.names = []imported{{name: "*", at: t.From}}
		return s
	}
	closing := p.accept("(")
	for p.err == nil {
		i := imported{at: p.cur().From}
		i.name = p.identifier()
		i.as = i.name
		if p.accept("as") {
			i.as = p.identifier()
		}
		p.bind(i.as)
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

// futures checks an import from __future__, which must be at the beginning.
func (p *parser) futures(s *fromStmt, from int) {
	if from != p.future {
		p.fail(s.pos(), "invalid syntax: imports from __future__ must be at the beginning of a file")
	}
	p.future = p.at + 1
	for _, i := range s.names {
		switch i.name {
		case "annotations", "division", "print_function", "unicode_literals", "absolute_import", "generators", "nested_scopes", "with_statement", "generator_stop":
		default:
			p.fail(i.at, "invalid syntax: __future__ has no known %s", i.name)
		}
	}
}
