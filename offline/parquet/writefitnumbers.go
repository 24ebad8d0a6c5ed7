package parquet

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/float16"
)

// floatAt is a float of any width, and the bits of which its shortest text is made.
func floatAt(a arrow.Array, row int) (v float64, bits int, ok bool) {
	switch a := a.(type) {
	case *array.Float16:
		return float64(a.Value(row).Float32()), 32, true
	case *array.Float32:
		return float64(a.Value(row)), 32, true
	case *array.Float64:
		return a.Value(row), 64, true
	}
	return 0, 0, false
}

// numberText is a number in decimal notation, exact, or the shortest text of a
// float.
func numberText(a arrow.Array, row int) string {
	if v, bits, ok := floatAt(a, row); ok {
		return strconv.FormatFloat(v, 'f', -1, bits)
	}
	if isDecimal(a.DataType()) {
		return decimalText(a, row)
	}
	return a.ValueStr(row)
}

// wholeText is a float without a fraction, exact: the shortest text of a large one
// ends with zeros that it does not have.
func wholeText(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

// fitInt adds a whole number.
func fitInt(b array.Builder, a arrow.Array, row int) error {
	text := numberText(a, row)
	if v, _, ok := floatAt(a, row); ok && v == math.Trunc(v) {
		text = wholeText(v)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(fraction, "0") != "" {
		return fmt.Errorf("%s is not a whole number", cut(text))
	}
	if whole == "-0" {
		whole = "0"
	}
	t, ok := b.Type().(arrow.FixedWidthDataType)
	if !ok {
		return errCell(a)
	}
	var err error
	if arrow.IsUnsignedInteger(t.ID()) {
		_, err = strconv.ParseUint(whole, 10, t.BitWidth())
	} else {
		_, err = strconv.ParseInt(whole, 10, t.BitWidth())
	}
	if err != nil {
		return fmt.Errorf("%s does not fit %s", cut(text), t)
	}
	return b.AppendValueFromString(whole)
}

// fitFloat adds a number: an integer if the type represents it, of other numbers
// the nearest.
func fitFloat(b array.Builder, a arrow.Array, row int) error {
	text := numberText(a, row)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%s does not fit %s", cut(text), b.Type())
	}
	n := v
	switch b.(type) {
	case *array.Float32Builder:
		n = float64(float32(v))
	case *array.Float16Builder:
		n = float64(float16.New(float32(v)).Float32())
	}
	switch {
	case isInt(a.DataType()) && wholeText(n) != text:
		return fmt.Errorf("%s is an integer that %s does not represent", text, b.Type())
	case math.IsInf(n, 0) && !math.IsInf(v, 0), n == 0 && v != 0:
		return fmt.Errorf("%s does not fit %s", cut(text), b.Type())
	}
	switch b := b.(type) {
	case *array.Float64Builder:
		b.Append(n)
	case *array.Float32Builder:
		b.Append(float32(n))
	case *array.Float16Builder:
		b.Append(float16.New(float32(n)))
	default:
		return errCell(a)
	}
	return nil
}

// fitDecimal adds a number that has no digit behind the last one of the column.
func fitDecimal(b array.Builder, a arrow.Array, row int) error {
	text := numberText(a, row)
	t, ok := b.Type().(arrow.DecimalType)
	if !ok {
		return errCell(a)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole, "+-")
	if strings.Trim(digits+fraction, "0123456789") != "" || digits == "" {
		return fmt.Errorf("%s is not a number with digits", text)
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > int(t.GetScale()) {
		return fmt.Errorf("%s has %d places behind the point, and the column holds %d", cut(text), len(fraction), t.GetScale())
	}
	if len(strings.TrimLeft(digits, "0")) > int(t.GetPrecision()-t.GetScale()) {
		return fmt.Errorf("%s does not fit %s", cut(text), t)
	}
	if fraction != "" {
		whole += "." + fraction
	}
	switch b := b.(type) {
	case *array.Decimal128Builder:
		v, err := decimal.Decimal128FromString(whole, t.GetPrecision(), t.GetScale())
		if err != nil {
			return err
		}
		b.Append(v)
	case *array.Decimal256Builder:
		v, err := decimal.Decimal256FromString(whole, t.GetPrecision(), t.GetScale())
		if err != nil {
			return err
		}
		b.Append(v)
	default:
		return errCell(a)
	}
	return nil
}
