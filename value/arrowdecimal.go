package value

import (
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// decimal is a number in base ten: its digits without leading zeros ("0" for
// zero), of which the last scale digits follow the decimal point. The scale
// counts: 7.50 and 7.5 are different texts, and different keys.
type decimal struct {
	negative bool
	digits   string
	scale    int
}

// decimalAt reads a cell of one of Arrow's decimals. A negative scale is
// written out as zeros, as pandas does.
func decimalAt(a arrow.Array, row int) (decimal, error) {
	scaled, ok := a.DataType().(arrow.DecimalType)
	if !ok {
		return decimal{}, wrongArray(a)
	}
	var text string
	switch c := a.(type) {
	case *array.Decimal128:
		if v := c.Value(row); v.HighBits() == int64(v.LowBits())>>63 {
			text = strconv.FormatInt(int64(v.LowBits()), 10)
		} else {
			text = v.BigInt().String()
		}
	case *array.Decimal256:
		text = c.Value(row).BigInt().String()
	case *array.Decimal64:
		text = strconv.FormatInt(int64(c.Value(row)), 10)
	case *array.Decimal32:
		text = strconv.FormatInt(int64(c.Value(row)), 10)
	default:
		return decimal{}, wrongArray(a)
	}
	d := decimal{scale: int(scaled.GetScale())}
	d.digits, d.negative = strings.CutPrefix(text, "-")
	if d.scale < 0 {
		if d.digits != "0" {
			d.digits += strings.Repeat("0", -d.scale)
		}
		d.scale = 0
	}
	return d, nil
}

// parseDecimal reads plain notation, as PostgreSQL writes it; ok is false for
// any other text.
func parseDecimal(text string) (d decimal, ok bool) {
	text, d.negative = strings.CutPrefix(text, "-")
	whole, rest, _ := strings.Cut(text, ".")
	d.scale = len(rest)
	d.digits = whole + rest
	for i := range len(d.digits) {
		if d.digits[i] < '0' || d.digits[i] > '9' {
			return d, false
		}
	}
	if whole == "" {
		return d, false
	}
	if d.digits = strings.TrimLeft(d.digits, "0"); d.digits == "" {
		d.digits = "0"
	}
	return d, true
}

// String is Python's text of a Decimal: plain, or with an exponent where the
// number is smaller than a millionth.
func (d decimal) String() string {
	var out strings.Builder
	if d.negative {
		out.WriteByte('-')
	}
	before := len(d.digits) - d.scale // digits before the point
	switch {
	case before <= -6:
		out.WriteString(d.digits[:1])
		if len(d.digits) > 1 {
			out.WriteString("." + d.digits[1:])
		}
		out.WriteString("E" + strconv.Itoa(before-1))
	case before <= 0:
		out.WriteString("0." + strings.Repeat("0", -before) + d.digits)
	case d.scale == 0:
		out.WriteString(d.digits)
	default:
		out.WriteString(d.digits[:before] + "." + d.digits[before:])
	}
	return out.String()
}

// integer is the number without its fraction; exact allows no fraction.
func (d decimal) integer(how fraction) (int64, error) {
	at := max(0, len(d.digits)-d.scale)
	whole, rest := d.digits[:at], d.digits[at:]
	if how == exact && strings.Trim(rest, "0") != "" {
		return 0, hasFraction(d.String())
	}
	if whole == "" {
		return 0, nil
	}
	if d.negative {
		whole = "-" + whole
	}
	v, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "%s does not fit a signed integer", shortText(d.String())).Because(err)
	}
	return v, nil
}

// float is the double nearest to the number.
func (d decimal) float() (float64, error) {
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "%s does not fit value type DOUBLE", shortText(d.String())).Because(err)
	}
	return f, nil
}

// same reports whether two decimals are the same number, whatever their scales.
func (d decimal) same(other decimal) bool {
	a, as := trimmed(d.digits, d.scale)
	b, bs := trimmed(other.digits, other.scale)
	return a == b && (a == "" || as == bs && d.negative == other.negative)
}

// trimmed drops the zeros at the end; zero becomes the empty text.
func trimmed(digits string, scale int) (string, int) {
	short := strings.TrimRight(digits, "0")
	return short, scale - (len(digits) - len(short))
}

// decimalTextEncoder makes Values of decimals. Feast reads PostgreSQL's numeric as
// a double: where the double is exact, a STRING is the double's text, as in Feast;
// where it is not, a STRING is PostgreSQL's text. Feast reads other decimals as
// Python's.
func decimalTextEncoder(dt *DecimalText, t types.ValueType_Enum, how fraction) appendFunc {
	var build func(dst []byte, text string) ([]byte, error)
	switch {
	case dt.scaled && (t == types.ValueType_STRING || t == types.ValueType_DECIMAL):
		return decimalBuilder(func(dst []byte, text string) ([]byte, error) { return scaledText(dst, t, text) })
	case dt.scaled && t == types.ValueType_JSON: // Python cannot write its decimals as JSON
		return nil
	}
	switch t {
	case types.ValueType_INT32, types.ValueType_INT64, types.ValueType_UNIX_TIMESTAMP:
		build = func(dst []byte, text string) ([]byte, error) { return integerOfDecimal(dst, text, t, how) }
	case types.ValueType_DOUBLE, types.ValueType_FLOAT:
		build = func(dst []byte, text string) ([]byte, error) { return floatOfDecimal(dst, text, t) }
	case types.ValueType_STRING:
		build = textOfDecimal
	case types.ValueType_DECIMAL:
		build = func(dst []byte, text string) ([]byte, error) { return AppendText(dst, t, text), nil }
	case types.ValueType_JSON:
		build = func(dst []byte, text string) ([]byte, error) {
			number, err := jsonOfDecimal(text)
			return AppendText(dst, t, number), err
		}
	default:
		return nil
	}
	return decimalBuilder(build)
}

func decimalBuilder(build func(dst []byte, text string) ([]byte, error)) appendFunc {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		c, ok := a.(*DecimalTextArray)
		if !ok {
			return nil, wrongArray(a)
		}
		text := c.Value(row)
		if text == "NaN" {
			return dst, nil
		}
		return build(dst, text)
	}
}

func integerOfDecimal(dst []byte, text string, t types.ValueType_Enum, how fraction) ([]byte, error) {
	d, ok := parseDecimal(text)
	if !ok {
		return nil, fault.New(fault.Invalid, "%s is not an integer", shortText(text))
	}
	v, err := d.integer(how)
	switch {
	case err != nil:
		return nil, err
	case t == types.ValueType_UNIX_TIMESTAMP:
		return AppendUnixTimestamp(dst, v), nil
	case t == types.ValueType_INT64:
		return AppendInt64(dst, v), nil
	case v < math.MinInt32 || v > math.MaxInt32:
		return nil, fault.New(fault.Invalid, "%d does not fit value type INT32", v)
	}
	return AppendInt32(dst, int32(v)), nil
}

func floatOfDecimal(dst []byte, text string, t types.ValueType_Enum) ([]byte, error) {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return nil, fault.New(fault.Invalid, "%s does not fit value type DOUBLE", shortText(text)).Because(err)
	case t == types.ValueType_FLOAT:
		return appendNarrow(dst, f)
	}
	return AppendDouble(dst, f), nil
}

// scaledText is the text of Python's decimal.
func scaledText(dst []byte, t types.ValueType_Enum, text string) ([]byte, error) {
	d, ok := parseDecimal(text)
	if !ok {
		return nil, fault.New(fault.Internal, "%s is not a decimal", shortText(text))
	}
	return AppendText(dst, t, d.String()), nil
}

func textOfDecimal(dst []byte, text string) ([]byte, error) {
	s, err := doubleText(text)
	return AppendString(dst, s), err
}

// doubleText is the double's text if the double is exact, otherwise the
// number's own.
func doubleText(text string) (string, error) {
	if !sameDouble(text) {
		return text, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return pythonFloat(f), err
}

// jsonOfDecimal is the number as JSON, which has no infinities.
func jsonOfDecimal(text string) (string, error) {
	if _, ok := parseDecimal(text); !ok {
		return "", fault.New(fault.Invalid, "JSON has no number %s", shortText(text))
	}
	return doubleText(text)
}

// decimalText is the type of decimals that are kept as text, nil for any other.
func decimalText(dt arrow.DataType) *DecimalText {
	d, _ := dt.(*DecimalText)
	return d
}

func isDecimalText(dt arrow.DataType) bool {
	return decimalText(dt) != nil
}

// decimalElement makes elements of lists and sets of PostgreSQL's numeric.
// There NaN is not null: a double or a decimal can hold it, other types refuse
// it.
func decimalElement(dt *DecimalText, kind types.ValueType_Enum) appendFunc {
	inner := decimalTextEncoder(dt, kind, exact)
	if inner == nil {
		return nil
	}
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		c, ok := a.(*DecimalTextArray)
		switch {
		case !ok:
			return nil, wrongArray(a)
		case c.Value(row) != "NaN" || kind == types.ValueType_DOUBLE || kind == types.ValueType_FLOAT:
			return inner(dst, a, row)
		case kind == types.ValueType_DECIMAL:
			return AppendText(dst, kind, "NaN"), nil
		}
		return nil, fault.New(fault.Invalid, "NaN, which value type %s cannot hold", kind)
	}
}

// sameDouble reports whether a double, in its shortest text, is exactly the
// number.
func sameDouble(text string) bool {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return err == nil
	}
	d, ok := parseDecimal(text)
	said, _ := parseDecimal(strconv.FormatFloat(f, 'f', -1, 64))
	return ok && d.same(said)
}
