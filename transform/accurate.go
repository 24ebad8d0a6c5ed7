package transform

import "math"

// Logarithms, exponentials and powers are computed with about 100 bits and rounded
// once, since NumPy and the C library err by less than 0.53 units in the last place,
// and those of Go by more.

// double is the unevaluated sum of two floats.
type double struct{ hi, lo float64 }

func quickSum(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

func twoSum(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

func (x double) add(y double) double {
	s := twoSum(x.hi, y.hi)
	t := twoSum(x.lo, y.lo)
	s = quickSum(s.hi, s.lo+t.hi)
	return quickSum(s.hi, s.lo+t.lo)
}

func (x double) mul(y double) double {
	p := x.hi * y.hi
	e := math.FMA(x.hi, y.hi, -p)
	return quickSum(p, e+(x.hi*y.lo+x.lo*y.hi))
}

func (x double) neg() double { return double{-x.hi, -x.lo} }

func (x double) div(y double) double {
	q := x.hi / y.hi
	r := x.add(y.mul(double{q, 0}).neg())
	q2 := r.hi / y.hi
	r = r.add(y.mul(double{q2, 0}).neg())
	return quickSum(q, q2).add(double{r.hi / y.hi, 0})
}

// ln2 is the natural logarithm of 2.
var ln2 = double{0.693147180559945286, 2.319046813846299558e-17}

// expDouble is the exponential of x as m × 2^k; x is within ±800.
func expDouble(x double) (m double, k int) {
	n := math.RoundToEven(x.hi / ln2.hi)
	r := x.add(ln2.mul(double{-n, 0}))
	const halvings = 9
	r = double{math.Ldexp(r.hi, -halvings), math.Ldexp(r.lo, -halvings)}
	// e^r - 1 by its series, then squared: (1+p)² - 1 = 2p + p².
	p, term := r, r
	for i := 2.0; i <= 9; i++ {
		term = term.mul(r).div(double{i, 0})
		p = p.add(term)
	}
	for range halvings {
		p = p.add(p).add(p.mul(p))
	}
	return p.add(double{1, 0}), int(n)
}

// logDouble is the natural logarithm of a positive finite number m × 2^k.
func logDouble(m double, k int) double {
	frac, e := math.Frexp(m.hi)
	if frac < math.Sqrt2/2 {
		e--
	}
	scaled := double{math.Ldexp(m.hi, -e), math.Ldexp(m.lo, -e)}
	y := double{math.Log(scaled.hi), 0}
	for range 2 { // Newton: y += m·e^-y - 1
		ey, n := expDouble(y.neg())
		ey = double{math.Ldexp(ey.hi, n), math.Ldexp(ey.lo, n)}
		y = y.add(scaled.mul(ey).add(double{-1, 0}))
	}
	return y.add(ln2.mul(double{float64(k + e), 0}))
}

// rounded is m × 2^k as a float.
func rounded(m double, k int) float64 {
	if k > -1000 {
		return math.Ldexp(m.hi+m.lo, k)
	}
	// A subnormal result is rounded once, at its own last bit.
	unit := math.Ldexp(1, -1074-k)
	whole := math.RoundToEven(m.hi / unit)
	rest := (m.hi - whole*unit + m.lo) / unit
	if rest > 0.5 {
		whole++
	} else if rest < -0.5 {
		whole--
	}
	return whole * 0x1p-1074
}

func exp(x float64) float64 {
	switch {
	case x != x || x > 710 || x < -746:
		return math.Exp(x)
	case x == 0:
		return 1
	}
	m, k := expDouble(double{x, 0})
	return rounded(m, k)
}

func expm1(x float64) float64 {
	switch {
	case x != x || x > 710 || x < -746:
		return math.Expm1(x)
	case math.Abs(x) < 1e-10:
		return x + x*x/2
	}
	m, k := expDouble(double{x, 0})
	if k > 200 {
		return rounded(m, k)
	}
	d := double{math.Ldexp(m.hi, k), math.Ldexp(m.lo, k)}.add(double{-1, 0})
	return d.hi + d.lo
}

// ordinary reports whether the logarithm of x needs no special case.
func ordinary(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

func logOf(x float64) double {
	frac, e := math.Frexp(x)
	return logDouble(double{frac, 0}, e)
}

func logarithm(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x == 1:
		return 0
	case !ordinary(x):
		return math.Log(x)
	}
	y := logOf(x)
	return y.hi + y.lo
}

func log1p(x float64) float64 {
	switch {
	case x <= -1 || !ordinary(x+1):
		return math.Log1p(x)
	case math.Abs(x) < 1e-10:
		return x - x*x/2
	}
	y := logDouble(twoSum(1, x), 0)
	return y.hi + y.lo
}

func log2(x float64) float64 {
	if !ordinary(x) {
		return logarithm(x)
	}
	if frac, e := math.Frexp(x); frac == 0.5 {
		return float64(e - 1)
	}
	y := logOf(x).div(ln2)
	return y.hi + y.lo
}

// ln10 is the natural logarithm of 10.
var ln10 = double{2.302585092994045901, -2.170756223382249351e-16}

func log10(x float64) float64 {
	if !ordinary(x) {
		return logarithm(x)
	}
	y := logOf(x).div(ln10)
	return y.hi + y.lo
}

// special reports whether a power of x, or to x, needs no computation.
func special(x float64) bool { return x == 0 || x-x != 0 }

// pow is x to the power of y.
func pow(x, y float64) float64 {
	switch {
	case y == 1:
		return x
	case y == 2:
		return x * x
	case special(x) || special(y) || x == 1 || x < 0 && y != math.Trunc(y):
		return math.Pow(x, y)
	}
	p := logOf(math.Abs(x)).mul(double{y, 0})
	if p.hi > 710 || p.hi < -746 {
		return math.Pow(x, y)
	}
	m, k := expDouble(p)
	out := rounded(m, k)
	if x < 0 && math.Mod(y, 2) != 0 {
		out = -out
	}
	return out
}
