package transform

import (
	"math"
	"slices"
)

// bools is a column of bools from a test of each row.
func (m *machine) bools(c *column, test func(i int) bool) val {
	out := m.mem.column(dBool, c.n)
	out.array = c.array
	for i := range out.ints {
		out.ints[i] = boolVal(test(i)).i
	}
	return colVal(out)
}

func columnIsna(is bool) method {
	return func(m *machine, v val, a *args) (val, error) {
		c := v.col()
		return m.bools(c, func(i int) bool { return c.isNull(i) == is }), a.known("isna()", 0)
	}
}

func columnFillna(m *machine, v val, a *args) (val, error) {
	if err := a.known("fillna()", 1, "value"); err != nil {
		return val{}, err
	}
	with, ok := a.get(0, "value")
	if !ok || with.k == kNone {
		return val{}, valueError("Must specify a fill 'value' or 'method'")
	}
	c := v.col()
	if d, isDict := with.ref.(*dict); isDict && d != nil {
		return val{}, outside("fillna of a column with a dict is not supported")
	}
	out, err := m.fillna(c, with)
	if err != nil {
		return val{}, err
	}
	return colVal(out), nil
}

func (m *machine) fillna(c *column, with val) (*column, error) {
	mask := m.mem.column(dBool, c.n)
	for i := range mask.ints {
		mask.ints[i] = boolVal(c.isNull(i)).i
	}
	if c.dt != dObject {
		if !anyTrue(mask) {
			return m.mem.clone(c), nil
		}
		if c.dt.isFloat() && with.k != kColumn && with.isNumber() && with.k != kBool {
			return m.pick(mask, operandOf(with), operandOf(colVal(c)), c.dt), nil
		}
		if c.dt.isFloat() && with.k == kColumn && with.col().dt.isNumber() && with.col().dt != dBool {
			return m.pick(mask, operandOf(with), operandOf(colVal(c)), c.dt), nil
		}
		if c.dt == dTime || c.dt == dDelta {
			return m.chooseTimes(mask, with, c)
		}
		c = m.objects(c)
	}
	out, err := m.choose(mask, with, c)
	if err != nil {
		return nil, err
	}
	return m.soft(out)
}

// columnWhere is where (keep is true) or mask.
func columnWhere(keep bool) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known("where() and mask()", 2, "cond", "other"); err != nil {
			return val{}, err
		}
		cond, ok := a.get(0, "cond")
		if !ok || cond.k != kColumn || cond.col().dt != dBool {
			return val{}, outside("where() and mask() need a column of bools")
		}
		other, ok := a.get(1, "other")
		if !ok {
			other = floatVal(math.NaN())
		}
		mask := cond.col()
		if keep {
			mask = m.mem.clone(mask)
			for i := range mask.ints {
				mask.ints[i] = 1 - mask.ints[i]
			}
		}
		out, err := m.choose(mask, other, v.col())
		if err != nil {
			return val{}, err
		}
		return colVal(out), nil
	}
}

func columnClip(m *machine, v val, a *args) (val, error) {
	if err := a.known("clip()", 2, "lower", "upper"); err != nil {
		return val{}, err
	}
	lower, _ := a.get(0, "lower")
	upper, _ := a.get(1, "upper")
	if lower.isNumber() && upper.isNumber() && compareNumbers("<", upper, lower) {
		lower, upper = upper, lower
	}
	out := v
	for _, b := range []struct {
		bound     val
		op        string
		unlimited int
	}{{lower, ">=", -1}, {upper, "<=", 1}} {
		if b.bound.isScalar() && b.bound.null() {
			continue
		}
		limit := b.bound
		if limit.k == kColumn { // a null is no limit
			filled, err := m.fillna(limit.col(), floatVal(math.Inf(b.unlimited)))
			if err != nil {
				return val{}, err
			}
			limit = colVal(filled)
		}
		keep, err := m.compare(b.op, v, limit)
		if err != nil {
			return val{}, err
		}
		mask, c := m.mem.clone(keep.col()), v.col()
		for i := range mask.ints {
			mask.ints[i] = boolVal(mask.ints[i] == 0 && !c.isNull(i)).i
		}
		next, err := m.choose(mask, b.bound, out.col())
		if err != nil {
			return val{}, err
		}
		out = colVal(next)
	}
	return out, nil
}

// eachFloat applies a function to each row as a float.
func (m *machine) eachFloat(c *column, fn func(float64) float64) (*column, error) {
	if c.dt == dFloat32 {
		return nil, outside("this function of a float32 column is not supported; convert it to float64 first")
	}
	if c.dt == dObject && c.n == 0 {
		return m.mem.clone(c), nil
	}
	if !c.dt.isNumber() {
		return nil, &failure{class: "TypeError", text: "this function of a column of " + c.dt.String() + " is not supported; convert it to numbers first", data: true}
	}
	out := m.mem.column(dFloat64, c.n)
	out.array = c.array
	for i, f := range m.floats(operandOf(colVal(c))) {
		out.floats[i] = fn(f)
	}
	return out, nil
}

// numpyRound is numpy.round of a float: half to even.
func numpyRound(f float64, digits int64) float64 {
	switch {
	case digits == 0:
		return math.RoundToEven(f)
	case digits > 0:
		p := math.Pow(10, float64(digits))
		return math.RoundToEven(f*p) / p
	}
	p := math.Pow(10, float64(-digits))
	return math.RoundToEven(f/p) * p
}

func columnRound(m *machine, v val, a *args) (val, error) {
	if err := a.known("round()", 1, "decimals"); err != nil {
		return val{}, err
	}
	digits := intVal(0)
	if d, ok := a.get(0, "decimals"); ok {
		digits = d
	}
	if digits.k != kInt {
		return val{}, typeError("'%s' object cannot be interpreted as an integer", digits.typeName())
	}
	c := v.col()
	if digits.i < -22 || digits.i > 22 {
		return val{}, outside("round() to %d digits is not supported", digits.i)
	}
	if c.dt.isInt() || c.dt == dBool {
		if digits.i < 0 || c.dt == dBool {
			return val{}, outside("round() of a column of %s is not supported here", c.dt)
		}
		return colVal(m.mem.clone(c)), nil
	}
	if c.dt == dObject {
		return val{}, &failure{class: "TypeError", text: "round() of a column of objects is not supported; convert it by .astype(float)", data: true}
	}
	out, err := m.eachFloat(c, func(f float64) float64 { return numpyRound(f, digits.i) })
	if err != nil {
		return val{}, err
	}
	return colVal(out), nil
}

func columnAbs(m *machine, v val, a *args) (val, error) {
	if err := a.known("abs()", 0); err != nil {
		return val{}, err
	}
	c := v.col()
	out := m.mem.clone(c)
	switch c.dt {
	case dTime:
		return val{}, typeError("bad operand type for abs(): a column of times")
	case dObject:
		for i, x := range c.objs {
			y, err := m.abs(x)
			if err != nil {
				return val{}, err
			}
			out.objs[i] = y
		}
	}
	for i, x := range out.ints {
		if x < 0 && x != nat {
			out.ints[i] = c.dt.wrap(-x)
		}
	}
	for i, f := range out.floats {
		out.floats[i] = math.Abs(f)
	}
	return colVal(out), nil
}

func columnIsin(m *machine, v val, a *args) (val, error) {
	if err := a.known("isin()", 1, "values"); err != nil {
		return val{}, err
	}
	of, ok := a.get(0, "values")
	if !ok || of.k == kText {
		return val{}, typeError("only list-like objects are allowed to be passed to isin()")
	}
	all, err := m.listed(anyOrder(of))
	if err != nil {
		return val{}, err
	}
	c := v.col()
	if !comparable(c, look(all), len(all)) {
		return val{}, outside("isin() with values of other types than the column is not supported")
	}
	in, nulls := members(all)
	return m.bools(c, func(i int) bool {
		x := c.python(i)
		if x.null() { // nulls are equal; those of objects if they are of one kind
			return slices.Contains(nulls, x.k) || c.dt != dObject && len(nulls) > 0
		}
		return in.find(x) >= 0
	}), nil
}

// members are the values of isin, and the kinds of nulls among them.
func members(all []val) (in *dict, nulls []kind) {
	in = &dict{}
	for _, y := range all {
		if !y.null() {
			in.set(y, val{})
		} else if !slices.Contains(nulls, y.k) {
			nulls = append(nulls, y.k)
		}
	}
	return in, nulls
}

// comparable reports whether the values of a list are of the type of a column.
func comparable(c *column, s seen, n int) bool {
	mixed := s.bools > 0 && s.bools < n
	other := (s.bools > 0) != (c.dt == dBool) && c.dt != dObject && n > 0
	return !mixed && !other && s.times == 0
}

func columnBetween(m *machine, v val, a *args) (val, error) {
	if err := a.known("between()", 3, "left", "right", "inclusive"); err != nil {
		return val{}, err
	}
	left, ok := a.get(0, "left")
	right, ok2 := a.get(1, "right")
	if !ok || !ok2 {
		return val{}, orMissing(nil, "between()")
	}
	low, high := ">=", "<="
	if how, ok := a.get(2, "inclusive"); ok {
		switch how.s {
		case "both":
		case "neither":
			low, high = ">", "<"
		case "left":
			high = "<"
		case "right":
			low = ">"
		default:
			return val{}, valueError("Inclusive has to be either string of 'both','left', 'right', or 'neither'.")
		}
	}
	x, err := m.compare(low, v, left)
	if err != nil {
		return val{}, err
	}
	y, err := m.compare(high, v, right)
	if err != nil {
		return val{}, err
	}
	return m.binary("&", x, y)
}

// columnOperator is a method such as add, with fill_value.
func columnOperator(op string, reversed bool) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known("this operator", 1, "other", "fill_value"); err != nil {
			return val{}, err
		}
		other, ok := a.get(0, "other")
		if !ok {
			return val{}, orMissing(nil, "this operator")
		}
		if fill, ok := a.get(-1, "fill_value"); ok && fill.k != kNone {
			if other.k != kColumn {
				return val{}, outside("fill_value is supported between two columns only")
			}
			return m.filled(op, v, other, fill, reversed)
		}
		if reversed {
			v, other = other, v
		}
		return m.binary(op, v, other)
	}
}

// filled computes an operator where a null on one side counts as fill.
func (m *machine) filled(op string, v, other, fill val, reversed bool) (val, error) {
	x, y := m.mem.clone(v.col()), m.mem.clone(other.col())
	if x.dt == dObject || y.dt == dObject {
		x, y = m.objects(x), m.objects(y)
	}
	if x.n != y.n || !fill.isNumber() {
		return val{}, outside("fill_value does not fit these columns")
	}
	for i := range x.n {
		a, b := x.isNull(i), y.isNull(i)
		switch {
		case a && b && x.dt == dObject:
			return val{}, &failure{class: "TypeError", text: "both columns have a null in one row, and fill_value replaces only one", data: true}
		case a && !b:
			x.setNumber(i, fill)
		case b && !a:
			y.setNumber(i, fill)
		}
	}
	if reversed {
		x, y = y, x
	}
	return m.binary(op, colVal(x), colVal(y))
}

// setNumber sets a row of floats or objects.
func (c *column) setNumber(i int, v val) {
	if c.dt == dObject {
		c.objs[i] = v
		return
	}
	c.floats[i] = v.float()
}

func columnComparison(op string) method {
	return func(m *machine, v val, a *args) (val, error) {
		if err := a.known("this comparison", 1, "other"); err != nil {
			return val{}, err
		}
		other, ok := a.get(0, "other")
		if !ok {
			return val{}, orMissing(nil, "this comparison")
		}
		return m.compare(op, v, other)
	}
}
