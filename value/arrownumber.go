package value

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// fraction decides what happens to a number's fraction when it becomes an
// integer.
type fraction uint8

const (
	// cut drops it, as Feast does with features.
	cut fraction = iota
	// exact refuses it.
	exact
)

// integerEncoder makes INT32 and INT64 Values.
func integerEncoder(dt arrow.DataType, t types.ValueType_Enum, how fraction) appendFunc {
	get := integerGetter(dt, how)
	if get == nil {
		return nil
	}
	if t == types.ValueType_INT64 && dt.ID() == arrow.INT64 {
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			c, ok := a.(*array.Int64)
			if !ok {
				return nil, wrongArray(a)
			}
			return AppendInt64(dst, c.Value(row)), nil
		}
	}
	if t == types.ValueType_INT64 {
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, known, err := get(a, row)
			if err != nil || !known {
				return dst, err
			}
			return AppendInt64(dst, v), nil
		}
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, known, err := get(a, row)
		if err != nil || !known {
			return dst, err
		}
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fault.New(fault.Invalid, "%d does not fit value type INT32", v)
		}
		return AppendInt32(dst, int32(v)), nil
	}
}

// integerFunc reads a cell as an integer; known is false for a null, such as
// the NaN that pandas writes into a column of integers.
type integerFunc func(a arrow.Array, row int) (v int64, known bool, err error)

// integerGetter reads a column as integers: numbers, numeric text, booleans,
// and nanoseconds, of which Feast stores the bare count.
func integerGetter(dt arrow.DataType, how fraction) integerFunc {
	switch dt.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.BOOL:
		return integerAt
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return func(a arrow.Array, row int) (int64, bool, error) { return fromFloat(a, row, how) }
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return func(a arrow.Array, row int) (int64, bool, error) {
			d, err := decimalAt(a, row)
			if err != nil {
				return 0, false, err
			}
			v, err := d.integer(how)
			return v, true, err
		}
	case arrow.TIMESTAMP, arrow.DURATION:
		if unitOf(dt) == arrow.Nanosecond {
			return countAt
		}
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return integerInText
	}
	return nil
}

func integerAt(a arrow.Array, row int) (int64, bool, error) {
	switch c := a.(type) {
	case *array.Int64:
		return c.Value(row), true, nil
	case *array.Int32:
		return int64(c.Value(row)), true, nil
	case *array.Int16:
		return int64(c.Value(row)), true, nil
	case *array.Int8:
		return int64(c.Value(row)), true, nil
	case *array.Uint8:
		return int64(c.Value(row)), true, nil
	case *array.Uint16:
		return int64(c.Value(row)), true, nil
	case *array.Uint32:
		return int64(c.Value(row)), true, nil
	case *array.Uint64:
		if v := c.Value(row); v <= math.MaxInt64 {
			return int64(v), true, nil
		}
		return 0, false, fault.New(fault.Invalid, "%d does not fit a signed integer", c.Value(row))
	case *array.Boolean:
		if c.Value(row) {
			return 1, true, nil
		}
		return 0, true, nil
	}
	return 0, false, wrongArray(a)
}

func fromFloat(a arrow.Array, row int, how fraction) (int64, bool, error) {
	f, err := floatAt(a, row)
	switch {
	case err != nil || math.IsNaN(f):
		return 0, false, err
	case f < math.MinInt64 || f >= math.MaxInt64:
		return 0, false, fault.New(fault.Invalid, "%v does not fit a signed integer", f)
	case how == exact && f != math.Trunc(f):
		return 0, false, hasFraction(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return int64(f), true, nil
}

func hasFraction(number string) error {
	return fault.New(fault.Invalid, "%s has a fraction, but the value must be an integer", shortText(number))
}

func integerInText(a arrow.Array, row int) (int64, bool, error) {
	text, err := textAt(a, row)
	if err != nil {
		return 0, false, err
	}
	v, err := strconv.ParseInt(pythonInteger(asciiDigits(text)), 10, 64)
	if err != nil {
		return 0, false, fault.New(fault.Invalid, "%s is not an integer", quoted(text)).Because(err)
	}
	return v, true, nil
}

// asciiDigits converts decimal digits of other scripts, which Python reads,
// too.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.Is(unicode.Nd, r) {
			return r
		}
		return '0' + digitOf(r)
	}, s)
}

// digitOf returns the value of a decimal digit: in Unicode they come in runs of
// ten, from zero to nine.
func digitOf(r rune) rune {
	for _, run := range unicode.Nd.R16 {
		if lo, hi := rune(run.Lo), rune(run.Hi); r >= lo && r <= hi {
			return (r - lo) % 10
		}
	}
	for _, run := range unicode.Nd.R32 {
		if lo, hi := rune(run.Lo), rune(run.Hi); r >= lo && r <= hi {
			return (r - lo) % 10
		}
	}
	return 0
}

// boolEncoder makes BOOL Values from booleans and integers: any INT64 but 0 is
// true, as in Feast; other integers, which Feast refuses, must be 0 or 1.
func boolEncoder(dt arrow.DataType) appendFunc {
	if dt.ID() != arrow.BOOL && !arrow.IsInteger(dt.ID()) {
		return nil
	}
	lax := dt.ID() == arrow.INT64
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, _, err := integerAt(a, row)
		switch {
		case err != nil:
			return nil, err
		case !lax && v != 0 && v != 1:
			return nil, fault.New(fault.Invalid, "%d is neither 0 nor 1, as a BOOL must be", v)
		}
		return AppendBool(dst, v != 0), nil
	}
}

// floatEncoder makes DOUBLE and FLOAT Values.
func floatEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	switch {
	case t == types.ValueType_DOUBLE && dt.ID() == arrow.FLOAT64:
		return plainDouble
	case t == types.ValueType_FLOAT && dt.ID() == arrow.FLOAT32:
		return plainFloat
	}
	get := floatGetter(dt, t)
	if get == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		f, err := get(a, row)
		switch {
		case err != nil:
			return nil, err
		case math.IsNaN(f):
			return dst, nil // a NaN in a column is null, as in Feast
		case t == types.ValueType_FLOAT:
			return appendNarrow(dst, f)
		}
		return AppendDouble(dst, f), nil
	}
}

// plainDouble and plainFloat are the fast paths of most floats.
func plainDouble(dst []byte, a arrow.Array, row int) ([]byte, error) {
	c, ok := a.(*array.Float64)
	if !ok {
		return nil, wrongArray(a)
	}
	if f := c.Value(row); !math.IsNaN(f) {
		return AppendDouble(dst, f), nil
	}
	return dst, nil
}

func plainFloat(dst []byte, a arrow.Array, row int) ([]byte, error) {
	c, ok := a.(*array.Float32)
	if !ok {
		return nil, wrongArray(a)
	}
	if f := c.Value(row); !math.IsNaN(float64(f)) {
		return AppendFloat(dst, f), nil
	}
	return dst, nil
}

// exactFloats makes floats from the integers in a list, which Feast refuses:
// only integers that the float represents exactly are accepted.
func exactFloats(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	limit := int64(1) << 53
	if t == types.ValueType_FLOAT {
		limit = 1 << 24
	}
	return unpacked(dt, func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, _, err := integerAt(a, row)
		switch {
		case err != nil:
			return nil, err
		case v > limit || v < -limit:
			return nil, fault.New(fault.Invalid, "%d does not fit value type %s exactly", v, t)
		case t == types.ValueType_FLOAT:
			return AppendFloat(dst, float32(v)), nil
		}
		return AppendDouble(dst, float64(v)), nil
	})
}

// appendNarrow appends a FLOAT Value; a finite number beyond its range is
// refused, since it would become an infinity.
func appendNarrow(dst []byte, f float64) ([]byte, error) {
	narrow := float32(f)
	if math.IsInf(float64(narrow), 0) && !math.IsInf(f, 0) {
		return nil, fault.New(fault.Invalid, "%v does not fit value type FLOAT", f)
	}
	return AppendFloat(dst, narrow), nil
}

func floatGetter(dt arrow.DataType, t types.ValueType_Enum) func(a arrow.Array, row int) (float64, error) {
	switch dt.ID() {
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return floatAt
	case arrow.UINT64:
		return func(a arrow.Array, row int) (float64, error) { return fromUint64(a, row, t) }
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32:
		return func(a arrow.Array, row int) (float64, error) {
			v, _, err := integerAt(a, row)
			return float64(v), err
		}
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return func(a arrow.Array, row int) (float64, error) {
			d, err := decimalAt(a, row)
			if err != nil {
				return 0, err
			}
			return d.float()
		}
	}
	if t != types.ValueType_FLOAT {
		return nil
	}
	switch { // Feast calls float() on these, but only for FLOAT
	case dt.ID() == arrow.BOOL:
		return func(a arrow.Array, row int) (float64, error) {
			v, _, err := integerAt(a, row)
			return float64(v), err
		}
	case isText(dt):
		return floatInText
	}
	return nil
}

// fromUint64 reads integers that Feast accepts for FLOAT and refuses for
// DOUBLE, which accepts only integers that a double represents exactly.
func fromUint64(a arrow.Array, row int, t types.ValueType_Enum) (float64, error) {
	c, ok := a.(*array.Uint64)
	if !ok {
		return 0, wrongArray(a)
	}
	v := c.Value(row)
	f := float64(v)
	if t == types.ValueType_DOUBLE && (f >= math.MaxUint64 || uint64(f) != v) {
		return 0, fault.New(fault.Invalid, "%d does not fit value type DOUBLE exactly", v)
	}
	return f, nil
}

// floatInText reads the text that Python's float() reads, except NaN, which is
// not a number.
func floatInText(a arrow.Array, row int) (float64, error) {
	text, err := textAt(a, row)
	if err != nil {
		return 0, err
	}
	number := strings.TrimSpace(asciiDigits(text))
	plain := strings.ReplaceAll(number, "_", "")
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil || math.IsNaN(f) || strings.ContainsAny(plain, "xXpP") || misplaced(number) {
		return 0, fault.New(fault.Invalid, "%s is not a number", quoted(text)).Because(err)
	}
	return f, nil
}

// misplaced finds an underscore that is not between two digits.
func misplaced(number string) bool {
	digit := func(i int) bool { return i >= 0 && i < len(number) && number[i] >= '0' && number[i] <= '9' }
	for i := range len(number) {
		if number[i] == '_' && (!digit(i-1) || !digit(i+1)) {
			return true
		}
	}
	return false
}

func floatAt(a arrow.Array, row int) (float64, error) {
	switch c := a.(type) {
	case *array.Float64:
		return c.Value(row), nil
	case *array.Float32:
		return float64(c.Value(row)), nil
	case *array.Float16:
		return halfFloat(c.Value(row).Uint16()), nil // Arrow's own conversion is wrong for the smallest
	}
	return 0, wrongArray(a)
}
