package value

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// anyText stores a text of any of Arrow's text types.
func anyText(t types.ValueType_Enum) appendFunc {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		s, err := textAt(a, row)
		if err != nil {
			return nil, err
		}
		return AppendText(dst, t, s), nil
	}
}

// decimalsText writes decimals with the scale of their column.
func decimalsText(t types.ValueType_Enum) appendFunc {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		d, err := decimalAt(a, row)
		if err != nil {
			return nil, err
		}
		return AppendText(dst, t, d.String()), nil
	}
}

// textEncoder makes Values that are kept as text: STRING, UUID, TIME_UUID and
// DECIMAL.
func textEncoder(dt arrow.DataType, t types.ValueType_Enum) appendFunc {
	switch {
	case t == types.ValueType_STRING && dt.ID() == arrow.STRING:
		return plainString
	case isText(dt):
		return anyText(t)
	case arrow.IsDecimal(dt.ID()) && (t == types.ValueType_STRING || t == types.ValueType_DECIMAL):
		return decimalsText(t)
	case t == types.ValueType_STRING:
		return scalarText(dt)
	case t == types.ValueType_DECIMAL && arrow.IsInteger(dt.ID()):
		return integerText(t)
	case t == types.ValueType_UUID || t == types.ValueType_TIME_UUID:
		if fixed, ok := dt.(*arrow.FixedSizeBinaryType); ok && fixed.ByteWidth == 16 {
			return uuidEncoder(t)
		}
	}
	return nil
}

// plainString is the fast path of most texts.
func plainString(dst []byte, a arrow.Array, row int) ([]byte, error) {
	c, ok := a.(*array.String)
	if !ok {
		return nil, wrongArray(a)
	}
	s := c.Value(row)
	if !utf8.ValidString(s) {
		return nil, notUTF8(s)
	}
	return append(binary.AppendUvarint(append(dst, 2<<3|2), uint64(len(s))), s...), nil
}

// uuidEncoder prints the 16 bytes of a UUID.
func uuidEncoder(t types.ValueType_Enum) appendFunc {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		v, err := bytesAt(a, row)
		if err != nil {
			return nil, err
		}
		if len(v) != 16 {
			return nil, fault.New(fault.Invalid, "%d bytes are not a UUID", len(v))
		}
		return AppendText(dst, t, fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])), nil
	}
}

// scalarText prints numbers, booleans, bytes and times as Python does.
func scalarText(dt arrow.DataType) appendFunc {
	switch dt.ID() {
	case arrow.BOOL:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			v, _, err := integerAt(a, row)
			if v != 0 {
				return AppendString(dst, "True"), err
			}
			return AppendString(dst, "False"), err
		}
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return floatText
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
			b, err := bytesAt(a, row)
			return AppendString(dst, pythonBytes(b)), err
		}
	}
	if arrow.IsInteger(dt.ID()) {
		return integerText(types.ValueType_STRING)
	}
	return timeText(dt)
}

func integerText(t types.ValueType_Enum) appendFunc {
	return func(dst []byte, a arrow.Array, row int) ([]byte, error) {
		if c, ok := a.(*array.Uint64); ok {
			return AppendText(dst, t, strconv.FormatUint(c.Value(row), 10)), nil
		}
		v, _, err := integerAt(a, row)
		return AppendText(dst, t, strconv.FormatInt(v, 10)), err
	}
}

// floatText prints a float as numpy does: the shortest text that reads back in
// the float's own width, with an exponent for large and small numbers.
func floatText(dst []byte, a arrow.Array, row int) ([]byte, error) {
	f, err := floatAt(a, row)
	switch {
	case err != nil:
		return nil, err
	case math.IsNaN(f):
		return dst, nil
	}
	switch c := a.(type) {
	case *array.Float32:
		return AppendString(dst, narrowText(f, 1e6, strconv.FormatFloat(f, 'e', -1, 32))), nil
	case *array.Float16:
		return AppendString(dst, narrowText(f, 1e3, halfText(c.Value(row).Uint16()))), nil
	}
	return AppendString(dst, pythonFloat(f)), nil
}

// narrowText writes a float, given its shortest digits with an exponent. numpy
// keeps the exponent from limit on, and below a ten-thousandth.
func narrowText(f, limit float64, scientific string) string {
	if size := math.Abs(f); math.IsInf(f, 0) || size != 0 && (size < 1e-4 || size >= limit) {
		if math.IsInf(f, 0) {
			return pythonFloat(f)
		}
		return scientific
	}
	digits, err := strconv.ParseFloat(scientific, 64)
	if err != nil {
		return scientific
	}
	return pythonFloat(digits)
}

// halfText returns the shortest digits that read back as the same half float.
func halfText(bits uint16) string {
	f := halfFloat(bits)
	size := bits & 0x7fff
	low, high := (halfSize(max(size, 1)-1)+halfSize(size))/2, (halfSize(size)+halfSize(size+1))/2
	for digits := range 5 {
		for _, near := range [...]float64{f, math.Nextafter(f, 2*f)} { // a tie rounds to the even digit, or up
			s := strconv.FormatFloat(near, 'e', digits, 64)
			back, err := strconv.ParseFloat(s, 64)
			if back = math.Abs(back); err == nil && (back > low && back < high || bits&1 == 0 && (back == low || back == high)) {
				return s
			}
		}
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

// halfFloat reads a half float, including subnormal ones.
func halfFloat(bits uint16) float64 {
	f := halfSize(bits & 0x7fff)
	switch {
	case bits&0x7fff == 0x7c00:
		f = math.Inf(1)
	case bits&0x7fff > 0x7c00:
		f = math.NaN()
	}
	if bits&0x8000 != 0 {
		return -f
	}
	return f
}

// halfSize is the size of a half float without its sign; infinity counts as the
// number after the largest.
func halfSize(bits uint16) float64 {
	exponent, rest := int(bits>>10), float64(bits&0x3ff)
	if exponent == 0 {
		return math.Ldexp(rest, -24)
	}
	return math.Ldexp(1024+rest, exponent-25)
}

// pythonBytes is Python's text of bytes: b'...'.
func pythonBytes(b []byte) string {
	quote := byte('\'')
	if strings.IndexByte(string(b), '\'') >= 0 && strings.IndexByte(string(b), '"') < 0 {
		quote = '"'
	}
	out := append(make([]byte, 0, len(b)+3), 'b', quote)
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c < 0x20 || c >= 0x7f:
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

// longest is how much of a cell an error shows.
const longest = 60

// quoted quotes a text in an error, and cuts a long one.
func quoted(s string) string {
	if len(s) > longest {
		return strconv.Quote(s[:cutAt(s)]) + "..."
	}
	return strconv.Quote(s)
}

// shortText cuts a number in an error.
func shortText(s string) string {
	if len(s) > longest {
		return s[:cutAt(s)] + "..."
	}
	return s
}

// cutAt is an index near longest that does not split a character.
func cutAt(s string) int {
	at := longest
	for at > longest-utf8.UTFMax && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}
