package postgres

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/value"
)

// intAt is an integer of any width; ok is false for one beyond 64 bits with a sign.
func intAt(a arrow.Array, row int) (v int64, ok bool, err error) {
	switch a := a.(type) {
	case *array.Int8:
		return int64(a.Value(row)), true, nil
	case *array.Int16:
		return int64(a.Value(row)), true, nil
	case *array.Int32:
		return int64(a.Value(row)), true, nil
	case *array.Int64:
		return a.Value(row), true, nil
	case *array.Uint8:
		return int64(a.Value(row)), true, nil
	case *array.Uint16:
		return int64(a.Value(row)), true, nil
	case *array.Uint32:
		return int64(a.Value(row)), true, nil
	case *array.Uint64:
		return int64(a.Value(row)), a.Value(row) <= math.MaxInt64, nil
	}
	return 0, false, errType(a)
}

// floatAt is a floating-point number of any width, with its bits.
func floatAt(a arrow.Array, row int) (v float64, bits int, err error) {
	switch a := a.(type) {
	case *array.Float16:
		return float64(a.Value(row).Float32()), 32, nil
	case *array.Float32:
		return float64(a.Value(row)), 32, nil
	case *array.Float64:
		return a.Value(row), 64, nil
	}
	return 0, 0, errType(a)
}

// decimalAt is the plain notation of a decimal.
func decimalAt(a arrow.Array, row int) (string, error) {
	switch a := a.(type) {
	case *value.DecimalTextArray:
		return a.Value(row), nil
	case *array.Decimal32:
		return a.Value(row).ToString(scaleOf(a.DataType())), nil
	case *array.Decimal64:
		return a.Value(row).ToString(scaleOf(a.DataType())), nil
	case *array.Decimal128:
		return a.Value(row).ToString(scaleOf(a.DataType())), nil
	case *array.Decimal256:
		return a.Value(row).ToString(scaleOf(a.DataType())), nil
	}
	return "", errType(a)
}

func scaleOf(dt arrow.DataType) int32 {
	if d, ok := dt.(arrow.DecimalType); ok {
		return d.GetScale()
	}
	return 0
}

func isDecimal(dt arrow.DataType) bool {
	_, text := dt.(*value.DecimalText)
	return text || arrow.IsDecimal(dt.ID())
}

// putInt writes whole numbers to an integer of some bits.
func putInt(dt arrow.DataType, bits int) put {
	var whole func(a arrow.Array, row int) (v int64, ok bool, err error)
	switch {
	case arrow.IsInteger(dt.ID()):
		whole = intAt
	case arrow.IsFloating(dt.ID()):
		whole = wholeFloat
	case isDecimal(dt):
		whole = wholeDecimal
	default:
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, ok, err := whole(a, row)
		if err == nil && (!ok || v>>(bits-1) != 0 && v>>(bits-1) != -1) {
			err = fmt.Errorf("%s does not fit an integer of %d bits", a.ValueStr(row), bits)
		}
		return strconv.AppendInt(dst, v, 10), err
	}
}

// wholeFloat is intAt for a float without a fraction.
func wholeFloat(a arrow.Array, row int) (int64, bool, error) {
	v, _, err := floatAt(a, row)
	if err == nil && (v != math.Trunc(v) || math.IsInf(v, 0)) { // a NaN is not equal to itself
		err = fmt.Errorf("%s is not a whole number", a.ValueStr(row))
	}
	return int64(v), v >= -1<<63 && v < 1<<63, err
}

// wholeDecimal is intAt for a decimal without a fraction.
func wholeDecimal(a arrow.Array, row int) (int64, bool, error) {
	text, err := decimalAt(a, row)
	if err != nil {
		return 0, false, err
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(fraction, "0") != "" {
		return 0, false, fmt.Errorf("%s is not a whole number", text)
	}
	v, err := strconv.ParseInt(whole, 10, 64)
	return v, err == nil, nil
}

// putFloat writes numbers to a float of some bits. An integer must be one of those
// that such a float represents; other numbers become the nearest.
func putFloat(dt arrow.DataType, bits int) put {
	switch {
	case arrow.IsInteger(dt.ID()):
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, ok, err := intAt(a, row)
			if err != nil {
				return nil, err
			}
			if !ok || !floatHolds(v, bits) {
				return nil, fmt.Errorf("%s is an integer that a float of %d bits does not represent", a.ValueStr(row), bits)
			}
			return strconv.AppendInt(dst, v, 10), nil
		}
	case arrow.IsFloating(dt.ID()):
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, own, err := floatAt(a, row)
			if err != nil {
				return nil, err
			}
			if bits == 32 && own == 64 {
				narrow := float64(float32(v))
				if math.IsInf(narrow, 0) && !math.IsInf(v, 0) || narrow == 0 && v != 0 {
					return nil, fmt.Errorf("%s does not fit a float of 32 bits", a.ValueStr(row))
				}
				v, own = narrow, 32
			}
			return appendFloat(dst, v, min(own, bits)), nil
		}
	case isDecimal(dt):
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			text, err := decimalAt(a, row)
			return append(dst, text...), err
		}
	}
	return nil
}

// floatHolds reports whether a float represents an integer.
func floatHolds(v int64, bits int) bool {
	f := float64(v)
	if bits == 32 {
		f = float64(float32(v))
	}
	return f < 1<<63 && int64(f) == v
}

// appendFloat writes the shortest text that reads back as the same number.
func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

// putNumeric writes numbers to a decimal that may have a scale, to which the server
// would round.
func putNumeric(dt arrow.DataType, mod int32) put {
	var text func(dst []byte, a arrow.Array, row int) ([]byte, error)
	switch {
	case arrow.IsInteger(dt.ID()):
		text = func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			if a.DataType().ID() == arrow.UINT64 {
				return append(dst, a.ValueStr(row)...), nil
			}
			v, _, err := intAt(a, row)
			return strconv.AppendInt(dst, v, 10), err
		}
	case arrow.IsFloating(dt.ID()):
		text = func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, bits, err := floatAt(a, row)
			return appendFloat(dst, v, bits), err
		}
	case isDecimal(dt):
		text = func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			t, err := decimalAt(a, row)
			return append(dst, t...), err
		}
	default:
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		dst, err := text(dst, a, row)
		if err == nil {
			err = keepsScale(string(dst), mod)
		}
		return dst, err
	}
}

// keepsScale checks that a number has no digit behind the last one of its column.
// The server itself refuses one that has too many before the point.
func keepsScale(text string, mod int32) error {
	if mod < lengthHeader {
		return nil
	}
	scale := int((mod-lengthHeader)&0x7ff^1024) - 1024
	number, power, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "e")
	exponent, _ := strconv.Atoi(power)
	whole, fraction, _ := strings.Cut(number, ".")
	digits := strings.TrimRight(strings.TrimLeft(whole, "+-")+fraction, "0")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return nil // zero, or no plain number
	}
	last := len(digits) - len(strings.TrimLeft(whole, "+-")) - exponent // places behind the point
	if last > scale {
		return fmt.Errorf("%s has %d places behind the point, and the column holds %d", text, last, scale)
	}
	return nil
}
