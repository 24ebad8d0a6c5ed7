// Package value implements feast.types.Value on the wire: it reads, checks and
// builds serialized Values without decoding them to messages, converts JSON and
// Arrow to them, writes them as JSON and text, and serializes entity keys.
//
// A Value is a protobuf message with one field set, whose number is the number
// of its type (feast.types.ValueType.Enum). An empty message is null. Formats
// are those of Feast 0.67 (0.66 stores the same).
package value

import (
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// shape is the layout of a Value field's content.
type shape uint8

const (
	unknown shape = iota
	raw           // bytes
	text          // UTF-8 string
	varint32
	varint64
	seconds // varint, seconds since 1970
	double
	float
	boolean
	null
	bytesList // message with repeated field 1
	textList
	varint32List
	varint64List
	secondsList
	doubleList
	floatList
	boolList
	valueList
	mapping // message with map<string, Value> field 1
	mappingList
	scalarMap
	zoned
)

// numbered is the layout of each field number of feast.types.Value.
var numbered = [49]shape{
	1: raw, 2: text, 3: varint32, 4: varint64, 5: double, 6: float, 7: boolean, 8: seconds,
	11: bytesList, 12: textList, 13: varint32List, 14: varint64List, 15: doubleList, 16: floatList, 17: boolList, 18: secondsList,
	19: null, 20: mapping, 21: mappingList,
	22: bytesList, 23: textList, 24: varint32List, 25: varint64List, 26: doubleList, 27: floatList, 28: boolList, 29: secondsList,
	32: text, 33: textList, 34: mapping, 35: mappingList, 36: text, 37: text, 38: textList, 39: textList, 40: textList, 41: textList,
	42: valueList, 43: valueList, 44: text, 45: textList, 46: textList, 47: scalarMap, 48: zoned,
}

// shapeOf returns the layout of a field number; unknown for numbers that
// feast.types.Value lacks.
func shapeOf(number uint64) shape {
	if number < uint64(len(numbered)) {
		return numbered[number]
	}
	return unknown
}

// Kind returns the type of a Value: INVALID for null and for bytes that are not
// a Value.
func Kind(b []byte) types.ValueType_Enum {
	tag, _ := uvarint(b)
	number := tag >> 3
	if shapeOf(number) == unknown || number == uint64(types.ValueType_NULL) {
		return types.ValueType_INVALID
	}
	return types.ValueType_Enum(number)
}

// uvarint reads a varint; n is 0 when b does not begin with one.
func uvarint(b []byte) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	for shift := uint(0); n < len(b) && n < 10; shift += 7 {
		c := b[n]
		n++
		if n == 10 && c > 1 {
			return 0, 0
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

// sized reads a length-prefixed field; ok is false when it is cut short.
func sized(b []byte) (piece, rest []byte, ok bool) {
	size, n := uvarint(b)
	if n == 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	end := n + int(size)
	return b[n:end:end], b[end:], true
}

func corrupt(what string) error {
	return fault.New(fault.Invalid, "the bytes are not a feast.types.Value: %s", what)
}
