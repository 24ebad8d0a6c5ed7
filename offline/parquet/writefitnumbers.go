package parquet

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
)

// numberText is a number in decimal notation, exact, or the shortest text of a
// float.
func numberText(a arrow.Array, row int) string {
	switch a := a.(type) {
	case *array.Float16:
		return strconv.FormatFloat(float64(a.Value(row).Float32()), 'f', -1, 32)
	case *array.Float32:
		return strconv.FormatFloat(float64(a.Value(row)), 'f', -1, 32)
	case *array.Float64:
		return strconv.FormatFloat(a.Value(row), 'f', -1, 64)
	}
	if isDecimal(a.DataType()) {
		return decimalText(a, row)
	}
	return a.ValueStr(row)
}

// fitInt adds a whole number.
func fitInt(b array.Builder, a arrow.Array, row int) error {
	text := numberText(a, row)
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
	v, err := strconv.ParseFloat(numberText(a, row), 64)
	if err == nil && isInt(a.DataType()) && strconv.FormatFloat(v, 'f', -1, 64) != numberText(a, row) {
		return fmt.Errorf("%s is an integer that %s does not represent", numberText(a, row), b.Type())
	}
	if err != nil {
		return fmt.Errorf("%s does not fit %s", cut(numberText(a, row)), b.Type())
	}
	switch b := b.(type) {
	case *array.Float64Builder:
		b.Append(v)
	case *array.Float32Builder:
		n := float32(v)
		switch {
		case math.IsInf(float64(n), 0) && !math.IsInf(v, 0), n == 0 && v != 0, isInt(a.DataType()) && float64(n) != v:
			return fmt.Errorf("%s does not fit %s", cut(numberText(a, row)), b.Type())
		}
		b.Append(n)
	default:
		return b.AppendValueFromString(numberText(a, row))
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
