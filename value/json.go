package value

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// AppendJSON appends a Value as Feast's HTTP server writes it: integers as
// plain numbers, doubles in the shortest form that reads back with ".0" when
// integral, floats widened to doubles, bytes in base64, unix timestamps in
// seconds, zoned timestamps in ISO 8601, maps as objects, scalar maps as null.
// NaN and the infinities, which have no JSON form, are the texts "NaN",
// "Infinity" and "-Infinity". b must have passed Check.
func AppendJSON(dst, b []byte) ([]byte, error) { return form{}.value(dst, b) }

// AppendOwnJSON appends a Value as AppendJSON does, but for null times, alone or
// in lists: Feast writes the lowest number for them, this null.
func AppendOwnJSON(dst, b []byte) ([]byte, error) { return form{nullTimes: true}.value(dst, b) }

// form is the form in which Values are written.
type form struct{ nullTimes bool }

func (f form) value(dst, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return append(dst, "null"...), nil
	}
	switch b[0] {
	case 2<<3 | 2:
		piece, _, ok := sized(b[1:])
		if !ok {
			return nil, corrupt("a cut text")
		}
		return AppendQuoted(dst, piece), nil
	case 4 << 3:
		v, n := uvarint(b[1:])
		if n == 0 {
			return nil, corrupt("a cut number")
		}
		return strconv.AppendInt(dst, int64(v), 10), nil
	}
	number, _, content, _, err := field(b)
	if err != nil {
		return nil, err
	}
	return f.content(dst, shapeOf(number), content)
}

func (f form) content(dst []byte, s shape, c []byte) ([]byte, error) {
	switch s {
	case raw:
		return appendBase64(dst, c), nil
	case text:
		return AppendQuoted(dst, c), nil
	case varint32, varint64, seconds, double, float, boolean:
		return f.number(dst, s, c)
	case null, scalarMap:
		return append(dst, "null"...), nil
	case zoned:
		return appendZoned(dst, c)
	case mapping:
		return f.object(dst, c)
	case unknown:
		return nil, corrupt("an unknown field")
	default:
		return f.array(dst, s, c)
	}
}

func appendBase64(dst, c []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, c)
	return append(dst, '"')
}

// number writes one number from the bytes that hold it.
func (f form) number(dst []byte, s shape, c []byte) ([]byte, error) {
	switch s {
	case double:
		if len(c) < 8 {
			return nil, corrupt("a cut number")
		}
		return AppendFloat64JSON(dst, math.Float64frombits(binary.LittleEndian.Uint64(c))), nil
	case float:
		if len(c) < 4 {
			return nil, corrupt("a cut number")
		}
		return AppendFloat64JSON(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(c)))), nil
	}
	v, n := uvarint(c)
	if n == 0 {
		return nil, corrupt("a cut number")
	}
	switch s {
	case boolean:
		return strconv.AppendBool(dst, v != 0), nil
	case varint32:
		return strconv.AppendInt(dst, int64(int32(v)), 10), nil
	case seconds:
		if f.nullTimes && int64(v) == noTime {
			return append(dst, "null"...), nil
		}
		fallthrough
	default:
		return strconv.AppendInt(dst, int64(v), 10), nil
	}
}

// AppendFloat64JSON appends a double as Python's json module does; NaN and the
// infinities become text.
func AppendFloat64JSON(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return appendRepr(dst, f)
}

// appendRepr appends a finite double as Python's repr: plain between 1e-4 and
// 1e16, otherwise with an exponent of at least two digits.
func appendRepr(dst []byte, f float64) []byte {
	start := len(dst)
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, '.', '0')
}

// AppendQuoted appends UTF-8 text as a JSON string, escaping only what JSON
// requires.
func AppendQuoted[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		dst = appendEscape(dst, c)
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// array writes a list; its elements are the occurrences of field 1.
func (f form) array(dst []byte, s shape, c []byte) ([]byte, error) {
	dst = append(dst, '[')
	first := true
	err := each(c, func(w protowire.Type, e []byte) error {
		var err error
		if w == protowire.BytesType && numeric(s) {
			dst, first, err = f.packed(dst, first, s, e)
			return err
		}
		dst = comma(dst, &first)
		dst, err = f.element(dst, s, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(dst, ']'), nil
}

func comma(dst []byte, first *bool) []byte {
	if *first {
		*first = false
		return dst
	}
	return append(dst, ',')
}

func numeric(s shape) bool {
	switch s {
	case varint32List, varint64List, secondsList, doubleList, floatList, boolList:
		return true
	default:
		return false
	}
}

// element is the layout of a list's elements.
func element(s shape) shape {
	switch s {
	case varint32List:
		return varint32
	case doubleList:
		return double
	case floatList:
		return float
	case boolList:
		return boolean
	case secondsList:
		return seconds
	default:
		return varint64
	}
}

func (f form) element(dst []byte, s shape, e []byte) ([]byte, error) {
	switch s {
	case bytesList:
		return appendBase64(dst, e), nil
	case textList:
		return AppendQuoted(dst, e), nil
	case valueList:
		return f.value(dst, e)
	case mappingList:
		return f.object(dst, e)
	default:
		return f.number(dst, element(s), e)
	}
}

// packed writes numbers that are packed into one field.
func (f form) packed(dst []byte, first bool, s shape, c []byte) ([]byte, bool, error) {
	for len(c) > 0 {
		var size int
		switch s {
		case doubleList:
			size = 8
		case floatList:
			size = 4
		default:
			_, size = uvarint(c)
		}
		if size == 0 || size > len(c) {
			return nil, false, corrupt("a cut list of numbers")
		}
		dst = comma(dst, &first)
		var err error
		if dst, err = f.number(dst, element(s), c[:size]); err != nil {
			return nil, false, err
		}
		c = c[size:]
	}
	return dst, first, nil
}

// object writes a map; the key or the value of an entry may be left out.
func (f form) object(dst, c []byte) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	err := each(c, func(_ protowire.Type, entry []byte) error {
		var key, v []byte
		for len(entry) > 0 {
			number, _, content, rest, err := field(entry)
			if err != nil {
				return err
			}
			if number == 1 {
				key = content
			} else {
				v = content
			}
			entry = rest
		}
		dst = comma(dst, &first)
		dst = append(AppendQuoted(dst, key), ':')
		var err error
		dst, err = f.value(dst, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// noTime is the unix timestamp that means null.
const noTime = math.MinInt64

// appendZoned writes a zoned timestamp in its own zone; in UTC when the zone is
// empty or unknown.
func appendZoned(dst, c []byte) ([]byte, error) {
	var at int64
	zone := ""
	for len(c) > 0 {
		number, _, content, rest, err := field(c)
		if err != nil {
			return nil, err
		}
		if number == 1 {
			v, _ := uvarint(content)
			at = int64(v)
		} else {
			zone = string(content)
		}
		c = rest
	}
	if at == noTime {
		return append(dst, "null"...), nil
	}
	t := time.Unix(at, 0).In(location(zone))
	layout := "2006-01-02T15:04:05-07:00"
	if _, offset := t.Zone(); offset%60 != 0 { // local mean time, from before time zones
		layout = "2006-01-02T15:04:05-07:00:00"
	}
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, layout)
	return append(dst, '"'), nil
}

// location finds a zone: an IANA name, or an offset such as +05:30 or
// UTC+05:30.
func location(zone string) *time.Location {
	if zone == "" {
		return time.UTC
	}
	offset := zone
	if len(offset) > 3 && offset[:3] == "UTC" {
		offset = offset[3:]
	}
	if t, err := time.Parse("-07:00", offset); err == nil {
		_, seconds := t.Zone()
		return time.FixedZone("", seconds)
	}
	if l, err := time.LoadLocation(zone); err == nil && zone != "Local" {
		return l
	}
	return time.UTC
}

// AppendTimestamp appends an event time as Feast's HTTP server writes it: a
// JSON string, RFC 3339 in UTC with 0, 3, 6 or 9 digits of fraction, and years
// below 1000 without leading zeros.
func AppendTimestamp(dst []byte, sec int64, nanos int32) []byte {
	t := time.Unix(sec, int64(nanos)).UTC()
	dst = append(dst, '"')
	dst = strconv.AppendInt(dst, int64(t.Year()), 10)
	dst = t.AppendFormat(dst, "-01-02T15:04:05")
	switch {
	case nanos == 0:
	case nanos%1e6 == 0:
		dst = appendFraction(dst, int(nanos/1e6), 3)
	case nanos%1e3 == 0:
		dst = appendFraction(dst, int(nanos/1e3), 6)
	default:
		dst = appendFraction(dst, int(nanos), 9)
	}
	return append(dst, 'Z', '"')
}

func appendFraction(dst []byte, v, digits int) []byte {
	dst = append(dst, '.')
	start := len(dst)
	for range digits {
		dst = append(dst, '0')
	}
	for i := start + digits - 1; i >= start; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}
