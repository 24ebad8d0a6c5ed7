package transform

import (
	"math"
	"math/big"
	"testing"
)

func TestPowersAreRoundedOnce(t *testing.T) {
	for _, x := range []float64{1.1, 3, 0.7, 12345.678, 1e-5, 2.0000000001} {
		for _, y := range []int{3, 5, 7, 11, 20} {
			exact := big.NewFloat(1).SetPrec(4000)
			for range y {
				exact.Mul(exact, big.NewFloat(x))
			}
			if want, _ := exact.Float64(); pow(x, float64(y)) != want {
				t.Errorf("%v ** %v is %v, want %v", x, y, pow(x, float64(y)), want)
			}
		}
	}
}

func TestLogarithmsAndExponentials(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{logarithm(5e-324), -0x1.74385446d71c3p+9},
		{logarithm(10), 0x1.26bb1bbb55516p+1},
		{logarithm(math.MaxFloat64), 0x1.62e42fefa39efp+9},
		{logarithm(1), 0},
		{exp(1), math.E},
		{exp(-745), 5e-324},
		{exp(0), 1},
		{exp(709.7), 0x1.d75ae7a50ee14p+1023},
		{log10(1000), 3},
		{log2(8), 3},
		{log1p(1e-20), 1e-20},
		{expm1(1e-20), 1e-20},
		{log10(1e-5), -5},
		{log1p(1), math.Ln2},
		{pow(10, 22), 1e22},
		{pow(-2, 3), -8},
		{pow(2, -1074), 5e-324},
		{pow(4, 0.5), 2},
	} {
		if c.got != c.want {
			t.Errorf("got %x, want %x", c.got, c.want)
		}
	}
}
