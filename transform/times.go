package transform

func (v val) isTime() bool { return v.k == kTime || v.k == kDelta || v.k == kNaT }

// timeScalars is an operator on scalars of which one is a time or a duration.
func timeScalars(op string, a, b val) (val, error) {
	additive := op == "+" || op == "-"
	switch {
	case a.k == kNaT || b.k == kNaT:
		if !additive {
			return val{}, badOperands(op, a, b)
		}
		return val{k: kNaT}, nil
	case a.k == kDelta && b.k == kDelta:
		return deltaScalars(op, a, b)
	case op == "*":
		return multiples(a, b)
	case a.w == dDate && b.k == kDelta && b.i%dayMicros != 0:
		return val{}, outside("operator %s of a date and a part of a day is not supported", op)
	case additive:
		return moved(op, a, b)
	}
	return val{}, badOperands(op, a, b)
}

// moved is the sum or difference of two values of which one is a time.
func moved(op string, a, b val) (val, error) {
	switch {
	case a.k == kTime && b.k == kTime && op == "-":
		if a.w != b.w {
			return val{}, typeError("Cannot subtract tz-naive and tz-aware datetime-like objects")
		}
		return val{k: kDelta, i: a.i - b.i}, nil
	case a.k == kTime && b.k == kDelta && op == "-":
		return val{k: kTime, w: a.w, i: a.i - b.i}, nil
	case a.k == kTime && b.k == kDelta:
		return val{k: kTime, w: a.w, i: a.i + b.i}, nil
	case a.k == kDelta && b.k == kTime && op == "+":
		return val{k: kTime, w: b.w, i: a.i + b.i}, nil
	}
	return val{}, badOperands(op, a, b)
}

// multiples is a duration times an integer.
func multiples(a, b val) (val, error) {
	if b.k == kDelta {
		a, b = b, a
	}
	if a.k != kDelta || b.k != kInt {
		return val{}, badOperands("*", a, b)
	}
	n, err := intTimes(a.i, b.i)
	return val{k: kDelta, w: a.w, i: n.i}, err
}

func deltaScalars(op string, a, b val) (val, error) {
	switch op {
	case "+":
		return val{k: kDelta, i: a.i + b.i}, nil
	case "-":
		return val{k: kDelta, i: a.i - b.i}, nil
	case "/", "//", "%":
		if b.i == 0 {
			return val{}, zeroDivision("division by zero")
		}
		switch op {
		case "//":
			return intVal(floorDiv(a.i, b.i)), nil
		case "%":
			return val{k: kDelta, i: floorMod(a.i, b.i)}, nil
		}
		return floatVal(float64(a.i) / float64(b.i)), nil
	}
	return val{}, badOperands(op, a, b)
}
