package library

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// Timedelta is a datetime.timedelta, in microseconds as Python keeps it.
type Timedelta int64

const (
	microsecond Timedelta = 1
	second                = 1_000_000 * microsecond
	day                   = 86_400 * second
	// maxDelta bounds the supported durations, in microseconds: Python's can exceed
	// 64 bits.
	maxDelta = 9e18
)

func errDelta() error {
	return fmt.Errorf("a timedelta of more than 285 thousand years is not read")
}

func newTimedelta(c *python.Call, a []any) (any, error) {
	whole, left, size := Timedelta(0), 0.0, 0.0
	for _, u := range []struct { // in the order in which Python adds the fractions
		name string
		at   int
		unit Timedelta
	}{
		{"microseconds", 2, microsecond},
		{"milliseconds", 3, 1000 * microsecond},
		{"seconds", 1, second},
		{"minutes", 4, 60 * second},
		{"hours", 5, 3600 * second},
		{"days", 0, day},
		{"weeks", 6, 7 * day},
	} {
		if !given(c, u.at, u.name) {
			continue
		}
		n, isNumber := number(a[u.at])
		if !isNumber {
			return nil, python.Raise("TypeError", "unsupported type for timedelta %s component: %s", u.name, python.TypeName(a[u.at]))
		}
		if size += math.Abs(n) * float64(u.unit); size > maxDelta || math.IsNaN(n) {
			return nil, errDelta()
		}
		if n, isInt := python.Int(a[u.at]); isInt {
			whole += Timedelta(n) * u.unit
			continue
		}
		units, fraction := math.Modf(n)
		micros, rest := math.Modf(fraction * float64(u.unit))
		whole += Timedelta(units)*u.unit + Timedelta(micros)
		left += rest
	}
	rounded := math.Round(left)
	if math.Abs(rounded-left) == 0.5 { // half to even, applied to the sum
		odd := float64(whole & 1)
		rounded = 2*math.Round((left+odd)*0.5) - odd
	}
	return whole + Timedelta(rounded), nil
}

// given reports whether a call has an argument, by name or by position.
func given(c *python.Call, at int, name string) bool {
	_, named := c.Arg(name)
	return named || at < len(c.Args)
}

// number returns a number as a float.
func number(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	i, ok := python.Int(v)
	return float64(i), ok
}

// Duration returns whole seconds and the remaining nanoseconds, both with the same
// sign.
func (d Timedelta) Duration() (seconds int64, nanos int32) {
	return int64(d / second), int32(d%second) * 1000
}

func (d Timedelta) parts() (days, seconds, micros int64) {
	days = int64(d / day)
	if d%day < 0 {
		days--
	}
	rest := d - Timedelta(days)*day
	return days, int64(rest / second), int64(rest % second)
}

// Kinds lists the types of a duration.
func (Timedelta) Kinds() []string { return []string{"timedelta"} }

// Key is equal for equal durations.
func (d Timedelta) Key() string { return fmt.Sprint(int64(d)) }

// Truth is false for a zero duration.
func (d Timedelta) Truth() bool { return d != 0 }

// Compare orders by length.
func (d Timedelta) Compare(other any) (int, bool) {
	o, ok := other.(Timedelta)
	return cmp.Compare(d, o), ok
}

// Repr prints the days, seconds and microseconds that are not 0.
func (d Timedelta) Repr() string {
	days, seconds, micros := d.parts()
	var args []string
	for i, n := range []int64{days, seconds, micros} {
		if n != 0 {
			args = append(args, fmt.Sprintf("%s=%d", []string{"days", "seconds", "microseconds"}[i], n))
		}
	}
	if args == nil {
		args = []string{"0"}
	}
	return "datetime.timedelta(" + strings.Join(args, ", ") + ")"
}

// String is the str of a duration.
func (d Timedelta) String() string {
	days, seconds, micros := d.parts()
	s := fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if micros != 0 {
		s += fmt.Sprintf(".%06d", micros)
	}
	switch days {
	case 0:
		return s
	case 1, -1:
		return fmt.Sprintf("%d day, %s", days, s)
	}
	return fmt.Sprintf("%d days, %s", days, s)
}

// Attr returns the attributes of a duration.
func (d Timedelta) Attr(name string) (any, bool) {
	days, seconds, micros := d.parts()
	switch name {
	case "days":
		return days, true
	case "seconds":
		return seconds, true
	case "microseconds":
		return micros, true
	case "total_seconds":
		return python.NewFunction(name, "", func(*python.Call, []any) (any, error) { return ratio(d, second), nil }), true
	}
	return nil, false
}

// Unread names the other attributes of Python's durations.
func (Timedelta) Unread(name string) bool {
	return isSpecial(name) || slices.Contains([]string{"min", "max", "resolution"}, name)
}

// isSpecial names the special attributes of Python's durations and points in
// time, except their class.
func isSpecial(name string) bool {
	const special = "abs add bool delattr dir divmod doc eq floordiv format ge getattribute getstate gt hash init init_subclass le lt mod mul ne neg new " +
		"pos radd rdivmod reduce reduce_ex repr rfloordiv rmod rmul rsub rtruediv setattr sizeof str sub subclasshook truediv"
	plain, dunder := strings.CutPrefix(name, "__")
	plain, ends := strings.CutSuffix(plain, "__")
	return dunder && ends && slices.Contains(strings.Fields(special), plain)
}

// Unary computes -d, +d and abs(d).
func (d Timedelta) Unary(op string) any {
	if op == "-" || op == "abs" && d < 0 {
		return -d
	}
	return d
}

// Binary computes with durations and numbers.
func (d Timedelta) Binary(op string, other any, swapped bool) (any, bool, error) {
	if o, ok := other.(Timedelta); ok {
		return d.with(op, o)
	}
	if swapped && op != "*" {
		return nil, false, nil
	}
	f, ok := number(other)
	i, isInt := python.Int(other)
	switch {
	case !ok || op != "*" && op != "/" && (op != "//" || !isInt):
		return nil, false, nil
	case op != "*" && f == 0:
		return nil, true, python.Raise("ZeroDivisionError", "division by zero")
	case op == "//":
		return floor(d, Timedelta(i)), true, nil
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, true, fmt.Errorf("a timedelta %s %s is not read", op, python.Brief(other))
	}
	by := exact(other, f)
	if op == "/" {
		by.Inv(by)
	}
	v, err := nearest(by.Mul(by, new(big.Rat).SetInt64(int64(d))))
	return v, true, err
}

// exact is a number whose float is f, as a fraction: it keeps the digits of
// integers that a float cannot hold.
func exact(v any, f float64) *big.Rat {
	if i, ok := python.Int(v); ok {
		return new(big.Rat).SetInt64(i)
	}
	return new(big.Rat).SetFloat64(f)
}

// with computes with two durations.
func (d Timedelta) with(op string, o Timedelta) (any, bool, error) {
	if o == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, true, python.Raise("ZeroDivisionError", "division by zero")
	}
	switch op {
	case "-":
		return d.with("+", -o)
	case "+":
		if math.Abs(float64(d)+float64(o)) > maxDelta {
			return nil, true, errDelta()
		}
		return d + o, true, nil
	case "//":
		return int64(floor(d, o)), true, nil
	case "%":
		return d - floor(d, o)*o, true, nil
	case "/":
		return ratio(d, o), true, nil
	}
	return nil, false, nil
}

// floor is the quotient rounded down.
func floor(x, y Timedelta) Timedelta {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

// ratio is the true quotient.
func ratio(x, y Timedelta) float64 {
	f, _ := big.NewRat(int64(x), int64(y)).Float64()
	if x == 0 && y < 0 {
		return math.Copysign(0, -1)
	}
	return f
}

// nearest is the duration nearest to a number of microseconds, half to even.
func nearest(micros *big.Rat) (any, error) {
	low := new(big.Int).Div(micros.Num(), micros.Denom()) // rounded down
	over := new(big.Rat).Sub(micros, new(big.Rat).SetInt(low))
	if c := over.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && low.Bit(0) == 1 {
		low.Add(low, big.NewInt(1))
	}
	if f, _ := new(big.Float).SetInt(low).Float64(); math.Abs(f) > maxDelta {
		return nil, errDelta()
	}
	return Timedelta(low.Int64()), nil
}
