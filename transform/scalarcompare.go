package transform

import (
	"math"
	"strings"
)

// compareScalars compares two scalars as Python does.
func compareScalars(op string, a, b val) (bool, error) { return compareNested(op, a, b, 0) }

// maxNested bounds the nesting of lists that are shown.
const maxNested = 50

func compareNested(op string, a, b val, depth int) (bool, error) {
	switch {
	case a.extended() || b.extended():
		return false, outside("comparing a %s with a %s is not supported", a.typeName(), b.typeName())
	case a.isNumber() && b.isNumber():
		return compareNumbers(op, a, b), nil
	case a.k == kText && b.k == kText:
		return ordered(op, strings.Compare(a.s, b.s)), nil
	}
	return compareOthers(op, a, b, depth)
}

// compareOthers compares values of which not both are numbers or texts.
func compareOthers(op string, a, b val, depth int) (bool, error) {
	switch {
	case a.isTime() && b.isTime() && (a.k == kNaT || b.k == kNaT):
		return op == "!=", nil
	case sameTimes(a, b):
		return ordered(op, cmpInt(a.i, b.i)), nil
	case a.k == b.k && (a.k == kTuple || a.k == kList) && op != "==" && op != "!=":
		return compareItems(op, a, b, depth)
	case op == "==" || op == "!=":
		same, err := sameValue(a, b, depth)
		return same == (op == "=="), err
	}
	return false, typeError("'%s' not supported between instances of '%s' and '%s'", op, a.typeName(), b.typeName())
}

// compareItems orders two lists by the first items that differ.
func compareItems(op string, a, b val, depth int) (bool, error) {
	if depth > maxNested {
		return false, outside("comparing lists nested so deep is not supported")
	}
	x, y := a.ref.(*list).items, b.ref.(*list).items
	for i := range min(len(x), len(y)) {
		same, err := compareNested("==", x[i], y[i], depth+1)
		if err != nil || !same {
			if err == nil {
				return compareNested(op, x[i], y[i], depth+1)
			}
			return false, err
		}
	}
	return ordered(op, cmpInt(int64(len(x)), int64(len(y)))), nil
}

// sameTimes reports whether two values are times of one kind, or durations.
func sameTimes(a, b val) bool { return a.k == b.k && (a.k == kDelta || a.k == kTime && a.w == b.w) }

func sameValue(a, b val, depth int) (bool, error) {
	if a.k != b.k {
		return false, nil
	}
	if depth > 0 && a.ref != nil {
		return false, outside("comparing lists of lists is not supported")
	}
	switch a.k {
	case kNone:
		return true, nil
	case kList, kTuple:
		x, y := a.ref.(*list).items, b.ref.(*list).items
		if len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := compareNested("==", x[i], y[i], depth+1); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case kTime:
		return a.w == b.w && a.i == b.i, nil
	}
	return false, outside("comparing values of type %s is not supported", a.typeName())
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func ordered(op string, c int) bool {
	switch op {
	case "==":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// compareNumbers compares exactly, also integers with floats.
func compareNumbers(op string, a, b val) bool {
	if a.k != kFloat && b.k != kFloat {
		return ordered(op, cmpInt(a.i, b.i))
	}
	if a.k == kFloat && b.k == kFloat || a.w != dNone || b.w != dNone {
		return compareFloats(op, a.float(), b.float())
	}
	if a.k == kFloat {
		if a.f != a.f {
			return op == "!="
		}
		return ordered(op, -cmpIntFloat(b.i, a.f))
	}
	if b.f != b.f {
		return op == "!="
	}
	return ordered(op, cmpIntFloat(a.i, b.f))
}

func cmpIntFloat(i int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Floor(f)
	if c := cmpInt(i, int64(whole)); c != 0 || f == whole {
		return c
	}
	return -1
}

func compareFloats(op string, x, y float64) bool {
	switch op {
	case "==":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}
