package transform

import "math"

// columnPattern reads the pattern of a method of .str, and its arguments case and flags.
func (m *machine) columnPattern(fn string, a *args, h how) (*pattern, error) {
	pat, ok := a.get(0, "pat")
	if !ok || pat.k != kText {
		return nil, outside("%s needs a text", fn)
	}
	cased, err := flagOf(a, "case", true)
	if err != nil {
		return nil, err
	}
	flags, given := a.get(-1, "flags")
	fold, err := reFlags(flags, given)
	if err != nil {
		return nil, err
	}
	return m.pattern(pat.s, h, fold || !cased)
}

// text2Match is match or fullmatch.
func text2Match(name string, h how) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known(name, 1, "pat", "case", "flags", "na"); err != nil {
			return val{}, err
		}
		p, err := m.columnPattern(name, a, h)
		if err != nil {
			return val{}, err
		}
		return m.matches(v, a, p)
	}
}

// matches tests each text.
func (m *machine) matches(v val, a *args, p *pattern) (val, error) {
	out, err := m.eachText(v.col(), dBool, func(s string) (val, error) {
		x, err := p.find(s)
		return boolVal(x != nil), err
	})
	if err != nil {
		return val{}, err
	}
	return m.withNA(out, v.col(), a)
}

// text2Extract is extract of one group, as a column.
func text2Extract(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.extract()", 1, "pat", "flags", "expand"); err != nil {
		return val{}, err
	}
	if expand, ok := a.get(-1, "expand"); !ok || expand.k != kBool || expand.i != 0 {
		return val{}, outside("str.extract() is supported with expand=False only")
	}
	p, err := m.columnPattern("str.extract()", a, anywhere)
	if err != nil {
		return val{}, err
	}
	if n := p.re.NumSubexp(); n != 1 {
		return val{}, outside("str.extract() with %d groups is not supported; use one", n)
	}
	c := v.col()
	out := m.mem.column(dObject, c.n)
	for i, x := range c.objs {
		switch {
		case x.null():
			out.objs[i] = x
			continue
		case x.k != kText:
			return val{}, outside("str.extract() of a %s is not supported", x.typeName())
		}
		found, err := p.find(x.s)
		if err != nil {
			return val{}, err
		}
		if out.objs[i] = floatVal(math.NaN()); found != nil {
			out.objs[i] = found.group(1)
		}
	}
	return colVal(out), nil
}

func text2Count(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.count()", 1, "pat", "flags"); err != nil {
		return val{}, err
	}
	p, err := m.columnPattern("str.count()", a, anywhere)
	if err != nil {
		return val{}, err
	}
	return m.eachText(v.col(), dInt64, func(s string) (val, error) {
		found, err := p.all(s, -1)
		return intVal(int64(len(found))), err
	})
}

func text2Findall(m *machine, v val, a *args) (val, error) {
	if err := a.known("str.findall()", 1, "pat", "flags"); err != nil {
		return val{}, err
	}
	p, err := m.columnPattern("str.findall()", a, anywhere)
	if err != nil {
		return val{}, err
	}
	return m.eachText(v.col(), dObject, func(s string) (val, error) { return m.findAll(p, s) })
}

// replaceRegex is str.replace(regex=True).
func (m *machine) replaceRegex(c *column, pat, repl val) (val, error) {
	p, err := m.pattern(pat.s, anywhere, false)
	if err != nil {
		return val{}, err
	}
	with, err := p.parseTemplate(repl.s)
	if err != nil {
		return val{}, err
	}
	return m.eachText(c, dObject, func(s string) (val, error) {
		out, err := p.sub(s, with, -1)
		return textVal(out), err
	})
}
