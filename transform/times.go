package transform

func (v val) isTime() bool { return v.k == kTime || v.k == kDelta || v.k == kNaT }

// timeScalars is an operator on scalars of which one is a time or a duration.
func timeScalars(op string, a, b val) (val, error) {
	switch {
	case a.k == kNaT || b.k == kNaT:
		if op == "+" || op == "-" {
			return val{k: kNaT}, nil
		}
	case a.k == kTime && b.k == kTime && op == "-":
		if a.w != b.w {
			return val{}, typeError("Cannot subtract tz-naive and tz-aware datetime-like objects")
		}
		return val{k: kDelta, i: a.i - b.i}, nil
	case a.k == kTime && b.k == kDelta && (op == "+" || op == "-"):
		if op == "-" {
			b.i = -b.i
		}
		return val{k: kTime, w: a.w, i: a.i + b.i}, nil
	case a.k == kDelta && b.k == kTime && op == "+":
		return val{k: kTime, w: b.w, i: a.i + b.i}, nil
	case a.k == kDelta && b.k == kDelta:
		return deltaScalars(op, a, b)
	case a.k == kDelta && b.isNumber() && op == "*" && b.k != kFloat:
		return val{k: kDelta, i: a.i * b.i}, nil
	case b.k == kDelta && a.isNumber() && op == "*" && a.k != kFloat:
		return val{k: kDelta, i: a.i * b.i}, nil
	}
	return val{}, badOperands(op, a, b)
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
