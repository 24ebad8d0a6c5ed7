package transform

import (
	"github.com/banquet-fs/banquet/definitions/syntax"
)

// method is a method of a value.
type method func(m *machine, v val, a *args) (val, error)

// dotted returns the name of a module's member, with the module's own name:
// "numpy.where". It is empty for anything else.
func (c *compiler) dotted(e syntax.Expr) string {
	switch e := e.(type) {
	case *syntax.Name:
		if _, ok := c.scope.slots[e.ID]; ok {
			return ""
		}
		if _, ok := c.funcs[e.ID]; ok {
			return ""
		}
		return c.modules[e.ID]
	case *syntax.Attr:
		if of := c.dotted(e.Value); of != "" {
			return of + "." + e.Name
		}
	}
	return ""
}

// member is a member of a module by its dotted name.
func member(name string) (val, bool) {
	if fn, ok := moduleFuncs[name]; ok {
		return val{k: kNative, ref: &native{name, fn}}, true
	}
	if v, ok := moduleValues[name]; ok {
		return v, true
	}
	return val{}, false
}

func (c *compiler) attribute(e *syntax.Attr) code {
	if name := c.dotted(e); name != "" {
		v, ok := member(name)
		if !ok {
			return c.unknown(e.At(), name)
		}
		return func(*machine) (val, error) { return v, nil }
	}
	value, name, at := c.expr(e.Value), e.Name, e.At()
	return func(m *machine) (val, error) {
		v, err := value(m)
		if err != nil {
			return val{}, err
		}
		v, err = m.attribute(v, name)
		if err != nil {
			return val{}, place(err, at)
		}
		return v, nil
	}
}

func noAttribute(v val, name string) error {
	if v.k == kNone {
		return &failure{class: "AttributeError", text: "'NoneType' object has no attribute '" + name + "'", data: true}
	}
	return outside("attribute '%s' of a %s is not supported", name, v.typeName())
}

func (m *machine) attribute(v val, name string) (val, error) {
	switch v.k {
	case kFrame:
		f := v.ref.(*frame)
		if i := f.find(name); i >= 0 && frameMethods[name] == nil {
			return colVal(f.cols[i]), nil
		}
		return m.frameAttribute(f, name)
	case kColumn:
		return m.columnAttribute(v, name)
	case kExtension:
		if c := v.col(); c.ext == extZoned && name == "dt" {
			return val{k: kTimes, ref: c}, nil
		}
	case kTimes:
		if fn := timesAttributes[name]; fn != nil {
			return fn(m, v.col())
		}
	case kRow:
		return v.ref.(*row).get(name)
	case kTime, kDelta:
		return timeAttribute(v, name)
	}
	return val{}, noAttribute(v, name)
}

func (m *machine) columnAttribute(v val, name string) (val, error) {
	c := v.col()
	switch name {
	case "str":
		if c.dt != dObject {
			return val{}, &failure{class: "AttributeError", text: "Can only use .str accessor with string values, not " + c.dt.String(), data: true}
		}
		return val{k: kText2, ref: c}, nil
	case "dt":
		if c.dt != dTime && c.dt != dDelta {
			return val{}, &failure{class: "AttributeError", text: "Can only use .dt accessor with datetimelike values, not " + c.dt.String(), data: true}
		}
		return val{k: kTimes, ref: c}, nil
	case "values":
		out := *c
		out.array = true
		return colVal(&out), nil
	case "size":
		return intVal(int64(c.n)), nil
	case "empty":
		return boolVal(c.n == 0), nil
	case "iloc", "iat": // rows by number, also from the end
		out := *c
		out.array = true
		return colVal(&out), nil
	case "T":
		return v, nil
	case "shape":
		return val{k: kTuple, ref: &list{[]val{intVal(int64(c.n))}}}, nil
	}
	return val{}, noAttribute(v, name)
}

func (c *compiler) index(e *syntax.Index) code {
	value, key, at := c.expr(e.Value), c.expr(e.Index), e.At()
	return func(m *machine) (val, error) {
		v, err := value(m)
		if err != nil {
			return val{}, err
		}
		k, err := key(m)
		if err != nil {
			return val{}, err
		}
		out, err := m.item(v, k)
		if err != nil {
			return val{}, place(err, at)
		}
		return out, nil
	}
}

func keyError(key val) error {
	return &failure{class: "KeyError", text: "there is no " + repr(key)}
}

// item is v[key].
func (m *machine) item(v, key val) (val, error) {
	switch v.k {
	case kDict:
		d := v.ref.(*dict)
		if err := hashable(key); err != nil {
			return val{}, err
		}
		if i := d.find(key); i >= 0 {
			return d.values[i], nil
		}
		return val{}, keyError(key)
	case kFrame:
		return m.frameItem(v.ref.(*frame), key)
	case kLoc:
		return m.locItem(v.ref.(*frame), key)
	case kRow:
		if key.k == kText {
			return v.ref.(*row).get(key.s)
		}
	case kList, kTuple, kRange:
		return listItem(v, key)
	case kText:
		return textItem(v.s, key)
	case kText2:
		return m.textSlice(v.col(), key)
	case kColumn:
		return columnItem(v.col(), key)
	}
	return m.rareItem(v, key)
}

// rareItem is v[key] of what has few items.
func (m *machine) rareItem(v, key val) (val, error) {
	switch v.k {
	case kMatch:
		return matchGroup(m, v, &args{pos: []val{key}})
	case kMatrix:
		return matrixItem(v.ref.(*frame), key)
	case kOpaque, kBytes:
		r, ok := v.ref.(*ndarray)
		if !ok || key.k != kInt {
			return val{}, outside("an item of a %s with a %s is not supported", v.typeName(), key.typeName())
		}
		i, err := position(key, len(r.items))
		if err != nil {
			return val{}, err
		}
		return r.at(i)
	}
	return val{}, typeError("'%s' object is not subscriptable with %s", v.typeName(), key.typeName())
}

// columnItem is a row by its number, from the end only in arrays.
func columnItem(c *column, key val) (val, error) {
	if key.k != kInt {
		return val{}, outside("selecting rows of a column is not supported; use .where or np.where")
	}
	if key.i < 0 && !c.array {
		return val{}, keyError(key)
	}
	i, err := position(key, c.n)
	if err != nil {
		return val{}, err
	}
	return c.at(i), nil
}

func listItem(v, key val) (val, error) {
	all := v.ref.(*list).items
	if key.k == kSlice {
		from, to, err := bounds(key, len(all))
		if err != nil {
			return val{}, err
		}
		return val{k: v.k, ref: &list{append([]val(nil), all[from:to]...)}}, nil
	}
	i, err := position(key, len(all))
	if err != nil {
		return val{}, err
	}
	return all[i], nil
}

// bounds are the ends of a slice of a sequence of n items.
func bounds(key val, n int) (from, to int, err error) {
	from, to = 0, n
	s, ok := key.ref.(*slice)
	if !ok {
		return from, to, nil
	}
	for _, b := range []struct {
		v   val
		out *int
	}{{s.from, &from}, {s.to, &to}} {
		switch {
		case b.v.k == kNone:
		case b.v.k != kInt:
			return 0, 0, typeError("slice indices must be integers, not %s", b.v.typeName())
		case b.v.i < 0:
			*b.out = max(0, n+int(max(b.v.i, int64(-n))))
		default:
			*b.out = int(min(b.v.i, int64(n)))
		}
	}
	return from, max(from, to), nil
}

func textItem(s string, key val) (val, error) {
	runes := []rune(s)
	if key.k == kSlice {
		from, to, err := bounds(key, len(runes))
		if err != nil {
			return val{}, err
		}
		return textVal(string(runes[from:to])), nil
	}
	i, err := position(key, len(runes))
	if err != nil {
		return val{}, err
	}
	return textVal(string(runes[i])), nil
}

// call compiles a call.
func (c *compiler) call(e *syntax.Call) code {
	collect := c.arguments(e)
	if c.err != nil {
		return c.bad(e.At(), "")
	}
	if attr, ok := e.Fn.(*syntax.Attr); ok && c.dotted(attr) == "" {
		return c.methodCall(attr, collect)
	}
	fn, at := c.expr(e.Fn), e.At()
	return func(m *machine) (val, error) {
		f, err := fn(m)
		if err != nil {
			return val{}, err
		}
		a, err := collect(m)
		if err != nil {
			return val{}, err
		}
		out, err := m.invoke(f, a)
		m.depth--
		if err == nil {
			err = m.grow(out)
		}
		if err != nil {
			return val{}, place(err, at)
		}
		return out, nil
	}
}

func (m *machine) invoke(f val, a *args) (val, error) {
	switch fn := f.ref.(type) {
	case *native:
		return fn.fn(m, a)
	case *function:
		return m.call(fn, a)
	case *closure:
		return m.enclosed(fn, a)
	}
	if f.k == kDType {
		return val{}, outside("calling a type of numpy is not supported; use .astype")
	}
	return val{}, typeError("'%s' object is not callable", f.typeName())
}

// arguments is code that computes the arguments of a call; the caller ends it by m.depth--.
func (c *compiler) arguments(e *syntax.Call) func(*machine) (*args, error) {
	var pos, named []code
	var names []string
	for _, a := range e.Args {
		switch {
		case a.Spread != 0:
			return c.spread(e)
		case a.Name != "":
			names, named = append(names, a.Name), append(named, c.expr(a.Value))
		default:
			pos = append(pos, c.expr(a.Value))
		}
	}
	return func(m *machine) (*args, error) { return m.collect(pos, names, named) }
}

// arguments are those of one more call, without any yet; the caller ends it by m.depth--.
func (m *machine) arguments() *args {
	if m.depth == len(m.args) {
		m.args = append(m.args, new(args))
	}
	a := m.args[m.depth]
	a.pos, a.named = a.pos[:0], a.named[:0]
	m.depth++
	return a
}

// collect computes the arguments of a call.
func (m *machine) collect(pos []code, names []string, named []code) (*args, error) {
	a := m.arguments()
	a.names = names
	for _, p := range pos {
		v, err := p(m)
		if err != nil {
			m.depth--
			return nil, err
		}
		a.pos = append(a.pos, v)
	}
	for _, p := range named {
		v, err := p(m)
		if err != nil {
			m.depth--
			return nil, err
		}
		a.named = append(a.named, v)
	}
	return a, nil
}

// methodCall compiles value.name(args).
func (c *compiler) methodCall(e *syntax.Attr, collect func(*machine) (*args, error)) code {
	value, name, at := c.expr(e.Value), e.Name, e.At()
	of := methodsNamed(name)
	if !of.any() {
		return c.bad(at, "method .%s() is not supported", name)
	}
	return func(m *machine) (val, error) {
		v, err := value(m)
		if err != nil {
			return val{}, err
		}
		fn := of.of(v)
		if fn == nil {
			return val{}, place(noMethod(v, name), at)
		}
		a, err := collect(m)
		if err != nil {
			return val{}, err
		}
		out, err := fn(m, v, a)
		m.depth--
		if err == nil {
			err = m.grow(out)
		}
		if err != nil {
			return val{}, place(err, at)
		}
		return out, nil
	}
}

// noMethod is Python's error where it is certain that Python has no such method.
func noMethod(v val, name string) error {
	if v.k == kNone || v.isNumber() && v.w == dNone && textMethods[name] != nil {
		return &failure{class: "AttributeError", text: "'" + v.typeName() + "' object has no attribute '" + name + "'", data: true}
	}
	return outside("method .%s() of a %s is not supported", name, v.typeName())
}

// methods are the methods of one name, by the kind of the value.
type methods struct {
	column, extension, matrix, bytes, match, pattern, frame, text2, times, text, list, dict, set, time, number method
}

func methodsNamed(name string) methods {
	return methods{
		columnMethods[name], extensionMethods[name], matrixMethods[name], bytesMethods[name], matchMethods[name], patternMethods[name], frameMethods[name], text2Methods[name], timesMethods[name], textMethods[name], listMethods[name], dictMethods[name], setMethods[name],
		timeMethods[name],
		numberMethods[name],
	}
}

func (of *methods) any() bool {
	for _, fn := range []method{of.extension, of.matrix, of.bytes, of.match, of.pattern, of.column, of.frame, of.text2, of.times, of.text, of.list, of.dict, of.set, of.time, of.number} {
		if fn != nil {
			return true
		}
	}
	return false
}

// of is the method for a value; nil if it has none.
func (of *methods) of(v val) method {
	switch v.k {
	case kColumn:
		return of.column
	case kFrame, kRow:
		return of.frame
	case kText2:
		return of.text2
	case kTimes:
		return of.times
	case kText:
		return of.text
	case kList:
		return of.list
	case kDict:
		return of.dict
	case kSet:
		return of.set
	case kTime, kDelta:
		return of.time
	case kBool, kInt, kFloat:
		return of.number
	}
	return of.rare(v.k)
}

// rare is the method for a value of a kind that has few.
func (of *methods) rare(k kind) method {
	switch k {
	case kExtension:
		return of.extension
	case kMatrix:
		return of.matrix
	case kHash:
		return of.bytes
	case kMatch:
		return of.match
	case kPattern:
		return of.pattern
	}
	return nil
}
