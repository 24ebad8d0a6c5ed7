package transform

import "strings"

// compare is a comparison of any two values.
func (m *machine) compare(op string, a, b val) (val, error) {
	switch {
	case a.extended() || b.extended():
		return val{}, outside("comparing a %s with a %s is not supported", a.typeName(), b.typeName())
	case a.k == kColumn && (b.k == kColumn || b.isScalar()), b.k == kColumn && a.isScalar():
		return m.columnCompare(op, a, b)
	case a.k == kFrame || b.k == kFrame:
		return val{}, outside("comparing a DataFrame is not supported; compare its columns")
	case a.k == kColumn || b.k == kColumn:
		return val{}, outside("comparing a column with a %s is not supported", b.typeName())
	}
	is, err := compareScalars(op, a, b)
	out := boolVal(is)
	if a.w != dNone && a.isNumber() || b.w != dNone && b.isNumber() {
		out.w = dBool
	}
	return out, err
}

func (m *machine) columnCompare(op string, av, bv val) (val, error) {
	a, b := operandOf(av), operandOf(bv)
	n, err := rowsOf(a, b)
	if err != nil {
		return val{}, err
	}
	if a.c == nil { // as pandas: the column is the left side
		a, b, op = b, a, mirrored(op)
	}
	out := m.mem.column(dBool, n)
	out.array = a.isArray() && b.isArray()
	switch {
	case b.c == nil && b.v.null():
		for i := range out.ints {
			out.ints[i] = boolVal(op == "!=").i
		}
	case a.dt == dTime || a.dt == dDelta || a.dt != dObject && (b.dt == dTime || b.dt == dDelta):
		err = m.timeCompare(op, a, b, out)
	case a.dt == dObject || b.dt == dObject:
		err = compareObjects(op, a, b, out)
	default:
		m.numberCompare(op, a, b, out)
	}
	if err != nil {
		return val{}, err
	}
	return colVal(out), nil
}

func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func (m *machine) numberCompare(op string, a, b operand, out *column) {
	if !a.dt.isFloat() && !b.dt.isFloat() {
		x, sx := step(m.ints(a), a)
		y, sy := step(m.ints(b), b)
		for i := range out.ints {
			out.ints[i] = boolVal(ordered(op, cmpInt(x[i*sx], y[i*sy]))).i
		}
		return
	}
	x, sx := step(m.floats(a), a)
	y, sy := step(m.floats(b), b)
	if common(a.dt, b.dt, a.weak, b.weak) == dFloat32 {
		x, y = m.float32s(x, a), m.float32s(y, b)
	}
	for i := range out.ints {
		out.ints[i] = boolVal(compareFloats(op, x[i*sx], y[i*sy])).i
	}
}

// compareObjects compares row by row as Python does. pandas takes a null in a
// column of objects on the left as unequal to everything and never smaller or
// larger.
func compareObjects(op string, a, b operand, out *column) error {
	if a.dt != dObject && b.c == nil && b.v.k == kText && op != "==" && op != "!=" {
		return typeError("Invalid comparison between dtype=%s and str", a.dt)
	}
	for i := range out.ints {
		x, y := a.at(i), b.at(i)
		if a.dt == dObject && (x.null() || y.null()) {
			out.ints[i] = boolVal(op == "!=").i
			continue
		}
		is, err := compareScalars(op, x, y)
		if err != nil {
			return err
		}
		out.ints[i] = boolVal(is).i
	}
	return nil
}

// contains is "item in container".
func contains(item, container val) (bool, error) {
	switch container.k {
	case kText:
		if item.k == kText {
			return strings.Contains(container.s, item.s), nil
		}
		return false, typeError("'in <string>' requires string as left operand, not %s", item.typeName())
	case kList, kTuple, kSet, kRange:
		for _, v := range container.ref.(*list).items {
			if v.k == kNone && item.k == kNone {
				return true, nil
			}
			is, err := compareScalars("==", v, item)
			if err != nil {
				return false, err
			}
			if is {
				return true, nil
			}
		}
		return false, nil
	case kDict:
		if err := hashable(item); err != nil {
			return false, err
		}
		return container.ref.(*dict).find(item) >= 0, nil
	case kFrame:
		return item.k == kText && container.ref.(*frame).find(item.s) >= 0, nil
	}
	return false, outside("'in' a %s is not supported", container.typeName())
}
