package transform

import (
	"math"
	"math/big"
)

// exactQuotient divides two integers with one rounding.
func exactQuotient(x, y int64) float64 {
	f, _ := new(big.Rat).SetFrac(big.NewInt(x), big.NewInt(y)).Float64()
	return f
}

// power is x to the power of y of a column and a single exponent: NumPy has its own
// ways for the exponents people write most.
func power(x, y float64) float64 {
	switch y {
	case 0:
		return 1
	case 0.5:
		return math.Sqrt(x)
	case -1:
		return 1 / x
	}
	return pow(x, y)
}

// promote is NumPy's result_type of two types.
func promote(a, b dtype) dtype {
	if a == b {
		return a
	}
	if a > b {
		a, b = b, a
	}
	switch {
	case b >= dObject:
		return dObject
	case a == dBool:
		return b
	case b == dFloat64:
		return b
	case b == dFloat32:
		if a.isInt() && a.bits() > 16 {
			return dFloat64
		}
		return b
	}
	return promoteInts(a, b)
}

func promoteInts(a, b dtype) dtype {
	if a.unsigned() == b.unsigned() {
		if a.bits() > b.bits() {
			return a
		}
		return b
	}
	signed, unsigned := a, b
	if a.unsigned() {
		signed, unsigned = b, a
	}
	if signed.bits() > unsigned.bits() {
		return signed
	}
	switch unsigned.bits() {
	case 8:
		return dInt16
	case 16:
		return dInt32
	}
	return dInt64
}

// scalarType is the NumPy type of a scalar, and whether it is a number of Python,
// which adapts to the other operand.
func scalarType(v val) (dt dtype, weak bool) {
	if v.w != dNone && v.isNumber() {
		return v.w, false
	}
	switch v.k {
	case kBool:
		return dBool, false
	case kInt:
		return dInt64, true
	case kFloat:
		return dFloat64, true
	case kTime:
		if v.w == dDate {
			return dObject, false
		}
		return dTime, false
	case kDelta:
		return dDelta, false
	}
	return dObject, false
}

// common is the type in which NumPy computes with two operands, of which weak ones
// are numbers of Python.
func common(a, b dtype, weakA, weakB bool) dtype {
	switch {
	case weakA == weakB:
		return promote(a, b)
	case weakA:
		return common(b, a, weakB, weakA)
	}
	switch { // b is weak
	case a.isFloat():
		return a
	case b == dFloat64 && a.isNumber():
		return dFloat64
	case a.isInt():
		return a
	case a == dBool:
		return dInt64
	}
	return promote(a, b)
}

// numpyScalars is an operator on two numbers of which one is NumPy's.
func numpyScalars(op string, a, b val) (val, error) {
	x, wa := scalarType(a)
	y, wb := scalarType(b)
	dt := common(x, y, wa, wb)
	if err := weakFits(dt, a, wa); err != nil {
		return val{}, err
	}
	if err := weakFits(dt, b, wb); err != nil {
		return val{}, err
	}
	if dt == dBool {
		return boolArith(op, a, b)
	}
	if dt.isFloat() || op == "/" {
		return numpyFloats(op, dt, a, b)
	}
	out, err := intArith(op, dt, a.i, b.i)
	return val{k: kInt, w: dt, i: out}, err
}

func numpyFloats(op string, dt dtype, a, b val) (val, error) {
	if !dt.isFloat() {
		dt = dFloat64
	}
	f, err := floatArith(op, dt, a.float(), b.float())
	return val{k: kFloat, w: dt, f: f}, err
}

func weakFits(dt dtype, v val, weak bool) error {
	if weak && v.k == kInt && dt.isInt() && !dt.fits(v.i) {
		return &failure{class: "OverflowError", text: "Python integer " + itoa(v.i) + " out of bounds for " + dt.String(), data: true}
	}
	return nil
}

func boolArith(op string, a, b val) (val, error) {
	out := val{k: kBool, w: dBool}
	switch op {
	case "+", "|":
		out.i = a.i | b.i
	case "*", "&":
		out.i = a.i & b.i
	case "^":
		out.i = a.i ^ b.i
	case "-":
		return val{}, typeError("numpy boolean subtract, the `-` operator, is not supported")
	default:
		return val{}, outside("operator '%s' is not supported for bool dtypes", op)
	}
	return out, nil
}

// intArith is NumPy's operator on two integers of one type: it wraps. Division by
// zero gives 0, as in arrays; columns of pandas replace it.
func intArith(op string, dt dtype, x, y int64) (int64, error) {
	switch op {
	case "+":
		return dt.wrap(x + y), nil
	case "-":
		return dt.wrap(x - y), nil
	case "*":
		return dt.wrap(x * y), nil
	case "//":
		if y == 0 {
			return 0, nil
		}
		if y == -1 {
			return dt.wrap(-x), nil
		}
		return floorDiv(x, y), nil
	case "%":
		if y == 0 || y == -1 {
			return 0, nil
		}
		return floorMod(x, y), nil
	case "**":
		if y < 0 {
			return 0, valueError("Integers to negative integer powers are not allowed.")
		}
		return wrapPower(dt, x, y), nil
	case "&":
		return x & y, nil
	case "|":
		return x | y, nil
	case "^":
		return x ^ y, nil
	}
	return 0, outside("operator %s is not supported for columns", op)
}

func wrapPower(dt dtype, x, y int64) int64 {
	out := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 != 0 {
			out *= x
		}
		x *= x
	}
	return dt.wrap(out)
}

// floatArith is NumPy's operator on two floats of one type.
func floatArith(op string, dt dtype, x, y float64) (float64, error) {
	var f float64
	switch op {
	case "+":
		f = x + y
	case "-":
		f = x - y
	case "*":
		f = x * y
	case "/":
		f = x / y
	case "//", "%":
		f = floatDivision(op, x, y)
	case "**":
		if dt == dFloat32 && y != 2 && y != 1 && y != 0 {
			return 0, outside("** on float32 is not supported; convert it to float64 first")
		}
		f = pow(x, y)
	default:
		return 0, typeError("operator %s is not supported for floats", op)
	}
	if dt == dFloat32 {
		f = float64(float32(f))
	}
	return f, nil
}
