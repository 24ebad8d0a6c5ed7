package numbers_test

import (
	"errors"
	"math"
	"testing"

	"github.com/banquet-fs/banquet/definitions/numbers"
)

func TestIntegersAtTheEdgeOf64Bits(t *testing.T) {
	const least, most = math.MinInt64, math.MaxInt64
	for _, c := range []struct {
		op   string
		i, j int64
		want any // nil if it does not fit in 64 bits
	}{
		{"+", most, 1, nil},
		{"+", least, -1, nil},
		{"+", most, least, int64(-1)},
		{"-", 0, least, nil},
		{"-", least, 1, nil},
		{"-", least, least, int64(0)},
		{"*", least, -1, nil},
		{"*", 3037000500, 3037000500, nil},
		{"*", -3, 4, int64(-12)},
		{"//", least, -1, nil},
		{"//", -7, 2, int64(-4)},
		{"%", -7, 2, int64(1)},
		{"**", 2, 62, int64(1 << 62)},
		{"**", 2, 63, nil},
		{"**", -1, most, int64(-1)},
		{"<<", 1, 62, int64(1 << 62)},
		{"<<", 1, 63, nil},
		{"<<", 0, most, int64(0)},
		{">>", -1, most, int64(-1)},
	} {
		got, err := numbers.Integers(c.op, c.i, c.j)
		switch {
		case c.want == nil && !errors.Is(err, numbers.ErrBig):
			t.Errorf("%d %s %d gives %v, %v, want ErrBig", c.i, c.op, c.j, got, err)
		case c.want != nil && (got != c.want || err != nil):
			t.Errorf("%d %s %d gives %v, %v, want %v", c.i, c.op, c.j, got, err, c.want)
		}
	}
}

func TestBinaryGivesWhatPythonGives(t *testing.T) {
	for _, c := range []struct {
		op         string
		a, b, want any
	}{
		{"//", -7.5, 2.0, -4.0},
		{"%", -7.5, 2.0, 0.5},
		{"%", 7.5, -2.0, -0.5},
		{"/", int64(1), int64(4), 0.25},
		{"**", int64(2), int64(-1), 0.5},
		{"&", true, false, false},
		{"+", true, true, int64(2)},
		{"+", int64(1), 0.5, 1.5},
	} {
		if got, ok, err := numbers.Binary(c.op, c.a, c.b); got != c.want || !ok || err != nil {
			t.Errorf("%v %s %v gives %v, %v, %v, want %v", c.a, c.op, c.b, got, ok, err, c.want)
		}
	}
	for _, c := range []struct {
		op   string
		a, b any
		want string // the class of the exception; "" when there is no such operator
	}{
		{"/", int64(1), int64(0), "ZeroDivisionError"},
		{"%", 1.0, int64(0), "ZeroDivisionError"},
		{"<<", int64(1), int64(-1), "ValueError"},
		{"|", 1.5, int64(1), ""},
		{"@", int64(1), int64(1), ""},
		{"+", "a", int64(1), ""},
	} {
		_, ok, err := numbers.Binary(c.op, c.a, c.b)
		var e *numbers.Error
		if errors.As(err, &e); ok != (c.want != "") || ok && (e == nil || e.Class != c.want) {
			t.Errorf("%v %s %v gives %v, %v, want %q", c.a, c.op, c.b, ok, err, c.want)
		}
	}
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		v, base, want any
	}{
		{" 12\n", nil, int64(12)},
		{"1_000", nil, int64(1000)},
		{"-0xff", int64(16), int64(-255)},
		{"z", int64(36), int64(35)},
		{-3.9, nil, int64(-3)},
		{true, nil, int64(1)},
		{"1__0", nil, nil},
		{"0x", int64(16), nil},
		{"", nil, nil},
		{math.NaN(), nil, nil},
		{1.5, int64(10), nil},
		{"9223372036854775808", nil, nil},
		{"٣", nil, nil},
	} {
		if got, err := numbers.ToInt(c.v, c.base); got != c.want || (err == nil) != (c.want != nil) {
			t.Errorf("int(%v, %v) gives %v, %v, want %v", c.v, c.base, got, err, c.want)
		}
	}
	for v, want := range map[string]any{"1e3": 1000.0, "-inf": math.Inf(-1), "1e999": math.Inf(1), "0x1p3": nil, "1,5": nil} {
		if got, err := numbers.ToFloat(v); got != want || (err == nil) != (want != nil) {
			t.Errorf("float(%q) gives %v, %v, want %v", v, got, err, want)
		}
	}
}

func TestRoundIsHalfToEven(t *testing.T) {
	for _, c := range []struct {
		v      any
		digits int64
		given  bool
		want   any
	}{
		{2.5, 0, false, int64(2)},
		{3.5, 0, false, int64(4)},
		{2.675, 2, true, 2.67},
		{int64(15), -1, true, int64(20)},
		{int64(25), -1, true, int64(20)},
		{int64(-15), -1, true, int64(-20)},
		{math.Inf(1), 0, false, nil},
		{"x", 0, false, nil},
	} {
		if got, _ := numbers.Round(c.v, c.digits, c.given); got != c.want {
			t.Errorf("round(%v, %d) gives %v, want %v", c.v, c.digits, got, c.want)
		}
	}
}
