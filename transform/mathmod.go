package transform

import "math"

func finite(f float64) bool { return !math.IsInf(f, 0) }

// one is the only argument of a function of math, as a float.
func oneNumber(name string, a *args) (float64, error) {
	if err := a.known(name+"()", 1); err != nil || len(a.pos) == 0 {
		return 0, orMissing(err, name+"()")
	}
	v := a.pos[0]
	if !v.isNumber() {
		return 0, &failure{class: "TypeError", text: name + "() must be given a real number, not " + v.typeName(), data: v.null()}
	}
	return v.float(), nil
}

func mathFunc(name string, fn func(float64) float64, domain func(float64) bool) function1 {
	return func(_ *machine, a *args) (val, error) {
		x, err := oneNumber(name, a)
		if err != nil {
			return val{}, err
		}
		if domain != nil && !domain(x) && x == x {
			return val{}, valueError("math domain error in %s", name)
		}
		out := fn(x)
		if math.IsInf(out, 0) && !math.IsInf(x, 0) {
			return val{}, &failure{class: "OverflowError", text: "math range error in " + name, data: true}
		}
		return floatVal(out), nil
	}
}

func mathLog(m *machine, a *args) (val, error) {
	if len(a.pos) == 2 {
		return val{}, outside("math.log() with a base is not supported; divide two logarithms")
	}
	if len(a.pos) == 1 && (a.pos[0].k == kInt || a.pos[0].k == kBool) && a.pos[0].i <= 0 {
		return val{}, valueError("math domain error in math.log")
	}
	return mathFunc("math.log", logarithm, func(x float64) bool { return x > 0 })(m, a)
}

func mathWhole(name string, fn func(float64) float64) function1 {
	return func(_ *machine, a *args) (val, error) {
		x, err := oneNumber(name, a)
		if err != nil {
			return val{}, err
		}
		if a.pos[0].k != kFloat {
			return intVal(a.pos[0].i), nil
		}
		return toInt(floatVal(fn(x)))
	}
}

func mathTest(name string, test func(float64) bool) function1 {
	return func(_ *machine, a *args) (val, error) {
		x, err := oneNumber(name, a)
		if name == "math.isfinite" && x != x {
			return boolVal(false), err
		}
		return boolVal(test(x)), err
	}
}

func mathPow(_ *machine, a *args) (val, error) {
	if err := a.known("math.pow()", 2); err != nil || len(a.pos) < 2 {
		return val{}, orMissing(err, "math.pow()")
	}
	x, y := a.pos[0], a.pos[1]
	if !x.isNumber() || !y.isNumber() {
		return val{}, &failure{class: "TypeError", text: "math.pow() must be given real numbers", data: x.null() || y.null()}
	}
	if x.float() < 0 && y.float() != math.Trunc(y.float()) || x.float() == 0 && y.float() < 0 {
		return val{}, valueError("math domain error in math.pow")
	}
	return floatPower(x.float(), y.float())
}
